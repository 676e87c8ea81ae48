/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations table, and the operations that are one step over nodes. */
#include "fs/ext2/dir.h"
#include "fs/ext2/file.h"
#include "fs/ext2/namei.h"

#include <errno.h>

static int ext2_get(struct fs *fs, uint64_t ino, struct fs_attr *attr)
{
	struct ext2_node *node;
	int error = ext2_node_get(ext2_of(fs), ino, &node);

	if (error == 0) {
		ext2_node_attr(ext2_of(fs), node, attr);
	}
	return error;
}

static int ext2_put(struct fs *fs, uint64_t ino, uint64_t count)
{
	struct ext2_node *node = ext2_node_find(ext2_of(fs), ino);

	if (node == NULL || count == 0 || count > node->refs) {
		return -EINVAL;
	}
	ext2_node_put(ext2_of(fs), node, count);
	return 0;
}

static int ext2_get_attr(struct fs *fs, uint64_t ino, struct fs_attr *attr)
{
	struct ext2_node *node;
	int error = ext2_node_get(ext2_of(fs), ino, &node);

	if (error == 0) {
		ext2_node_attr(ext2_of(fs), node, attr);
		ext2_node_put(ext2_of(fs), node, 1);
	}
	return error;
}

static int ext2_set_attr(struct fs *fs, uint64_t ino, unsigned set, const struct fs_attr *attr)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct ext2_node *node;
	int error;

	if (fs->read_only) {
		return -EROFS;
	}
	error = ext2_node_get(ext2, ino, &node);
	if (error != 0) {
		return error;
	}
	if (node->raw.flags & EXT2_FLAG_IMMUTABLE) {
		ext2_node_put(ext2, node, 1);
		return -EPERM;
	}
	if (set & FS_SET_MODE) {
		node->raw.mode = (uint16_t)((node->raw.mode & S_IFMT) | (attr->mode & 07777));
	}
	if (set & FS_SET_UID) {
		node->raw.uid_low = (uint16_t)attr->uid;
		node->raw.uid_high = (uint16_t)(attr->uid >> 16);
	}
	if (set & FS_SET_GID) {
		node->raw.gid_low = (uint16_t)attr->gid;
		node->raw.gid_high = (uint16_t)(attr->gid >> 16);
	}
	if (set & FS_SET_ATIME) {
		ext2_node_set_time(ext2, node, EXT2_ATIME, attr->atime);
	}
	if (set & FS_SET_MTIME) {
		ext2_node_set_time(ext2, node, EXT2_MTIME, attr->mtime);
	}
	ext2_node_touch(ext2, node, EXT2_CTIME);
	ext2_node_put(ext2, node, 1);
	return 0;
}

static int ext2_readdir(struct fs *fs, uint64_t ino, uint64_t position, fs_emit_fn emit, void *ctx)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct ext2_node *dir;
	int error = ext2_node_get(ext2, ino, &dir);

	if (error != 0) {
		return error;
	}
	if (!ext2_is_dir(dir)) {
		error = -ENOTDIR;
	} else if (dir->raw.links_count == 0) {
		error = -ENOENT;
	} else {
		error = ext2_dir_walk(ext2, dir, position, emit, ctx);
		ext2_node_accessed(ext2, dir);
	}
	ext2_node_put(ext2, dir, 1);
	return error;
}

static void ext2_idle(struct fs *fs)
{
	fs_cache_balance(ext2_of(fs)->cache);
}

static bool ext2_is_dirty(struct fs *fs)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct fs_cache_stats stats;

	fs_cache_get_stats(ext2->cache, &stats);
	return ext2->is_writing &&
		(stats.dirty_pages > 0 || ext2->super_dirty || !list_is_empty(&ext2->dirty_nodes));
}

const struct fs_ops ext2_ops = {
	.unmount = ext2_unmount,
	.remount = ext2_remount,
	.lookup = ext2_lookup,
	.get = ext2_get,
	.put = ext2_put,
	.create = ext2_create,
	.symlink = ext2_symlink,
	.link = ext2_link,
	.unlink = ext2_unlink,
	.rmdir = ext2_rmdir,
	.rename = ext2_rename,
	.readlink = ext2_readlink,
	.read = ext2_read,
	.write = ext2_write,
	.truncate = ext2_truncate,
	.get_attr = ext2_get_attr,
	.set_attr = ext2_set_attr,
	.readdir = ext2_readdir,
	.sync = ext2_sync,
	.fsync = ext2_fsync,
	.statfs = ext2_statfs,
	.is_dirty = ext2_is_dirty,
	.idle = ext2_idle,
};
