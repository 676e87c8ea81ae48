/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/type_shared.h"

#include <errno.h>
#include <string.h>

#include "servers/vm/space.h"

static uint64_t chunk_count(const struct shared_object *object)
{
	return (object->pages + SHARED_CHUNK_PAGES - 1) / SHARED_CHUNK_PAGES;
}

struct shared_object *shared_create(struct vm *vm, uint64_t pages)
{
	struct shared_object *object = heap_alloc(&vm->heap, sizeof(*object));

	if (object == NULL) {
		return NULL;
	}
	object->pages = pages;
	object->chunks = heap_alloc(&vm->heap, chunk_count(object) * sizeof(*object->chunks));
	if (object->chunks == NULL) {
		heap_free(&vm->heap, object);
		return NULL;
	}
	return object;
}

void shared_destroy(struct vm *vm, struct shared_object *object)
{
	for (uint64_t i = 0; i < chunk_count(object); i++) {
		for (unsigned j = 0; object->chunks[i] != NULL && j < SHARED_CHUNK_PAGES; j++) {
			/* A page number of 0 marks an absent page: frame 0 is never given out for
			 * it. */
			if (object->chunks[i][j] != 0) {
				ledger_hold(&vm->pool, object->chunks[i][j], -1);
				page_unref(&vm->pool, object->chunks[i][j]);
			}
		}
		heap_free(&vm->heap, object->chunks[i]);
	}
	heap_free(&vm->heap, object->chunks);
	heap_free(&vm->heap, object);
}

static void shared_reference(struct vm *vm, struct region *region)
{
	(void)vm;
	region->shared->refs++;
}

static void shared_unreference(struct vm *vm, struct region *region)
{
	if (--region->shared->refs == 0) {
		shared_destroy(vm, region->shared);
	}
}

static enum fork_how shared_fork(const struct region *region)
{
	(void)region;
	return FORK_SHARE;
}

/* The object's page, made if need be; PFN_NONE when there is no memory. */
static pfn_t get_page(
	struct vm *vm, struct shared_object *object, uint64_t index, enum page_class class)
{
	pfn_t **chunk = &object->chunks[index / SHARED_CHUNK_PAGES];
	pfn_t *page;

	if (*chunk == NULL) {
		*chunk = heap_alloc(&vm->heap, SHARED_CHUNK_PAGES * sizeof(**chunk));
		if (*chunk == NULL) {
			return PFN_NONE;
		}
	}
	page = &(*chunk)[index % SHARED_CHUNK_PAGES];
	if (*page == 0) {
		pfn_t pfn = vm_alloc_page(vm, PAGE_SHARED, class);

		if (pfn == PFN_NONE) {
			return PFN_NONE;
		}
		memset(page_memory(&vm->pool, pfn), 0, AXO_PAGE_SIZE);
		*page = pfn;
		ledger_hold(&vm->pool, pfn, 1);
		object->resident++;
	}
	return *page;
}

int shared_populate(struct vm *vm, struct shared_object *object, enum page_class class)
{
	for (uint64_t i = 0; i < object->pages; i++) {
		if (get_page(vm, object, i, class) == PFN_NONE) {
			return -ENOMEM;
		}
	}
	return 0;
}

static int shared_fault(struct vm *vm, struct region *region, struct fault *fault)
{
	vaddr_t addr = AXO_PAGE_DOWN(fault->addr);
	uint64_t index = region_offset(region, addr) >> AXO_PAGE_SHIFT;
	pfn_t pfn;

	if (index >= region->shared->pages) {
		return -EIO;
	}
	if (space_lookup(vm, region->space, addr) != 0) {
		return 0;
	}
	pfn = get_page(vm, region->shared, index, space_class(region->space));
	if (pfn == PFN_NONE) {
		return -ENOMEM;
	}
	page_ref(&vm->pool, pfn);
	return space_map_page(vm, region, addr, pfn, true);
}

static int shared_resize(const struct region *region, uint64_t bytes)
{
	(void)region;
	(void)bytes;
	return 0; /* beyond the object: SIGBUS, as on Linux */
}

static bool shared_continues(const struct region *low, const struct region *high)
{
	return low->shared == high->shared && region_offset(low, low->end) == high->offset;
}

const struct memtype memtype_shared = {
	.name = "shared",
	.is_counted = true,
	.reference = shared_reference,
	.unreference = shared_unreference,
	.fork = shared_fork,
	.fault = shared_fault,
	.resize = shared_resize,
	.split = memtype_offset_split,
	.low_shrink = memtype_offset_low_shrink,
	.continues = shared_continues,
	.writable = memtype_always_writable,
	.pt_flags = memtype_no_pt_flags,
};
