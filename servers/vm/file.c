/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/file.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/core/util.h"
#include "lib/sys/asyn.h"
#include "lib/sys/grant.h"
#include "proto/vfs.h"
#include "servers/vm/space.h"

/* A read at VFS: physically contiguous pages, so that one grant covers them. */
struct file_read {
	struct list link; /* in vm->file_reads */
	uint32_t id;
	uint32_t count;
	struct file *file;
	uint64_t index;
	pfn_t first;
	grant_t grant;
	bool is_stale; /* the file changed meanwhile: read again */
};

int file_init(struct vm *vm)
{
	uint64_t bytes = VM_FILE_BUCKETS * sizeof(struct list);

	vm->file_buckets = heap_alloc(&vm->heap, bytes);
	vm->file_page_buckets = heap_alloc(&vm->heap, bytes);
	if (vm->file_buckets == NULL || vm->file_page_buckets == NULL) {
		return -ENOMEM;
	}
	for (unsigned i = 0; i < VM_FILE_BUCKETS; i++) {
		list_init(&vm->file_buckets[i]);
		list_init(&vm->file_page_buckets[i]);
	}
	list_init(&vm->file_reads);
	list_init(&vm->file_lru);
	return 0;
}

static struct list *file_bucket(struct vm *vm, uint64_t dev, uint64_t ino)
{
	return &vm->file_buckets[hash_u64(dev * 31 + ino) % VM_FILE_BUCKETS];
}

static struct list *page_bucket(struct vm *vm, const struct file *file, uint64_t index)
{
	return &vm->file_page_buckets[hash_u64((uintptr_t)file + index) % VM_FILE_BUCKETS];
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

void file_adopt(struct file *file, int32_t handle)
{
	if (file->handle < 0) {
		file->handle = handle;
	} else {
		file_drop_handle(handle);
	}
}

struct file *file_get(struct vm *vm, uint64_t dev, uint64_t ino, int32_t handle)
{
	struct file *file = file_find(vm, dev, ino);

	if (file != NULL) {
		file->refs++;
		file_adopt(file, handle);
		return file;
	}
	file = heap_alloc(&vm->heap, sizeof(*file));
	if (file == NULL) {
		return NULL;
	}
	file->dev = dev;
	file->ino = ino;
	file->handle = handle;
	file->refs = 1;
	list_init(&file->regions);
	list_init(&file->pages);
	list_add_head(file_bucket(vm, dev, ino), &file->bucket_link);
	return file;
}

/* A file that nobody refers to and that has no pages is forgotten. */
static void free_if_empty(struct vm *vm, struct file *file)
{
	if (file->refs == 0 && list_is_empty(&file->pages)) {
		list_remove(&file->bucket_link);
		heap_free(&vm->heap, file);
	}
}

/* Forget a page; who maps it keeps it. With its last page an unused file goes. */
static void forget_page(struct vm *vm, struct file_page *page)
{
	list_remove(&page->bucket_link);
	list_remove(&page->file_link);
	list_remove(&page->lru_link);
	vm->file_pages--;
	page_unref(&vm->pool, page->pfn);
	free_if_empty(vm, page->file);
	heap_free(&vm->heap, page);
}

void file_put(struct vm *vm, struct file *file)
{
	if (--file->refs == 0) {
		/* The pages stay for the next who maps it; VFS's file does not. */
		file_drop_handle(file->handle);
		file->handle = -1;
		free_if_empty(vm, file);
	}
}

static struct file_page *find_any_page(struct vm *vm, const struct file *file, uint64_t index)
{
	list_for_each(page, page_bucket(vm, file, index), struct file_page, bucket_link)
	{
		if (page->file == file && page->index == index) {
			return page;
		}
	}
	return NULL;
}

struct file_page *file_find_page(struct vm *vm, const struct file *file, uint64_t index)
{
	struct file_page *page = find_any_page(vm, file, index);

	return page != NULL && page->read_id == 0 ? page : NULL;
}

/* How many pages from index on are neither there nor on their way, at most `most`. */
static uint64_t missing_run(struct vm *vm, const struct file *file, uint64_t index, uint64_t most)
{
	uint64_t count = 1;

	while (count < most && find_any_page(vm, file, index + count) == NULL) {
		count++;
	}
	return count;
}

/* Allocate a run as long as memory allows, but at least one page; its length in *count. */
static pfn_t alloc_run(struct vm *vm, uint64_t *count)
{
	for (; *count > 1; *count /= 2) {
		pfn_t first = page_alloc_run(&vm->pool, *count, PAGE_FILE, PAGE_FOR_PROGRAM, 0);

		if (first != PFN_NONE) {
			return first;
		}
	}
	return vm_alloc_page(vm, PAGE_FILE, PAGE_FOR_PROGRAM);
}

/* Enter the pages of a read in the table; on failure those made so far are gone again. */
static int enter_pages(struct vm *vm, const struct file_read *read)
{
	for (uint32_t i = 0; i < read->count; i++) {
		struct file_page *page = heap_alloc(&vm->heap, sizeof(*page));

		if (page == NULL) {
			while (i-- > 0) {
				page_ref(&vm->pool, read->first + i);
				forget_page(vm, find_any_page(vm, read->file, read->index + i));
			}
			return -ENOMEM;
		}
		page->file = read->file;
		page->index = read->index + i;
		page->pfn = read->first + i;
		page->read_id = read->id;
		list_add_head(page_bucket(vm, read->file, page->index), &page->bucket_link);
		list_add_tail(&read->file->pages, &page->file_link);
		list_init(&page->lru_link);
		vm->file_pages++;
	}
	return 0;
}

static int send_read(struct vm *vm, struct file_read *read)
{
	struct message m = {.type = VFS_VM_REQUEST};
	struct vfs_vm_request *req = MSG(&m, vfs_vm_request);

	read->grant = grant_direct(EP_VFS, page_memory(&vm->pool, read->first),
		(uint64_t)read->count << AXO_PAGE_SHIFT, GRANT_WRITE);
	if (read->grant == GRANT_INVALID) {
		return -ENOMEM;
	}
	req->id = read->id;
	req->what = VFS_VM_PAGEIN;
	req->file = read->file->handle;
	req->grant = read->grant;
	req->offset = read->index << AXO_PAGE_SHIFT;
	req->len = (uint64_t)read->count << AXO_PAGE_SHIFT;
	if (asyn_send(EP_VFS, &m) != 0) {
		(void)grant_revoke(read->grant);
		return -ENOMEM;
	}
	return 0;
}

/* Start to read `count` pages; a failure leaves nothing behind. */
static int start_read(
	struct vm *vm, struct file *file, uint64_t index, uint64_t count, uint32_t *read_id)
{
	struct file_read *read = heap_alloc(&vm->heap, sizeof(*read));
	pfn_t first;

	if (read == NULL) {
		return -ENOMEM;
	}
	first = alloc_run(vm, &count);
	if (first == PFN_NONE) {
		heap_free(&vm->heap, read);
		return -ENOMEM;
	}
	read->id = ++vm->next_request;
	read->count = (uint32_t)count;
	read->file = file;
	read->index = index;
	read->first = first;
	if (enter_pages(vm, read) != 0) {
		goto free_pages;
	}
	if (send_read(vm, read) != 0) {
		for (uint64_t i = 0; i < count; i++) {
			page_ref(&vm->pool, first + i);
			forget_page(vm, find_any_page(vm, file, index + i));
		}
		goto free_pages;
	}
	file->refs++;
	list_add_tail(&vm->file_reads, &read->link);
	*read_id = read->id;
	return 0;
free_pages:
	for (uint64_t i = 0; i < count; i++) {
		page_unref(&vm->pool, first + i);
	}
	heap_free(&vm->heap, read);
	return -ENOMEM;
}

int file_get_page(struct vm *vm, struct file *file, uint64_t index, uint64_t ahead,
	struct file_page **page, uint32_t *read_id)
{
	struct file_page *found = find_any_page(vm, file, index);
	int result;

	if (found != NULL && found->read_id == 0) {
		list_remove(&found->lru_link);
		list_add_tail(&vm->file_lru, &found->lru_link);
		*page = found;
		return 0;
	}
	if (found != NULL) {
		*read_id = found->read_id;
		return -EAGAIN;
	}
	result = start_read(vm, file, index, missing_run(vm, file, index, ahead + 1), read_id);
	return result != 0 ? result : -EAGAIN;
}

/* The pages of a read have come: `bytes` of the file, zeros in the rest of the last page, nothing
 * past it. */
static void settle_pages(struct vm *vm, const struct file_read *read, uint64_t bytes)
{
	for (uint32_t i = 0; i < read->count; i++) {
		struct file_page *page = find_any_page(vm, read->file, read->index + i);
		uint64_t before = (uint64_t)i << AXO_PAGE_SHIFT;

		assert(page != NULL && page->read_id == read->id);
		if (bytes <= before) {
			forget_page(vm, page);
			continue;
		}
		if (bytes - before < AXO_PAGE_SIZE) {
			memset((uint8_t *)page_memory(&vm->pool, page->pfn) + (bytes - before), 0,
				AXO_PAGE_SIZE - (bytes - before));
		}
		page->read_id = 0;
		list_add_tail(&vm->file_lru, &page->lru_link);
	}
}

bool file_read_done(struct vm *vm, const struct vm_vfs_reply *reply, int *result)
{
	list_for_each_safe(read, &vm->file_reads, struct file_read, link)
	{
		uint64_t bytes = reply->result < 0 ? 0 : reply->size;

		if (read->id != reply->id) {
			continue;
		}
		(void)grant_revoke(read->grant);
		list_remove(&read->link);
		settle_pages(vm, read, read->is_stale ? 0 : bytes);
		*result = bytes > 0 || read->is_stale ? 0 : -EIO;
		file_put(vm, read->file);
		heap_free(&vm->heap, read);
		return true;
	}
	return false;
}

/* Unmap pages first ... end of the file wherever page `pfn` is mapped; PFN_NONE: whatever is,
 * private copies too. */
static void unmap_pages(struct vm *vm, struct file *file, uint64_t first, uint64_t end, pfn_t pfn)
{
	list_for_each(region, &file->regions, struct region, file_link)
	{
		uint64_t region_first = region->offset >> AXO_PAGE_SHIFT;
		uint64_t region_end = region_first + (region_bytes(region) >> AXO_PAGE_SHIFT);
		uint64_t from = u64_max(first, region_first), to = u64_min(end, region_end);
		vaddr_t start = region->start + ((from - region_first) << AXO_PAGE_SHIFT);
		pte_t pte;

		if (from >= to || region->space == NULL) {
			continue;
		}
		pte = space_lookup(vm, region->space, start);
		if (pfn == PFN_NONE || (pte != 0 && pte_pfn(pte) == pfn)) {
			space_drop_pages(
				vm, region, start, start + ((to - from) << AXO_PAGE_SHIFT));
			space_flush(vm, region->space);
		}
	}
}

void file_changed(struct vm *vm, const struct vm_file_changed_req *req)
{
	struct file *file = file_find(vm, req->dev, req->ino);
	bool is_truncated = req->len == UINT64_MAX;
	uint64_t first = req->offset >> AXO_PAGE_SHIFT;
	uint64_t end_byte, end = UINT64_MAX;

	if (file == NULL || req->len == 0) {
		return;
	}
	if (!is_truncated && checked_add(req->offset, req->len, &end_byte)) {
		end = (end_byte - 1) / AXO_PAGE_SIZE + 1;
	}
	file->refs++; /* it must outlive the loop */
	list_for_each_safe(page, &file->pages, struct file_page, file_link)
	{
		if (page->read_id == 0 && page->index >= first && page->index < end) {
			unmap_pages(vm, file, page->index, page->index + 1, page->pfn);
			forget_page(vm, page);
		}
	}
	list_for_each(read, &vm->file_reads, struct file_read, link)
	{
		if (read->file == file && read->index < end && read->index + read->count > first) {
			read->is_stale = true;
		}
	}
	if (is_truncated) {
		unmap_pages(
			vm, file, AXO_PAGE_UP(req->offset) >> AXO_PAGE_SHIFT, UINT64_MAX, PFN_NONE);
	}
	file_put(vm, file);
}

/* Free pages that nobody maps or, with `mapped`, take them from who maps them, the longest unused
 * first. */
static uint64_t evict(struct vm *vm, uint64_t count, bool mapped)
{
	uint64_t freed = 0;

	list_for_each_safe(page, &vm->file_lru, struct file_page, lru_link)
	{
		if (freed == count) {
			break;
		}
		if (mapped) {
			unmap_pages(vm, page->file, page->index, page->index + 1, page->pfn);
		}
		/* One more reference may be that of the fault in progress. */
		if (page_info(&vm->pool, page->pfn)->refs == 1) {
			forget_page(vm, page);
			freed++;
		}
	}
	return freed;
}

uint64_t file_evict(struct vm *vm, uint64_t count)
{
	uint64_t freed = evict(vm, count, false);

	return freed > 0 ? freed : evict(vm, count, true);
}
