/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories: linear lists of entries in blocks. */
#pragma once

#include "fs/ext2/inode.h"

/* An entry where it lies; the block is pinned until ext2_slot_put(). */
struct ext2_slot {
	struct fs_block block;
	uint32_t index;  /* of the block in the directory */
	uint32_t offset; /* bytes, in the block */
	uint32_t ino;
};

static inline void ext2_slot_put(struct ext2 *ext2, struct ext2_slot *slot)
{
	fs_cache_put_block(ext2->cache, &slot->block);
}

/* Look a name up. -ENOENT, -EIO, -ENOMEM. */
int ext2_dir_find(
	struct ext2 *ext2, struct ext2_node *dir, struct fs_name name, struct ext2_slot *slot);

/* Add an entry; the name must not be there. -ENOSPC, -EFBIG, -EIO, -ENOMEM: nothing is changed. */
int ext2_dir_add(
	struct ext2 *ext2, struct ext2_node *dir, struct fs_name name, uint32_t ino, uint32_t mode);

/* Take the entry out. Cannot fail: what is needed is pinned. */
void ext2_dir_remove(struct ext2 *ext2, struct ext2_node *dir, const struct ext2_slot *slot);

/* Let the entry name another inode. */
void ext2_dir_replace(struct ext2 *ext2, struct ext2_node *dir, const struct ext2_slot *slot,
	uint32_t ino, uint32_t mode);

/* Let a moved directory's ".." name its new parent. */
void ext2_dir_set_parent(struct ext2 *ext2, const struct ext2_slot *dotdot, uint32_t parent);

/* Give a new directory its first block, with "." and "..". */
int ext2_dir_make(struct ext2 *ext2, struct ext2_node *dir, uint32_t parent);

/* 1: nothing but "." and ".." is in it; 0: something is; or a negative errno. */
int ext2_dir_is_empty(struct ext2 *ext2, struct ext2_node *dir);

/* Walk from a position (bytes; any value) on. */
int ext2_dir_walk(
	struct ext2 *ext2, struct ext2_node *dir, uint64_t position, fs_emit_fn emit, void *ctx);

/* For repair: whether all entries of a block are sound; a first block with "." and ".."; the type
 * in an entry. */
bool ext2_dir_block_is_sound(const struct ext2 *ext2, const struct fs_block *block);
void ext2_dir_format(struct ext2 *ext2, struct fs_block *block, uint32_t ino, uint32_t parent);
uint8_t ext2_dir_type(const struct ext2 *ext2, uint32_t mode);
