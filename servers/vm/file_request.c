/* SPDX-License-Identifier: BSD-2-Clause */
/* What VM asks VFS about files: to bring pages into the cache, to let a shared mapping write, to
 * write back. */
#include <errno.h>

#include "lib/sys/asyn.h"
#include "proto/vfs.h"
#include "servers/vm/file.h"

struct file_request {
	struct list link; /* in vm->file_requests */
	uint32_t id;
	int32_t what; /* VFS_VM_* */
	uint32_t count;
	struct file *file;
	uint64_t index;
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

int file_get_page(struct vm *vm, struct file *file, uint64_t index, uint64_t ahead,
	struct cache_page **page, uint32_t *request)
{
	struct cache_page *found = file_find_page(vm, file, index);

	if (found != NULL) {
		found->is_used = true;
		*page = found;
		return 0;
	}
	if (!file_is_peeked(vm, file)) {
		return -EIO;
	}
	*request = pending(vm, file, VFS_VM_PEEK, index);
	return *request != 0 ? -EAGAIN
			     : ask(vm, file, VFS_VM_PEEK, index,
				       missing_run(vm, file, index, ahead + 1), request);
}

uint32_t file_count_users(struct vm *vm, const struct file *file)
{
	uint32_t count = 0;

	list_for_each(region, &file->regions, struct region, file_link)
	{
		count++;
	}
	list_for_each(request, &vm->file_requests, struct file_request, link)
	{
		count += request->file == file;
	}
	return count;
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
	switch (request->what) {
	case VFS_VM_PEEK:
		if (reply->result == 0 && reply->size > 0) {
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
