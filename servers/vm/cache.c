/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of the cache: names, windows and slots. */
#include "servers/vm/cache.h"

#include <assert.h>
#include <errno.h>

#include "lib/core/util.h"
#include "servers/vm/file.h"
#include "servers/vm/space.h"
#include "servers/vm/type_shared.h"

#define BUCKETS_MIN 1024

int cache_init(struct vm *vm)
{
	struct cache *cache = &vm->cache;

	cache->bucket_count = BUCKETS_MIN;
	while (cache->bucket_count < vm->pool.total / 4) {
		cache->bucket_count *= 2;
	}
	cache->buckets = heap_alloc(&vm->heap, cache->bucket_count * sizeof(struct list));
	cache->device_buckets = heap_alloc(&vm->heap, cache->bucket_count * sizeof(struct list));
	if (cache->buckets == NULL || cache->device_buckets == NULL) {
		return -ENOMEM;
	}
	for (uint64_t i = 0; i < cache->bucket_count; i++) {
		list_init(&cache->buckets[i]);
		list_init(&cache->device_buckets[i]);
	}
	for (unsigned i = 0; i < CACHE_LISTS; i++) {
		list_init(&cache->lists[i]);
	}
	list_init(&cache->clients);
	list_init(&cache->orphans);
	return 0;
}

static struct list *bucket_of(struct vm *vm, const struct file *file, uint64_t index)
{
	return &vm->cache.buckets[hash_u64((uintptr_t)file + index) & (vm->cache.bucket_count - 1)];
}

struct cache_page *cache_find_own(struct vm *vm, const struct file *file, uint64_t index)
{
	list_for_each(page, bucket_of(vm, file, index), struct cache_page, bucket_link)
	{
		if (page->file == file && page->index == index) {
			return page;
		}
	}
	return NULL;
}

struct cache_page *cache_find(struct vm *vm, const struct file *file, uint64_t index)
{
	struct cache_page *page = cache_find_own(vm, file, index);

	return page == NULL && file->ino == 0 ? cache_find_by_place(vm, file, index) : page;
}

struct cache_client *cache_client_find(struct vm *vm, uint64_t dev)
{
	list_for_each(client, &vm->cache.clients, struct cache_client, link)
	{
		if (client->dev == dev) {
			return client;
		}
	}
	return NULL;
}

bool cache_client_is_open(const struct cache_client *client)
{
	return client != NULL && client->marks != NULL;
}

uint8_t *cache_marks(struct vm *vm, const struct cache_client *client, uint32_t slot)
{
	uint32_t page = slot >> AXO_PAGE_SHIFT;
	pfn_t pfn = client->marks->chunks[page / SHARED_CHUNK_PAGES][page % SHARED_CHUNK_PAGES];

	return (uint8_t *)page_memory(&vm->pool, pfn) + (slot & AXO_PAGE_MASK);
}

struct cache_client *cache_window_client(
	struct vm *vm, const struct cache_page *page, enum cache_window window)
{
	if (page->slot[window] == VM_CACHE_NO_SLOT) {
		return NULL;
	}
	return window == CACHE_OWNER ? page->file->client : cache_client_find(vm, 0);
}

struct cache_page *cache_at(const struct cache_client *client, uint64_t slot)
{
	struct cache_page **chunk;

	if (slot >= client->used_end) {
		return NULL;
	}
	chunk = client->chunks[slot / CACHE_CHUNK];
	return chunk == NULL ? NULL : chunk[slot % CACHE_CHUNK];
}

uint32_t cache_own_refs(struct vm *vm, const struct cache_page *page)
{
	uint32_t refs = 1;

	for (int window = 0; window < CACHE_WINDOWS; window++) {
		const struct cache_client *client =
			cache_window_client(vm, page, (enum cache_window)window);

		if (client == NULL) {
			continue;
		}
		/* Each window shows all its pages. */
		list_for_each(region, &client->windows, struct region, file_link)
		{
			refs++;
		}
	}
	return refs;
}

bool cache_is_valid(struct vm *vm, const struct cache_page *page)
{
	const struct cache_client *client = cache_window_client(vm, page, CACHE_OWNER);

	return client != NULL &&
		__atomic_load_n(
			cache_marks(vm, client, page->slot[CACHE_OWNER]), __ATOMIC_ACQUIRE) &
		VM_CACHE_VALID;
}

struct cache_page *cache_add(struct vm *vm, struct file *file, uint64_t index, pfn_t pfn)
{
	struct cache_page *page = heap_alloc(&vm->heap, sizeof(*page));

	if (page == NULL) {
		return NULL;
	}
	page->file = file;
	page->index = index;
	page->pfn = pfn;
	page->slot[CACHE_OWNER] = VM_CACHE_NO_SLOT;
	page->slot[CACHE_READER] = VM_CACHE_NO_SLOT;
	page->list = CACHE_INACTIVE;
	ledger_cache(&vm->pool, pfn, page);
	list_add_head(bucket_of(vm, file, index), &page->bucket_link);
	list_add_tail(&file->pages, &page->file_link);
	list_add_tail(&vm->cache.lists[CACHE_INACTIVE], &page->lru_link);
	file->page_count++;
	vm->cache.counts[CACHE_INACTIVE]++;
	vm->cache.pages++;
	return page;
}

/* A free slot, or VM_CACHE_NO_SLOT. */
static uint32_t find_slot(struct vm *vm, struct cache_client *client)
{
	uint32_t slot = client->first_free;
	struct cache_page ***chunk;

	while (slot < client->used_end && cache_at(client, slot) != NULL) {
		slot++;
	}
	client->first_free = slot;
	if (slot >= client->slots) {
		return VM_CACHE_NO_SLOT;
	}
	chunk = &client->chunks[slot / CACHE_CHUNK];
	if (*chunk == NULL) {
		*chunk = heap_alloc(&vm->heap, CACHE_CHUNK * sizeof(**chunk));
		if (*chunk == NULL) {
			return VM_CACHE_NO_SLOT;
		}
	}
	return slot;
}

/* Take the page out of each process's window. */
static void unmap_slot(struct vm *vm, struct cache_client *client, uint32_t slot)
{
	list_for_each(region, &client->windows, struct region, file_link)
	{
		vaddr_t addr = region->start + ((uint64_t)slot << AXO_PAGE_SHIFT);

		if (region->space != NULL && addr < region->end) {
			space_drop_pages(vm, region, addr, addr + AXO_PAGE_SIZE);
		}
	}
}

int cache_put(struct vm *vm, struct cache_client *client, struct cache_page *page,
	enum cache_window window, uint8_t marks)
{
	uint32_t slot = find_slot(vm, client);

	if (slot == VM_CACHE_NO_SLOT) {
		return -ENOMEM;
	}
	list_for_each(region, &client->windows, struct region, file_link)
	{
		vaddr_t addr = region->start + ((uint64_t)slot << AXO_PAGE_SHIFT);

		if (region->space == NULL || addr >= region->end) {
			continue;
		}
		page_ref(&vm->pool, page->pfn);
		if (space_map_page(vm, region, addr, page->pfn, true) != 0) {
			unmap_slot(vm, client, slot);
			return -ENOMEM;
		}
	}
	client->chunks[slot / CACHE_CHUNK][slot % CACHE_CHUNK] = page;
	client->used_end = (uint32_t)u64_max(client->used_end, slot + 1);
	/* Making room for the tables may have freed slots below. */
	if (client->first_free == slot) {
		client->first_free = slot + 1;
	}
	client->pages++;
	page->slot[window] = slot;
	ledger_note_cached(&vm->pool, page->pfn);
	__atomic_store_n(cache_marks(vm, client, slot), marks, __ATOMIC_RELEASE);
	return 0;
}

void cache_take(struct vm *vm, struct cache_page *page, enum cache_window window)
{
	struct cache_client *client = cache_window_client(vm, page, window);
	uint32_t slot = page->slot[window];

	if (client == NULL) {
		return;
	}
	unmap_slot(vm, client, slot);
	client->chunks[slot / CACHE_CHUNK][slot % CACHE_CHUNK] = NULL;
	client->first_free = (uint32_t)u64_min(client->first_free, slot);
	client->pages--;
	page->slot[window] = VM_CACHE_NO_SLOT;
	ledger_note_cached(&vm->pool, page->pfn);
}

/* The page leaves the cache's lists and its name; the windows' part is done. */
static void remove_name(struct vm *vm, struct cache_page *page)
{
	struct file *file = page->file;

	/* Taking a name away needs no memory. */
	(void)cache_set_place(vm, page, VM_CACHE_NO_INDEX);
	list_remove(&page->bucket_link);
	list_remove(&page->file_link);
	list_remove(&page->lru_link);
	vm->cache.counts[page->list]--;
	vm->cache.pages--;
	page->file = NULL;
	ledger_note_cached(&vm->pool, page->pfn);
	file->page_count--;
	file_free_if_unused(vm, file);
}

static void free_page(struct vm *vm, struct cache_page *page)
{
	ledger_cache(&vm->pool, page->pfn, NULL);
	page_unref(&vm->pool, page->pfn);
	heap_free(&vm->heap, page);
}

void cache_forget(struct vm *vm, struct cache_page *page)
{
	const struct cache_client *owner = cache_window_client(vm, page, CACHE_OWNER);
	const struct cache_client *reader = cache_window_client(vm, page, CACHE_READER);
	bool is_pinned = false;

	if (owner != NULL) {
		__atomic_fetch_or(cache_marks(vm, owner, page->slot[CACHE_OWNER]), VM_CACHE_EVICTED,
			__ATOMIC_ACQ_REL);
		cache_take(vm, page, CACHE_OWNER);
	}
	if (reader != NULL) {
		uint8_t old = __atomic_fetch_or(cache_marks(vm, reader, page->slot[CACHE_READER]),
			VM_CACHE_EVICTED, __ATOMIC_ACQ_REL);

		is_pinned = (old & VM_CACHE_PINNED) && !list_is_empty(&reader->windows);
		if (!is_pinned) {
			cache_take(vm, page, CACHE_READER);
		}
	}
	remove_name(vm, page);
	if (is_pinned) {
		list_add_tail(&vm->cache.orphans, &page->lru_link);
	} else {
		free_page(vm, page);
	}
}

void cache_sweep(struct vm *vm)
{
	list_for_each_safe(page, &vm->cache.orphans, struct cache_page, lru_link)
	{
		const struct cache_client *reader = cache_window_client(vm, page, CACHE_READER);
		uint8_t marks = __atomic_load_n(
			cache_marks(vm, reader, page->slot[CACHE_READER]), __ATOMIC_ACQUIRE);

		if (!(marks & VM_CACHE_PINNED) || list_is_empty(&reader->windows)) {
			cache_take(vm, page, CACHE_READER);
			list_remove(&page->lru_link);
			free_page(vm, page);
		}
	}
}

bool cache_may_write(struct vm *vm, struct cache_page *page, bool mark)
{
	const struct cache_client *owner = cache_window_client(vm, page, CACHE_OWNER);
	uint8_t *marks, old;

	if (owner == NULL) {
		return false;
	}
	marks = cache_marks(vm, owner, page->slot[CACHE_OWNER]);
	old = __atomic_load_n(marks, __ATOMIC_ACQUIRE);
	while ((old & (VM_CACHE_VALID | VM_CACHE_DIRTY)) == (VM_CACHE_VALID | VM_CACHE_DIRTY)) {
		if (old & VM_CACHE_WMAPPED) {
			return true;
		}
		if (!mark) {
			return false;
		}
		if (__atomic_compare_exchange_n(marks, &old, old | VM_CACHE_WMAPPED, false,
			    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			page_info(&vm->pool, page->pfn)->is_write_mapped = true;
			ledger_note_cached(&vm->pool, page->pfn);
			return true;
		}
	}
	return false;
}
