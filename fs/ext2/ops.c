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
		return set == FS_SET_READ ? 0 : -EROFS;
	}
	error = ext2_node_get(ext2, ino, &node);
	if (error != 0) {
		return error;
	}
	if (set == FS_SET_READ) {
		ext2_node_accessed(ext2, node);
		ext2_node_put(ext2, node, 1);
		return 0;
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
		(stats.dirty_pages > 0 || ext2->super_dirty || ext2->counts_dirty);
}

/* Each operation is a request: what it changed is in the cached blocks when it returns. */
#define REQUEST(name, parameters, arguments)        \
	static int name##_request parameters        \
	{                                           \
		int result = ext2_##name arguments; \
                                                    \
		ext2_commit(ext2_of(fs));           \
		return result;                      \
	}

REQUEST(put, (struct fs * fs, uint64_t ino, uint64_t count), (fs, ino, count))
REQUEST(create,
	(struct fs * fs, uint64_t dir, struct fs_name name, const struct fs_new *what,
		struct fs_attr *attr),
	(fs, dir, name, what, attr))
REQUEST(symlink,
	(struct fs * fs, uint64_t dir, struct fs_name name, const struct fs_new *what,
		const char *target, size_t len, struct fs_attr *attr),
	(fs, dir, name, what, target, len, attr))
REQUEST(link, (struct fs * fs, uint64_t ino, uint64_t dir, struct fs_name name),
	(fs, ino, dir, name))
REQUEST(unlink, (struct fs * fs, uint64_t dir, struct fs_name name), (fs, dir, name))
REQUEST(rmdir, (struct fs * fs, uint64_t dir, struct fs_name name), (fs, dir, name))
REQUEST(rename,
	(struct fs * fs, uint64_t old_dir, struct fs_name old_name, uint64_t new_dir,
		struct fs_name new_name, unsigned flags),
	(fs, old_dir, old_name, new_dir, new_name, flags))
REQUEST(readlink, (struct fs * fs, uint64_t ino, char *buf, size_t size, size_t *len),
	(fs, ino, buf, size, len))
REQUEST(read,
	(struct fs * fs, uint64_t ino, uint64_t position, size_t len, struct fs_data *data,
		size_t *done),
	(fs, ino, position, len, data, done))
REQUEST(write,
	(struct fs * fs, uint64_t ino, uint64_t position, size_t len, struct fs_data *data,
		size_t *done),
	(fs, ino, position, len, data, done))
REQUEST(truncate, (struct fs * fs, uint64_t ino, uint64_t size), (fs, ino, size))
REQUEST(mkwrite, (struct fs * fs, uint64_t ino, uint64_t position, size_t len, size_t *done),
	(fs, ino, position, len, done))
REQUEST(set_attr, (struct fs * fs, uint64_t ino, unsigned set, const struct fs_attr *attr),
	(fs, ino, set, attr))
REQUEST(readdir, (struct fs * fs, uint64_t ino, uint64_t position, fs_emit_fn emit, void *ctx),
	(fs, ino, position, emit, ctx))
REQUEST(sync, (struct fs * fs), (fs))
REQUEST(fsync, (struct fs * fs, uint64_t ino, bool data_only), (fs, ino, data_only))
REQUEST(recovered, (struct fs * fs), (fs))

const struct fs_ops ext2_ops = {
	.unmount = ext2_unmount,
	.remount = ext2_remount,
	.lookup = ext2_lookup,
	.get = ext2_get,
	.put = put_request,
	.create = create_request,
	.symlink = symlink_request,
	.link = link_request,
	.unlink = unlink_request,
	.rmdir = rmdir_request,
	.rename = rename_request,
	.readlink = readlink_request,
	.read = read_request,
	.write = write_request,
	.truncate = truncate_request,
	.peek = ext2_peek,
	.mkwrite = mkwrite_request,
	.get_attr = ext2_get_attr,
	.set_attr = set_attr_request,
	.readdir = readdir_request,
	.sync = sync_request,
	.fsync = fsync_request,
	.statfs = ext2_statfs,
	.rebind = ext2_rebind,
	.recovered = recovered_request,
	.is_dirty = ext2_is_dirty,
	.idle = ext2_idle,
};
