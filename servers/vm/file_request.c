/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What VM asks VFS about files: to bring pages into the cache (PEEK; for file systems that do not
 * cache here, PAGEIN copies them), to let a shared mapping write, to write back.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/core/util.h"
#include "lib/sys/asyn.h"
#include "lib/sys/grant.h"
#include "proto/vfs.h"
#include "servers/vm/file.h"
#include "servers/vm/space.h"

struct file_request {
	struct list link; /* in vm->file_requests */
	uint32_t id;
	int32_t what; /* VFS_VM_* */
	uint32_t count;
	struct file *file;
	uint64_t index;
	pfn_t first;   /* PAGEIN: physically contiguous pages, so that one grant covers them */
	grant_t grant; /* PAGEIN */
	bool is_stale; /* PAGEIN: the file changed meanwhile: read again */
};

static struct file_request *new_request(
	struct vm *vm, struct file *file, int32_t what, uint64_t index, uint64_t count)
{
	struct file_request *request = heap_alloc(&vm->heap, sizeof(*request));

	if (request != NULL) {
		request->id = ++vm->next_request;
		request->what = what;
		request->file = file;
		request->index = index;
		request->count = (uint32_t)count;
		request->grant = GRANT_INVALID;
	}
	return request;
}

/* Send it; from now on it refers to the file. -ENOMEM: not sent. */
static int send(struct vm *vm, struct file_request *request)
{
	struct message m = {.type = VFS_VM_REQUEST};
	struct vfs_vm_request *req = MSG(&m, vfs_vm_request);

	req->id = request->id;
	req->what = request->what;
	req->file = file_handle(request->file);
	req->grant = request->grant;
	req->offset = request->index << AXO_PAGE_SHIFT;
	req->len = (uint64_t)request->count << AXO_PAGE_SHIFT;
	if (asyn_send(EP_VFS, &m) != 0) {
		return -ENOMEM;
	}
	request->file->refs++;
	list_add_tail(&vm->file_requests, &request->link);
	return 0;
}

/* Send a request without pages of its own: -EAGAIN: wait for *id. */
static int ask(struct vm *vm, struct file *file, int32_t what, uint64_t index, uint64_t count,
	uint32_t *id)
{
	struct file_request *request = new_request(vm, file, what, index, count);

	if (request == NULL) {
		return -ENOMEM;
	}
	if (send(vm, request) != 0) {
		heap_free(&vm->heap, request);
		return -ENOMEM;
	}
	*id = request->id;
	return -EAGAIN;
}

/* A request at VFS of this kind that covers the page: its id, or 0. */
static uint32_t pending(struct vm *vm, const struct file *file, int32_t what, uint64_t index)
{
	list_for_each(request, &vm->file_requests, struct file_request, link)
	{
		if (request->file == file && request->what == what && index >= request->index &&
			index - request->index < request->count) {
			return request->id;
		}
	}
	return 0;
}

int file_make_writable(
	struct vm *vm, struct file *file, uint64_t index, uint64_t count, uint32_t *request)
{
	*request = pending(vm, file, VFS_VM_MKWRITE, index);
	return *request != 0 ? -EAGAIN : ask(vm, file, VFS_VM_MKWRITE, index, count, request);
}

int file_sync(struct vm *vm, struct file *file, uint32_t *request)
{
	return ask(vm, file, VFS_VM_SYNC, 0, 0, request);
}

/* How many pages from index on are neither there nor on their way, at most `most`. */
static uint64_t missing_run(struct vm *vm, const struct file *file, uint64_t index, uint64_t most)
{
	uint64_t count = 1;

	while (count < most && cache_find(vm, file, index + count) == NULL &&
		pending(vm, file, VFS_VM_PEEK, index + count) == 0) {
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

/* Forget the pages of a read that were entered. */
static void drop_pages(struct vm *vm, const struct file_request *read, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		page_ref(&vm->pool, read->first + i);
		cache_forget(vm, cache_find(vm, read->file, read->index + i));
	}
}

/* Enter the pages of a read in the table; on failure those made so far are gone again. */
static int enter_pages(struct vm *vm, const struct file_request *read)
{
	for (uint32_t i = 0; i < read->count; i++) {
		struct cache_page *page =
			cache_add(vm, read->file, read->index + i, read->first + i);

		if (page == NULL) {
			drop_pages(vm, read, i);
			return -ENOMEM;
		}
		page->read_id = read->id;
	}
	return 0;
}

static int send_read(struct vm *vm, struct file_request *read)
{
	read->grant = grant_direct(EP_VFS, page_memory(&vm->pool, read->first),
		(uint64_t)read->count << AXO_PAGE_SHIFT, GRANT_WRITE);
	if (read->grant == GRANT_INVALID) {
		return -ENOMEM;
	}
	if (send(vm, read) != 0) {
		(void)grant_revoke(read->grant);
		return -ENOMEM;
	}
	return 0;
}

/* Start to read `count` pages by copying; a failure leaves nothing behind. */
static int start_copy(
	struct vm *vm, struct file *file, uint64_t index, uint64_t count, uint32_t *id)
{
	pfn_t first = alloc_run(vm, &count);
	struct file_request *read;
	int result = -ENOMEM;

	if (first == PFN_NONE) {
		return -ENOMEM;
	}
	read = new_request(vm, file, VFS_VM_PAGEIN, index, count);
	file_hold(file); /* dropping its pages must not free it */
	if (read != NULL) {
		read->first = first;
		result = enter_pages(vm, read);
		if (result == 0) {
			result = send_read(vm, read);
			if (result != 0) {
				drop_pages(vm, read, count);
			}
		}
	}
	if (result != 0) {
		for (uint64_t i = 0; i < count; i++) {
			page_unref(&vm->pool, first + i);
		}
		heap_free(&vm->heap, read);
	} else {
		*id = read->id;
	}
	file->refs--;
	return result != 0 ? result : -EAGAIN;
}

int file_get_page(struct vm *vm, struct file *file, uint64_t index, uint64_t ahead,
	struct cache_page **page, uint32_t *request)
{
	struct cache_page *found = cache_find(vm, file, index);
	bool is_peeked;

	if (found != NULL && cache_is_valid(vm, found)) {
		found->is_used = true;
		*page = found;
		return 0;
	}
	is_peeked = file_is_peeked(vm, file);
	*request = pending(vm, file, is_peeked ? VFS_VM_PEEK : VFS_VM_PAGEIN, index);
	if (*request != 0) {
		return -EAGAIN;
	}
	ahead = missing_run(vm, file, index, ahead + 1);
	return is_peeked ? ask(vm, file, VFS_VM_PEEK, index, ahead, request)
			 : start_copy(vm, file, index, ahead, request);
}

/* The pages of a read have come: `bytes` of the file, zeros in the rest of the last page, nothing
 * past it. */
static void settle_pages(struct vm *vm, const struct file_request *read, uint64_t bytes)
{
	for (uint32_t i = 0; i < read->count; i++) {
		struct cache_page *page = cache_find(vm, read->file, read->index + i);
		uint64_t before = (uint64_t)i << AXO_PAGE_SHIFT;

		assert(page != NULL && page->read_id == read->id);
		if (bytes <= before) {
			cache_forget(vm, page);
			continue;
		}
		if (bytes - before < AXO_PAGE_SIZE) {
			memset((uint8_t *)page_memory(&vm->pool, page->pfn) + (bytes - before), 0,
				AXO_PAGE_SIZE - (bytes - before));
		}
		page->read_id = 0;
	}
}

/* The pages of a request may be written by shared mappings now. */
static void allow_writing(struct vm *vm, const struct file_request *request)
{
	for (uint32_t i = 0; i < request->count; i++) {
		struct cache_page *page = cache_find(vm, request->file, request->index + i);

		if (page != NULL) {
			(void)cache_may_write(vm, page, true);
		}
	}
}

static int settle(struct vm *vm, struct file_request *request, const struct vm_vfs_reply *reply)
{
	uint64_t bytes = reply->result < 0 ? 0 : reply->size;

	switch (request->what) {
	case VFS_VM_PAGEIN:
		(void)grant_revoke(request->grant);
		settle_pages(vm, request, request->is_stale ? 0 : bytes);
		return bytes > 0 || request->is_stale ? 0 : -EIO;
	case VFS_VM_PEEK:
		if (reply->result == 0 && bytes > 0) {
			return 0;
		}
		break;
	case VFS_VM_MKWRITE:
		if (reply->result == 0) {
			allow_writing(vm, request);
			return 0;
		}
		break;
	default:
		return reply->result;
	}
	return reply->result == -ENOMEM ? -ENOMEM : -EIO;
}

bool file_answer(struct vm *vm, const struct vm_vfs_reply *reply, int *result)
{
	list_for_each_safe(request, &vm->file_requests, struct file_request, link)
	{
		if (request->id == reply->id) {
			list_remove(&request->link);
			*result = settle(vm, request, reply);
			file_put(vm, request->file);
			heap_free(&vm->heap, request);
			return true;
		}
	}
	return false;
}

void file_changed(struct vm *vm, const struct vm_file_changed_req *req)
{
	struct file *file = file_find(vm, req->dev, req->ino);
	bool is_truncated = req->len == UINT64_MAX;
	uint64_t first = req->offset >> AXO_PAGE_SHIFT;
	uint64_t end_byte, end = UINT64_MAX;

	if (file == NULL || req->len == 0 || file_is_peeked(vm, file)) {
		return;
	}
	if (!is_truncated && checked_add(req->offset, req->len, &end_byte)) {
		end = (end_byte - 1) / AXO_PAGE_SIZE + 1;
	}
	list_for_each(request, &vm->file_requests, struct file_request, link)
	{
		if (request->file == file && request->index < end &&
			request->index + request->count > first) {
			request->is_stale = true;
		}
	}
	file_hold(file);
	list_for_each_safe(page, &file->pages, struct cache_page, file_link)
	{
		if (page->read_id == 0 && page->index >= first && page->index < end) {
			file_unmap(vm, file, page->index, page->index + 1, page->pfn);
			cache_forget(vm, page);
		}
	}
	if (is_truncated) {
		file_unmap(
			vm, file, AXO_PAGE_UP(req->offset) >> AXO_PAGE_SHIFT, UINT64_MAX, PFN_NONE);
	}
	space_flush_all(vm);
	file_put(vm, file);
}
