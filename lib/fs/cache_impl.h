/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of the block cache, shared by cache.c and transfer.c alone. */
#pragma once

#include "lib/fs/cache.h"

#define FS_CHUNK_PAGES 32   /* memory is taken in pieces of this size */
#define FS_BATCH_SLOTS 1024 /* slots sorted and written in one go */

struct fs_chunk {
	struct list link;
	void *memory;
	size_t pages;
	struct fs_page page[];
};

/* A slot on its way to or from the device. */
struct fs_slot_ref {
	uint64_t block;
	struct fs_page *page;
	uint8_t slot;
};

struct fs_cache {
	struct fs_device *device;
	struct fs_cache_memory memory;
	uint32_t block_size;
	uint32_t slots;    /* blocks in a page */
	uint8_t all_slots; /* mask of them */
	uint64_t device_blocks;
	size_t max_pages;
	size_t pages;
	size_t dirty_pages;
	uint64_t transfers;
	uint64_t misses;
	size_t buckets; /* a power of two */
	struct list *bucket;
	struct list chunks;
	struct list free_list;
	struct list use_list;
	struct list dirty_list;
	struct fs_slot_ref batch[FS_BATCH_SLOTS];
};

/* The device block behind a slot; of file pages, 0 for a hole. */
static inline uint64_t fs_page_slot_block(
	const struct fs_cache *cache, const struct fs_page *page, unsigned slot)
{
	return page->object == FS_OBJECT_DEVICE ? page->index * cache->slots + slot
						: page->block[slot];
}

static inline uint8_t *fs_page_slot_data(
	const struct fs_cache *cache, const struct fs_page *page, unsigned slot)
{
	return page->data + (size_t)slot * cache->block_size;
}

void fs_page_set_dirty(struct fs_cache *cache, struct fs_page *page, uint8_t mask);
void fs_page_clear_dirty(struct fs_cache *cache, struct fs_page *page, uint8_t mask);

/*
 * Write up to a batch of the oldest dirty slots that `selects` accepts. *written tells how many
 * pages became clean. Returns 0 or the first error.
 */
int fs_cache_write_batch(struct fs_cache *cache, bool (*selects)(const struct fs_page *, uint64_t),
	uint64_t object, size_t *written);

/* Read the slots named in batch[0 .. count). */
int fs_cache_read_batch(struct fs_cache *cache, size_t count);
