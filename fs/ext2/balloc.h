/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation of blocks. */
#pragma once

#include "fs/ext2/ext2.h"

/* Blocks on their way to be freed: neighbours are gathered into one visit of the bitmap. */
struct ext2_free_run {
	uint32_t first;
	uint32_t count;
};

/*
 * Take a free block, as near after `goal` as there is one. Its contents and the cache's are
 * whatever they were. -ENOSPC, -EIO, -ENOMEM.
 */
int ext2_alloc_block(struct ext2 *ext2, uint32_t goal, uint32_t *block);

/*
 * Free blocks [first, first + count). A block that is free already, or none of ours, is reported as
 * damage and left alone: -EIO, and *freed (may be NULL) tells how many went.
 */
int ext2_free_blocks(struct ext2 *ext2, uint32_t first, uint32_t count, uint32_t *freed);

/* Add a block to a run, freeing the run first when it is no neighbour. End with
 * ext2_free_run_end(). */
int ext2_free_run_add(struct ext2 *ext2, struct ext2_free_run *run, uint32_t block);
int ext2_free_run_end(struct ext2 *ext2, struct ext2_free_run *run);
