/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache of a file system: names, use order and eviction. Transfers stand in transfer.c. */
#include "lib/fs/cache.h"

#include "lib/fs/cache_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Dirty pages that an eviction steps over before it has some of them written. */
#define EVICT_SKIP_MAX 64

static struct list *bucket_of(const struct fs_cache *cache, uint64_t object, uint64_t index)
{
	uint64_t hash = hash_u64(object * 0x9e3779b97f4a7c15ull + index);

	return &cache->bucket[hash & (cache->buckets - 1)];
}

/* Take memory for up to FS_CHUNK_PAGES pages more; false when there is none or the bound is
 * reached. */
static bool grow(struct fs_cache *cache)
{
	size_t pages = u64_min(FS_CHUNK_PAGES, cache->max_pages - cache->pages);
	struct fs_chunk *chunk;

	if (pages == 0) {
		return false;
	}
	chunk = calloc(1, sizeof(*chunk) + pages * sizeof(chunk->page[0]));
	if (chunk == NULL) {
		return false;
	}
	chunk->memory = cache->memory.alloc(cache->memory.ctx, pages);
	if (chunk->memory == NULL) {
		free(chunk);
		return false;
	}
	chunk->pages = pages;
	list_add_tail(&cache->chunks, &chunk->link);
	for (size_t i = 0; i < pages; i++) {
		struct fs_page *page = &chunk->page[i];

		list_init(&page->hash_link);
		list_init(&page->dirty_link);
		page->data = (uint8_t *)chunk->memory + i * FS_PAGE_SIZE;
		list_add_tail(&cache->free_list, &page->use_link);
	}
	cache->pages += pages;
	return true;
}

static void free_chunks(struct fs_cache *cache)
{
	list_for_each_safe(chunk, &cache->chunks, struct fs_chunk, link)
	{
		cache->memory.free(cache->memory.ctx, chunk->memory, chunk->pages);
		free(chunk);
	}
}

int fs_cache_create(struct fs_cache **result, struct fs_device *device,
	const struct fs_cache_memory *memory, uint32_t block_size, size_t max_pages)
{
	struct fs_cache *cache;

	if (block_size < FS_PAGE_SIZE / FS_PAGE_SLOTS || block_size > FS_PAGE_SIZE ||
		FS_PAGE_SIZE % block_size != 0) {
		return -EINVAL;
	}
	cache = calloc(1, sizeof(*cache));
	if (cache == NULL) {
		return -ENOMEM;
	}
	cache->device = device;
	cache->memory = *memory;
	cache->block_size = block_size;
	cache->slots = FS_PAGE_SIZE / block_size;
	cache->all_slots = (uint8_t)((1u << cache->slots) - 1);
	cache->device_blocks = device->size_bytes / block_size;
	cache->max_pages = u64_max(max_pages, FS_CACHE_MIN_PAGES);
	list_init(&cache->chunks);
	list_init(&cache->free_list);
	list_init(&cache->use_list);
	list_init(&cache->dirty_list);
	cache->buckets = 64;
	while (cache->buckets < cache->max_pages / 2) {
		cache->buckets *= 2;
	}
	cache->bucket = malloc(cache->buckets * sizeof(cache->bucket[0]));
	if (cache->bucket == NULL) {
		free(cache);
		return -ENOMEM;
	}
	for (size_t i = 0; i < cache->buckets; i++) {
		list_init(&cache->bucket[i]);
	}
	while (cache->pages < FS_CACHE_MIN_PAGES) {
		if (!grow(cache)) {
			fs_cache_destroy(cache);
			return -ENOMEM;
		}
	}
	*result = cache;
	return 0;
}

void fs_cache_destroy(struct fs_cache *cache)
{
	free_chunks(cache);
	free(cache->bucket);
	free(cache);
}

void fs_cache_get_stats(const struct fs_cache *cache, struct fs_cache_stats *stats)
{
	stats->pages = cache->pages;
	stats->max_pages = cache->max_pages;
	stats->dirty_pages = cache->dirty_pages;
	stats->transfers = cache->transfers;
	stats->misses = cache->misses;
}

void fs_page_set_dirty(struct fs_cache *cache, struct fs_page *page, uint8_t mask)
{
	if (page->dirty == 0 && mask != 0) {
		list_add_tail(&cache->dirty_list, &page->dirty_link);
		cache->dirty_pages++;
	}
	page->dirty |= mask;
}

void fs_page_clear_dirty(struct fs_cache *cache, struct fs_page *page, uint8_t mask)
{
	if (page->dirty != 0 && (page->dirty & ~mask) == 0) {
		list_remove(&page->dirty_link);
		cache->dirty_pages--;
	}
	page->dirty &= (uint8_t)~mask;
}

/* Take the name of an unpinned page away and put it on the free list; what was dirty is lost. */
static void release(struct fs_cache *cache, struct fs_page *page)
{
	assert(page->pins == 0 && page->is_named);
	fs_page_clear_dirty(cache, page, page->dirty);
	list_remove(&page->hash_link);
	list_remove(&page->use_link);
	page->is_named = 0;
	page->valid = 0;
	page->known = 0;
	page->checked = 0;
	list_add_head(&cache->free_list, &page->use_link);
}

static bool select_any(const struct fs_page *page, uint64_t object)
{
	(void)page;
	(void)object;
	return true;
}

static bool select_data(const struct fs_page *page, uint64_t object)
{
	(void)object;
	return page->object != FS_OBJECT_DEVICE;
}

static bool select_object(const struct fs_page *page, uint64_t object)
{
	return page->object == object;
}

/*
 * Free the page that has not been used for the longest time. One walk around the use list; pages
 * that must stay go to its end. Too many dirty ones on the way: write some.
 */
static bool evict(struct fs_cache *cache)
{
	size_t skipped = 0, written;

	for (size_t left = cache->pages; left > 0 && !list_is_empty(&cache->use_list); left--) {
		struct fs_page *page = list_first(&cache->use_list, struct fs_page, use_link);

		if (page->pins == 0 && page->dirty == 0) {
			release(cache, page);
			return true;
		}
		if (page->dirty != 0 && ++skipped == EVICT_SKIP_MAX) {
			fs_cache_write_batch(cache, select_any, 0, &written);
		}
		list_remove(&page->use_link);
		list_add_tail(&cache->use_list, &page->use_link);
	}
	return false;
}

static int take_free_page(struct fs_cache *cache, struct fs_page **page)
{
	size_t written;
	int error = 0;

	if (list_is_empty(&cache->free_list) && !grow(cache) && !evict(cache)) {
		error = fs_cache_write_batch(cache, select_any, 0, &written);
		if (!evict(cache)) {
			return error != 0 ? error : -ENOMEM;
		}
	}
	*page = list_first(&cache->free_list, struct fs_page, use_link);
	list_remove(&(*page)->use_link);
	return 0;
}

struct fs_page *fs_cache_find_page(struct fs_cache *cache, uint64_t object, uint64_t index)
{
	list_for_each(page, bucket_of(cache, object, index), struct fs_page, hash_link)
	{
		if (page->object == object && page->index == index) {
			page->pins++;
			list_remove(&page->use_link);
			list_add_tail(&cache->use_list, &page->use_link);
			return page;
		}
	}
	return NULL;
}

int fs_cache_get_page(
	struct fs_cache *cache, uint64_t object, uint64_t index, struct fs_page **result)
{
	struct fs_page *page = fs_cache_find_page(cache, object, index);
	int error;

	if (page != NULL) {
		*result = page;
		return 0;
	}
	error = take_free_page(cache, &page);
	if (error != 0) {
		return error;
	}
	page->object = object;
	page->index = index;
	page->pins = 1;
	page->valid = 0;
	page->dirty = 0;
	page->known = object == FS_OBJECT_DEVICE ? cache->all_slots : 0;
	page->is_named = 1;
	memset(page->block, 0, sizeof(page->block));
	list_add_head(bucket_of(cache, object, index), &page->hash_link);
	list_add_tail(&cache->use_list, &page->use_link);
	*result = page;
	return 0;
}

void fs_cache_put_page(struct fs_cache *cache, struct fs_page *page)
{
	(void)cache;
	assert(page->pins > 0);
	page->pins--;
}

void fs_cache_map_slot(struct fs_page *page, unsigned slot, uint64_t block)
{
	page->block[slot] = block;
	page->known |= (uint8_t)(1u << slot);
}

/* Note a slot for reading; reads the batch when it is full. */
static int batch_slot(struct fs_cache *cache, struct fs_page *page, unsigned slot, size_t *count)
{
	int error = 0;

	cache->batch[*count].block = fs_page_slot_block(cache, page, slot);
	cache->batch[*count].page = page;
	cache->batch[*count].slot = (uint8_t)slot;
	if (++*count == FS_BATCH_SLOTS) {
		error = fs_cache_read_batch(cache, *count);
		*count = 0;
	}
	return error;
}

int fs_cache_fill_pages(struct fs_cache *cache, struct fs_page **pages, size_t count)
{
	size_t batched = 0;
	int error = 0;

	for (size_t i = 0; i < count; i++) {
		struct fs_page *page = pages[i];

		for (unsigned slot = 0; slot < cache->slots; slot++) {
			uint64_t block = fs_page_slot_block(cache, page, slot);
			int result = 0;

			if ((page->valid >> slot) & 1) {
				continue;
			}
			assert((page->known >> slot) & 1);
			if (page->object == FS_OBJECT_DEVICE && block >= cache->device_blocks) {
				continue;
			}
			if (page->object != FS_OBJECT_DEVICE && block == 0) {
				memset(fs_page_slot_data(cache, page, slot), 0, cache->block_size);
				page->valid |= (uint8_t)(1u << slot);
				continue;
			}
			cache->misses++;
			result = batch_slot(cache, page, slot, &batched);
			if (error == 0) {
				error = result;
			}
		}
	}
	if (batched > 0) {
		int result = fs_cache_read_batch(cache, batched);

		if (error == 0) {
			error = result;
		}
	}
	return error;
}

int fs_cache_get_block(
	struct fs_cache *cache, uint64_t number, enum fs_block_how how, struct fs_block *block)
{
	struct fs_page *page;
	unsigned slot = (unsigned)(number % cache->slots);
	int error;

	block->page = NULL;
	if (number >= cache->device_blocks) {
		return -EIO;
	}
	error = fs_cache_get_page(cache, FS_OBJECT_DEVICE, number / cache->slots, &page);
	if (error != 0) {
		return error;
	}
	if (how == FS_BLOCK_ZERO) {
		memset(fs_page_slot_data(cache, page, slot), 0, cache->block_size);
		page->valid |= (uint8_t)(1u << slot);
		page->checked &= (uint8_t) ~(1u << slot);
	} else if (!((page->valid >> slot) & 1)) {
		error = fs_cache_fill_pages(cache, &page, 1);
		if (!((page->valid >> slot) & 1)) {
			fs_cache_put_page(cache, page);
			return error != 0 ? error : -EIO;
		}
	}
	block->page = page;
	block->data = fs_page_slot_data(cache, page, slot);
	block->number = number;
	block->slot = (uint8_t)slot;
	return 0;
}

void fs_cache_dirty_block(struct fs_cache *cache, const struct fs_block *block)
{
	fs_page_set_dirty(cache, block->page, (uint8_t)(1u << block->slot));
}

void fs_cache_put_block(struct fs_cache *cache, struct fs_block *block)
{
	if (block->page != NULL) {
		fs_cache_put_page(cache, block->page);
		block->page = NULL;
	}
}

void fs_cache_forget(struct fs_cache *cache, uint64_t number)
{
	struct fs_page *page = fs_cache_find_page(cache, FS_OBJECT_DEVICE, number / cache->slots);

	if (page != NULL) {
		fs_page_clear_dirty(cache, page, (uint8_t)(1u << (number % cache->slots)));
		fs_cache_put_page(cache, page);
	}
}

void fs_cache_prefetch(struct fs_cache *cache, uint64_t number, size_t count)
{
	struct fs_page *pages[FS_CHUNK_PAGES];
	uint64_t first = number / cache->slots;
	uint64_t end =
		(u64_min(number + count, cache->device_blocks) + cache->slots - 1) / cache->slots;
	size_t held = 0;

	count = u64_min(u64_min(end > first ? end - first : 0, FS_CHUNK_PAGES),
		fs_cache_readahead_limit(cache));
	while (held < count &&
		fs_cache_get_page(cache, FS_OBJECT_DEVICE, first + held, &pages[held]) == 0) {
		held++;
	}
	fs_cache_fill_pages(cache, pages, held);
	while (held > 0) {
		fs_cache_put_page(cache, pages[--held]);
	}
}

void fs_cache_dirty_slot(struct fs_cache *cache, struct fs_page *page, unsigned slot)
{
	assert(page->object != FS_OBJECT_DEVICE && page->block[slot] != 0);
	page->valid |= (uint8_t)(1u << slot);
	fs_page_set_dirty(cache, page, (uint8_t)(1u << slot));
}

void fs_cache_zero_slot(struct fs_cache *cache, struct fs_page *page, unsigned slot)
{
	fs_page_clear_dirty(cache, page, (uint8_t)(1u << slot));
	memset(fs_page_slot_data(cache, page, slot), 0, cache->block_size);
	page->valid |= (uint8_t)(1u << slot);
}

/* Drop one page; one that is in use at this moment keeps its name, but none of its contents. */
static void drop_page(struct fs_cache *cache, struct fs_page *page)
{
	if (page->pins == 0) {
		release(cache, page);
		return;
	}
	fs_page_clear_dirty(cache, page, page->dirty);
	page->valid = 0;
	page->known = 0;
	page->checked = 0;
	memset(page->block, 0, sizeof(page->block));
}

void fs_cache_drop(struct fs_cache *cache, uint64_t object, uint64_t first, uint64_t end)
{
	if (first >= end) {
		return;
	}
	if (end - first <= cache->pages) {
		for (uint64_t index = first; index < end; index++) {
			struct fs_page *page = fs_cache_find_page(cache, object, index);

			if (page != NULL) {
				page->pins--;
				drop_page(cache, page);
			}
		}
		return;
	}
	list_for_each_safe(page, &cache->use_list, struct fs_page, use_link)
	{
		if (page->object == object && page->index >= first && page->index < end) {
			drop_page(cache, page);
		}
	}
}

static int flush_selected(
	struct fs_cache *cache, bool (*selects)(const struct fs_page *, uint64_t), uint64_t object)
{
	size_t written;
	int error;

	/* What cannot be written stays at the front of each batch; go on as long as anything else
	 * moves. */
	do {
		error = fs_cache_write_batch(cache, selects, object, &written);
	} while (written > 0);
	return error;
}

int fs_cache_flush(struct fs_cache *cache, uint64_t object)
{
	int error, result;

	if (object != FS_FLUSH_ALL) {
		return flush_selected(cache, select_object, object);
	}
	error = flush_selected(cache, select_data, 0);
	result = flush_selected(cache, select_any, 0);
	return error != 0 ? error : result;
}

void fs_cache_balance(struct fs_cache *cache)
{
	size_t written;

	if (cache->dirty_pages <= cache->max_pages / 2) {
		return;
	}
	do {
		fs_cache_write_batch(cache, select_data, 0, &written);
	} while (cache->dirty_pages > cache->max_pages / 4 && written > 0);
	written = 1;
	while (cache->dirty_pages > cache->max_pages / 4 && written > 0) {
		fs_cache_write_batch(cache, select_any, 0, &written);
	}
}

size_t fs_cache_readahead_limit(const struct fs_cache *cache)
{
	return u64_min(FS_CHUNK_PAGES, cache->max_pages / 8);
}

static bool page_is_sound(const struct fs_cache *cache, const struct fs_page *page)
{
	if ((page->dirty & ~page->valid) != 0 ||
		(page->dirty != 0) != list_is_linked(&page->dirty_link)) {
		return false;
	}
	for (unsigned slot = 0; slot < cache->slots; slot++) {
		if (((page->dirty >> slot) & 1) && page->object != FS_OBJECT_DEVICE &&
			(page->block[slot] == 0 || page->block[slot] >= cache->device_blocks)) {
			return false;
		}
	}
	return page->is_named && list_is_linked(&page->hash_link);
}

bool fs_cache_check(const struct fs_cache *cache, size_t pins)
{
	size_t named = 0, unnamed = 0, dirty = 0, pinned = 0;

	list_for_each(page, &cache->use_list, struct fs_page, use_link)
	{
		if (!page_is_sound(cache, page)) {
			return false;
		}
		named++;
		pinned += page->pins;
		dirty += page->dirty != 0;
	}
	list_for_each(page, &cache->free_list, struct fs_page, use_link)
	{
		if (page->is_named || page->pins != 0 || page->dirty != 0) {
			return false;
		}
		unnamed++;
	}
	return named + unnamed == cache->pages && dirty == cache->dirty_pages && pinned == pins;
}
