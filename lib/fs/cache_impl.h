/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of the cache, shared by cache.c, writeback.c, transfer.c and log.c alone. */
#pragma once

#include "lib/fs/cache.h"
#include "proto/vm.h"

#define FS_BATCH_BLOCKS  1024 /* blocks sorted and written in one go */
#define FS_LOG_PAGES_MAX 1024

/* A block on its way to or from the device. */
struct fs_block_ref {
	uint32_t block;
	uint32_t part; /* of the page */
	struct fs_page *page;
};

struct fs_log {
	bool is_on;
	uint32_t count;     /* pages */
	uint32_t forgotten; /* blocks, since the last commit */
	struct fs_page *page[FS_LOG_PAGES_MAX];
};

struct fs_cache {
	struct fs_device *device;
	struct fs_cache_memory *memory;
	struct fs_window window;
	struct fs_room room; /* as VM said last */
	uint32_t block_size;
	uint32_t parts; /* blocks in a page */
	uint64_t device_blocks;
	size_t named;
	size_t dirty_pages;
	uint64_t transfers;
	uint64_t misses;
	uint32_t high;        /* slots that were ever used lie below */
	uint32_t heads;       /* a power of two */
	uint32_t *head;       /* of buckets: slot + 1 */
	struct fs_page *page; /* by slot */
	struct list dirty_list;
	void (*settle)(void *ctx, struct fs_page *page); /* fs_cache_on_settle() */
	void *settle_ctx;
	uint32_t news_count;
	uint32_t news[VM_CACHE_BATCH]; /* slots of pages whose places VM does not know yet */
	struct fs_log log;
	struct fs_block_ref batch[FS_BATCH_BLOCKS];
};

static inline uint32_t fs_page_slot(const struct fs_cache *cache, const struct fs_page *page)
{
	return (uint32_t)(page - cache->page);
}

static inline uint8_t *fs_page_marks(const struct fs_cache *cache, const struct fs_page *page)
{
	return &cache->window.marks[fs_page_slot(cache, page)];
}

static inline uint8_t fs_marks_get(const struct fs_cache *cache, const struct fs_page *page)
{
	return __atomic_load_n(fs_page_marks(cache, page), __ATOMIC_SEQ_CST);
}

static inline void fs_marks_set(
	const struct fs_cache *cache, const struct fs_page *page, uint8_t marks)
{
	__atomic_fetch_or(fs_page_marks(cache, page), marks, __ATOMIC_SEQ_CST);
}

static inline void fs_marks_clear(
	const struct fs_cache *cache, const struct fs_page *page, uint8_t marks)
{
	__atomic_fetch_and(fs_page_marks(cache, page), (uint8_t)~marks, __ATOMIC_SEQ_CST);
}

/* The blocks of a page; those of a device page are one. */
static inline unsigned fs_page_parts(const struct fs_cache *cache, const struct fs_page *page)
{
	return page->object == FS_OBJECT_DEVICE ? 1 : cache->parts;
}

/* The device block behind a part; of file pages, 0 for a hole. */
static inline uint32_t fs_page_block(const struct fs_page *page, unsigned part)
{
	return page->object == FS_OBJECT_DEVICE ? (uint32_t)page->index : page->block[part];
}

/* The inode number by which VM knows an object. */
static inline uint64_t fs_object_ino(const struct fs_cache *cache, uint64_t object)
{
	return object == FS_OBJECT_DEVICE && cache->parts > 1 ? VM_CACHE_INO_BLOCKS : object;
}

/* place.c: VM said after a restart that a clean page has this place; it is to be looked up again.
 */
void fs_place_take_up(struct fs_cache *cache, struct fs_page *page, uint64_t place);
/* place.c: the places to tell with a request; how many. */
uint32_t fs_place_names(struct fs_cache *cache, struct vm_cache_name *names);

/* place.c: somebody misses the page by its place, which is known. */
void fs_place_tell_again(struct fs_cache *cache, struct fs_page *page);

/* The note for a name, without a pin, or NULL. */
struct fs_page *fs_cache_peek(struct fs_cache *cache, uint64_t object, uint64_t index);

/*
 * Write up to a batch of the oldest dirty pages that `selects` accepts. *written tells how many
 * pages became clean. Returns 0 or the first error.
 */
int fs_cache_write_batch(struct fs_cache *cache, bool (*selects)(const struct fs_page *, uint64_t),
	uint64_t object, size_t *written);

/* Memory is short: write what is dirty, so that VM can take pages. Whether any page became clean.
 */
bool fs_cache_make_room(struct fs_cache *cache);

/* Move batch[0 .. count) to or from the device; pages that fail have has_failed set. */
int fs_cache_transfer(struct fs_cache *cache, bool is_write, size_t count);

/* log.c: a block is made new; its pre-image goes, or is kept as far as it may be needed again. */
void fs_log_new_block(struct fs_cache *cache, struct fs_page *page);
/* log.c: note a pre-image. */
void fs_log_change(
	struct fs_cache *cache, const struct fs_block *block, const void *at, size_t len);
/* log.c: the block is to be forgotten at the commit; false: nothing is noted, forget it now. */
bool fs_log_forget(struct fs_cache *cache, struct fs_page *page);
