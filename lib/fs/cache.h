/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of a file system: pages of files and of the device, in one pool.
 *
 * A page is known by (object, index). Object 0 is the device itself: its page i holds the device's
 * bytes from i * 4096 on, and metadata is reached there, a block at a time. Any other object is an
 * inode number: its pages hold the file's bytes, and each page remembers the device blocks behind
 * it. A block lives under one of the two names only: metadata under the device, file data under its
 * file; whoever frees a block of metadata says so (fs_cache_forget), whoever truncates a file drops
 * its pages.
 *
 * The memory behind the pages comes from `struct fs_cache_memory`, a chunk at a time, and nothing
 * else here knows where it is: that is the place where VM's page cache takes over.
 *
 * Invariants:
 * 1. A page is in the hash exactly when it has a name; otherwise it is on the free list.
 * 2. dirty is a subset of valid; a dirty slot has a device block (slot_block() != 0).
 * 3. A page is on the dirty list exactly when dirty != 0.
 * 4. A pinned page is never evicted; every call below that hands out a page pins it.
 */
#pragma once

#include "lib/core/list.h"
#include "lib/fs/device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_PAGE_SHIFT    12
#define FS_PAGE_SIZE     4096u
#define FS_PAGE_SLOTS    4 /* blocks in a page at most: 1 KiB blocks */
#define FS_OBJECT_DEVICE 0ull

/* The fewest pages that a cache works with; they are taken when it is made. */
#define FS_CACHE_MIN_PAGES 64

struct fs_page {
	struct list hash_link;  /* in its bucket, when it has a name */
	struct list use_link;   /* in the use list (oldest first), or the free list */
	struct list dirty_link; /* in the dirty list (oldest first), when dirty != 0 */
	uint64_t object;
	uint64_t index; /* pages */
	uint8_t *data;
	uint64_t block[FS_PAGE_SLOTS]; /* of file pages: the device block of each slot, 0: hole or
					  unknown */
	uint32_t pins;
	uint8_t valid;   /* bit per slot: the memory holds the slot's contents */
	uint8_t dirty;   /* bit per slot: newer than the device */
	uint8_t known;   /* bit per slot, file pages: block[] has been looked up */
	uint8_t checked; /* bit per slot: the file system has verified what was read (its own
			    business) */
	uint8_t is_named;
};

/* Where pages come from. alloc returns page-aligned memory for `pages` pages or NULL. */
struct fs_cache_memory {
	void *(*alloc)(void *ctx, size_t pages);
	void (*free)(void *ctx, void *memory, size_t pages);
	void *ctx;
};

struct fs_cache;

/* One block of metadata: a pinned piece of a device page. */
struct fs_block {
	struct fs_page *page;
	uint8_t *data;
	uint64_t number;
	uint8_t slot;
};

/* A mark that lasts as long as the contents stay in the cache: they have been verified. */
static inline bool fs_block_is_checked(const struct fs_block *block)
{
	return (block->page->checked >> block->slot) & 1;
}

static inline void fs_block_set_checked(const struct fs_block *block)
{
	block->page->checked |= (uint8_t)(1u << block->slot);
}

enum fs_block_how {
	FS_BLOCK_READ, /* bring it in from the device */
	FS_BLOCK_ZERO, /* a new block: zeroes, not read; the caller marks it dirty */
};

struct fs_cache_stats {
	size_t pages;     /* with memory */
	size_t max_pages; /* the bound */
	size_t dirty_pages;
	uint64_t transfers; /* requests to the device so far */
	uint64_t misses;    /* pages read so far */
};

/*
 * Make a cache over a device with the given block size (1024, 2048 or 4096), of at most max_pages.
 * Returns 0, -EINVAL or -ENOMEM (not even FS_CACHE_MIN_PAGES were there).
 */
int fs_cache_create(struct fs_cache **cache, struct fs_device *device,
	const struct fs_cache_memory *memory, uint32_t block_size, size_t max_pages);

/* Throw everything away, dirty pages included: flush first. No page may be pinned. */
void fs_cache_destroy(struct fs_cache *cache);

void fs_cache_get_stats(const struct fs_cache *cache, struct fs_cache_stats *stats);

/*
 * Get block `number` of the device, pinned. Returns 0, -EIO, -ENOMEM (all pages pinned), or -EIO
 * for a number beyond the device.
 */
int fs_cache_get_block(
	struct fs_cache *cache, uint64_t number, enum fs_block_how how, struct fs_block *block);

void fs_cache_dirty_block(struct fs_cache *cache, const struct fs_block *block);

/* Unpin; harmless on a block that is not held (page == NULL). */
void fs_cache_put_block(struct fs_cache *cache, struct fs_block *block);

/* The block has been freed: its contents do not matter any more and must not be written. */
void fs_cache_forget(struct fs_cache *cache, uint64_t number);

/* Get page `index` of file `object` (not 0), pinned; its slots may be neither known nor valid.
 * -ENOMEM, -EIO. */
int fs_cache_get_page(
	struct fs_cache *cache, uint64_t object, uint64_t index, struct fs_page **page);

/* The page if it is in the cache, pinned, else NULL. */
struct fs_page *fs_cache_find_page(struct fs_cache *cache, uint64_t object, uint64_t index);

void fs_cache_put_page(struct fs_cache *cache, struct fs_page *page);

/* Say where a slot of a file page is on the device; 0 for a hole. */
void fs_cache_map_slot(struct fs_page *page, unsigned slot, uint64_t block);

/*
 * Bring in what is not valid of pages whose slots are all known, gathered into as few transfers as
 * possible; holes become zeroes. Returns 0 or -EIO (some may be valid all the same).
 */
int fs_cache_fill_pages(struct fs_cache *cache, struct fs_page **pages, size_t count);

/* Read blocks [number, number + count) of metadata ahead, as far as that is sensible; errors show
 * later. */
void fs_cache_prefetch(struct fs_cache *cache, uint64_t number, size_t count);

/* Make a slot of a file page zero and clean (a hole, or what lies beyond the end of a file). */
void fs_cache_zero_slot(struct fs_cache *cache, struct fs_page *page, unsigned slot);

/* Mark a slot of a file page valid and dirty; it must have a block. */
void fs_cache_dirty_slot(struct fs_cache *cache, struct fs_page *page, unsigned slot);

/* Forget the pages [first, end) of an object, dirty or not. */
void fs_cache_drop(struct fs_cache *cache, uint64_t object, uint64_t first, uint64_t end);

/*
 * Write dirty pages back: those of one object, or FS_FLUSH_ALL: file data first, then metadata.
 * Returns 0 or the first error; what could not be written stays dirty.
 */
#define FS_FLUSH_ALL (~0ull)
int fs_cache_flush(struct fs_cache *cache, uint64_t object);

/*
 * Between operations: when too much is dirty, write some of it. Never fails: what cannot be written
 * stays dirty.
 */
void fs_cache_balance(struct fs_cache *cache);

/* How many pages a read-ahead may take now. */
size_t fs_cache_readahead_limit(const struct fs_cache *cache);

/* Check the invariants, pins included: `pins` is the number of pins that the caller knows of. */
bool fs_cache_check(const struct fs_cache *cache, size_t pins);
