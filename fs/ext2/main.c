/* SPDX-License-Identifier: BSD-2-Clause */
/* The ext2 file-system process. */
#include "fs/ext2/ext2.h"
#include "lib/fs/server.h"
#include "proto/fs.h"

static int mount(const struct fs_mount_args *args, struct fs **fs)
{
	struct ext2_options options = {.device = args->device,
		.memory = args->memory,
		.total_pages = args->total_pages,
		.read_only = args->read_only,
		.is_recovery = args->is_recovery,
		.now = args->now,
		.log = args->log};

	return ext2_mount(&options, fs);
}

int main(void)
{
	static const struct fs_type type = {
		.name = "ext2", .needs_device = true, .flags = FS_FLAG_PEEK, .mount = mount};

	return fs_server_main(&type);
}
