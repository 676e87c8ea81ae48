/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Renaming. Everything that can fail comes first: the entries and the moved directory's ".." are
 * found and pinned, and the new entry is made; what follows works on pinned blocks and nodes in
 * memory.
 */
#include "fs/ext2/namei.h"

#include "fs/ext2/delete.h"
#include "fs/ext2/dir.h"

#include <errno.h>

struct side {
	struct ext2_node *dir;
	struct fs_name name;
	struct ext2_slot slot; /* of the name, when node != NULL */
	struct ext2_node *node;
	struct ext2_slot dotdot; /* of node, when it is a directory that changes its parent */
};

static void side_put(struct ext2 *ext2, struct side *side)
{
	ext2_slot_put(ext2, &side->slot);
	ext2_slot_put(ext2, &side->dotdot);
	if (side->node != NULL) {
		ext2_node_put(ext2, side->node, 1);
	}
	if (side->dir != NULL) {
		ext2_node_put(ext2, side->dir, 1);
	}
}

/* Find a side; a name that is not there leaves node NULL. */
static int side_get(struct ext2 *ext2, struct side *side, uint64_t dir_ino)
{
	int error;

	error = ext2_node_get_dir(ext2, dir_ino, &side->dir);
	if (error != 0) {
		side->dir = NULL;
		return error;
	}
	error = ext2_dir_find(ext2, side->dir, side->name, &side->slot);
	if (error != 0) {
		side->slot.block.page = NULL;
		return error == -ENOENT ? 0 : error;
	}
	error = ext2_entry_node(ext2, side->slot.ino, &side->node);
	if (error != 0) {
		side->node = NULL;
		return error;
	}
	if ((side->node->raw.flags | side->dir->raw.flags) &
		(EXT2_FLAG_IMMUTABLE | EXT2_FLAG_APPEND)) {
		return -EPERM;
	}
	return 0;
}

/* -EINVAL when `node` is `dir` or one of the directories above it. */
static int check_not_above(struct ext2 *ext2, const struct ext2_node *node, struct ext2_node *dir)
{
	uint64_t ino = dir->ino;

	/* A chain longer than there are inodes is a loop. */
	for (uint32_t steps = 0; steps <= ext2->super.inodes_count; steps++) {
		struct ext2_node *here;
		struct ext2_slot slot;
		int error;

		if (ino == node->ino) {
			return -EINVAL;
		}
		if (ino == EXT2_ROOT_INO) {
			return 0;
		}
		error = ext2_node_get_dir(ext2, ino, &here);
		if (error != 0) {
			return error == -ENOENT ? error : -EIO;
		}
		error = ext2_dir_find(ext2, here, (struct fs_name){"..", 2}, &slot);
		ext2_node_put(ext2, here, 1);
		if (error != 0) {
			return error == -ENOENT ? ext2_corrupt(ext2, "no .. in directory", ino)
						: error;
		}
		ino = slot.ino;
		ext2_slot_put(ext2, &slot);
	}
	return ext2_corrupt(ext2, "directory in a loop", dir->ino);
}

/* If the side's node is a directory that comes under another one: find its "..", see that it may go
 * there. */
static int prepare_move(struct ext2 *ext2, struct side *side, struct ext2_node *to)
{
	int error;

	if (!ext2_is_dir(side->node) || side->dir == to) {
		return 0;
	}
	error = check_not_above(ext2, side->node, to);
	if (error == 0) {
		error = ext2_dir_find(ext2, side->node, (struct fs_name){"..", 2}, &side->dotdot);
	}
	if (error == -ENOENT) {
		error = ext2_corrupt(ext2, "no .. in directory", side->node->ino);
	}
	if (error != 0) {
		side->dotdot.block.page = NULL;
	}
	return error;
}

/* Whether the new side's node may be replaced by the old one's. */
static int check_replace(struct ext2 *ext2, const struct side *old, const struct side *new)
{
	int is_empty;

	if (!ext2_is_dir(new->node)) {
		return ext2_is_dir(old->node) ? -ENOTDIR : 0;
	}
	if (!ext2_is_dir(old->node)) {
		return -EISDIR;
	}
	if (new->node == old->dir || new->node == new->dir || new->node->ino == EXT2_ROOT_INO) {
		return -ENOTEMPTY;
	}
	is_empty = ext2_dir_is_empty(ext2, new->node);
	return is_empty < 0 ? is_empty : is_empty ? 0 : -ENOTEMPTY;
}

static void adjust_parent(struct ext2 *ext2, struct ext2_node *dir, int links)
{
	int count = dir->raw.links_count + links;

	dir->raw.links_count = (uint16_t)(count < 2 ? 2 : count);
	ext2_node_dirty(ext2, dir);
}

/* A directory has moved: its "..", and the counts of both parents. */
static void finish_move(struct ext2 *ext2, struct side *side, struct ext2_node *to)
{
	if (side->dotdot.block.page != NULL) {
		ext2_dir_set_parent(ext2, &side->dotdot, to->ino);
		adjust_parent(ext2, side->dir, -1);
		adjust_parent(ext2, to, 1);
	}
	ext2_node_touch(ext2, side->node, EXT2_CTIME);
}

static int exchange(struct ext2 *ext2, struct side *old, struct side *new)
{
	int error;

	if (new->node == NULL) {
		return -ENOENT;
	}
	error = prepare_move(ext2, old, new->dir);
	if (error == 0) {
		error = prepare_move(ext2, new, old->dir);
	}
	if (error != 0) {
		return error;
	}
	ext2_dir_replace(ext2, old->dir, &old->slot, new->node->ino, new->node->raw.mode);
	ext2_dir_replace(ext2, new->dir, &new->slot, old->node->ino, old->node->raw.mode);
	finish_move(ext2, old, new->dir);
	finish_move(ext2, new, old->dir);
	return 0;
}

static int move(struct ext2 *ext2, struct side *old, struct side *new)
{
	int error;

	error = prepare_move(ext2, old, new->dir);
	if (error == 0 && new->node != NULL) {
		error = check_replace(ext2, old, new);
	}
	if (error == 0 && new->node == NULL &&
		old->dotdot.block.page != NULL &&new->dir->raw.links_count >= EXT2_LINK_MAX) {
		error = -EMLINK;
	}
	if (error == 0 && new->node == NULL) {
		error = ext2_dir_add(
			ext2, new->dir, new->name, old->node->ino, old->node->raw.mode);
	}
	if (error != 0) {
		return error;
	}
	if (new->node != NULL) {
		bool is_dir = ext2_is_dir(new->node);

		ext2_dir_replace(ext2, new->dir, &new->slot, old->node->ino, old->node->raw.mode);
		ext2_node_drop_links(ext2, new->node, is_dir ? new->node->raw.links_count : 1);
		if (is_dir) {
			adjust_parent(ext2, new->dir, -1);
		}
	}
	ext2_dir_remove(ext2, old->dir, &old->slot);
	finish_move(ext2, old, new->dir);
	return 0;
}

int ext2_rename(struct fs *fs, uint64_t old_dir, struct fs_name old_name, uint64_t new_dir,
	struct fs_name new_name, unsigned flags)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct side old = {.name = old_name}, new = {.name = new_name};
	int error;

	error = side_get(ext2, &old, old_dir);
	if (error == 0 && old.node == NULL) {
		error = -ENOENT;
	}
	if (error == 0) {
		error = side_get(ext2, &new, new_dir);
	}
	if (error == 0 && fs->read_only) {
		error = -EROFS;
	}
	if (error == 0 && (flags & FS_RENAME_NOREPLACE) && new.node != NULL) {
		error = -EEXIST;
	}
	if (error == 0 && old.node != new.node) {
		error = flags & FS_RENAME_EXCHANGE ? exchange(ext2, &old, &new)
						   : move(ext2, &old, &new);
	}
	side_put(ext2, &new);
	side_put(ext2, &old);
	return error;
}
