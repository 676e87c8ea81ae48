/* SPDX-License-Identifier: BSD-2-Clause */
/* From a file's blocks to the device's. Freeing stands in truncate.c. */
#include "fs/ext2/bmap.h"

#include "fs/ext2/balloc.h"

#include <errno.h>
#include <string.h>

#define LEVELS_MAX 4 /* the slot in the inode and three indirect blocks */

/* The slots on the way to a file block: slot[0] in the inode, others in indirect blocks. Their
 * number, or 0. */
static unsigned map_path(const struct ext2 *ext2, uint64_t file_block, uint32_t slot[LEVELS_MAX])
{
	uint32_t shift = ext2->pointer_shift, mask = ext2->pointers - 1;

	if (file_block < EXT2_DIRECT_BLOCKS) {
		slot[0] = (uint32_t)file_block;
		return 1;
	}
	file_block -= EXT2_DIRECT_BLOCKS;
	if (file_block < ext2->pointers) {
		slot[0] = EXT2_SINGLE;
		slot[1] = (uint32_t)file_block;
		return 2;
	}
	file_block -= ext2->pointers;
	if (file_block >> (2 * shift) == 0) {
		slot[0] = EXT2_DOUBLE;
		slot[1] = (uint32_t)(file_block >> shift);
		slot[2] = (uint32_t)file_block & mask;
		return 3;
	}
	file_block -= 1ull << (2 * shift);
	if (file_block >> (3 * shift) == 0) {
		slot[0] = EXT2_TRIPLE;
		slot[1] = (uint32_t)(file_block >> (2 * shift));
		slot[2] = (uint32_t)(file_block >> shift) & mask;
		slot[3] = (uint32_t)file_block & mask;
		return 4;
	}
	return 0;
}

/* A way down as far as it exists. */
struct walk {
	uint32_t slot[LEVELS_MAX];
	unsigned levels;
	unsigned depth;         /* of the last pointer that was looked at */
	struct fs_block parent; /* where that pointer lies, when depth > 0; pinned */
	uint32_t pointer;       /* its value; 0 unless depth is the lowest level */
};

static uint32_t *walk_pointer(struct ext2_node *node, const struct walk *walk)
{
	if (walk->depth == 0) {
		return &node->raw.block[walk->slot[0]];
	}
	return (uint32_t *)(void *)walk->parent.data + walk->slot[walk->depth];
}

/* Walk down. On success the caller puts walk->parent. */
static int walk_down(
	struct ext2 *ext2, struct ext2_node *node, uint64_t file_block, struct walk *walk)
{
	walk->levels = map_path(ext2, file_block, walk->slot);
	walk->parent.page = NULL;
	if (walk->levels == 0) {
		return -EFBIG;
	}
	for (walk->depth = 0;; walk->depth++) {
		struct fs_block next;
		int error;

		walk->pointer = *walk_pointer(node, walk);
		if (walk->pointer == 0) {
			return 0;
		}
		if (!ext2_block_is_data(ext2, walk->pointer)) {
			fs_cache_put_block(ext2->cache, &walk->parent);
			return ext2_corrupt(ext2, "block map of inode", node->ino);
		}
		if (walk->depth + 1 == walk->levels) {
			return 0;
		}
		error = fs_cache_get_block(ext2->cache, walk->pointer, FS_BLOCK_READ, &next);
		fs_cache_put_block(ext2->cache, &walk->parent);
		if (error != 0) {
			return error;
		}
		walk->parent = next;
	}
}

int ext2_map(struct ext2 *ext2, struct ext2_node *node, uint64_t file_block, uint32_t *block)
{
	struct walk walk;
	int error = walk_down(ext2, node, file_block, &walk);

	if (error != 0) {
		return error;
	}
	*block = walk.pointer;
	fs_cache_put_block(ext2->cache, &walk.parent);
	return 0;
}

/* Where the next block of a file is best put. */
static uint32_t find_goal(const struct ext2 *ext2, const struct ext2_node *node,
	uint64_t file_block, const struct walk *walk)
{
	uint32_t group = ext2_inode_group(ext2, node->ino);
	const uint32_t *pointer;
	uint32_t slot = walk->slot[walk->depth];

	if (node->last_block != 0 && file_block == node->last_file_block + 1) {
		return node->last_block + 1;
	}
	pointer = walk->depth == 0 ? node->raw.block : (const uint32_t *)(void *)walk->parent.data;
	while (slot > 0) {
		if (pointer[--slot] != 0) {
			return pointer[slot] + 1;
		}
	}
	if (walk->depth > 0) {
		return (uint32_t)walk->parent.number + 1;
	}
	/* A new file: in its inode's group, files spread over it. */
	return ext2_group_first(ext2, group) +
		(node->ino % 16) * (ext2_group_blocks(ext2, group) / 16);
}

/* Give back what was allocated for a map that cannot be completed. */
static void undo_blocks(struct ext2 *ext2, const uint32_t *blocks, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		fs_cache_forget(ext2->cache, blocks[i]);
		ext2_free_blocks(ext2, blocks[i], 1, NULL);
	}
}

/*
 * Allocate the missing levels: blocks[0] hangs below walk->depth, the last one is the data block.
 * New indirect blocks are made complete in the cache, but nothing points to blocks[0] yet.
 */
static int alloc_chain(struct ext2 *ext2, const struct walk *walk, uint32_t goal, uint32_t *blocks)
{
	unsigned count = walk->levels - walk->depth;
	unsigned allocated;
	int error = 0;

	for (allocated = 0; allocated < count; allocated++) {
		error = ext2_alloc_block(ext2, goal, &blocks[allocated]);
		if (error != 0) {
			goto undo;
		}
		goal = blocks[allocated] + 1;
	}
	for (unsigned i = 0; i + 1 < count; i++) {
		struct fs_block block;

		error = fs_cache_get_block(ext2->cache, blocks[i], FS_BLOCK_ZERO, &block);
		if (error != 0) {
			goto undo;
		}
		((uint32_t *)(void *)block.data)[walk->slot[walk->depth + 1 + i]] = blocks[i + 1];
		fs_cache_dirty_block(ext2->cache, &block);
		fs_cache_put_block(ext2->cache, &block);
	}
	return 0;

undo:
	undo_blocks(ext2, blocks, allocated);
	return error;
}

int ext2_map_alloc(struct ext2 *ext2, struct ext2_node *node, uint64_t file_block, uint32_t *block,
	bool *is_new)
{
	uint32_t blocks[LEVELS_MAX], sectors;
	struct walk walk;
	int error;

	*is_new = false;
	error = walk_down(ext2, node, file_block, &walk);
	if (error != 0) {
		return error;
	}
	if (walk.pointer != 0) {
		*block = walk.pointer;
		goto out;
	}
	sectors = (walk.levels - walk.depth) * (ext2->block_size / 512);
	if (UINT32_MAX - node->raw.blocks < sectors) {
		error = -EFBIG;
		goto out;
	}
	error = alloc_chain(ext2, &walk, find_goal(ext2, node, file_block, &walk), blocks);
	if (error != 0) {
		goto out;
	}
	if (walk.depth > 0) {
		fs_cache_change(
			ext2->cache, &walk.parent, walk_pointer(node, &walk), sizeof(uint32_t));
	}
	*walk_pointer(node, &walk) = blocks[0];
	*block = blocks[walk.levels - walk.depth - 1];
	*is_new = true;
	node->raw.blocks += sectors;
	node->last_file_block = file_block;
	node->last_block = *block;
	ext2_node_dirty(ext2, node);
out:
	fs_cache_put_block(ext2->cache, &walk.parent);
	return error;
}
