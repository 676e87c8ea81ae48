/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache of a file system: names, pins, and VM's pages behind them. */
#include "lib/fs/cache.h"

#include "lib/fs/cache_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(FS_PAGES_MAX <= VM_CACHE_BATCH, "a batch is one call");

#define LIST_ENTRIES 128

static uint32_t *bucket_of(const struct fs_cache *cache, uint64_t object, uint64_t index)
{
	return &cache->head[hash_u64(object * 0x9e3779b97f4a7c15ull + index) & (cache->heads - 1)];
}

struct fs_page *fs_cache_peek(struct fs_cache *cache, uint64_t object, uint64_t index)
{
	for (uint32_t i = *bucket_of(cache, object, index); i != 0; i = cache->page[i - 1].next) {
		struct fs_page *page = &cache->page[i - 1];

		if (page->object == object && page->index == index) {
			return page;
		}
	}
	return NULL;
}

/* The page is not ours any more. */
static void unname(struct fs_cache *cache, struct fs_page *page)
{
	uint32_t *link = bucket_of(cache, page->object, page->index);

	assert(page->pins == 0 && page->is_named);
	while (*link != fs_page_slot(cache, page) + 1) {
		link = &cache->page[*link - 1].next;
	}
	*link = page->next;
	if (page->is_dirty) {
		list_remove(&page->dirty_link);
		cache->dirty_pages--;
	}
	memset(page, 0, sizeof(*page));
	cache->named--;
}

/* Pin a page; false: VM has taken it meanwhile. */
static bool pin(struct fs_cache *cache, struct fs_page *page)
{
	if (page->pins++ > 0) {
		return true;
	}
	fs_marks_set(cache, page, VM_CACHE_PINNED | VM_CACHE_USED);
	if (fs_marks_get(cache, page) & VM_CACHE_EVICTED) {
		page->pins = 0;
		fs_marks_clear(cache, page, VM_CACHE_PINNED);
		unname(cache, page);
		return false;
	}
	return true;
}

/* Give a slot that VM has named to us its name; whatever it was before has gone. */
static struct fs_page *name_page(
	struct fs_cache *cache, uint32_t slot, uint64_t object, uint64_t index)
{
	struct fs_page *page = &cache->page[slot];
	uint32_t *head;

	if (page->is_named && page->object == object && page->index == index) {
		return page;
	}
	if (page->is_named) {
		unname(cache, page);
	}
	memset(page, 0, sizeof(*page));
	list_init(&page->dirty_link);
	page->object = object;
	page->index = index;
	page->is_named = true;
	head = bucket_of(cache, object, index);
	page->next = *head;
	*head = slot + 1;
	cache->named++;
	cache->high = (uint32_t)u64_max(cache->high, slot + 1);
	return page;
}

/* A restarted process: take up what its predecessor left in VM. */
static int take_up(struct fs_cache *cache)
{
	struct vm_cache_entry entries[LIST_ENTRIES];
	uint64_t next = 0;

	do {
		int count = cache->memory->list(cache->memory, &next, entries, LIST_ENTRIES);

		if (count < 0) {
			return count;
		}
		for (int i = 0; i < count; i++) {
			struct fs_page *page;

			if (entries[i].slot >= cache->window.slots) {
				continue;
			}
			page = name_page(cache, entries[i].slot,
				entries[i].ino == VM_CACHE_INO_BLOCKS ? FS_OBJECT_DEVICE
								      : entries[i].ino,
				entries[i].index);
			fs_marks_clear(cache, page, VM_CACHE_PINNED);
			if (page->object == FS_OBJECT_LOG) {
				continue;
			}
			if (!(fs_marks_get(cache, page) & VM_CACHE_DIRTY)) {
				fs_place_take_up(cache, page, entries[i].device_index);
				continue;
			}
			if (fs_page_is_valid(cache, page)) {
				fs_page_set_dirty(cache, page);
			} else {
				fs_marks_clear(cache, page, VM_CACHE_DIRTY);
			}
		}
	} while (next != 0);
	return 0;
}

int fs_cache_create(struct fs_cache **result, struct fs_device *device,
	struct fs_cache_memory *memory, uint32_t block_size)
{
	struct fs_cache *cache;
	int error;

	if (block_size < FS_PAGE_SIZE / FS_PAGE_BLOCKS || block_size > FS_PAGE_SIZE ||
		FS_PAGE_SIZE % block_size != 0) {
		return -EINVAL;
	}
	cache = calloc(1, sizeof(*cache));
	if (cache == NULL) {
		return -ENOMEM;
	}
	cache->device = device;
	cache->memory = memory;
	cache->block_size = block_size;
	cache->parts = FS_PAGE_SIZE / block_size;
	cache->device_blocks =
		device != NULL ? (device->size_bytes + block_size - 1) / block_size : 0;
	list_init(&cache->dirty_list);
	error = memory->open(memory, &cache->window);
	if (error != 0) {
		free(cache);
		return error;
	}
	for (cache->heads = 64; cache->heads < cache->window.slots / 4;) {
		cache->heads *= 2;
	}
	cache->head = calloc(cache->heads, sizeof(cache->head[0]));
	/* Touched only as far as VM gives slots out. */
	cache->page = calloc(cache->window.slots, sizeof(cache->page[0]));
	error = cache->head == NULL || cache->page == NULL ? -ENOMEM : 0;
	if (error == 0 && cache->window.cached > 0) {
		error = take_up(cache);
	}
	if (error != 0) {
		fs_cache_destroy(cache);
		return error;
	}
	*result = cache;
	return 0;
}

void fs_cache_destroy(struct fs_cache *cache)
{
	free(cache->page);
	free(cache->head);
	free(cache);
}

void fs_cache_set_memory(struct fs_cache *cache, struct fs_cache_memory *memory)
{
	cache->memory = memory;
}

void fs_cache_get_stats(const struct fs_cache *cache, struct fs_cache_stats *stats)
{
	stats->pages = cache->named;
	stats->dirty_pages = cache->dirty_pages;
	stats->transfers = cache->transfers;
	stats->misses = cache->misses;
}

uint8_t *fs_page_data(const struct fs_cache *cache, const struct fs_page *page)
{
	return cache->window.pages + (size_t)fs_page_slot(cache, page) * FS_PAGE_SIZE;
}

bool fs_page_is_valid(const struct fs_cache *cache, const struct fs_page *page)
{
	return fs_marks_get(cache, page) & VM_CACHE_VALID;
}

void fs_page_set_valid(struct fs_cache *cache, struct fs_page *page)
{
	fs_marks_set(cache, page, VM_CACHE_VALID);
}

bool fs_page_is_mapped(const struct fs_cache *cache, const struct fs_page *page)
{
	return fs_marks_get(cache, page) & VM_CACHE_WMAPPED;
}

struct fs_page *fs_cache_find_page(struct fs_cache *cache, uint64_t object, uint64_t index)
{
	struct fs_page *page = fs_cache_peek(cache, object, index);

	return page != NULL && pin(cache, page) ? page : NULL;
}

/*
 * Have VM name pages [first, first + count): those that are NULL in pages[] are filled in, pinned;
 * one that VM takes away at once stays NULL. Returns how many VM gave.
 */
static int take_pages(struct fs_cache *cache, uint64_t object, uint64_t first, size_t count,
	struct fs_page **pages)
{
	struct vm_cache_name names[VM_CACHE_BATCH];
	struct fs_cache_wish wish = {.ino = fs_object_ino(cache, object),
		.index = first,
		.count = (uint32_t)count,
		.names = names};
	uint32_t slots[FS_PAGES_MAX];
	int given;

	wish.name_count = fs_place_names(cache, names);
	do {
		given = cache->memory->get(cache->memory, &wish, slots, &cache->room);
	} while (given == -ENOMEM && fs_cache_make_room(cache));
	for (int i = 0; i < given; i++) {
		struct fs_page *page;

		if (pages[i] != NULL || slots[i] >= cache->window.slots) {
			continue;
		}
		page = name_page(cache, slots[i], object, first + (uint64_t)i);
		pages[i] = pin(cache, page) ? page : NULL;
	}
	return given == 0 ? -ENOMEM : given;
}

int fs_cache_get_pages(struct fs_cache *cache, uint64_t object, uint64_t first, size_t count,
	struct fs_page **pages, size_t *got)
{
	size_t last = 0;
	int error = 0;

	for (size_t i = 0; i < count; i++) {
		pages[i] = fs_cache_find_page(cache, object, first + i);
		if (pages[i] == NULL) {
			last = i + 1;
		}
	}
	for (size_t i = 0; i < last;) {
		int given = 1;

		if (pages[i] == NULL) {
			given = take_pages(cache, object, first + i, last - i, pages + i);
		}
		if (given < 0) {
			error = given;
			break;
		}
		while (given-- > 0 && pages[i] != NULL) {
			i++;
		}
	}
	*got = 0;
	while (*got < count && pages[*got] != NULL) {
		*got += 1;
	}
	for (size_t i = *got; i < count; i++) {
		if (pages[i] != NULL) {
			fs_cache_put_page(cache, pages[i]);
		}
	}
	return *got > 0 ? 0 : error;
}

void fs_cache_put_page(struct fs_cache *cache, struct fs_page *page)
{
	assert(page->pins > 0);
	if (--page->pins == 0) {
		fs_marks_clear(cache, page, VM_CACHE_PINNED);
	}
}

void fs_cache_unpin_all(struct fs_cache *cache)
{
	for (uint32_t slot = 0; slot < cache->high; slot++) {
		struct fs_page *page = &cache->page[slot];

		if (page->pins > 0 && page->object != FS_OBJECT_LOG) {
			page->pins = 0;
			fs_marks_clear(cache, page, VM_CACHE_PINNED);
		}
	}
}

/* Put what a page misses into the batch; what is a hole becomes zeroes. */
static size_t batch_page(struct fs_cache *cache, struct fs_page *page, size_t count)
{
	page->has_failed = false;
	for (unsigned part = 0; part < fs_page_parts(cache, page); part++) {
		uint32_t block = fs_page_block(page, part);

		assert(page->object == FS_OBJECT_DEVICE || (page->known >> part & 1));
		if (page->object != FS_OBJECT_DEVICE && block == 0) {
			memset(fs_page_data(cache, page) + (size_t)part * cache->block_size, 0,
				cache->block_size);
			continue;
		}
		cache->misses++;
		cache->batch[count++] = (struct fs_block_ref){block, part, page};
	}
	return count;
}

int fs_cache_fill_pages(struct fs_cache *cache, struct fs_page **pages, size_t count)
{
	size_t batched = 0;
	int error = 0;

	assert(count <= FS_PAGES_MAX);
	for (size_t i = 0; i < count; i++) {
		if (!fs_page_is_valid(cache, pages[i])) {
			batched = batch_page(cache, pages[i], batched);
		}
	}
	if (batched > 0) {
		error = fs_cache_transfer(cache, false, batched);
	}
	for (size_t i = 0; i < count; i++) {
		if (!pages[i]->has_failed && !fs_page_is_valid(cache, pages[i])) {
			pages[i]->is_checked = false;
			fs_page_set_valid(cache, pages[i]);
		}
		pages[i]->has_failed = false;
	}
	return error;
}

int fs_cache_get_block(
	struct fs_cache *cache, uint64_t number, enum fs_block_how how, struct fs_block *block)
{
	struct fs_page *page;
	size_t got;
	int error = 0;

	block->page = NULL;
	if (number >= cache->device_blocks) {
		return -EIO;
	}
	page = fs_cache_find_page(cache, FS_OBJECT_DEVICE, number);
	if (page == NULL) {
		error = fs_cache_get_pages(cache, FS_OBJECT_DEVICE, number, 1, &page, &got);
	}
	if (error != 0) {
		return error;
	}
	if (how == FS_BLOCK_ZERO) {
		fs_log_new_block(cache, page);
		memset(fs_page_data(cache, page), 0, cache->block_size);
		page->is_checked = false;
		fs_page_set_valid(cache, page);
	} else if (!fs_page_is_valid(cache, page)) {
		error = fs_cache_fill_pages(cache, &page, 1);
		if (error != 0) {
			fs_cache_put_page(cache, page);
			return error;
		}
	}
	block->page = page;
	block->data = fs_page_data(cache, page);
	block->number = number;
	return 0;
}

void fs_cache_dirty_block(struct fs_cache *cache, const struct fs_block *block)
{
	fs_page_set_dirty(cache, block->page);
}

void fs_cache_change(
	struct fs_cache *cache, const struct fs_block *block, const void *at, size_t len)
{
	fs_log_change(cache, block, at, len);
	fs_page_set_dirty(cache, block->page);
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
	struct fs_page *page = fs_cache_find_page(cache, FS_OBJECT_DEVICE, number);

	if (page == NULL) {
		return;
	}
	if (!fs_log_forget(cache, page)) {
		fs_page_clear_dirty(cache, page);
		fs_marks_clear(cache, page, VM_CACHE_VALID);
	}
	fs_cache_put_page(cache, page);
}

void fs_cache_prefetch(struct fs_cache *cache, uint64_t number, size_t count)
{
	struct fs_page *pages[FS_AHEAD_MAX];
	size_t got = 0;

	count = u64_min(u64_min(count, FS_AHEAD_MAX),
		number < cache->device_blocks ? cache->device_blocks - number : 0);
	if (count == 0) {
		return;
	}
	if (fs_cache_get_pages(cache, FS_OBJECT_DEVICE, number, count, pages, &got) == 0) {
		fs_cache_fill_pages(cache, pages, got);
	}
	while (got > 0) {
		fs_cache_put_page(cache, pages[--got]);
	}
}

/* Forget one page; returns whether it was dirty. */
static size_t drop_page(struct fs_cache *cache, struct fs_page *page)
{
	size_t was_dirty = page->is_dirty;

	unname(cache, page);
	return was_dirty;
}

size_t fs_cache_drop(
	struct fs_cache *cache, uint64_t object, uint64_t first, uint64_t end, bool may_be_mapped)
{
	size_t named = cache->named, dirty = 0;

	if (first >= end) {
		return 0;
	}
	if (end - first <= cache->named) {
		for (uint64_t index = first; index < end; index++) {
			struct fs_page *page = fs_cache_peek(cache, object, index);

			dirty += page != NULL ? drop_page(cache, page) : 0;
		}
	} else {
		for (uint32_t slot = 0; slot < cache->high; slot++) {
			struct fs_page *page = &cache->page[slot];

			if (page->is_named && page->object == object && page->index >= first &&
				page->index < end) {
				dirty += drop_page(cache, page);
			}
		}
	}
	if (cache->named < named || may_be_mapped) {
		(void)cache->memory->forget(cache->memory, fs_object_ino(cache, object), first,
			may_be_mapped ? UINT64_MAX : end);
	}
	return dirty;
}

static bool page_is_sound(const struct fs_cache *cache, const struct fs_page *page)
{
	uint8_t marks = fs_marks_get(cache, page);

	if (page->is_dirty != list_is_linked(&page->dirty_link) ||
		(page->pins > 0) != ((marks & VM_CACHE_PINNED) != 0) || page->has_failed) {
		return false;
	}
	if (!page->is_dirty) {
		return page->object == FS_OBJECT_LOG || !(marks & VM_CACHE_DIRTY) ||
			(marks & VM_CACHE_EVICTED);
	}
	for (unsigned part = 0; part < fs_page_parts(cache, page); part++) {
		if (page->object != FS_OBJECT_DEVICE && cache->device != NULL &&
			(!(page->known >> part & 1) || page->block[part] >= cache->device_blocks)) {
			return false;
		}
	}
	return (marks & VM_CACHE_VALID) && (marks & VM_CACHE_DIRTY) && !(marks & VM_CACHE_EVICTED);
}

bool fs_cache_check(const struct fs_cache *cache, size_t pins)
{
	size_t named = 0, dirty = 0, pinned = 0;

	for (uint32_t slot = 0; slot < cache->high; slot++) {
		const struct fs_page *page = &cache->page[slot];

		if (!page->is_named) {
			continue;
		}
		if (!page_is_sound(cache, page)) {
			return false;
		}
		named++;
		dirty += page->is_dirty;
		pinned += page->object == FS_OBJECT_LOG ? 0 : page->pins;
	}
	return named == cache->named && dirty == cache->dirty_pages && pinned == pins;
}
