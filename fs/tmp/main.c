/* SPDX-License-Identifier: BSD-2-Clause */
/* The tmpfs process. */
#include "fs/tmp/tmp.h"
#include "lib/fs/server.h"
#include "proto/fs.h"

static int mount(const struct fs_mount_args *args, struct fs **fs)
{
	struct tmp_options options;
	int r = tmp_options_parse(args->options, args->total_pages, &options);

	if (r == 0) {
		r = tmp_mount(
			args->memory, options.pages, options.nodes, options.mode, args->now, fs);
	}
	if (r == 0) {
		(*fs)->read_only = args->read_only;
		(*fs)->log = args->log;
	}
	return r;
}

int main(void)
{
	static const struct fs_type type = {
		.name = "tmp", .flags = FS_FLAG_MEMORY | FS_FLAG_PEEK, .mount = mount};

	return fs_server_main(&type);
}
