/* SPDX-License-Identifier: BSD-2-Clause */
/* From a file's blocks to the device's: direct, indirect, double and triple indirect. */
#pragma once

#include "fs/ext2/inode.h"

/* Where a block of a file is; 0: a hole. -EIO when the map is damaged or not readable. */
int ext2_map(struct ext2 *ext2, struct ext2_node *node, uint64_t file_block, uint32_t *block);

/*
 * As ext2_map, but a hole is filled: *is_new tells that the block was just allocated, and has no
 * contents yet. Either all that is needed is allocated, or nothing: -ENOSPC, -EFBIG, -EIO, -ENOMEM.
 */
int ext2_map_alloc(struct ext2 *ext2, struct ext2_node *node, uint64_t file_block, uint32_t *block,
	bool *is_new);

/*
 * Free all blocks of a file from file block `first` on, and the indirect blocks that are then
 * empty. What cannot be read is reported as damage and lost: -EIO. The cache's pages of the file
 * are the caller's business.
 */
int ext2_free_tail(struct ext2 *ext2, struct ext2_node *node, uint64_t first);
