/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of a block device that no file system is mounted on: a file system without names, whose
 * only node is the device. VFS starts one while such a device is open. Pages, write-back and
 * recovery are lib/fs's.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/fs/cache.h"
#include "lib/fs/devnode.h"
#include "lib/fs/server.h"
#include "proto/fs.h"

static int block_sync(struct fs *fs)
{
	struct fs_cache *cache = fs->device;
	int error = fs_cache_flush(cache, FS_FLUSH_ALL);

	return error != 0 ? error : fs_cache_sync_device(cache);
}

static void block_unmount(struct fs *fs)
{
	(void)block_sync(fs);
	fs_cache_destroy(fs->device);
	free(fs);
}

static int block_remount(struct fs *fs, bool read_only)
{
	(void)fs;
	(void)read_only;
	return 0;
}

static int block_get(struct fs *fs, uint64_t ino, struct fs_attr *attr)
{
	*attr = (struct fs_attr){.ino = ino,
		.mode = S_IFREG | 0600,
		.nlink = 1,
		.size = fs_device_size(fs->device),
		.block_size = FS_PAGE_SIZE};
	return 0;
}

static bool block_is_dirty(struct fs *fs)
{
	struct fs_cache_stats stats;

	fs_cache_get_stats(fs->device, &stats);
	return stats.dirty_pages > 0;
}

static void block_idle(struct fs *fs)
{
	fs_cache_balance(fs->device);
}

static int block_mount(const struct fs_mount_args *args, struct fs **result)
{
	static const struct fs_ops ops = {.unmount = block_unmount,
		.remount = block_remount,
		.get = block_get,
		.sync = block_sync,
		.is_dirty = block_is_dirty,
		.idle = block_idle};
	struct fs *fs = calloc(1, sizeof(*fs));
	int error;

	if (fs == NULL) {
		return -ENOMEM;
	}
	error = fs_cache_create(&fs->device, args->device, args->memory, FS_PAGE_SIZE);
	if (error != 0) {
		free(fs);
		return error;
	}
	fs->ops = &ops;
	fs->read_only = args->device->read_only;
	fs->is_device_only = true;
	fs->root = FS_NODE_DEVICE;
	fs->now = args->now;
	fs->log = args->log;
	*result = fs;
	return 0;
}

int main(void)
{
	static const struct fs_type type = {
		.name = "block", .needs_device = true, .flags = FS_FLAG_PEEK, .mount = block_mount};

	return fs_server_main(&type);
}
