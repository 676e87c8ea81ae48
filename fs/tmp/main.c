/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tmpfs process.
 *
 * State: over a crash its whole memory is kept, over a live update the heap with all that the mount
 * leads to; the pages of files are VM's.
 */
#include "fs/tmp/tmp.h"
#include "lib/fs/server.h"
#include "lib/sys/sef.h"
#include "proto/fs.h"

#include "tmp_layout.h" /* generated */

/* Of the structures that the mount leads to; raised with each change of them. */
#ifndef TMP_STATE_VERSION
#define TMP_STATE_VERSION 1
#endif

static struct tmp_fs *the_mount;

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
		the_mount = tmp_of(*fs);
	}
	return r;
}

static struct fs *resume(const struct fs_mount_args *args)
{
	if (!the_mount) {
		return NULL;
	}
	tmp_resume(the_mount, args->memory);
	the_mount->fs.now = args->now;
	the_mount->fs.log = args->log;
	return &the_mount->fs;
}

static const struct sef_kept kept = {
	.name = "tmp",
	.root = (void **)&the_mount,
	.version = TMP_STATE_VERSION,
	.layout = TMP_LAYOUT,
};

int main(void)
{
	static const struct fs_type type = {
		.name = "tmp",
		.flags = FS_FLAG_MEMORY | FS_FLAG_PEEK,
		.mount = mount,
		.resume = resume,
	};

	sef_keep_heap(&kept);
	return fs_server_main(&type);
}
