/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of the page cache: whose a device's pages are, and their windows. */
#include <errno.h>

#include "lib/core/util.h"
#include "servers/vm/cache.h"
#include "servers/vm/call.h"
#include "servers/vm/fault.h"
#include "servers/vm/file.h"
#include "servers/vm/mapping.h"
#include "servers/vm/thread.h"
#include "servers/vm/type_shared.h"

#define RIGHTS_RW (REGION_PROT_READ | REGION_PROT_WRITE)

static struct cache_client *add_client(struct vm *vm, uint64_t dev)
{
	struct cache_client *client = heap_alloc(&vm->heap, sizeof(*client));

	if (client != NULL) {
		client->dev = dev;
		list_init(&client->windows);
		list_add_tail(&vm->cache.clients, &client->link);
	}
	return client;
}

static uint64_t marks_bytes(const struct cache_client *client)
{
	return AXO_PAGE_UP(client->slots);
}

static uint64_t chunk_count(const struct cache_client *client)
{
	return (client->slots + CACHE_CHUNK - 1) / CACHE_CHUNK;
}

/* What a client needs for its first window: marks, all of them present, and the table of slots. */
static int make_slots(struct vm *vm, struct cache_client *client)
{
	struct shared_object *marks;

	client->slots = (uint32_t)u64_min(vm->pool.total, VM_CACHE_NO_SLOT - 1);
	client->chunks = heap_alloc(&vm->heap, chunk_count(client) * sizeof(*client->chunks));
	if (client->chunks == NULL) {
		return -ENOMEM;
	}
	marks = shared_create(vm, marks_bytes(client) >> AXO_PAGE_SHIFT);
	if (marks == NULL || shared_populate(vm, marks, PAGE_FOR_SERVICE) != 0) {
		if (marks != NULL) {
			shared_destroy(vm, marks);
		}
		heap_free(&vm->heap, client->chunks);
		client->chunks = NULL;
		return -ENOMEM;
	}
	marks->refs = 1;
	client->marks = marks;
	return 0;
}

/* Enter the pages that are there already, as after a restart. */
static int fill_window(struct vm *vm, struct cache_client *client, struct region *region)
{
	for (uint32_t slot = 0; slot < client->used_end; slot++) {
		const struct cache_page *page = cache_at(client, slot);

		if (page == NULL) {
			continue;
		}
		page_ref(&vm->pool, page->pfn);
		if (space_map_page(vm, region, region->start + ((uint64_t)slot << AXO_PAGE_SHIFT),
			    page->pfn, true) != 0) {
			return -ENOMEM;
		}
	}
	return 0;
}

/* The window and, right behind it, the marks. */
static int make_window(struct vm *vm, struct cache_client *client, struct space *space)
{
	uint64_t bytes = (uint64_t)client->slots << AXO_PAGE_SHIFT;
	vaddr_t at = space_find_room(space, 0, bytes + marks_bytes(client));
	struct region *window, *marks;

	if (at == 0) {
		return -ENOMEM;
	}
	window = region_new(vm, &memtype_cache, at, bytes,
		client->dev == 0 ? REGION_PROT_READ : RIGHTS_RW, REGION_SHARED);
	marks = region_new(
		vm, &memtype_shared, at + bytes, marks_bytes(client), RIGHTS_RW, REGION_SHARED);
	if (window == NULL || marks == NULL) {
		heap_free(&vm->heap, window);
		heap_free(&vm->heap, marks);
		return -ENOMEM;
	}
	window->max_prot = window->prot;
	window->client = client;
	marks->shared = client->marks;
	window->type->reference(vm, window);
	marks->type->reference(vm, marks);
	region_insert(space, window);
	region_insert(space, marks);
	if (fill_window(vm, client, window) != 0) {
		(void)space_unmap(vm, space, at, marks->end);
		return -ENOMEM;
	}
	space_populate(vm, space, marks->start, marks->end);
	return 0;
}

static struct region *window_in(const struct cache_client *client, const struct space *space)
{
	list_for_each(region, &client->windows, struct region, file_link)
	{
		if (region->space == space) {
			return region;
		}
	}
	return NULL;
}

/* A new process: what the one before was filling is no page yet, and it uses nothing any more. */
static void settle_slots(struct vm *vm, struct cache_client *client)
{
	for (uint32_t slot = 0; slot < client->used_end; slot++) {
		struct cache_page *page = cache_at(client, slot);
		uint8_t old;

		if (page == NULL) {
			continue;
		}
		old = __atomic_fetch_and(
			cache_marks(vm, client, slot), (uint8_t)~VM_CACHE_PINNED, __ATOMIC_ACQ_REL);
		if (client->dev != 0 && !(old & VM_CACHE_VALID)) {
			cache_forget(vm, page);
		}
	}
}

int vm_call_cache_open(struct vm *vm, const struct call *call)
{
	uint64_t dev = MSG(call->req, vm_cache_open_req)->dev;
	struct vm_cache_open_rep *rep = MSG(call->rep, vm_cache_open_rep);
	struct cache_client *client = cache_client_find(vm, dev);
	struct space *space = thread_space(vm, call->source);
	const struct region *window;
	int result;

	if (dev == 0 && call->source == EP_VFS && client == NULL) {
		client = add_client(vm, 0);
		if (client == NULL) {
			return -ENOMEM;
		}
		client->ep = EP_VFS;
	}
	if (client == NULL || client->ep != call->source) {
		return -EPERM;
	}
	if (client->marks == NULL) {
		result = make_slots(vm, client);
		if (result != 0) {
			return result;
		}
	}
	window = window_in(client, space);
	if (window == NULL) {
		settle_slots(vm, client);
		result = make_window(vm, client, space);
		if (result != 0) {
			return result;
		}
		window = window_in(client, space);
	}
	space_flush(vm, space);
	client->is_asked = false;
	vm->memory_was_freed = true; /* who waits for write-back asks the new process */
	rep->window = window->start;
	rep->marks = window->end;
	rep->slots = client->slots;
	rep->cached = client->pages;
	return 0;
}

int vm_call_cache_bind(struct vm *vm, const struct call *call)
{
	const struct vm_cache_bind_req *req = MSG(call->req, vm_cache_bind_req);
	struct cache_client *client;

	if (req->dev == 0) {
		return -EINVAL;
	}
	client = cache_client_find(vm, req->dev);
	if (client == NULL) {
		client = add_client(vm, req->dev);
	}
	if (client == NULL) {
		return -ENOMEM;
	}
	client->ep = req->ep;
	return 0;
}

/* Forget all pages of a device. */
static void forget_device(struct vm *vm, struct cache_client *client)
{
	for (uint32_t slot = 0; slot < client->used_end; slot++) {
		struct cache_page *page = cache_at(client, slot);

		if (page != NULL) {
			file_unmap_page(vm, page);
			cache_forget(vm, page);
		}
	}
	space_flush_all(vm);
	file_forget_client(vm, client);
}

int vm_call_cache_unbind(struct vm *vm, const struct call *call)
{
	uint64_t dev = MSG(call->req, vm_cache_bind_req)->dev;
	struct cache_client *client = cache_client_find(vm, dev);

	if (dev == 0) {
		return -EINVAL;
	}
	if (client == NULL) {
		return 0;
	}
	forget_device(vm, client);
	while (!list_is_empty(&client->windows)) {
		struct region *window = list_first(&client->windows, struct region, file_link);
		struct space *space = window->space;
		vaddr_t start = window->start;

		if (space_unmap(vm, space, start, window->end + marks_bytes(client)) != 0) {
			return -ENOMEM;
		}
		space_flush(vm, space);
	}
	for (uint64_t i = 0; client->chunks != NULL && i < chunk_count(client); i++) {
		heap_free(&vm->heap, client->chunks[i]);
	}
	heap_free(&vm->heap, client->chunks);
	if (client->marks != NULL && --client->marks->refs == 0) {
		shared_destroy(vm, client->marks);
	}
	list_remove(&client->link);
	heap_free(&vm->heap, client);
	vm->memory_was_freed = true;
	return 0;
}
