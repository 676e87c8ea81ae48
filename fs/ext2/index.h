/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An index of a large directory's names, in memory only: from a name's hash to the blocks that may
 * hold it. It is built at the first look-up, lives with the node, and is complete: a name it does
 * not know is not there.
 *
 * Invariants: 1. each entry in use of the directory has one slot; 2. used counts slots that are not
 * free, removed ones included, and stays below 3/4 of the capacity.
 */
#pragma once

#include "fs/ext2/ext2.h"

/* Directories with fewer blocks are searched as they are. */
#define EXT2_INDEX_MIN_BLOCKS 4

struct ext2_index_slot {
	uint32_t hash;
	uint32_t block; /* in the directory, + 1; 0: free; UINT32_MAX: removed */
};

struct ext2_index {
	uint32_t capacity; /* a power of two */
	uint32_t used;
	uint32_t live;
	struct ext2_index_slot *slot;
};

/* An empty one for about `names` names; NULL: no memory, or the file system's share is used up. */
struct ext2_index *ext2_index_new(struct ext2 *ext2, uint32_t names);
void ext2_index_free(struct ext2 *ext2, struct ext2_index *index);

/* Note a name; false: no memory, and the index is of no use any more. */
bool ext2_index_add(
	struct ext2 *ext2, struct ext2_index *index, struct fs_name name, uint32_t block);
void ext2_index_remove(struct ext2_index *index, struct fs_name name, uint32_t block);

/*
 * The next block that may hold a name: *cursor is 0 at first. False: there is none.
 */
bool ext2_index_next(
	const struct ext2_index *index, struct fs_name name, uint32_t *cursor, uint32_t *block);
