/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation of inodes. */
#pragma once

#include "fs/ext2/ext2.h"

/*
 * Take a free inode: a directory where there is room for a family, anything else near its
 * directory. -ENOSPC, -EIO, -ENOMEM.
 */
int ext2_alloc_inode(struct ext2 *ext2, uint32_t parent, bool is_dir, uint32_t *ino);

/* Give an inode back. Damage (it is free already) is reported: -EIO. */
int ext2_free_inode(struct ext2 *ext2, uint32_t ino, bool is_dir);

/* Whether an inode is marked in use: 1 or 0, or a negative errno. */
int ext2_inode_in_use(struct ext2 *ext2, uint32_t ino);
