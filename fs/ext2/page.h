/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of regular files, in batches, between the cache and a caller. */
#pragma once

#include "fs/ext2/inode.h"

#define EXT2_BATCH_PAGES     32
#define EXT2_READ_WINDOW_MIN 4 /* pages that the first sequential read looks ahead */

struct ext2_batch {
	struct ext2 *ext2;
	struct ext2_node *node;
	struct fs_page *page[EXT2_BATCH_PAGES];
	uint8_t fresh[EXT2_BATCH_PAGES]; /* writes: bit per part: newly allocated, no contents until
					    the copy has come */
	size_t count;
};

void ext2_batch_put(struct ext2_batch *batch);

/* Copy the bytes [position, position + len) of the batch, whose first page holds `position`. */
int ext2_batch_copy(const struct ext2_batch *batch, uint64_t position, size_t len,
	struct fs_data *data, uint64_t data_offset, bool to_caller);

static inline unsigned ext2_page_parts(const struct ext2 *ext2)
{
	return FS_PAGE_SIZE >> ext2->block_shift;
}

/* Pages that [position, position + len) touches. */
static inline size_t ext2_pages_of(uint64_t position, uint64_t len)
{
	return (size_t)((position + len + FS_PAGE_SIZE - 1) / FS_PAGE_SIZE -
		position / FS_PAGE_SIZE);
}

/* Look up where all parts of a page are; bring it in. -EIO, -ENOMEM. */
int ext2_map_page(struct ext2 *ext2, struct ext2_node *node, struct fs_page *page);
int ext2_fill_page(struct ext2 *ext2, struct ext2_node *node, struct fs_page *page);

/* The node of a regular file: -EISDIR, -EINVAL for others. */
int ext2_get_file(struct ext2 *ext2, uint64_t ino, struct ext2_node **node);

/* The same, to be changed: -EROFS where nothing may be. */
int ext2_get_file_to_write(struct ext2 *ext2, uint64_t ino, struct ext2_node **node);

/* Note that a file has 2 GiB or more, which old systems must know before they open it. */
void ext2_note_large_file(struct ext2 *ext2, const struct ext2_node *node);

/*
 * Take away what lies beyond the end of the file, after a truncation or a failed write that went up
 * to `old_end`: blocks, pages, and what a failed copy left behind the end in the last page.
 */
void ext2_trim_to_size(struct ext2 *ext2, struct ext2_node *node, uint64_t old_end);

/* The file is about to grow, or to be left: what a mapping wrote behind its end becomes zeroes. */
void ext2_clean_tail(struct ext2 *ext2, struct ext2_node *node);

/* Before write-back (fs_cache_on_settle; ctx: struct ext2): what lies behind the end is zero. */
void ext2_settle_page(void *ctx, struct fs_page *page);

/* After a restart (fs_cache_check_pages; ctx: struct ext2): make a page what the file is. */
bool ext2_keep_page(void *ctx, struct fs_page *page);
