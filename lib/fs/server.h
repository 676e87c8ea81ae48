/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of a file-system process: life cycle, messages of proto/fs.h, names and buffers by
 * grant. A file system gives its type and, in ops.h's form, its operations; its main() is
 *
 *   int main(void) { return fs_server_main(&my_type); }
 *
 * One process serves one mount, one request at a time; VFS is the only client.
 * State: what the cache has not written is lost at a restart (until the cache is VM's).
 */
#pragma once

#include "lib/bdev/bdev.h"
#include "lib/fs/cache.h"
#include "lib/fs/ops.h"

struct fs_mount_args {
	struct fs_device *device; /* NULL without one */
	struct fs_cache_memory memory;
	size_t cache_pages;   /* its share of the machine's memory */
	uint64_t total_pages; /* of the machine */
	bool read_only;
	const char *options; /* the mount's, "" when none */
	struct fs_time (*now)(void);
	void (*log)(const char *format, ...) __attribute__((format(printf, 1, 2)));
};

struct fs_type {
	const char *name;
	bool needs_device;
	uint32_t flags; /* FS_FLAG_* of proto/fs.h for the mount's answer */
	int (*mount)(const struct fs_mount_args *args, struct fs **fs);
};

/* Serve; never returns. */
int fs_server_main(const struct fs_type *type);
