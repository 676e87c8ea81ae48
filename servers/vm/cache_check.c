/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache's part of vm_check(). */
#include "servers/vm/cache.h"
#include "servers/vm/file.h"
#include "servers/vm/space.h"

/* The page is at its slots, and nowhere marked as gone. */
static const char *check_slots(struct vm *vm, const struct cache_page *page)
{
	for (int window = 0; window < CACHE_WINDOWS; window++) {
		uint32_t slot = page->slot[window];
		const struct cache_client *client =
			cache_window_client(vm, page, (enum cache_window)window);
		uint8_t marks;

		if (slot == VM_CACHE_NO_SLOT) {
			continue;
		}
		if (client == NULL || cache_at(client, slot) != page) {
			return "cached page is not at its slot";
		}
		marks = __atomic_load_n(cache_marks(vm, client, slot), __ATOMIC_RELAXED);
		if (((marks & VM_CACHE_EVICTED) != 0) != (page->file == NULL)) {
			return "cached page marked as evicted, or forgotten and not marked";
		}
		if (window == CACHE_OWNER && page_info(&vm->pool, page->pfn)->is_write_mapped &&
			!(marks & VM_CACHE_WMAPPED)) {
			return "page mapped for writing and not marked so";
		}
	}
	return page_info(&vm->pool, page->pfn)->kind != PAGE_FILE ? "cached page's kind" : NULL;
}

/* The page's place on the device is its alone. */
static const char *check_place(struct vm *vm, const struct cache_page *page)
{
	const struct file *device = page->device;

	if (device == NULL) {
		return NULL;
	}
	if (device->ino != 0 || device->dev != page->file->dev || page->file->ino == 0) {
		return "cached page with a place of another device";
	}
	return cache_find_by_place(vm, device, page->device_index) != page ||
			cache_find_own(vm, device, page->device_index) != NULL
		? "place of two cached pages"
		: NULL;
}

const char *cache_check_page(struct vm *vm, const struct cache_page *page)
{
	const char *fault = check_slots(vm, page);

	if (fault != NULL) {
		return fault;
	}
	if (page->file == NULL) {
		return page->slot[CACHE_OWNER] == VM_CACHE_NO_SLOT && page->device == NULL
			? NULL
			: "forgotten page";
	}
	if (page->list >= CACHE_LISTS || cache_find_own(vm, page->file, page->index) != page) {
		return "cached page in the wrong list or without its name";
	}
	return check_place(vm, page);
}

static const char *check_pages(struct vm *vm, uint32_t *refs)
{
	struct cache *cache = &vm->cache;
	uint64_t count = 0;
	const char *fault;

	for (unsigned list = 0; list < CACHE_LISTS; list++) {
		uint64_t here = 0;

		list_for_each(page, &cache->lists[list], struct cache_page, lru_link)
		{
			fault = cache_check_page(vm, page);
			if (fault != NULL) {
				return fault;
			}
			if (page->list != list || page->file == NULL) {
				return "cached page in the wrong list or without its name";
			}
			refs[page->pfn]++;
			here++;
		}
		if (here != cache->counts[list]) {
			return "number of pages in a list of the cache";
		}
		count += here;
	}
	list_for_each(page, &cache->orphans, struct cache_page, lru_link)
	{
		fault = cache_check_page(vm, page);
		if (fault != NULL || page->file != NULL) {
			return "forgotten page";
		}
		refs[page->pfn]++;
	}
	return count == cache->pages ? NULL : "number of cached pages";
}

const char *cache_check_sums(struct vm *vm)
{
	const struct cache *cache = &vm->cache;
	uint64_t count = 0, forgotten = 0;

	for (unsigned list = 0; list < CACHE_LISTS; list++) {
		count += cache->counts[list];
	}
	list_for_each(page, &cache->orphans, struct cache_page, lru_link)
	{
		forgotten++;
	}
	return count == cache->pages && count + forgotten == vm->pool.count[PAGE_FILE]
		? NULL
		: "number of cached pages";
}

static uint64_t count_placed(struct vm *vm)
{
	uint64_t count = 0;

	for (unsigned list = 0; list < CACHE_LISTS; list++) {
		list_for_each(page, &vm->cache.lists[list], struct cache_page, lru_link)
		{
			count += page->device != NULL;
		}
	}
	return count;
}

static const char *check_files(struct vm *vm)
{
	uint64_t total = 0, placed = 0;

	for (unsigned i = 0; i < VM_FILE_BUCKETS; i++) {
		list_for_each(file, &vm->file_buckets[i], struct file, bucket_link)
		{
			uint64_t count = 0;

			list_for_each(page, &file->pages, struct cache_page, file_link)
			{
				if (page->file != file) {
					return "cached page of another file";
				}
				count++;
			}
			if (count != file->page_count ||
				(count == 0 && file->refs == 0 && file->placed_pages == 0)) {
				return "number of pages of a file";
			}
			if (file->refs != file_count_users(vm, file)) {
				return "users of a file";
			}
			total += count;
			placed += file->placed_pages;
		}
	}
	return total == vm->cache.pages && placed == count_placed(vm) ? NULL : "pages of files";
}

/* A window shows the pages at their slots and nothing else. */
static const char *check_window(
	struct vm *vm, const struct cache_client *client, const struct region *region)
{
	struct pt_span span;
	uint32_t entries = 0;

	if (region->client != client) {
		return "window of another client";
	}
	for (vaddr_t at = region->start;
		pt_next_span(vm, &region->space->pt, &at, region->end, &span);) {
		for (uint64_t i = 0; i < span.count; i++) {
			uint64_t slot = ((span.addr - region->start) >> AXO_PAGE_SHIFT) + i;
			const struct cache_page *page = cache_at(client, slot);

			if (span.pte[i] == 0) {
				continue;
			}
			if (page == NULL || pte_pfn(span.pte[i]) != page->pfn) {
				return "entry of a window";
			}
			entries++;
		}
	}
	return entries == client->pages ? NULL : "page missing in a window";
}

static const char *check_client(struct vm *vm, const struct cache_client *client)
{
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < client->used_end; slot++) {
		const struct cache_page *page = cache_at(client, slot);

		if (page == NULL && slot < client->first_free) {
			return "free slot below the first";
		}
		if (page != NULL &&
			page->slot[client->dev == 0 ? CACHE_READER : CACHE_OWNER] != slot) {
			return "slot with another page";
		}
		count += page != NULL;
	}
	if (count != client->pages) {
		return "number of slots in use";
	}
	list_for_each(region, &client->windows, struct region, file_link)
	{
		const char *fault = check_window(vm, client, region);

		if (fault != NULL) {
			return fault;
		}
	}
	return NULL;
}

const char *cache_check(struct vm *vm, uint32_t *refs)
{
	const char *fault = check_pages(vm, refs);

	if (fault == NULL) {
		fault = check_files(vm);
	}
	list_for_each(client, &vm->cache.clients, struct cache_client, link)
	{
		if (fault == NULL) {
			fault = check_client(vm, client);
		}
	}
	return fault;
}
