/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mounted ext2 file system and its nodes.
 *
 * Invariants:
 * 1. For each group, the free counts of its descriptor equal the clear bits of its bitmaps, as the
 * cache holds them; the super block's counts are their sums.
 * 2. A node is in memory exactly while it has references, or is dirty and could not be stored.
 * 3. A node with nlink 0 and references is in the orphan list, in memory and on disk.
 * 4. When a request ends, the cached blocks hold all of its changes (but for the super block's
 * counts, which are the groups' sums).
 * 5. Every block number taken from the disk goes through ext2_block_is_data() before it is used.
 */
#pragma once

#include "fs/ext2/layout.h"
#include "lib/core/list.h"
#include "lib/fs/cache.h"
#include "lib/fs/ops.h"

#define EXT2_NODE_BUCKETS 256

/* Directory entries by their length, 16 bytes a class: up to 8 + 255. */
#define EXT2_ROOM_CLASSES 17

struct ext2_index;

struct ext2_node {
	struct list hash_link;
	struct list dirty_link;  /* in ext2.dirty_nodes */
	struct list orphan_link; /* in ext2.orphans, youngest first, as on disk */
	uint32_t ino;
	uint64_t refs;
	uint64_t size; /* bytes; raw.size_low and size_high follow it when the node is stored */
	struct ext2_inode raw;
	/* Where the next block is best put: after the one that was given out last. */
	uint64_t last_file_block;
	uint32_t last_block;
	uint64_t ahead_end;  /* pages up to here may have been asked of VM before there was data */
	bool is_tail_mapped; /* a process may have written behind the end, in the last page */
	/* Read-ahead: where a sequential reader comes next, and how much to read beyond. */
	uint64_t next_read;   /* bytes */
	uint32_t read_window; /* pages */
	/* Directories: for entries of each size class, blocks below this one have hardly any room.
	 */
	uint32_t room_hint[EXT2_ROOM_CLASSES];
	struct ext2_index *index; /* of large directories, see index.h */
	bool has_no_index;        /* it could not be built */
};

struct ext2 {
	struct fs fs;
	struct fs_device *device;
	struct fs_cache *cache;
	uint32_t block_size;
	uint32_t block_shift;
	uint32_t inode_size;
	uint32_t first_inode;
	uint32_t pointers; /* block numbers in an indirect block */
	uint32_t pointer_shift;
	uint32_t groups;
	uint32_t group_table_blocks; /* blocks of group descriptors */
	uint32_t inode_table_blocks; /* in each group */
	uint64_t max_size;           /* bytes in a file */
	uint32_t last_dir_group;
	uint32_t index_slots;     /* of all directories' indexes */
	uint32_t index_slots_max; /* a fraction of the machine's memory */
	struct ext2_super super;
	bool super_dirty;   /* something but the counts and the head of the orphan list */
	bool counts_dirty;  /* stored by sync: the groups' counts say the same */
	bool orphans_dirty; /* super.last_orphan */
	bool was_clean;     /* when it was mounted */
	bool is_writing;    /* mounted for writing; stays so when damage makes it read-only */
	uint32_t damages;   /* found so far */
	struct ext2_group *group;
	uint8_t *group_dirty;            /* one for each */
	uint32_t dirty_first, dirty_end; /* groups that may be dirty */
	struct list node_bucket[EXT2_NODE_BUCKETS];
	struct list dirty_nodes;
	struct list orphans;
};

static inline struct ext2 *ext2_of(struct fs *fs)
{
	return (struct ext2 *)(void *)fs;
}

/* How to mount; all fields are kept by the file system. */
struct ext2_options {
	struct fs_device *device;
	struct fs_cache_memory *memory;
	uint64_t total_pages; /* of the machine */
	bool read_only;
	bool is_recovery; /* a process before has died: go on where its last request ended */
	struct fs_time (*now)(void);
	void (*log)(const char *format, ...) __attribute__((format(printf, 1, 2)));
};

/*
 * Mount. -EINVAL: not ext2, or damaged beyond use, or with features that are not known; -EIO,
 * -ENOMEM. The result's read_only is set when it had to be mounted read-only (super.c).
 */
int ext2_mount(const struct ext2_options *options, struct fs **fs);
void ext2_unmount(struct fs *fs);
int ext2_remount(struct fs *fs, bool read_only);
int ext2_sync(struct fs *fs);
int ext2_statfs(struct fs *fs, struct fs_stat *stat);

/* Write the super block, as far as it changed, and the dirty group descriptors into the cache. */
int ext2_store_super(struct ext2 *ext2);

/*
 * The end of a request, or of a part of one that stands for itself: all changes are put into the
 * cached blocks, where they outlive the process.
 */
void ext2_commit(struct ext2 *ext2);

/* After a mount with is_recovery: the inode has `count` references; all others are known. */
int ext2_rebind(struct fs *fs, uint64_t ino, uint64_t count, struct fs_attr *attr);
int ext2_recovered(struct fs *fs);

/*
 * The file system is damaged: note it on disk, and stop writing where the super block says so.
 * Returns -EIO for the caller to return. Call it for each contradiction found on the disk.
 */
int ext2_corrupt(struct ext2 *ext2, const char *what, uint64_t number);

/* Whether a block may hold a file's data or metadata: inside the device and none of the fixed
 * structures (balloc.c). */
bool ext2_block_is_data(const struct ext2 *ext2, uint64_t block);

/* The group that a block, an inode belongs to. */
static inline uint32_t ext2_block_group(const struct ext2 *ext2, uint32_t block)
{
	return (block - ext2->super.first_data_block) / ext2->super.blocks_per_group;
}

static inline uint32_t ext2_inode_group(const struct ext2 *ext2, uint32_t ino)
{
	return (ino - 1) / ext2->super.inodes_per_group;
}

/* The first block of a group, and how many it has. */
static inline uint32_t ext2_group_first(const struct ext2 *ext2, uint32_t group)
{
	return ext2->super.first_data_block + group * ext2->super.blocks_per_group;
}

uint32_t ext2_group_blocks(const struct ext2 *ext2, uint32_t group);

/* Whether a group begins with a copy of the super block and the descriptors. */
bool ext2_group_has_super(const struct ext2 *ext2, uint32_t group);

static inline void ext2_touch_group(struct ext2 *ext2, uint32_t group)
{
	ext2->group_dirty[group] = 1;
	if (ext2->dirty_first >= ext2->dirty_end) {
		ext2->dirty_first = group;
		ext2->dirty_end = group + 1;
	}
	ext2->dirty_first = group < ext2->dirty_first ? group : ext2->dirty_first;
	ext2->dirty_end = group < ext2->dirty_end ? ext2->dirty_end : group + 1;
	ext2->counts_dirty = true;
}

/* The operations table of lib/fs (ops.c). */
extern const struct fs_ops ext2_ops;
