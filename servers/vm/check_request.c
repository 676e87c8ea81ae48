/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check after each request: entries, tables and pages that the ledger has noted, regions of
 * spaces where some changed, all sums.
 */
#include "lib/core/bitmap.h"
#include "lib/core/util.h"
#include "servers/vm/cache.h"
#include "servers/vm/check.h"
#include "servers/vm/check_tally.h"
#include "servers/vm/safemap.h"

/* Everything is walked once in so many requests for each page of memory: what that costs a request
 * is as much as a look at so many pages. */
#define PAGES_PER_REQUEST 8

/* A space's regions are walked when so many of them can be charged to each that has changed. */
#define REGIONS_PER_CHANGE 16

/* Of eight entries. */
static uint32_t count_used(const pte_t *entry)
{
	return (uint32_t)(entry[0] != 0) + (entry[1] != 0) + (entry[2] != 0) + (entry[3] != 0) +
		(entry[4] != 0) + (entry[5] != 0) + (entry[6] != 0) + (entry[7] != 0);
}

/* The used entries of a table, once in a round. */
static void check_table(struct tally *tally, pfn_t table)
{
	struct page_pool *pool = &tally->vm->pool;
	struct ledger_frame *frame = &pool->ledger->frames[table];
	const pte_t *entries = page_memory(pool, table);
	uint32_t used = 0;

	if (frame->writers == pool->ledger->round) {
		return;
	}
	frame->writers = pool->ledger->round;
	for (unsigned i = 0; i < PT_ENTRIES; i += 8) {
		used += count_used(entries + i);
	}
	expect(tally, page_info(pool, table)->refs == used, "used entries of a table");
}

static void check_slots(struct tally *tally)
{
	struct page_pool *pool = &tally->vm->pool;
	const struct ledger *ledger = pool->ledger;
	const struct region *region = NULL;

	for (uint32_t i = 0; i < ledger->slot_count; i++) {
		const pte_t *slot = ledger->slots[i];
		pfn_t table = page_of_memory(pool, slot);
		const struct ledger_frame *frame = &ledger->frames[table];
		const struct space *space;
		vaddr_t addr;

		if (page_info(pool, table)->kind != PAGE_TABLE || frame->pt == NULL) {
			continue; /* the table is gone */
		}
		check_table(tally, table);
		if (*slot == 0) {
			continue;
		}
		space = container_of(frame->pt, struct space, pt);
		addr = frame->refs * pt_entry_bytes(1) +
			(((uintptr_t)slot & AXO_PAGE_MASK) / sizeof(*slot) << AXO_PAGE_SHIFT);
		if (region == NULL || region->space != space || addr < region->start ||
			addr >= region->end) {
			region = region_find(space, addr);
		}
		if (expect(tally, region != NULL, "entry outside of all regions")) {
			check_entry(tally, region, *slot);
		}
	}
}

/* Mappers of a page by the records of memory shared by grants. */
static uint64_t count_mappers(struct vm *vm, pfn_t pfn)
{
	uint64_t count = 0;

	list_for_each(map, &vm->safemaps, struct safemap, link)
	{
		for (uint64_t at = 0; at < map->bytes; at += AXO_PAGE_SIZE) {
			pfn_t shared;

			count += safemap_shares(vm, map, at, &shared) && shared == pfn;
		}
	}
	return count;
}

static void check_page(struct tally *tally, pfn_t pfn)
{
	struct page_pool *pool = &tally->vm->pool;
	const struct page_info *info = page_info(pool, pfn);
	const struct ledger_frame *frame = &pool->ledger->frames[pfn];

	expect(tally, bitmap_test(pool->free_map, pfn) == (info->kind == PAGE_FREE), "free map");
	switch (info->kind) {
	case PAGE_ANON:
		expect(tally, frame->writers == 0 || info->refs == 1 || info->maps != 0,
			"page writable that must be copied");
		expect(tally, info->maps == 0 || info->maps == count_mappers(tally->vm, pfn),
			"mappers of a page");
		break;
	case PAGE_FILE:
		if (expect(tally, frame->cached != NULL && frame->cached->pfn == pfn,
			    "page of a file that the cache does not know") &&
			info->is_cache_noted) {
			const char *fault = cache_check_page(tally->vm, frame->cached);

			expect(tally, fault == NULL, fault);
		}
		break;
	case PAGE_SHARED:
		break;
	default:
		expect(tally, info->kind == PAGE_TABLE || frame->refs + frame->writers == 0,
			"reference to a page that is not in use");
		return;
	}
	expect(tally, info->refs == frame->refs, "references of a page");
}

static void check_pages(struct tally *tally)
{
	const struct ledger *ledger = tally->vm->pool.ledger;

	for (uint32_t i = 0; i < ledger->page_count; i++) {
		check_page(tally, ledger->pages[i]);
	}
}

static void check_spaces(struct tally *tally)
{
	list_for_each(space, &tally->vm->spaces, struct space, link)
	{
		expect(tally, space->resident == space->pt.counted, "resident pages");
		if (space->unchecked * (uint64_t)REGIONS_PER_CHANGE > space->region_count) {
			check_regions(tally, space);
			space->unchecked = 0;
		}
	}
}

static void check_sums(struct tally *tally)
{
	const struct page_pool *pool = &tally->vm->pool;
	uint64_t total = pool->kernel_pages;
	const char *fault = cache_check_sums(tally->vm);

	for (int kind = PAGE_FREE; kind < PAGE_KINDS; kind++) {
		total += pool->count[kind];
	}
	expect(tally, total == pool->total, "sum of all pages");
	expect(tally, fault == NULL, fault);
}

/* Whether looking for the mappers of each page takes longer than walking everything. */
static bool are_mappers_many(struct vm *vm)
{
	const struct ledger *ledger = vm->pool.ledger;
	uint64_t noted = 0, shared = 0;

	for (uint32_t i = 0; i < ledger->page_count; i++) {
		const struct page_info *info = page_info(&vm->pool, ledger->pages[i]);

		noted += info->kind == PAGE_ANON && info->maps != 0;
	}
	if (noted == 0) {
		return false;
	}
	list_for_each(map, &vm->safemaps, struct safemap, link)
	{
		shared += map->bytes >> AXO_PAGE_SHIFT;
	}
	return noted * shared > vm->pool.frames;
}

static bool is_whole_due(struct vm *vm)
{
	struct ledger *ledger = vm->pool.ledger;

	return ledger->is_overflown || ++ledger->unwalked >= vm->pool.frames / PAGES_PER_REQUEST ||
		are_mappers_many(vm);
}

const char *vm_check_request(struct vm *vm)
{
	struct tally tally = {.vm = vm};

	if (is_whole_due(vm)) {
		vm->pool.ledger->unwalked = 0;
		tally.fault = vm_check(vm);
	} else {
		vm->pool.ledger->round++;
		check_slots(&tally);
		check_pages(&tally);
		check_spaces(&tally);
		check_sums(&tally);
	}
	ledger_clear(vm);
	return tally.fault;
}
