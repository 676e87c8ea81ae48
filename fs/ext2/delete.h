/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a node: its last link, its last reference, and the list of those between the two.
 *
 * The orphan list is ext3's: super.last_orphan names the youngest, each one's dtime the next older,
 * so that a mount after a crash, or e2fsck, finds and frees them.
 */
#pragma once

#include "fs/ext2/inode.h"

/* Take `count` links away; a node that has none left becomes an orphan until its last reference
 * goes. */
void ext2_node_drop_links(struct ext2 *ext2, struct ext2_node *node, unsigned count);

/* Free the blocks and the inode of a node without links or references. */
void ext2_node_delete(struct ext2 *ext2, struct ext2_node *node);

/* After a restart: bring what is in the orphan list into memory, without references. -EIO. */
int ext2_orphans_adopt(struct ext2 *ext2);

/* Delete what an earlier mount left in the orphan list. Call when mounted for writing. */
void ext2_orphans_recover(struct ext2 *ext2);
