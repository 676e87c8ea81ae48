/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings of files. Pages come from the cache and are shared; a store to a private mapping copies,
 * one to a shared mapping has the file system make the page dirty first. A fault maps the cached
 * neighbours too, and a read brings the pages that follow.
 */
#include <errno.h>
#include <string.h>

#include "lib/core/util.h"
#include "servers/vm/file.h"
#include "servers/vm/space.h"
#include "servers/vm/type_anon.h"

#define AROUND_PAGES    32 /* aligned window that a fault fills from the cache */
#define COPY_PAGES      4  /* the same for stores to private mappings, which copy */
#define READ_PAGES      16 /* read at a miss; more when misses come in sequence */
#define READ_PAGES_MAX  32
#define WRITE_PAGES_MAX 16 /* made writable at a store to a shared mapping, in sequence */

static void file_reference(struct vm *vm, struct region *region)
{
	(void)vm;
	file_add_region(region);
}

static void file_unreference(struct vm *vm, struct region *region)
{
	file_remove_region(vm, region);
}

static enum fork_how file_fork(const struct region *region)
{
	return (region->flags & REGION_SHARED) ? FORK_SHARE : FORK_COPY;
}

static bool file_writable(struct vm *vm, const struct region *region, pfn_t pfn)
{
	const struct page_info *info = page_info(&vm->pool, pfn);

	if (region->flags & REGION_SHARED) {
		return info->is_write_mapped;
	}
	return info->kind == PAGE_ANON && info->refs == 1;
}

/* Whether part of the page at this offset must read as zero although the file has bytes there. */
static bool is_cut(const struct region *region, uint64_t offset)
{
	return region->file_limit - offset < AXO_PAGE_SIZE || region->file_limit < offset;
}

/* Map a cached page, writable only if it is a shared mapping's that may be written already. */
static int map_page(struct vm *vm, struct region *region, vaddr_t addr, struct cache_page *page)
{
	bool write = (region->flags & REGION_SHARED) &&
		page_info(&vm->pool, page->pfn)->is_write_mapped &&
		cache_may_write(vm, page, false);

	page_ref(&vm->pool, page->pfn);
	return space_map_page(vm, region, addr, page->pfn, write);
}

/* Map the page at addr from the cache if it is there and nothing is mapped; false when there is no
 * memory. */
static bool map_cached(struct vm *vm, struct region *region, vaddr_t addr)
{
	uint64_t offset = region_offset(region, addr);
	struct cache_page *page;

	if (is_cut(region, offset) || space_lookup(vm, region->space, addr) != 0) {
		return true;
	}
	page = file_find_page(vm, region->file, offset >> AXO_PAGE_SHIFT);
	return page == NULL || map_page(vm, region, addr, page) == 0;
}

static void map_around(struct vm *vm, struct region *region, vaddr_t addr)
{
	uint64_t window = AROUND_PAGES * AXO_PAGE_SIZE;
	vaddr_t at = u64_max(align_down(addr, window), region->start);
	vaddr_t end = u64_min(align_down(addr, window) + window, region->end);

	for (; at < end; at += AXO_PAGE_SIZE) {
		if (!map_cached(vm, region, at)) {
			return;
		}
	}
}

/* A private copy of a cached page; its bytes past the limit are zero. */
static int map_copy(struct vm *vm, struct region *region, vaddr_t addr, pfn_t from)
{
	uint64_t offset = region_offset(region, addr);
	uint64_t keep = region->file_limit > offset ? region->file_limit - offset : 0;
	int result = anon_copy_page(vm, region, addr, from);
	pte_t pte;

	if (result == 0 && keep < AXO_PAGE_SIZE) {
		pte = space_lookup(vm, region->space, addr);
		memset((uint8_t *)page_memory(&vm->pool, pte_pfn(pte)) + keep, 0,
			AXO_PAGE_SIZE - keep);
	}
	return result;
}

/*
 * Copy cached neighbours of a page that was stored to, in what exec has mapped: data segments are
 * mostly written as a whole. Elsewhere a page that was not stored to must go on showing the file.
 */
static void copy_around(struct vm *vm, struct region *region, vaddr_t addr)
{
	uint64_t window = COPY_PAGES * AXO_PAGE_SIZE;
	vaddr_t at = u64_max(align_down(addr, window), region->start);
	vaddr_t end = u64_min(align_down(addr, window) + window, region->end);

	for (; at < end && vm_available_pages(vm) > vm->pool.total / 4; at += AXO_PAGE_SIZE) {
		uint64_t index = region_offset(region, at) >> AXO_PAGE_SHIFT;
		const struct cache_page *page = file_find_page(vm, region->file, index);

		if (page != NULL && space_lookup(vm, region->space, at) == 0 &&
			map_copy(vm, region, at, page->pfn) != 0) {
			return;
		}
	}
}

/* How many pages from addr on to ask for: more each time while misses come in sequence. */
static uint64_t pages_ahead(struct region *region, vaddr_t addr, uint32_t first, uint32_t most)
{
	uint64_t left = (region->end - addr) >> AXO_PAGE_SHIFT;

	region->around =
		addr == region->next_fault ? (uint32_t)u64_min(region->around * 2ull, most) : first;
	return u64_min(region->around, left);
}

/* The valid page, or as file_get_page(). */
static int get_page(
	struct vm *vm, struct region *region, struct fault *fault, struct cache_page **page)
{
	vaddr_t addr = AXO_PAGE_DOWN(fault->addr);
	uint64_t index = region_offset(region, addr) >> AXO_PAGE_SHIFT;
	uint64_t count = 1;
	int result;

	if (file_find_page(vm, region->file, index) == NULL) {
		count = pages_ahead(region, addr, READ_PAGES, READ_PAGES_MAX);
	}
	result = file_get_page(vm, region->file, index, count - 1, page, &fault->wait_for);
	if (result == -EAGAIN) {
		region->next_fault = addr + (count << AXO_PAGE_SHIFT);
		fault->is_major = true;
	}
	return result;
}

/* A store to a shared mapping: the file system must know first that the page becomes dirty. */
static int share_for_writing(
	struct vm *vm, struct region *region, struct fault *fault, struct cache_page *page)
{
	vaddr_t addr = AXO_PAGE_DOWN(fault->addr);
	pte_t *slot = pt_find(vm, &region->space->pt, addr);

	if (!file_is_peeked(vm, region->file)) {
		return -EIO;
	}
	if (!cache_may_write(vm, page, false)) {
		uint64_t count = pages_ahead(region, addr, 1, WRITE_PAGES_MAX);
		uint64_t index = region_offset(region, addr) >> AXO_PAGE_SHIFT;

		region->next_fault = addr + (count << AXO_PAGE_SHIFT);
		return file_make_writable(vm, region->file, index, count, &fault->wait_for);
	}
	if (slot != NULL && *slot != 0 && pte_pfn(*slot) == page->pfn) {
		pt_set(vm, slot, *slot | PTE_WRITE);
		return 0;
	}
	return map_page(vm, region, addr, page);
}

static int file_fault(struct vm *vm, struct region *region, struct fault *fault)
{
	vaddr_t addr = AXO_PAGE_DOWN(fault->addr);
	pte_t *slot = pt_find(vm, &region->space->pt, addr);
	bool is_shared = region->flags & REGION_SHARED;
	struct cache_page *page;
	int result;

	if (slot != NULL && *slot != 0 && !(fault->write && is_shared)) {
		return fault->write ? anon_unshare(vm, region, addr, slot) : 0;
	}
	result = get_page(vm, region, fault, &page);
	if (result != 0) {
		return result;
	}
	if (is_shared && fault->write) {
		result = share_for_writing(vm, region, fault, page);
	} else if (is_cut(region, region_offset(region, addr)) || fault->write) {
		result = map_copy(vm, region, addr, page->pfn);
		if (result == 0 && fault->write && region->file_limit != UINT64_MAX) {
			copy_around(vm, region, addr);
		}
		return result;
	} else {
		result = map_page(vm, region, addr, page);
	}
	if (result == 0) {
		map_around(vm, region, addr);
	}
	return result;
}

static int file_resize(const struct region *region, uint64_t bytes)
{
	(void)region;
	(void)bytes;
	return 0; /* beyond the file: SIGBUS */
}

static bool file_continues(const struct region *low, const struct region *high)
{
	return low->file == high->file && region_offset(low, low->end) == high->offset &&
		low->file_limit == high->file_limit;
}

const struct memtype memtype_file = {
	.name = "file",
	.is_counted = true,
	.is_file = true,
	.reference = file_reference,
	.unreference = file_unreference,
	.fork = file_fork,
	.fault = file_fault,
	.resize = file_resize,
	.split = memtype_offset_split,
	.low_shrink = memtype_offset_low_shrink,
	.continues = file_continues,
	.writable = file_writable,
	.pt_flags = memtype_no_pt_flags,
};
