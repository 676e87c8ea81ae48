/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes: inodes in memory, counted, brought in from and stored to the inode table. */
#pragma once

#include "fs/ext2/ext2.h"

#include <sys/stat.h>

/*
 * The node of an inode, with one reference more. -ESTALE: not in use; -EIO: damaged or not
 * readable; -EINVAL: no such number; -ENOMEM.
 */
int ext2_node_get(struct ext2 *ext2, uint64_t ino, struct ext2_node **node);

/* As ext2_node_get, for an inode with links or (is_unlinked) for one without. */
int ext2_node_load(struct ext2 *ext2, uint64_t ino, bool is_unlinked, struct ext2_node **node);

/* As ext2_node_get, but the node must be a directory that is still linked: -ENOTDIR, -ENOENT. */
int ext2_node_get_dir(struct ext2 *ext2, uint64_t ino, struct ext2_node **node);

/*
 * Give references back. The last one of a node without links deletes it; otherwise the node is
 * stored and forgotten (or kept, if it cannot be stored now).
 */
void ext2_node_put(struct ext2 *ext2, struct ext2_node *node, uint64_t count);

/* A node that nobody holds any more leaves memory, unless it is an orphan. */
void ext2_node_forget(struct ext2 *ext2, struct ext2_node *node);

/* A new node for an inode that was just allocated: links 0, times now, one reference. -ENOMEM,
 * -EIO. */
int ext2_node_new(struct ext2 *ext2, uint32_t ino, struct ext2_node *dir, const struct fs_new *what,
	struct ext2_node **node);

/* The node in memory, without a reference, or NULL. */
struct ext2_node *ext2_node_find(struct ext2 *ext2, uint64_t ino);

/* The node differs from the disk. */
void ext2_node_dirty(struct ext2 *ext2, struct ext2_node *node);

/* Where the pages end that may be in the cache of a file that had so many bytes. */
static inline uint64_t ext2_pages_end(const struct ext2_node *node, uint64_t size)
{
	return u64_max((size + FS_PAGE_SIZE - 1) / FS_PAGE_SIZE, node->ahead_end);
}

/* Write a node into the cached inode table. */
int ext2_node_store(struct ext2 *ext2, struct ext2_node *node);

/* Store all dirty nodes; the first error. */
int ext2_nodes_store(struct ext2 *ext2);

/* Free all nodes in memory (unmount); orphans are deleted, the rest is stored. */
void ext2_nodes_release(struct ext2 *ext2);

/* Times: set to now. */
enum ext2_times { EXT2_ATIME = 1, EXT2_MTIME = 2, EXT2_CTIME = 4 };
void ext2_node_touch(struct ext2 *ext2, struct ext2_node *node, unsigned times);
void ext2_node_set_time(
	struct ext2 *ext2, struct ext2_node *node, unsigned times, struct fs_time time);

void ext2_node_attr(const struct ext2 *ext2, const struct ext2_node *node, struct fs_attr *attr);

/* A read: set atime if it is older than the last change, or than a day (as Linux's relatime). */
void ext2_node_accessed(struct ext2 *ext2, struct ext2_node *node);

static inline bool ext2_is_dir(const struct ext2_node *node)
{
	return S_ISDIR(node->raw.mode);
}

static inline bool ext2_is_reg(const struct ext2_node *node)
{
	return S_ISREG(node->raw.mode);
}

/* Whether an inode as the disk has it can be one in use. */
bool ext2_raw_is_sound(const struct ext2 *ext2, const struct ext2_inode *raw);

/* Whether the node's block[] holds a symbolic link's text, not block numbers. */
static inline bool ext2_is_fast_symlink(const struct ext2 *ext2, const struct ext2_node *node)
{
	uint32_t xattr_sectors = node->raw.file_acl != 0 ? ext2->block_size / 512 : 0;

	return S_ISLNK(node->raw.mode) && node->raw.blocks <= xattr_sectors;
}

/* Whether the node's block[] holds block numbers. */
static inline bool ext2_has_blocks(const struct ext2 *ext2, const struct ext2_node *node)
{
	return ext2_is_reg(node) || ext2_is_dir(node) ||
		(S_ISLNK(node->raw.mode) && !ext2_is_fast_symlink(ext2, node));
}
