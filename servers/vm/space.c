/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/space.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/core/util.h"
#include "lib/sys/kcall.h"

/* Mappings start this far below the end of user space, or further if the stack may grow more. */
#define STACK_GAP_MIN (128ull << 20)
#define STACK_GAP_MAX (1ull << 40)

struct space *space_create(struct vm *vm, bool is_service)
{
	struct space *space = heap_alloc(&vm->heap, sizeof(*space));

	if (space == NULL) {
		return NULL;
	}
	space->is_service = is_service;
	space->call_mask = UINT64_MAX;
	if (pt_create(vm, &space->pt, space_class(space)) != 0) {
		heap_free(&vm->heap, space);
		return NULL;
	}
	space->id = vm->next_space_id++;
	space->owner = EP_NONE;
	tree_init(&space->regions);
	space->limit_as = SPACE_NO_LIMIT;
	space->limit_data = SPACE_NO_LIMIT;
	space->limit_stack = SPACE_STACK_DEFAULT;
	space->limit_memlock = SPACE_MEMLOCK_DEFAULT;
	space->mmap_top = vm->kinfo.user_end - STACK_GAP_MIN;
	list_add_tail(&vm->spaces, &space->link);
	return space;
}

/* Clear the entries of a range of a region, giving back what they hold. */
static void clear_entries(struct vm *vm, struct region *region, vaddr_t start, vaddr_t end)
{
	struct space *space = region->space;
	struct pt_span span;

	if (region->type->release != NULL) {
		region->type->release(vm, region, start, end);
	}
	for (vaddr_t at = start; pt_next_span(vm, &space->pt, &at, end, &span);) {
		for (uint64_t i = 0; i < span.count; i++) {
			pte_t pte = span.pte[i];

			if (pte == 0) {
				continue;
			}
			if (pte_is_present(pte)) {
				space->must_flush = true;
			}
			pt_set(vm, &span.pte[i], 0);
			if (region->type->is_counted) {
				space_count_page(vm, space, pte_pfn(pte), -1);
				page_unref(&vm->pool, pte_pfn(pte));
			}
		}
	}
}

void space_clear(struct vm *vm, struct space *space)
{
	struct region *region;

	while ((region = region_first(space)) != NULL) {
		clear_entries(vm, region, region->start, region->end);
		region_remove(region);
		region_delete(vm, region);
	}
	space->must_flush |= pt_prune(vm, &space->pt, 0, vm->kinfo.user_end);
	space->brk_start = 0;
	space->brk_end = 0;
	space->stack_top = 0;
	space->lock_future = false;
	space->max_resident = 0;
	space->max_virtual_bytes = 0;
	space->mmap_top = vm->kinfo.user_end -
		u64_min(u64_max(space->limit_stack, STACK_GAP_MIN), STACK_GAP_MAX) -
		((vm_random(vm) & 0x3fff) << AXO_PAGE_SHIFT);
}

void space_destroy(struct vm *vm, struct space *space)
{
	assert(space->threads == 0);
	space_clear(vm, space);
	assert(space->resident == 0 && space->virtual_bytes == 0);
	pt_destroy(vm, &space->pt);
	if (vm->oom_victim == space) {
		vm->oom_victim = NULL;
	}
	vm->memory_was_freed = true;
	list_remove(&space->link);
	heap_free(&vm->heap, space);
}

/* A page that its parent shares otherwise is copied for the child at once. */
static int fork_copied(struct vm *vm, struct region *to, vaddr_t addr, pfn_t from)
{
	pfn_t pfn = vm_alloc_page(vm, PAGE_ANON, space_class(to->space));

	if (pfn == PFN_NONE) {
		return -ENOMEM;
	}
	memcpy(page_memory(&vm->pool, pfn), page_memory(&vm->pool, from), AXO_PAGE_SIZE);
	return space_map_page(vm, to, addr, pfn, true);
}

/* Give the child's region the parent's pages. */
static int fork_pages(struct vm *vm, struct region *from, struct region *to, bool is_shared)
{
	struct space *parent = from->space, *child = to->space;
	struct pt_span span;

	for (vaddr_t at = from->start; pt_next_span(vm, &parent->pt, &at, from->end, &span);) {
		pte_t *target = NULL;

		for (uint64_t i = 0; i < span.count; i++) {
			pte_t pte = span.pte[i];

			if (pte != 0 && target == NULL) {
				target = pt_make(vm, &child->pt, span.addr, space_class(child));
				if (target == NULL) {
					return -ENOMEM;
				}
				pte = span.pte[i]; /* the table may have cost the page */
			}
			if (pte == 0) {
				continue;
			}
			if (!is_shared && from->type->must_copy != NULL &&
				from->type->must_copy(vm, pte_pfn(pte))) {
				if (fork_copied(vm, to, span.addr + (i << AXO_PAGE_SHIFT),
					    pte_pfn(pte)) != 0) {
					return -ENOMEM;
				}
				continue;
			}
			if (!is_shared && (pte & PTE_WRITE)) {
				pte = pte_without_write(pte);
				pt_set(vm, &span.pte[i], pte);
				parent->must_flush = true;
			}
			pt_set(vm, &target[i], pte);
			if (to->type->is_counted) {
				page_ref(&vm->pool, pte_pfn(pte));
				space_count_page(vm, child, pte_pfn(pte), 1);
			}
		}
	}
	return 0;
}

static int fork_region(struct vm *vm, struct region *from, struct space *child)
{
	enum fork_how how = from->type->fork(from);
	unsigned flags = from->flags & ~(unsigned)REGION_LOCKED;
	struct region *to;

	if (how == FORK_OMIT || (from->flags & REGION_DONT_FORK)) {
		return 0;
	}
	to = region_clone(vm, from, from->start, region_bytes(from), from->offset);
	if (to == NULL) {
		return -ENOMEM;
	}
	if (flags & REGION_SAFEMAPPED) {
		/* The child's copy is memory as any other. */
		flags &= ~(unsigned)REGION_SAFEMAPPED;
		to->prot |= REGION_PROT_WRITE;
		to->max_prot = REGION_PROT_ALL;
	}
	to->flags = (uint16_t)flags;
	region_insert(child, to);
	if (how == FORK_EMPTY || (from->flags & REGION_WIPE_ON_FORK)) {
		return 0;
	}
	return fork_pages(vm, from, to, how == FORK_SHARE);
}

int space_pass_on(struct vm *vm, struct region *from, struct space *heir)
{
	struct region *to = region_clone(vm, from, from->start, region_bytes(from), from->offset);

	if (to == NULL) {
		return -ENOMEM;
	}
	region_insert(heir, to);
	return fork_pages(vm, from, to, from->type->fork(from) != FORK_COPY);
}

int space_fork(struct vm *vm, struct space *parent, struct space *child)
{
	for (struct region *region = region_first(parent); region != NULL;
		region = region_next(region)) {
		int result = fork_region(vm, region, child);

		if (result != 0) {
			return result;
		}
	}
	child->limit_as = parent->limit_as;
	child->limit_data = parent->limit_data;
	child->limit_stack = parent->limit_stack;
	child->limit_memlock = parent->limit_memlock;
	child->brk_start = parent->brk_start;
	child->brk_end = parent->brk_end;
	child->stack_top = parent->stack_top;
	child->mmap_top = parent->mmap_top;
	return 0;
}

int space_check_limits(struct vm *vm, const struct space *space, uint64_t bytes, bool is_data)
{
	(void)vm;
	if (bytes > space->limit_as || space->virtual_bytes > space->limit_as - bytes) {
		return -ENOMEM;
	}
	if (is_data &&
		(bytes > space->limit_data || space->data_bytes > space->limit_data - bytes)) {
		return -ENOMEM;
	}
	return space->region_count >= SPACE_REGIONS_MAX ? -ENOMEM : 0;
}

bool space_is_free(const struct space *space, vaddr_t start, uint64_t bytes)
{
	const struct region *region = region_at_or_after(space, start);

	return region == NULL || region->start >= start + bytes;
}

/* Highest room that ends at or below `top`; 0 when there is none. */
static vaddr_t find_below(const struct space *space, vaddr_t top, uint64_t bytes)
{
	struct region *region = region_at_or_after(space, top - 1);
	vaddr_t end = top;

	/* Start with the region that holds the last byte, or the last one that ends below it. */
	if (region == NULL || region->start >= top) {
		struct tree_node *node =
			region != NULL ? tree_prev(&region->node) : tree_last(&space->regions);

		region = node == NULL ? NULL : tree_entry(node, struct region, node);
	}
	while (region != NULL) {
		if (end > region->end && end - region->end >= bytes) {
			return end - bytes;
		}
		end = u64_min(end, region->start);
		region = region_prev(region);
	}
	return end >= USER_BASE + bytes ? end - bytes : 0;
}

vaddr_t space_find_room(const struct space *space, vaddr_t hint, uint64_t bytes)
{
	vaddr_t found;

	if (hint != 0 && range_within(hint, bytes, USER_BASE, USER_END) &&
		space_is_free(space, hint, bytes)) {
		return hint;
	}
	if (bytes >= USER_END - USER_BASE) {
		return 0;
	}
	found = find_below(space, space->mmap_top, bytes);
	return found != 0 ? found : find_below(space, USER_END, bytes);
}

/* Take away the part of a region that lies in start ... end; no more than one side may be left. */
static void cut_region(struct vm *vm, struct region *region, vaddr_t start, vaddr_t end)
{
	vaddr_t from = u64_max(region->start, start);
	vaddr_t to = u64_min(region->end, end);

	clear_entries(vm, region, from, to);
	if (from == region->start && to == region->end) {
		region_remove(region);
		region_delete(vm, region);
	} else if (from == region->start) {
		region_raise_start(vm, region, to);
	} else {
		region_set_end(region, from);
	}
}

/* Whether `at` lies inside a region that stays whole. */
static bool is_in_whole(const struct space *space, vaddr_t at)
{
	const struct region *region = region_find(space, at);

	return region != NULL && region->start < at && region->type->split == NULL;
}

int space_unmap(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end)
{
	struct region *region = region_at_or_after(space, start);
	struct region *next;
	bool any = false;

	if (is_in_whole(space, start) || is_in_whole(space, end)) {
		return -EINVAL;
	}
	if (region != NULL && region->start < start && region->end > end) {
		int result = region_split(vm, region, end, &next);

		if (result != 0) {
			return result;
		}
	}
	while (region != NULL && region->start < end) {
		next = region_next(region);
		cut_region(vm, region, start, end);
		any = true;
		region = next;
	}
	if (any) {
		space->must_flush |= pt_prune(vm, &space->pt, start, end);
		vm->memory_was_freed = true;
	}
	return 0;
}

void space_drop_pages(struct vm *vm, struct region *region, vaddr_t start, vaddr_t end)
{
	clear_entries(vm, region, start, end);
	vm->memory_was_freed = true;
}

static pte_t make_entry(const struct region *region, pfn_t pfn, bool write)
{
	return pte_make(pfn << AXO_PAGE_SHIFT, region->prot != 0,
		write && (region->prot & REGION_PROT_WRITE), region->prot & REGION_PROT_EXEC,
		region->type->pt_flags(region));
}

void space_count_page(struct vm *vm, struct space *space, pfn_t pfn, int change)
{
	if (pfn != vm->zero_page) {
		space->resident += (uint64_t)(int64_t)change;
		space->max_resident = u64_max(space->max_resident, space->resident);
	}
}

int space_map_page(struct vm *vm, struct region *region, vaddr_t addr, pfn_t pfn, bool write)
{
	struct space *space = region->space;
	pte_t *slot = pt_make(vm, &space->pt, addr, space_class(space));
	pte_t old;

	if (slot == NULL) {
		if (region->type->is_counted) {
			page_unref(&vm->pool, pfn);
		}
		return -ENOMEM;
	}
	old = *slot;
	pt_set(vm, slot, make_entry(region, pfn, write));
	if (region->type->is_counted) {
		space_count_page(vm, space, pfn, 1);
	}
	if (old != 0) {
		/* The new entry may only give more of the same page, or replace another one. */
		space->must_flush |= pte_is_present(old);
		if (region->type->is_counted) {
			space_count_page(vm, space, pte_pfn(old), -1);
			page_unref(&vm->pool, pte_pfn(old));
		}
	}
	return 0;
}

void space_update_prot(struct vm *vm, struct region *region, vaddr_t start, vaddr_t end)
{
	struct pt_span span;

	for (vaddr_t at = start; pt_next_span(vm, &region->space->pt, &at, end, &span);) {
		for (uint64_t i = 0; i < span.count; i++) {
			pte_t old = span.pte[i];
			pfn_t pfn = pte_pfn(old);

			if (old == 0) {
				continue;
			}
			pt_set(vm, &span.pte[i],
				make_entry(region, pfn, region->type->writable(vm, region, pfn)) |
					(old & (PTE_ACCESSED | PTE_DIRTY)));
			region->space->must_flush |= pte_is_present(old);
		}
	}
}

pte_t space_lookup(struct vm *vm, const struct space *space, vaddr_t addr)
{
	const pte_t *slot = pt_find(vm, &space->pt, addr);

	return slot == NULL ? 0 : *slot;
}

void space_flush(struct vm *vm, struct space *space)
{
	if (space->must_flush) {
		space->must_flush = false;
		(void)sys_vmctl(VMCTL_FLUSH, EP_NONE, space->pt.root << AXO_PAGE_SHIFT, 0, 0);
	}
	(void)vm;
}

void space_flush_all(struct vm *vm)
{
	list_for_each(space, &vm->spaces, struct space, link)
	{
		space_flush(vm, space);
	}
}
