/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Anonymous private memory (VM-05): zero on demand, copy on write. A page may be written without a
 * fault iff it is nobody else's, or shared by grants (safemap.c). Faults in sequence bring in pages
 * ahead, twice as many each time.
 */
#include "servers/vm/type_anon.h"

#include <errno.h>
#include <string.h>

#include "lib/core/util.h"
#include "servers/vm/safemap.h"
#include "servers/vm/space.h"

#define AROUND_MAX  32
#define BLOCK_BYTES (4 * AXO_PAGE_SIZE)

/* Reading a large region, as sparse arrays are read, maps the zero page; elsewhere a store is
 * likely to follow. */
#define SPARSE_BYTES (4ull << 20)

static bool anon_writable(struct vm *vm, const struct region *region, pfn_t pfn)
{
	const struct page_info *info = page_info(&vm->pool, pfn);

	(void)region;
	return info->kind == PAGE_ANON && (info->refs == 1 || info->maps != 0);
}

int anon_copy_page(struct vm *vm, struct region *region, vaddr_t addr, pfn_t from)
{
	pfn_t to;

	page_ref(&vm->pool, from); /* the copy must not be won by evicting this page */
	to = vm_alloc_page(vm, PAGE_ANON, space_class(region->space));
	page_unref(&vm->pool, from);
	if (to == PFN_NONE) {
		return -ENOMEM;
	}
	if (from == vm->zero_page) {
		memset(page_memory(&vm->pool, to), 0, AXO_PAGE_SIZE);
	} else {
		memcpy(page_memory(&vm->pool, to), page_memory(&vm->pool, from), AXO_PAGE_SIZE);
	}
	return space_map_page(vm, region, addr, to, true);
}

int anon_unshare(struct vm *vm, struct region *region, vaddr_t addr, pte_t *slot)
{
	pfn_t pfn = pte_pfn(*slot);

	if (region->type->writable(vm, region, pfn)) {
		if (region->prot & REGION_PROT_WRITE) { /* else a debugger stores */
			pt_set(vm, slot, *slot | PTE_WRITE);
		}
		return 0;
	}
	return anon_copy_page(vm, region, addr, pfn);
}

/* A new zero page, or where pages of their own would be wasted the one zero page. */
static int add_page(struct vm *vm, struct region *region, vaddr_t addr, bool write)
{
	bool is_scarce = vm_available_pages(vm) < vm->pool.total / 8;
	pfn_t pfn;

	if (!write &&
		(is_scarce || region_bytes(region) > SPARSE_BYTES ||
			!(region->prot & REGION_PROT_WRITE))) {
		page_ref(&vm->pool, vm->zero_page);
		return space_map_page(vm, region, addr, vm->zero_page, false);
	}
	pfn = vm_alloc_page(vm, PAGE_ANON, space_class(region->space));
	if (pfn == PFN_NONE) {
		return -ENOMEM;
	}
	memset(page_memory(&vm->pool, pfn), 0, AXO_PAGE_SIZE);
	return space_map_page(vm, region, addr, pfn, true);
}

/* Make one page present, writable if `write`. */
static int bring_in(struct vm *vm, struct region *region, vaddr_t addr, bool write)
{
	pte_t *slot = pt_find(vm, &region->space->pt, addr);

	if (slot != NULL && *slot != 0) {
		return write && !pte_is_writable(*slot) ? anon_unshare(vm, region, addr, slot) : 0;
	}
	return add_page(vm, region, addr, write);
}

/*
 * What a fault brings in beside its own page, as long as memory is plentiful: pages ahead, twice as
 * many each time, when faults come in sequence; else the aligned block around it.
 */
static void choose_window(
	struct vm *vm, struct region *region, vaddr_t addr, vaddr_t *start, vaddr_t *end)
{
	bool is_plentiful = vm_available_pages(vm) > vm->pool.total / 4;

	*start = addr;
	*end = addr + AXO_PAGE_SIZE;
	if (addr == region->next_fault) {
		region->around = (uint32_t)u64_min(region->around * 2, AROUND_MAX);
	} else {
		region->around = 1;
	}
	if (is_plentiful && region->around > 1) {
		*end = addr + region->around * AXO_PAGE_SIZE;
	} else if (is_plentiful && region_bytes(region) >= 4 * BLOCK_BYTES) {
		*start = align_down(addr, BLOCK_BYTES);
		*end = *start + BLOCK_BYTES;
		region->around = (uint32_t)((*end - addr) >> AXO_PAGE_SHIFT);
	}
	*start = u64_max(*start, region->start);
	*end = u64_min(*end, region->end);
	region->next_fault = *end;
}

static int anon_fault(struct vm *vm, struct region *region, struct fault *fault)
{
	vaddr_t addr = AXO_PAGE_DOWN(fault->addr);
	vaddr_t start, end;
	int result;

	choose_window(vm, region, addr, &start, &end);
	result = bring_in(vm, region, addr, fault->write);
	if (result != 0) {
		return result;
	}
	for (vaddr_t at = start; at < end; at += AXO_PAGE_SIZE) {
		/* What was asked for is there; the rest is a guess. */
		if (at != addr && bring_in(vm, region, at, fault->write) != 0) {
			break;
		}
	}
	return 0;
}

static enum fork_how anon_fork(const struct region *region)
{
	(void)region;
	return FORK_COPY;
}

static int anon_resize(const struct region *region, uint64_t bytes)
{
	(void)region;
	(void)bytes;
	return 0;
}

static void anon_split(struct vm *vm, struct region *low, struct region *high)
{
	(void)vm;
	(void)low;
	(void)high;
}

static void anon_low_shrink(struct vm *vm, struct region *region, uint64_t bytes)
{
	(void)vm;
	(void)region;
	(void)bytes;
}

static bool anon_continues(const struct region *low, const struct region *high)
{
	(void)high;
	return !(low->flags & REGION_SAFEMAPPED);
}

static void anon_release(struct vm *vm, struct region *region, vaddr_t start, vaddr_t end)
{
	safemap_release(vm, region->space, start, end);
}

static bool anon_must_copy(struct vm *vm, pfn_t pfn)
{
	return page_info(&vm->pool, pfn)->maps != 0;
}

static int anon_own(struct vm *vm, struct region *region, vaddr_t addr)
{
	pte_t pte = space_lookup(vm, region->space, addr);

	if (pte == 0) {
		return add_page(vm, region, addr, true);
	}
	return anon_writable(vm, region, pte_pfn(pte))
		? 0
		: anon_copy_page(vm, region, addr, pte_pfn(pte));
}

const struct memtype memtype_anon = {
	.name = "anon",
	.is_counted = true,
	.is_anonymous = true,
	.reference = memtype_no_reference,
	.unreference = memtype_no_reference,
	.fork = anon_fork,
	.fault = anon_fault,
	.resize = anon_resize,
	.split = anon_split,
	.low_shrink = anon_low_shrink,
	.continues = anon_continues,
	.writable = anon_writable,
	.pt_flags = memtype_no_pt_flags,
	.release = anon_release,
	.must_copy = anon_must_copy,
	.own = anon_own,
};
