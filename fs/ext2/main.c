/* SPDX-License-Identifier: BSD-2-Clause */
/* The ext2 file-system process. */
#include "fs/ext2/ext2.h"
#include "lib/fs/server.h"

static int mount(const struct fs_mount_args *args, struct fs **fs)
{
	struct ext2_options options = {.device = args->device,
		.memory = args->memory,
		.cache_pages = args->cache_pages,
		.read_only = args->read_only,
		.now = args->now,
		.log = args->log};

	return ext2_mount(&options, fs);
}

int main(void)
{
	static const struct fs_type type = {.name = "ext2", .needs_device = true, .mount = mount};

	return fs_server_main(&type);
}
