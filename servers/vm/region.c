/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/region.h"

#include <assert.h>
#include <errno.h>

#include "lib/core/util.h"
#include "servers/vm/space.h"

static struct region *region_of(struct tree_node *node)
{
	return node == NULL ? NULL : tree_entry(node, struct region, node);
}

static int compare_regions(const struct tree_node *a, const struct tree_node *b)
{
	vaddr_t left = tree_entry(a, struct region, node)->start;
	vaddr_t right = tree_entry(b, struct region, node)->start;

	return left < right ? -1 : left > right;
}

static int compare_address(const void *key, const struct tree_node *node)
{
	vaddr_t addr = *(const vaddr_t *)key;
	vaddr_t start = tree_entry(node, struct region, node)->start;

	return addr < start ? -1 : addr > start;
}

struct region *region_find(const struct space *space, vaddr_t addr)
{
	struct region *region = region_of(tree_find_le(&space->regions, &addr, compare_address));

	return region != NULL && addr < region->end ? region : NULL;
}

struct region *region_at_or_after(const struct space *space, vaddr_t addr)
{
	struct region *region = region_find(space, addr);

	return region != NULL ? region
			      : region_of(tree_find_ge(&space->regions, &addr, compare_address));
}

struct region *region_next(const struct region *region)
{
	return region_of(tree_next(&region->node));
}

struct region *region_prev(const struct region *region)
{
	return region_of(tree_prev(&region->node));
}

struct region *region_first(const struct space *space)
{
	return region_of(tree_first(&space->regions));
}

struct region *region_new(struct vm *vm, const struct memtype *type, vaddr_t start, uint64_t bytes,
	int prot, unsigned flags)
{
	struct region *region = heap_alloc(&vm->heap, sizeof(*region));

	if (region == NULL) {
		return NULL;
	}
	region->type = type;
	region->start = start;
	region->end = start + bytes;
	region->prot = (uint8_t)prot;
	region->max_prot = REGION_PROT_ALL;
	region->flags = (uint16_t)flags;
	region->file_limit = UINT64_MAX;
	region->around = 1;
	list_init(&region->file_link);
	return region;
}

struct region *region_clone(
	struct vm *vm, const struct region *region, vaddr_t start, uint64_t bytes, uint64_t offset)
{
	struct region *clone =
		region_new(vm, region->type, start, bytes, region->prot, region->flags);

	if (clone == NULL) {
		return NULL;
	}
	clone->max_prot = region->max_prot;
	clone->offset = offset;
	clone->file_limit = region->file_limit;
	clone->paddr = region->paddr;
	_Static_assert(sizeof(region->paddr) == sizeof(region->file), "the union is copied whole");
	clone->type->reference(vm, clone);
	return clone;
}

void region_delete(struct vm *vm, struct region *region)
{
	region->type->unreference(vm, region);
	heap_free(&vm->heap, region);
}

/* Count the bytes of a region in its space: change is the number of bytes more or less. */
static void count_bytes(struct region *region, int64_t change)
{
	struct space *space = region->space;

	space->unchecked++;
	space->virtual_bytes += (uint64_t)change;
	space->max_virtual_bytes = u64_max(space->max_virtual_bytes, space->virtual_bytes);
	if (region->type->is_anonymous && (region->prot & REGION_PROT_WRITE)) {
		space->data_bytes += (uint64_t)change;
	}
	if (region->flags & REGION_LOCKED) {
		space->locked_bytes += (uint64_t)change;
	}
}

void region_insert(struct space *space, struct region *region)
{
	bool is_new = tree_insert(&space->regions, &region->node, compare_regions);

	assert(is_new);
	(void)is_new;
	region->space = space;
	space->region_count++;
	count_bytes(region, (int64_t)region_bytes(region));
}

void region_remove(struct region *region)
{
	count_bytes(region, -(int64_t)region_bytes(region));
	tree_remove(&region->space->regions, &region->node);
	region->space->region_count--;
	region->space = NULL;
}

int region_split(struct vm *vm, struct region *region, vaddr_t at, struct region **high_out)
{
	struct region *high;

	assert(at > region->start && at < region->end);
	if (region->type->split == NULL) {
		return -EINVAL;
	}
	if (region->space->region_count >= SPACE_REGIONS_MAX) {
		return -ENOMEM;
	}
	high = region_clone(vm, region, at, region->end - at, region->offset);
	if (high == NULL) {
		return -ENOMEM;
	}
	region->type->split(vm, region, high);
	region_set_end(region, at);
	region_insert(region->space, high);
	*high_out = high;
	return 0;
}

int region_cut(struct vm *vm, struct space *space, vaddr_t at)
{
	struct region *region = region_find(space, at);
	struct region *high;

	return region == NULL || region->start == at ? 0 : region_split(vm, region, at, &high);
}

static bool continues(const struct region *low, const struct region *high)
{
	return low->end == high->start && low->type == high->type && low->prot == high->prot &&
		low->max_prot == high->max_prot && low->flags == high->flags &&
		low->type->continues(low, high);
}

static void absorb(struct vm *vm, struct region *low, struct region *high)
{
	vaddr_t end = high->end;

	region_remove(high);
	region_delete(vm, high);
	region_set_end(low, end);
}

struct region *region_merge(struct vm *vm, struct region *region)
{
	struct region *next = region_next(region);
	struct region *prev = region_prev(region);

	if (next != NULL && continues(region, next)) {
		absorb(vm, region, next);
	}
	if (prev != NULL && continues(prev, region)) {
		absorb(vm, prev, region);
		return prev;
	}
	return region;
}

void region_set_mode(struct region *region, int prot, unsigned flags)
{
	count_bytes(region, -(int64_t)region_bytes(region));
	region->prot = (uint8_t)prot;
	region->flags = (uint16_t)flags;
	count_bytes(region, (int64_t)region_bytes(region));
}

void region_set_end(struct region *region, vaddr_t end)
{
	count_bytes(region, (int64_t)(end - region->end));
	region->end = end;
}

void region_raise_start(struct vm *vm, struct region *region, vaddr_t start)
{
	count_bytes(region, (int64_t)(region->start - start));
	region->type->low_shrink(vm, region, start - region->start);
	region->start = start;
}

void region_lower_start(struct region *region, vaddr_t start)
{
	count_bytes(region, (int64_t)(region->start - start));
	region->start = start;
}

void memtype_no_reference(struct vm *vm, struct region *region)
{
	(void)vm;
	(void)region;
}

void memtype_offset_split(struct vm *vm, struct region *low, struct region *high)
{
	(void)vm;
	high->offset = low->offset + (high->start - low->start);
}

void memtype_offset_low_shrink(struct vm *vm, struct region *region, uint64_t bytes)
{
	(void)vm;
	region->offset += bytes;
}

bool memtype_never_continues(const struct region *low, const struct region *high)
{
	(void)low;
	(void)high;
	return false;
}

bool memtype_always_writable(struct vm *vm, const struct region *region, pfn_t pfn)
{
	(void)vm;
	(void)region;
	(void)pfn;
	return true;
}

uint64_t memtype_no_pt_flags(const struct region *region)
{
	(void)region;
	return 0;
}
