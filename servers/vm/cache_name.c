/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The second name of a file's page: its place on the device.
 *
 * Invariants: 1. no two pages have one place; 2. a place is no page's of the device's own; 3. the
 * device's file lives while any page has a place in it (placed_pages).
 */
#include <errno.h>

#include "lib/core/util.h"
#include "servers/vm/cache.h"
#include "servers/vm/file.h"

static struct list *bucket_of(struct vm *vm, const struct file *device, uint64_t index)
{
	uint64_t hash = hash_u64((uintptr_t)device + index);

	return &vm->cache.device_buckets[hash & (vm->cache.bucket_count - 1)];
}

struct cache_page *cache_find_by_place(struct vm *vm, const struct file *device, uint64_t index)
{
	list_for_each(page, bucket_of(vm, device, index), struct cache_page, device_link)
	{
		if (page->device == device && page->device_index == index) {
			return page;
		}
	}
	return NULL;
}

static void take_place(struct vm *vm, struct cache_page *page)
{
	struct file *device = page->device;

	file_unmap(vm, device, page->device_index, page->device_index + 1, page->pfn);
	/* The reader may know it by that name: it shall ask again. */
	cache_close_reader(vm, page);
	list_remove(&page->device_link);
	page->device = NULL;
	device->placed_pages--;
	file_free_if_unused(vm, device);
}

static void give_place(struct vm *vm, struct cache_page *page, struct file *device, uint64_t index)
{
	struct cache_page *before = cache_find_by_place(vm, device, index);

	if (cache_find_own(vm, device, index) != NULL) {
		return;
	}
	if (before != NULL) {
		take_place(vm, before);
	}
	page->device = device;
	page->device_index = index;
	device->placed_pages++;
	list_add_head(bucket_of(vm, device, index), &page->device_link);
}

int cache_set_place(struct vm *vm, struct cache_page *page, uint64_t index)
{
	struct file *device;

	if (page->device != NULL && page->device_index == index) {
		return 0;
	}
	ledger_note_cached(&vm->pool, page->pfn);
	if (page->device != NULL) {
		take_place(vm, page);
	}
	if (index == VM_CACHE_NO_INDEX) {
		return 0;
	}
	device = file_get(vm, page->file->dev, 0, -1);
	if (device == NULL) {
		return -ENOMEM;
	}
	give_place(vm, page, device, index);
	file_put(vm, device);
	return 0;
}
