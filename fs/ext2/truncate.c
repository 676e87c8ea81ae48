/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Freeing the end of a file's block map.
 *
 * A tree of pointers that goes as a whole is freed from the top: an indirect block is copied,
 * freed, and then its children follow. So a damaged map that leads to one block twice meets it as
 * free the second time, and stops there instead of walking the same tree again and again.
 */
#include "fs/ext2/bmap.h"

#include "fs/ext2/balloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tail {
	struct ext2 *ext2;
	struct ext2_node *node;
	struct ext2_free_run run;
	int error; /* the first one */
};

static void note_error(struct tail *tail, int error)
{
	if (tail->error == 0) {
		tail->error = error;
	}
}

static void account_freed(struct tail *tail)
{
	uint32_t sectors = tail->ext2->block_size / 512;

	tail->node->raw.blocks -= (uint32_t)u64_min(sectors, tail->node->raw.blocks);
}

/* Free a block that holds file data. */
static void free_data(struct tail *tail, uint32_t block)
{
	if (ext2_is_dir(tail->node) || !ext2_is_reg(tail->node)) {
		fs_cache_forget(tail->ext2->cache, block);
	}
	account_freed(tail);
	note_error(tail, ext2_free_run_add(tail->ext2, &tail->run, block));
}

/* Free a block and, level > 0, the tree of pointers in it. */
static void free_tree(struct tail *tail, uint32_t block, unsigned level)
{
	struct ext2 *ext2 = tail->ext2;
	struct fs_block indirect;
	uint32_t *copy;
	int error;

	if (!ext2_block_is_data(ext2, block)) {
		note_error(tail, ext2_corrupt(ext2, "block map of inode", tail->node->ino));
		return;
	}
	if (level == 0) {
		free_data(tail, block);
		return;
	}
	error = fs_cache_get_block(ext2->cache, block, FS_BLOCK_READ, &indirect);
	copy = error == 0 ? malloc(ext2->block_size) : NULL;
	if (copy == NULL) {
		fs_cache_put_block(ext2->cache, &indirect);
		note_error(tail, error != 0 ? error : -ENOMEM);
		ext2_corrupt(ext2, "lost blocks of inode", tail->node->ino);
		return;
	}
	memcpy(copy, indirect.data, ext2->block_size);
	fs_cache_put_block(ext2->cache, &indirect);
	fs_cache_forget(ext2->cache, block);
	error = ext2_free_blocks(ext2, block, 1, NULL);
	if (error != 0) {
		note_error(tail, error);
		free(copy);
		return;
	}
	account_freed(tail);
	for (uint32_t i = 0; i < ext2->pointers; i++) {
		if (copy[i] != 0) {
			free_tree(tail, copy[i], level - 1);
		}
	}
	free(copy);
}

/*
 * Free what lies at or beyond `first`, counted from the beginning of the tree below *pointer. first
 * == 0 takes the tree itself.
 */
static void free_from(struct tail *tail, uint32_t *pointer, unsigned level, uint64_t first)
{
	struct ext2 *ext2 = tail->ext2;
	unsigned shift = (level > 0 ? level - 1 : 0) * ext2->pointer_shift;
	struct fs_block indirect;
	uint32_t *pointers;
	int error;

	if (*pointer == 0) {
		return;
	}
	if (first == 0) {
		uint32_t block = *pointer;

		*pointer = 0;
		free_tree(tail, block, level);
		return;
	}
	if (!ext2_block_is_data(ext2, *pointer)) {
		note_error(tail, ext2_corrupt(ext2, "block map of inode", tail->node->ino));
		return;
	}
	error = fs_cache_get_block(ext2->cache, *pointer, FS_BLOCK_READ, &indirect);
	if (error != 0) {
		note_error(tail, error);
		ext2_corrupt(ext2, "lost blocks of inode", tail->node->ino);
		return;
	}
	pointers = (uint32_t *)(void *)indirect.data;
	fs_cache_change(ext2->cache, &indirect, &pointers[first >> shift],
		(ext2->pointers - (size_t)(first >> shift)) * sizeof(pointers[0]));
	for (uint32_t i = (uint32_t)(first >> shift); i < ext2->pointers; i++) {
		free_from(tail, &pointers[i], level - 1,
			i == first >> shift ? first & ((1ull << shift) - 1) : 0);
	}
	fs_cache_put_block(ext2->cache, &indirect);
}

int ext2_free_tail(struct ext2 *ext2, struct ext2_node *node, uint64_t first)
{
	struct tail tail = {.ext2 = ext2, .node = node};
	uint64_t base = EXT2_DIRECT_BLOCKS, span = ext2->pointers;

	for (uint64_t i = first; i < EXT2_DIRECT_BLOCKS; i++) {
		free_from(&tail, &node->raw.block[i], 0, 0);
	}
	for (unsigned level = 1; level <= 3; level++) {
		if (first < base + span) {
			free_from(&tail, &node->raw.block[EXT2_DIRECT_BLOCKS + level - 1], level,
				first > base ? first - base : 0);
		}
		base += span;
		span <<= ext2->pointer_shift;
	}
	note_error(&tail, ext2_free_run_end(ext2, &tail.run));
	node->last_block = 0;
	ext2_node_dirty(ext2, node);
	return tail.error;
}
