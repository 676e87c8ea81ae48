/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of a file-system process: life cycle, messages of proto/fs.h, names and buffers by
 * grant. A file system gives its type and, in ops.h's form, its operations; its main() is
 *
 *   int main(void) { return fs_server_main(&my_type); }
 *
 * One process serves one mount, one request at a time; VFS is the only client.
 * State: a file system on a device keeps it in VM's page cache (log.h), one in memory registers all
 * of its own; either is mounted again with FS_MOUNT_RECOVER after a restart.
 */
#pragma once

#include "lib/bdev/bdev.h"
#include "lib/fs/cache.h"
#include "lib/fs/ops.h"

struct fs_mount_args {
	struct fs_device *device;       /* NULL without one */
	struct fs_cache_memory *memory; /* VM's page cache of the mount's device number */
	uint64_t total_pages;           /* of the machine */
	bool read_only;
	bool is_recovery;    /* FS_MOUNT_RECOVER */
	const char *options; /* the mount's, "" when none */
	struct fs_time (*now)(void);
	void (*log)(const char *format, ...) __attribute__((format(printf, 1, 2)));
};

struct fs_type {
	const char *name;
	bool needs_device;
	uint32_t flags; /* FS_FLAG_* of proto/fs.h for the mount's answer */
	int (*mount)(const struct fs_mount_args *args, struct fs **fs);
	/*
	 * For who hands on its heap over a live update (sef_keep_heap), else NULL: what the mount's
	 * structures say of the program is set again; of args memory, now and log are there. The
	 * mount, or NULL: there is none yet.
	 */
	struct fs *(*resume)(const struct fs_mount_args *args);
};

/* Serve; never returns. */
int fs_server_main(const struct fs_type *type);
