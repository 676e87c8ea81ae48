/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/page.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/core/bitmap.h"

#define PFN_1M  (0x100000ull >> AXO_PAGE_SHIFT)
#define PFN_16M (0x1000000ull >> AXO_PAGE_SHIFT)
#define PFN_4G  (0x100000000ull >> AXO_PAGE_SHIFT)

/* Find memory for the pool's tables at the end of the largest free range below `highest`. */
static paddr_t find_table_space(const struct kinfo *kinfo, uint64_t bytes)
{
	const struct mem_range *best = NULL;

	for (uint32_t i = 0; i < kinfo->free_count; i++) {
		const struct mem_range *range = &kinfo->free[i];

		if (range->bytes >= bytes && (best == NULL || range->bytes > best->bytes)) {
			best = range;
		}
	}
	return best == NULL ? 0 : best->start + best->bytes - bytes;
}

static void add_range(struct page_pool *pool, const struct mem_range *range, enum page_kind kind)
{
	pfn_t first = range->start >> AXO_PAGE_SHIFT;
	pfn_t end = (range->start + AXO_PAGE_UP(range->bytes)) >> AXO_PAGE_SHIFT;

	/* Frame 0 is never given out: 0 may mark an absent page. */
	for (pfn_t pfn = u64_max(first, 1); pfn < end && pfn < pool->frames; pfn++) {
		if (pool->info[pfn].kind != PAGE_ABSENT) {
			continue;
		}
		pool->info[pfn].kind = (uint8_t)kind;
		pool->count[kind]++;
		if (kind == PAGE_FREE) {
			bitmap_set(pool->free_map, pfn);
		}
	}
}

int page_pool_init(struct page_pool *pool, const struct kinfo *kinfo, uint8_t *window)
{
	uint64_t info_bytes, map_bytes, table_pages;
	paddr_t tables;

	memset(pool, 0, sizeof(*pool));
	pool->window = window;
	pool->frames = kinfo->highest >> AXO_PAGE_SHIFT;
	info_bytes = AXO_PAGE_UP(pool->frames * sizeof(struct page_info));
	map_bytes = AXO_PAGE_UP(BITMAP_WORDS(pool->frames) * sizeof(uint64_t));
	tables = find_table_space(kinfo, info_bytes + map_bytes);
	if (tables == 0) {
		return -ENOMEM;
	}
	pool->info = (struct page_info *)(void *)(window + tables);
	pool->free_map = (uint64_t *)(void *)(window + tables + info_bytes);
	memset(pool->info, 0, info_bytes + map_bytes);
	table_pages = (info_bytes + map_bytes) >> AXO_PAGE_SHIFT;
	for (uint64_t i = 0; i < table_pages; i++) {
		pool->info[(tables >> AXO_PAGE_SHIFT) + i].kind = PAGE_HEAP_TAIL;
	}
	pool->count[PAGE_HEAP_TAIL] = table_pages;
	for (uint32_t i = 0; i < kinfo->free_count; i++) {
		add_range(pool, &kinfo->free[i], PAGE_FREE);
	}
	add_range(pool, &kinfo->module, PAGE_MODULE);
	for (uint32_t i = 0; i < kinfo->usable_count; i++) {
		pool->total += kinfo->usable[i].bytes >> AXO_PAGE_SHIFT;
	}
	pool->kernel_pages =
		pool->total - pool->count[PAGE_FREE] - pool->count[PAGE_MODULE] - table_pages;
	/* Enough for a few page tables each; a fraction on larger machines. */
	pool->reserve_vm = 48 + u64_min(pool->count[PAGE_FREE] / 256, 464);
	pool->reserve_service = 2 * pool->reserve_vm;
	return 0;
}

bool page_is_available(const struct page_pool *pool, uint64_t count, enum page_class class)
{
	uint64_t keep = 0;

	if (class == PAGE_FOR_PROGRAM) {
		keep = pool->reserve_vm + pool->reserve_service;
	} else if (class == PAGE_FOR_SERVICE) {
		keep = pool->reserve_vm;
	}
	return pool->count[PAGE_FREE] >= keep && pool->count[PAGE_FREE] - keep >= count;
}

/* Pages are evicted in batches, so that not every allocation has to search. */
#define EVICT_BATCH 32

/* As page_is_available(), after evicting what can be. */
static bool make_available(struct page_pool *pool, uint64_t count, enum page_class class)
{
	while (!page_is_available(pool, count, class)) {
		if (pool->evict == NULL || pool->evict(pool, u64_max(count, EVICT_BATCH)) == 0) {
			return false;
		}
	}
	return true;
}

static void take(struct page_pool *pool, pfn_t pfn, enum page_kind kind)
{
	assert(pool->info[pfn].kind == PAGE_FREE);
	bitmap_clear(pool->free_map, pfn);
	pool->info[pfn] = (struct page_info){.refs = kind != PAGE_TABLE,
		.kind = (uint8_t)kind,
		.is_noted = pool->info[pfn].is_noted};
	pool->count[PAGE_FREE]--;
	pool->count[kind]++;
	page_note(pool, pfn);
}

pfn_t page_alloc(struct page_pool *pool, enum page_kind kind, enum page_class class)
{
	pfn_t pfn;

	if (page_must_fail(pool) || !make_available(pool, 1, class)) {
		return PFN_NONE;
	}
	pfn = bitmap_next_set(pool->free_map, pool->frames, pool->next);
	if (pfn == pool->frames) {
		pfn = bitmap_next_set(pool->free_map, pool->frames, 0);
	}
	assert(pfn < pool->frames);
	pool->next = pfn + 1;
	take(pool, pfn, kind);
	return pfn;
}

pfn_t page_alloc_zeroed(struct page_pool *pool, enum page_kind kind, enum page_class class)
{
	pfn_t pfn = page_alloc(pool, kind, class);

	if (pfn != PFN_NONE) {
		memset(page_memory(pool, pfn), 0, AXO_PAGE_SIZE);
	}
	return pfn;
}

pfn_t page_alloc_run(struct page_pool *pool, uint64_t count, enum page_kind kind,
	enum page_class class, unsigned constraints)
{
	uint64_t alignment = (constraints & PAGE_ALIGN_64K) ? 0x10000 >> AXO_PAGE_SHIFT : 1;
	uint64_t limit = pool->frames;
	pfn_t first;

	if (count == 0 || count > pool->frames || page_must_fail(pool) ||
		!make_available(pool, count, class)) {
		return PFN_NONE;
	}
	if (constraints & PAGE_BELOW_1M) {
		limit = u64_min(limit, PFN_1M);
	} else if (constraints & PAGE_BELOW_16M) {
		limit = u64_min(limit, PFN_16M);
	} else if (constraints & PAGE_BELOW_4G) {
		limit = u64_min(limit, PFN_4G);
	}
	do {
		first = bitmap_find_set_run(pool->free_map, limit, 0, count, alignment);
	} while (first >= limit && pool->evict != NULL && pool->evict(pool, EVICT_BATCH) > 0);
	if (first >= limit) {
		return PFN_NONE;
	}
	for (uint64_t i = 0; i < count; i++) {
		take(pool, first + i, kind);
	}
	return first;
}

void page_free(struct page_pool *pool, pfn_t pfn)
{
	struct page_info *info = &pool->info[pfn];

	assert(pfn < pool->frames && info->kind > PAGE_FREE);
	pool->count[info->kind]--;
	pool->count[PAGE_FREE]++;
	if (AXO_CHECKS && pool->ledger != NULL) {
		ledger_free_page(pool, pfn, info->kind == PAGE_TABLE);
	}
	*info = (struct page_info){.kind = PAGE_FREE, .is_noted = info->is_noted};
	page_note(pool, pfn);
	bitmap_set(pool->free_map, pfn);
	/* Low numbers first, so that long runs stay together higher up. */
	if (pfn < pool->next) {
		pool->next = pfn;
	}
}

void page_free_range(struct page_pool *pool, paddr_t start, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += AXO_PAGE_SIZE) {
		pfn_t pfn = (start + at) >> AXO_PAGE_SHIFT;

		if (pfn < pool->frames && pool->info[pfn].kind == PAGE_MODULE) {
			page_free(pool, pfn);
		}
	}
}

void page_set_kind(struct page_pool *pool, pfn_t pfn, enum page_kind kind)
{
	pool->count[pool->info[pfn].kind]--;
	pool->count[kind]++;
	pool->info[pfn].kind = (uint8_t)kind;
	page_note(pool, pfn);
}

uint64_t page_missing(const struct page_pool *pool)
{
	uint64_t reserve = pool->reserve_vm + pool->reserve_service;

	return reserve - u64_min(reserve, pool->count[PAGE_FREE]);
}

uint64_t page_longest_run(const struct page_pool *pool)
{
	uint64_t longest = 0, at = 0;

	while ((at = bitmap_next_set(pool->free_map, pool->frames, at)) < pool->frames) {
		uint64_t end = bitmap_next_clear(pool->free_map, pool->frames, at);

		longest = u64_max(longest, end - at);
		at = end;
	}
	return longest;
}
