/* SPDX-License-Identifier: BSD-2-Clause */
/* What clients ask of the page cache: pages by name, names that go, write protection, lists. */
#include <errno.h>
#include <string.h>

#include "lib/core/util.h"
#include "servers/vm/cache.h"
#include "servers/vm/call.h"
#include "servers/vm/fault.h"
#include "servers/vm/file.h"
#include "servers/vm/thread.h"

/* The open client of a device that the caller is. */
static int client_of(
	struct vm *vm, const struct call *call, uint64_t dev, struct cache_client **client)
{
	*client = cache_client_find(vm, dev);
	if (*client == NULL || (*client)->ep != call->source) {
		return -EPERM;
	}
	return cache_client_is_open(*client) ? 0 : -ENXIO;
}

static int check_get(const struct vm_cache_get_req *req)
{
	uint64_t end;

	return (req->count == 0 && req->name_count == 0) || req->count > VM_CACHE_BATCH ||
			req->name_count > VM_CACHE_BATCH ||
			(req->flags & ~(uint32_t)VM_CACHE_GET_OLD) ||
			!checked_add(req->index, req->count, &end) ||
			end > UINT64_MAX >> AXO_PAGE_SHIFT
		? -EINVAL
		: 0;
}

static void pin(struct vm *vm, const struct cache_client *client, uint32_t slot)
{
	__atomic_fetch_or(cache_marks(vm, client, slot), VM_CACHE_PINNED, __ATOMIC_ACQ_REL);
}

/* A new page for its owner: zeroed, pinned, not valid. NULL when there is no memory. */
static struct cache_page *new_page(
	struct vm *vm, struct cache_client *client, struct file *file, uint64_t index)
{
	enum page_class class =
		client->pages < CACHE_PAGES_MIN ? PAGE_FOR_SERVICE : PAGE_FOR_PROGRAM;
	pfn_t pfn = vm_alloc_page(vm, PAGE_FILE, class);
	struct cache_page *page;

	if (pfn == PFN_NONE) {
		return NULL;
	}
	page = cache_add(vm, file, index, pfn);
	if (page == NULL) {
		page_unref(&vm->pool, pfn);
		return NULL;
	}
	memset(page_memory(&vm->pool, pfn), 0, AXO_PAGE_SIZE);
	/* Without a slot it could be evicted for want of a page table. */
	page_ref(&vm->pool, pfn);
	if (cache_put(vm, client, page, CACHE_OWNER, VM_CACHE_PINNED) != 0) {
		cache_forget(vm, page);
		page = NULL;
	}
	page_unref(&vm->pool, pfn);
	return page;
}

/* The slot of a page at its owner. -ENOMEM. */
static int get_slot(struct vm *vm, struct cache_client *client, struct file *file, uint64_t index,
	bool only_old, uint32_t *slot)
{
	struct cache_page *page = cache_find_own(vm, file, index);

	if (page != NULL) {
		pin(vm, client, page->slot[CACHE_OWNER]);
	} else if (!only_old) {
		struct cache_page *placed = cache_find(vm, file, index);

		/* The place is no file's any more, or the file system would not ask for it. */
		if (placed != NULL) {
			(void)cache_set_place(vm, placed, VM_CACHE_NO_INDEX);
		}
		page = new_page(vm, client, file, index);
		if (page == NULL) {
			return -ENOMEM;
		}
	}
	*slot = page == NULL ? VM_CACHE_NO_SLOT : page->slot[CACHE_OWNER];
	return 0;
}

static void tell_memory(struct vm *vm, struct vm_cache_get_rep *rep)
{
	uint64_t reserve = vm->pool.reserve_vm + vm->pool.reserve_service;
	uint64_t free_pages = vm->pool.count[PAGE_FREE];

	rep->free_pages = free_pages - u64_min(free_pages, reserve);
	rep->clean_pages = cache_clean_pages(vm);
}

/* Where pages lie on the device. */
static int take_names(struct vm *vm, struct cache_client *client, struct space *space,
	const struct vm_cache_get_req *req)
{
	struct vm_cache_name names[VM_CACHE_BATCH];
	struct file *device;
	int result;

	if (req->name_count == 0) {
		return 0;
	}
	result = space_copy_in(vm, space, names, req->names, req->name_count * sizeof(names[0]));
	if (result != 0) {
		return result;
	}
	/* To make it may cost pages of the cache: those of the request are looked up after it. */
	device = file_get(vm, client->dev, 0, -1);
	if (device == NULL) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; result == 0 && i < req->name_count; i++) {
		struct cache_page *page = cache_at(client, names[i].slot);
		bool is_sound = names[i].index == VM_CACHE_NO_INDEX ||
			names[i].index < UINT64_MAX >> AXO_PAGE_SHIFT;

		if (page != NULL && page->file->ino != 0 && is_sound) {
			result = cache_set_place(vm, page, names[i].index);
		}
	}
	file_put(vm, device);
	space_flush_all(vm);
	return result;
}

static int get_slots(struct vm *vm, struct cache_client *client, const struct vm_cache_get_req *req,
	uint32_t *slots, uint32_t *count)
{
	struct file *file = file_get(vm, req->dev, req->ino, -1);
	int result = file == NULL ? -ENOMEM : 0;

	if (file == NULL) {
		return result;
	}
	file->client = client;
	while (result == 0 && *count < req->count) {
		result = get_slot(vm, client, file, req->index + *count,
			req->flags & VM_CACHE_GET_OLD, &slots[*count]);
		*count += result == 0;
	}
	file_put(vm, file);
	return result;
}

int vm_call_cache_get(struct vm *vm, const struct call *call)
{
	const struct vm_cache_get_req req = *MSG(call->req, vm_cache_get_req);
	struct vm_cache_get_rep *rep = MSG(call->rep, vm_cache_get_rep);
	struct space *space = thread_space(vm, call->source);
	struct cache_client *client;
	uint32_t slots[VM_CACHE_BATCH];
	int result = client_of(vm, call, req.dev, &client);

	if (result == 0) {
		result = check_get(&req);
	}
	if (result != 0 || req.dev == 0) {
		return result != 0 ? result : -EINVAL;
	}
	result = take_names(vm, client, space, &req);
	if (result == 0 && req.count > 0) {
		result = get_slots(vm, client, &req, slots, &rep->count);
	}
	tell_memory(vm, rep);
	if (rep->count > 0) {
		result = space_copy_out(vm, space, req.to, slots, rep->count * sizeof(slots[0]));
	}
	space_flush(vm, space);
	return result;
}

int vm_call_cache_map(struct vm *vm, const struct call *call)
{
	const struct vm_cache_get_req req = *MSG(call->req, vm_cache_get_req);
	struct vm_cache_get_rep *rep = MSG(call->rep, vm_cache_get_rep);
	struct space *space = thread_space(vm, call->source);
	const struct file *file = file_find(vm, req.dev, req.ino);
	struct cache_client *client;
	uint32_t slots[VM_CACHE_BATCH];
	int result = client_of(vm, call, 0, &client);

	if (result == 0) {
		result = req.count == 0 ? -EINVAL : check_get(&req);
	}
	if (result != 0) {
		return result;
	}
	cache_sweep(vm);
	for (; rep->count < req.count; rep->count++) {
		struct cache_page *page =
			file == NULL ? NULL : cache_find(vm, file, req.index + rep->count);
		uint32_t *slot = &slots[rep->count];

		*slot = VM_CACHE_NO_SLOT;
		if (page == NULL || !cache_is_valid(vm, page)) {
			continue;
		}
		/* What making room for the page table may evict is not this page. */
		page_ref(&vm->pool, page->pfn);
		if (page->slot[CACHE_READER] != VM_CACHE_NO_SLOT) {
			pin(vm, client, page->slot[CACHE_READER]);
		} else if (cache_put(vm, client, page, CACHE_READER,
				   VM_CACHE_VALID | VM_CACHE_PINNED | VM_CACHE_USED) != 0) {
			page_unref(&vm->pool, page->pfn);
			continue;
		}
		page_unref(&vm->pool, page->pfn);
		*slot = page->slot[CACHE_READER];
	}
	tell_memory(vm, rep);
	result = space_copy_out(vm, space, req.to, slots, rep->count * sizeof(slots[0]));
	space_flush(vm, space);
	return result;
}

int vm_call_cache_forget(struct vm *vm, const struct call *call)
{
	const struct vm_cache_range_req *req = MSG(call->req, vm_cache_range_req);
	struct cache_client *client;
	int result = client_of(vm, call, req->dev, &client);

	if (result != 0 || req->dev == 0 || req->first > req->end) {
		return result != 0 ? result : -EINVAL;
	}
	file_forget_range(vm, req->dev, req->ino, req->first, req->end);
	vm->memory_was_freed = true;
	return 0;
}

/* No process can write the page any more without a fault. */
static void protect(struct vm *vm, struct cache_client *client, uint32_t slot)
{
	struct cache_page *page = cache_at(client, slot);

	if (page == NULL) {
		return;
	}
	file_protect(vm, page);
	page_info(&vm->pool, page->pfn)->is_write_mapped = false;
	ledger_note_cached(&vm->pool, page->pfn);
	__atomic_fetch_and(
		cache_marks(vm, client, slot), (uint8_t)~VM_CACHE_WMAPPED, __ATOMIC_ACQ_REL);
}

int vm_call_cache_protect(struct vm *vm, const struct call *call)
{
	const struct vm_cache_slots_req req = *MSG(call->req, vm_cache_slots_req);
	uint32_t slots[VM_CACHE_BATCH];
	struct cache_client *client;
	int result = client_of(vm, call, req.dev, &client);

	if (result != 0 || req.dev == 0 || req.count == 0 || req.count > VM_CACHE_BATCH) {
		return result != 0 ? result : -EINVAL;
	}
	result = space_copy_in(
		vm, thread_space(vm, call->source), slots, req.slots, req.count * sizeof(slots[0]));
	for (uint32_t i = 0; result == 0 && i < req.count; i++) {
		protect(vm, client, slots[i]);
	}
	space_flush_all(vm);
	return result;
}

int vm_call_cache_list(struct vm *vm, const struct call *call)
{
	const struct vm_cache_list_req req = *MSG(call->req, vm_cache_list_req);
	struct vm_info_rep *rep = MSG(call->rep, vm_info_rep);
	struct space *space = thread_space(vm, call->source);
	uint64_t room = req.bytes / sizeof(struct vm_cache_entry), slot = req.next;
	struct cache_client *client;
	int result = client_of(vm, call, req.dev, &client);

	if (result != 0 || req.dev == 0 || room == 0) {
		return result != 0 ? result : -EINVAL;
	}
	for (; slot < client->used_end && rep->count < room; slot++) {
		const struct cache_page *page = cache_at(client, slot);
		struct vm_cache_entry entry;

		if (page == NULL) {
			continue;
		}
		entry = (struct vm_cache_entry){
			.ino = page->file->ino,
			.index = page->index,
			.slot = (uint32_t)slot,
			.marks = __atomic_load_n(
				cache_marks(vm, client, (uint32_t)slot), __ATOMIC_ACQUIRE),
			.device_index =
				page->device != NULL ? page->device_index : VM_CACHE_NO_INDEX,
		};
		result = space_copy_out(
			vm, space, req.to + rep->count * sizeof(entry), &entry, sizeof(entry));
		if (result != 0) {
			return result;
		}
		rep->count++;
	}
	rep->next = slot < client->used_end ? slot : 0;
	return 0;
}
