/* SPDX-License-Identifier: BSD-2-Clause */
/* Names: looking up, making and removing them. */
#include "fs/ext2/namei.h"

#include "fs/ext2/bmap.h"
#include "fs/ext2/delete.h"
#include "fs/ext2/dir.h"
#include "fs/ext2/ialloc.h"

#include <errno.h>
#include <string.h>

int ext2_entry_node(struct ext2 *ext2, uint32_t ino, struct ext2_node **node)
{
	int error = ext2_node_get(ext2, ino, node);

	if (error == -ESTALE || error == -EINVAL) {
		error = ext2_corrupt(ext2, "directory entry for unused inode", ino);
	}
	return error;
}

int ext2_lookup(struct fs *fs, uint64_t dir_ino, struct fs_name name, struct fs_attr *attr)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct ext2_node *dir, *node;
	struct ext2_slot slot;
	int error;

	error = ext2_node_get_dir(ext2, dir_ino, &dir);
	if (error != 0) {
		return error;
	}
	error = ext2_dir_find(ext2, dir, name, &slot);
	if (error == 0) {
		uint32_t ino = slot.ino;

		ext2_slot_put(ext2, &slot);
		error = ext2_entry_node(ext2, ino, &node);
		if (error == 0) {
			ext2_node_attr(ext2, node, attr);
		}
	}
	ext2_node_put(ext2, dir, 1);
	return error;
}

/* Get the directory that is to have a new name in it. */
static int get_dir_for_new(
	struct ext2 *ext2, uint64_t ino, struct fs_name name, struct ext2_node **dir)
{
	struct ext2_slot slot;
	int error;

	error = ext2_node_get_dir(ext2, ino, dir);
	if (error != 0) {
		return error;
	}
	error = ext2_dir_find(ext2, *dir, name, &slot);
	if (error == -ENOENT) {
		error = ext2->fs.read_only ? -EROFS : 0;
	} else if (error == 0) {
		ext2_slot_put(ext2, &slot);
		error = -EEXIST;
	}
	if (error == 0 && ((*dir)->raw.flags & EXT2_FLAG_IMMUTABLE)) {
		error = -EPERM;
	}
	if (error != 0) {
		ext2_node_put(ext2, *dir, 1);
	}
	return error;
}

/* Take an inode and make its node, without links yet. */
static int make_node(struct ext2 *ext2, struct ext2_node *dir, const struct fs_new *what,
	struct ext2_node **node)
{
	uint32_t ino;
	int error;

	error = ext2_alloc_inode(ext2, dir->ino, S_ISDIR(what->mode), &ino);
	if (error != 0) {
		return error;
	}
	error = ext2_node_new(ext2, ino, dir, what, node);
	if (error != 0) {
		ext2_free_inode(ext2, ino, S_ISDIR(what->mode));
	}
	return error;
}

int ext2_create(struct fs *fs, uint64_t dir_ino, struct fs_name name, const struct fs_new *what,
	struct fs_attr *attr)
{
	struct ext2 *ext2 = ext2_of(fs);
	bool is_dir = S_ISDIR(what->mode);
	struct ext2_node *dir, *node;
	int error;

	error = get_dir_for_new(ext2, dir_ino, name, &dir);
	if (error != 0) {
		return error;
	}
	if (is_dir && dir->raw.links_count >= EXT2_LINK_MAX) {
		error = -EMLINK;
		goto put_dir;
	}
	error = make_node(ext2, dir, what, &node);
	if (error != 0) {
		goto put_dir;
	}
	if (is_dir) {
		error = ext2_dir_make(ext2, node, dir->ino);
	}
	if (error == 0) {
		error = ext2_dir_add(ext2, dir, name, node->ino, node->raw.mode);
	}
	if (error != 0) {
		/* Without links, the put deletes it. */
		ext2_node_put(ext2, node, 1);
		goto put_dir;
	}
	node->raw.links_count = is_dir ? 2 : 1;
	if (is_dir) {
		dir->raw.links_count++;
		ext2_node_dirty(ext2, dir);
	}
	ext2_node_attr(ext2, node, attr);
put_dir:
	ext2_node_put(ext2, dir, 1);
	return error;
}

/* Put a symbolic link's text where it belongs: into the inode, or into a block of its own. */
static int store_target(struct ext2 *ext2, struct ext2_node *node, const char *target, size_t len)
{
	struct fs_block block;
	uint32_t number;
	bool is_new;
	int error;

	node->size = len;
	if (len < sizeof(node->raw.block)) {
		memcpy(node->raw.block, target, len);
		return 0;
	}
	error = ext2_map_alloc(ext2, node, 0, &number, &is_new);
	if (error != 0) {
		return error;
	}
	error = fs_cache_get_block(ext2->cache, number, FS_BLOCK_ZERO, &block);
	if (error != 0) {
		return error;
	}
	memcpy(block.data, target, len);
	fs_cache_dirty_block(ext2->cache, &block);
	fs_cache_put_block(ext2->cache, &block);
	return 0;
}

int ext2_symlink(struct fs *fs, uint64_t dir_ino, struct fs_name name, const struct fs_new *what,
	const char *target, size_t len, struct fs_attr *attr)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct ext2_node *dir, *node;
	int error;

	if (len == 0) {
		return -ENOENT;
	}
	if (len >= ext2->block_size) {
		return -ENAMETOOLONG;
	}
	error = get_dir_for_new(ext2, dir_ino, name, &dir);
	if (error != 0) {
		return error;
	}
	error = make_node(ext2, dir, what, &node);
	if (error != 0) {
		goto put_dir;
	}
	error = store_target(ext2, node, target, len);
	if (error == 0) {
		error = ext2_dir_add(ext2, dir, name, node->ino, node->raw.mode);
	}
	if (error != 0) {
		ext2_node_put(ext2, node, 1);
		goto put_dir;
	}
	node->raw.links_count = 1;
	ext2_node_attr(ext2, node, attr);
put_dir:
	ext2_node_put(ext2, dir, 1);
	return error;
}

static int read_target(struct ext2 *ext2, struct ext2_node *node, char *buf, size_t len)
{
	struct fs_block block;
	uint32_t number;
	int error;

	if (ext2_is_fast_symlink(ext2, node)) {
		if (node->size > sizeof(node->raw.block)) {
			return ext2_corrupt(ext2, "symbolic link", node->ino);
		}
		memcpy(buf, node->raw.block, len);
		return 0;
	}
	if (node->size > ext2->block_size) {
		return ext2_corrupt(ext2, "symbolic link", node->ino);
	}
	error = ext2_map(ext2, node, 0, &number);
	if (error != 0) {
		return error;
	}
	if (number == 0) {
		return ext2_corrupt(ext2, "symbolic link", node->ino);
	}
	error = fs_cache_get_block(ext2->cache, number, FS_BLOCK_READ, &block);
	if (error == 0) {
		memcpy(buf, block.data, len);
		fs_cache_put_block(ext2->cache, &block);
	}
	return error;
}

int ext2_readlink(struct fs *fs, uint64_t ino, char *buf, size_t size, size_t *len)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct ext2_node *node;
	int error;

	error = ext2_node_get(ext2, ino, &node);
	if (error != 0) {
		return error;
	}
	*len = 0;
	if (!S_ISLNK(node->raw.mode)) {
		error = -EINVAL;
	} else {
		size_t here = u64_min(size, node->size);

		error = read_target(ext2, node, buf, here);
		if (error == 0) {
			*len = here;
			ext2_node_accessed(ext2, node);
		}
	}
	ext2_node_put(ext2, node, 1);
	return error;
}

int ext2_link(struct fs *fs, uint64_t ino, uint64_t dir_ino, struct fs_name name)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct ext2_node *dir, *node;
	int error;

	error = get_dir_for_new(ext2, dir_ino, name, &dir);
	if (error != 0) {
		return error;
	}
	error = ext2_node_get(ext2, ino, &node);
	if (error != 0) {
		goto put_dir;
	}
	if (ext2_is_dir(node)) {
		error = -EPERM;
	} else if (node->raw.links_count == 0) {
		error = -ENOENT;
	} else if (node->raw.links_count >= EXT2_LINK_MAX) {
		error = -EMLINK;
	} else if (node->raw.flags & (EXT2_FLAG_IMMUTABLE | EXT2_FLAG_APPEND)) {
		error = -EPERM;
	} else {
		error = ext2_dir_add(ext2, dir, name, node->ino, node->raw.mode);
	}
	if (error == 0) {
		node->raw.links_count++;
		ext2_node_touch(ext2, node, EXT2_CTIME);
	}
	ext2_node_put(ext2, node, 1);
put_dir:
	ext2_node_put(ext2, dir, 1);
	return error;
}

/* Find an entry that is to go, with its directory and its node. */
static int get_for_removal(struct ext2 *ext2, uint64_t dir_ino, struct fs_name name,
	struct ext2_node **dir, struct ext2_slot *slot, struct ext2_node **node)
{
	int error;

	error = ext2_node_get_dir(ext2, dir_ino, dir);
	if (error != 0) {
		return error;
	}
	error = ext2_dir_find(ext2, *dir, name, slot);
	if (error != 0) {
		goto put_dir;
	}
	if (ext2->fs.read_only) {
		error = -EROFS;
		goto put_slot;
	}
	error = ext2_entry_node(ext2, slot->ino, node);
	if (error != 0) {
		goto put_slot;
	}
	if (!(((*node)->raw.flags | (*dir)->raw.flags) &
		    (EXT2_FLAG_IMMUTABLE | EXT2_FLAG_APPEND))) {
		return 0;
	}
	error = -EPERM;
	ext2_node_put(ext2, *node, 1);
put_slot:
	ext2_slot_put(ext2, slot);
put_dir:
	ext2_node_put(ext2, *dir, 1);
	return error;
}

int ext2_unlink(struct fs *fs, uint64_t dir_ino, struct fs_name name)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct ext2_node *dir, *node;
	struct ext2_slot slot;
	int error;

	error = get_for_removal(ext2, dir_ino, name, &dir, &slot, &node);
	if (error != 0) {
		return error;
	}
	if (ext2_is_dir(node)) {
		error = -EISDIR;
	} else {
		ext2_dir_remove(ext2, dir, &slot);
		ext2_node_drop_links(ext2, node, 1);
	}
	ext2_slot_put(ext2, &slot);
	ext2_node_put(ext2, node, 1);
	ext2_node_put(ext2, dir, 1);
	return error;
}

int ext2_rmdir(struct fs *fs, uint64_t dir_ino, struct fs_name name)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct ext2_node *dir, *node;
	struct ext2_slot slot;
	int error;

	error = get_for_removal(ext2, dir_ino, name, &dir, &slot, &node);
	if (error != 0) {
		return error;
	}
	if (!ext2_is_dir(node)) {
		error = -ENOTDIR;
	} else if (node == dir || node->ino == EXT2_ROOT_INO) {
		error = ext2_corrupt(ext2, "directory in a loop", node->ino);
	} else {
		int is_empty = ext2_dir_is_empty(ext2, node);

		error = is_empty < 0 ? is_empty : is_empty ? 0 : -ENOTEMPTY;
	}
	if (error == 0) {
		ext2_dir_remove(ext2, dir, &slot);
		ext2_node_drop_links(ext2, dir, dir->raw.links_count > 2 ? 1 : 0);
		ext2_node_drop_links(ext2, node, node->raw.links_count);
	}
	ext2_slot_put(ext2, &slot);
	ext2_node_put(ext2, node, 1);
	ext2_node_put(ext2, dir, 1);
	return error;
}
