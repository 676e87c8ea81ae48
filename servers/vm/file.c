/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/file.h"

#include <errno.h>

#include "lib/core/util.h"
#include "lib/sys/asyn.h"
#include "proto/vfs.h"
#include "servers/vm/space.h"

int file_init(struct vm *vm)
{
	vm->file_buckets = heap_alloc(&vm->heap, VM_FILE_BUCKETS * sizeof(struct list));
	if (vm->file_buckets == NULL) {
		return -ENOMEM;
	}
	for (unsigned i = 0; i < VM_FILE_BUCKETS; i++) {
		list_init(&vm->file_buckets[i]);
	}
	list_init(&vm->file_requests);
	return 0;
}

static struct list *file_bucket(struct vm *vm, uint64_t dev, uint64_t ino)
{
	return &vm->file_buckets[hash_u64(dev * 31 + ino) % VM_FILE_BUCKETS];
}

struct file *file_find(struct vm *vm, uint64_t dev, uint64_t ino)
{
	list_for_each(file, file_bucket(vm, dev, ino), struct file, bucket_link)
	{
		if (file->dev == dev && file->ino == ino) {
			return file;
		}
	}
	return NULL;
}

void file_drop_handle(int32_t handle)
{
	struct message m = {.type = VFS_VM_REQUEST};

	if (handle < 0) {
		return;
	}
	MSG(&m, vfs_vm_request)->what = VFS_VM_DROP;
	MSG(&m, vfs_vm_request)->file = handle;
	(void)asyn_send(EP_VFS, &m);
}

void file_adopt(struct file *file, int32_t handle, bool store)
{
	int32_t *own = store ? &file->store_handle : &file->handle;

	if (*own < 0) {
		*own = handle;
	} else {
		file_drop_handle(handle);
	}
}

static bool may_store(const struct region *region)
{
	return (region->flags & REGION_SHARED) && (region->max_prot & REGION_PROT_WRITE);
}

void file_add_region(struct region *region)
{
	struct file *file = region->file;

	file->refs++;
	file->store_regions += may_store(region);
	list_add_tail(&file->regions, &region->file_link);
}

void file_remove_region(struct vm *vm, struct region *region)
{
	struct file *file = region->file;

	list_remove(&region->file_link);
	if (may_store(region) && --file->store_regions == 0) {
		file_drop_handle(file->store_handle);
		file->store_handle = -1;
	}
	file_put(vm, file);
}

struct file *file_get(struct vm *vm, uint64_t dev, uint64_t ino, int32_t handle)
{
	struct file *file = file_find(vm, dev, ino);

	if (file != NULL) {
		file->refs++;
		file_adopt(file, handle, false);
		return file;
	}
	file = heap_alloc(&vm->heap, sizeof(*file));
	if (file == NULL) {
		return NULL;
	}
	file->dev = dev;
	file->ino = ino;
	file->handle = handle;
	file->store_handle = -1;
	file->refs = 1;
	list_init(&file->regions);
	list_init(&file->pages);
	list_add_head(file_bucket(vm, dev, ino), &file->bucket_link);
	return file;
}

void file_free_if_unused(struct vm *vm, struct file *file)
{
	if (file->refs == 0 && file->page_count == 0 && file->placed_pages == 0) {
		list_remove(&file->bucket_link);
		heap_free(&vm->heap, file);
	}
}

void file_put(struct vm *vm, struct file *file)
{
	if (--file->refs == 0) {
		/* The pages stay for the next who maps it; VFS's file does not. */
		file_drop_handle(file->handle);
		file->handle = -1;
		file_free_if_unused(vm, file);
	}
}

bool file_is_peeked(struct vm *vm, struct file *file)
{
	if (file->client == NULL) {
		file->client = cache_client_find(vm, file->dev);
	}
	return cache_client_is_open(file->client);
}

struct cache_page *file_find_page(struct vm *vm, const struct file *file, uint64_t index)
{
	struct cache_page *page = cache_find(vm, file, index);

	return page != NULL && cache_is_valid(vm, page) ? page : NULL;
}

/* The part of first ... end - 1 that a region maps: false if none. */
static bool mapped_part(
	const struct region *region, uint64_t first, uint64_t end, vaddr_t *start, vaddr_t *stop)
{
	uint64_t region_first = region->offset >> AXO_PAGE_SHIFT;
	uint64_t region_end = region_first + (region_bytes(region) >> AXO_PAGE_SHIFT);
	uint64_t from = u64_max(first, region_first), to = u64_min(end, region_end);

	if (from >= to || region->space == NULL) {
		return false;
	}
	*start = region->start + ((from - region_first) << AXO_PAGE_SHIFT);
	*stop = *start + ((to - from) << AXO_PAGE_SHIFT);
	return true;
}

/* The region's entry for the page; NULL if it does not map it. */
static pte_t *entry_of(struct vm *vm, const struct region *region, uint64_t index, pfn_t pfn)
{
	vaddr_t start, stop;
	pte_t *slot;

	if (!mapped_part(region, index, index + 1, &start, &stop)) {
		return NULL;
	}
	slot = pt_find(vm, &region->space->pt, start);
	return slot != NULL && *slot != 0 && pte_pfn(*slot) == pfn ? slot : NULL;
}

void file_unmap(struct vm *vm, struct file *file, uint64_t first, uint64_t end, pfn_t pfn)
{
	list_for_each(region, &file->regions, struct region, file_link)
	{
		vaddr_t start, stop;

		if (!mapped_part(region, first, end, &start, &stop) ||
			(pfn != PFN_NONE && entry_of(vm, region, first, pfn) == NULL)) {
			continue;
		}
		space_drop_pages(vm, region, start, stop);
	}
}

void file_unmap_page(struct vm *vm, const struct cache_page *page)
{
	file_unmap(vm, page->file, page->index, page->index + 1, page->pfn);
	if (page->device != NULL) {
		file_unmap(vm, page->device, page->device_index, page->device_index + 1, page->pfn);
	}
}

static void protect(struct vm *vm, struct file *file, uint64_t index, pfn_t pfn)
{
	list_for_each(region, &file->regions, struct region, file_link)
	{
		pte_t *slot = entry_of(vm, region, index, pfn);

		if (slot != NULL && (*slot & PTE_WRITE)) {
			pt_set(vm, slot, pte_without_write(*slot));
			region->space->must_flush = true;
		}
	}
}

void file_protect(struct vm *vm, const struct cache_page *page)
{
	protect(vm, page->file, page->index, page->pfn);
	if (page->device != NULL) {
		protect(vm, page->device, page->device_index, page->pfn);
	}
}

static bool take_accessed(struct vm *vm, struct file *file, uint64_t index, pfn_t pfn)
{
	bool is_accessed = false;

	list_for_each(region, &file->regions, struct region, file_link)
	{
		pte_t *slot = entry_of(vm, region, index, pfn);

		/* A translation that a processor still holds may hide a later use: that is only a
		 * guess less. */
		if (slot != NULL && (*slot & PTE_ACCESSED)) {
			pt_set(vm, slot, *slot & ~PTE_ACCESSED);
			is_accessed = true;
		}
	}
	return is_accessed;
}

bool file_take_accessed(struct vm *vm, const struct cache_page *page)
{
	bool is_accessed = take_accessed(vm, page->file, page->index, page->pfn);

	return page->device != NULL
		? take_accessed(vm, page->device, page->device_index, page->pfn) || is_accessed
		: is_accessed;
}

static bool is_locked(const struct file *file, uint64_t index)
{
	list_for_each(region, &file->regions, struct region, file_link)
	{
		vaddr_t start, stop;

		if ((region->flags & REGION_LOCKED) &&
			mapped_part(region, index, index + 1, &start, &stop)) {
			return true;
		}
	}
	return false;
}

bool file_is_locked(const struct cache_page *page)
{
	return is_locked(page->file, page->index) ||
		(page->device != NULL && is_locked(page->device, page->device_index));
}

static void forget(struct vm *vm, struct cache_page *page)
{
	file_unmap_page(vm, page);
	cache_forget(vm, page);
}

void file_forget_range(struct vm *vm, uint64_t dev, uint64_t ino, uint64_t first, uint64_t end)
{
	struct file *file = file_find(vm, dev, ino);

	if (file == NULL) {
		return;
	}
	file->refs++; /* it must outlive the loop */
	if (end - first < file->page_count) {
		for (uint64_t index = first; index < end; index++) {
			struct cache_page *page = cache_find_own(vm, file, index);

			if (page != NULL) {
				forget(vm, page);
			}
		}
	} else {
		list_for_each_safe(page, &file->pages, struct cache_page, file_link)
		{
			if (page->index >= first && page->index < end) {
				forget(vm, page);
			}
		}
	}
	if (end == UINT64_MAX) {
		file_unmap(vm, file, first, end, PFN_NONE);
	}
	space_flush_all(vm);
	file_put(vm, file);
}

void file_forget_client(struct vm *vm, const struct cache_client *client)
{
	for (unsigned i = 0; i < VM_FILE_BUCKETS; i++) {
		list_for_each(file, &vm->file_buckets[i], struct file, bucket_link)
		{
			if (file->client == client) {
				file->client = NULL;
			}
		}
	}
}
