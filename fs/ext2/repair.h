/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a mount for writing does with a file system that was not unmounted cleanly: it makes the
 * whole of it consistent again from what is surest, the inodes. Without that, stale bitmaps would
 * give blocks in use away twice.
 *
 * 1. Each inode with links is in use, and so are the blocks its map names, once; pointers that
 * cannot be are cleared, and what lies beyond a file's size is dropped.
 * 2. Each directory block is sound or becomes empty; entries of unused inodes, and second ones of
 * directories, go.
 * 3. The bitmaps, counts and links are what was found; inodes that no entry names go to lost+found.
 */
#pragma once

#include "fs/ext2/ext2.h"

struct ext2_repair {
	struct ext2 *ext2;
	uint64_t *blocks; /* bit per block from first_data_block on: in use */
	uint64_t *inodes; /* bit per inode (ino - 1): in use */
	uint64_t *dirs;   /* those that are directories */
	uint16_t *links;  /* per inode: entries that name it */
	uint32_t *parent; /* per inode, directories: the one whose entry names it; 0: none yet */
	uint8_t *types;   /* per inode: mode >> 12 */
	uint32_t fixes;   /* made so far, for the log */
	/* Of the inode in work: */
	uint64_t limit;   /* file blocks from here on are dropped */
	uint32_t sectors; /* that its map holds */
};

/*
 * Call when no node is in memory. 0: consistent; -EIO, -ENOMEM: the file system must not be written
 * to.
 */
int ext2_repair(struct ext2 *ext2);

/* Pass 2 (repair_dir.c): all directories in use; then their ".." entries. */
int ext2_repair_dirs(struct ext2_repair *repair);
int ext2_repair_parents(struct ext2_repair *repair);

/* Give what no entry names one in lost+found (repair_dir.c). Links and bitmaps must be right
 * already. */
int ext2_repair_reconnect(struct ext2_repair *repair);
