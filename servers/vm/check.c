/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/check.h"

#include "lib/core/bitmap.h"
#include "servers/vm/cache.h"
#include "servers/vm/check_tally.h"
#include "servers/vm/safemap.h"
#include "servers/vm/space.h"
#include "servers/vm/type_shared.h"

bool expect(struct tally *tally, bool condition, const char *what)
{
	if (!condition && tally->fault == NULL) {
		tally->fault = what;
	}
	return condition;
}

void check_entry(struct tally *tally, const struct region *region, pte_t pte)
{
	pfn_t pfn = pte_pfn(pte);

	if (pte_is_present(pte)) {
		expect(tally, region->prot != 0, "entry present in a region without access");
		expect(tally, !(pte & PTE_WRITE) || (region->prot & REGION_PROT_WRITE),
			"entry writable in a read-only region");
		expect(tally, !pte_is_executable(pte) || (region->prot & REGION_PROT_EXEC),
			"entry executable in a region that is not");
	}
	if (region->type->is_counted &&
		expect(tally, pfn < tally->vm->pool.frames, "entry names no page")) {
		enum page_kind kind = page_info(&tally->vm->pool, pfn)->kind;

		expect(tally, kind == PAGE_ANON || kind == PAGE_FILE || kind == PAGE_SHARED,
			"entry names a page of another kind");
		expect(tally, !(pte & PTE_WRITE) || region->type->writable(tally->vm, region, pfn),
			"page writable that must be copied");
	}
}

/* All used entries of [start, end) are checked against the region (NULL: there must be none). */
static uint64_t check_entries(struct tally *tally, const struct space *space,
	const struct region *region, vaddr_t start, vaddr_t end)
{
	struct pt_span span;
	uint64_t resident = 0;

	for (vaddr_t at = start; pt_next_span(tally->vm, &space->pt, &at, end, &span);) {
		for (uint64_t i = 0; i < span.count; i++) {
			if (span.pte[i] == 0 ||
				!expect(tally, region != NULL, "entry outside of all regions")) {
				continue;
			}
			check_entry(tally, region, span.pte[i]);
			if (region->type->is_counted) {
				tally->refs[pte_pfn(span.pte[i])]++;
				tally->writers += (span.pte[i] & PTE_WRITE) != 0;
			}
			resident += region->type->is_counted &&
				pte_pfn(span.pte[i]) != tally->vm->zero_page;
		}
	}
	return resident;
}

/* A leaf table is known to the ledger. */
static void check_leaf(struct tally *tally, const struct pt *pt, pfn_t table, vaddr_t addr)
{
	const struct ledger_frame *frame = &tally->vm->pool.ledger->frames[table];

	expect(tally, frame->pt == pt && frame->refs == addr / pt_entry_bytes(1),
		"table unknown to the ledger");
}

static void check_table(struct tally *tally, const struct pt *pt, pfn_t table, int level,
	vaddr_t addr, uint64_t *tables)
{
	const pte_t *entries = page_memory(&tally->vm->pool, table);
	unsigned count = level == PT_LEVELS - 1 ? PT_USER_ENTRIES : PT_ENTRIES;
	uint32_t used = 0;

	++*tables;
	expect(tally, page_info(&tally->vm->pool, table)->kind == PAGE_TABLE, "table is no table");
	for (unsigned i = 0; i < count; i++) {
		used += entries[i] != 0;
		if (entries[i] != 0 && level > 0) {
			check_table(tally, pt, pte_pfn(entries[i]), level - 1,
				addr + i * pt_entry_bytes(level), tables);
		}
	}
	expect(tally, page_info(&tally->vm->pool, table)->refs == used, "used entries of a table");
	if (level == 0) {
		check_leaf(tally, pt, table, addr);
	}
}

/* All regions of a space, and the sums of their sizes. */
void check_regions(struct tally *tally, const struct space *space)
{
	uint64_t bytes = 0, data = 0, locked = 0;
	uint32_t count = 0;
	vaddr_t end = 0;

	for (const struct region *region = region_first(space); region != NULL;
		region = region_next(region)) {
		expect(tally,
			region->start >= end && region->end > region->start &&
				region->end <= tally->vm->kinfo.user_end,
			"regions overlap or are misplaced");
		expect(tally, !((region->start | region->end) & AXO_PAGE_MASK),
			"region not of whole pages");
		expect(tally, region->space == space, "region of another space");
		expect(tally, (region->prot & ~region->max_prot) == 0, "region allows too much");
		bytes += region_bytes(region);
		if (region->type->is_anonymous && (region->prot & REGION_PROT_WRITE)) {
			data += region_bytes(region);
		}
		if (region->flags & REGION_LOCKED) {
			locked += region_bytes(region);
		}
		count++;
		end = region->end;
	}
	expect(tally,
		bytes == space->virtual_bytes && data == space->data_bytes &&
			locked == space->locked_bytes && count == space->region_count,
		"sizes of a space");
}

static void check_space(struct tally *tally, const struct space *space)
{
	uint64_t resident = 0, tables = 0;
	vaddr_t end = 0;

	check_regions(tally, space);
	for (const struct region *region = region_first(space); region != NULL;
		region = region_next(region)) {
		check_entries(tally, space, NULL, end, region->start);
		resident += check_entries(tally, space, region, region->start, region->end);
		end = region->end;
	}
	check_entries(tally, space, NULL, end, tally->vm->kinfo.user_end);
	check_table(tally, &space->pt, space->pt.root, PT_LEVELS - 1, 0, &tables);
	expect(tally, tables == space->pt.tables, "number of page tables");
	expect(tally, resident == space->resident && resident == space->pt.counted,
		"resident pages");
}

/* Threads, and the ends of shared memory that a space counts. */
static void check_users(struct tally *tally, const struct space *space)
{
	const struct vm *vm = tally->vm;
	uint32_t threads = 0, safemaps = 0;

	for (uint32_t slot = 0; slot < vm->kinfo.procs_max; slot++) {
		threads += vm->threads[slot].ep != EP_NONE && vm->threads[slot].space == space;
	}
	list_for_each(map, &vm->safemaps, struct safemap, link)
	{
		safemaps += (map->granter == space) + (map->mapper == space);
	}
	expect(tally, threads == space->threads, "threads of a space");
	expect(tally, safemaps == space->safemaps, "memory that a space shares by grants");
}

static void count_shared(struct tally *tally, const struct shared_object *object)
{
	for (uint64_t i = 0; i < object->pages; i++) {
		const pfn_t *chunk = object->chunks[i / SHARED_CHUNK_PAGES];

		if (chunk != NULL && chunk[i % SHARED_CHUNK_PAGES] != 0) {
			tally->refs[chunk[i % SHARED_CHUNK_PAGES]]++;
		}
	}
}

/* Each page that a record still shares has one mapper more. */
static void check_safemaps(struct tally *tally)
{
	list_for_each(map, &tally->vm->safemaps, struct safemap, link)
	{
		for (uint64_t at = 0; at < map->bytes; at += AXO_PAGE_SIZE) {
			pfn_t pfn;

			if (safemap_shares(tally->vm, map, at, &pfn)) {
				tally->maps[pfn]++;
			}
		}
	}
}

/* Objects are found through regions and clients of the cache; each counts once. */
static void check_objects(struct tally *tally)
{
	struct vm *vm = tally->vm;
	const char *fault;

	list_for_each(space, &vm->spaces, struct space, link)
	{
		for (struct region *region = region_first(space); region != NULL;
			region = region_next(region)) {
			if (region->type == &memtype_shared && region->shared->check_mark == 0) {
				region->shared->check_mark = 1;
				count_shared(tally, region->shared);
			}
		}
	}
	list_for_each(client, &vm->cache.clients, struct cache_client, link)
	{
		/* Marks that no process maps. */
		if (client->marks != NULL && client->marks->check_mark == 0) {
			count_shared(tally, client->marks);
		}
	}
	list_for_each(space, &vm->spaces, struct space, link)
	{
		for (struct region *region = region_first(space); region != NULL;
			region = region_next(region)) {
			if (region->type == &memtype_shared) {
				region->shared->check_mark = 0;
			}
		}
	}
	fault = cache_check(vm, tally->refs);
	expect(tally, fault == NULL, fault);
}

static void check_pages(struct tally *tally)
{
	struct page_pool *pool = &tally->vm->pool;
	uint64_t count[PAGE_KINDS] = {0}, total = pool->kernel_pages, writers = 0;

	tally->refs[tally->vm->zero_page]++;
	for (pfn_t pfn = 0; pfn < pool->frames; pfn++) {
		const struct page_info *info = page_info(pool, pfn);
		const struct ledger_frame *frame = &pool->ledger->frames[pfn];

		count[info->kind]++;
		expect(tally, bitmap_test(pool->free_map, pfn) == (info->kind == PAGE_FREE),
			"free map");
		if (info->kind == PAGE_ANON || info->kind == PAGE_FILE ||
			info->kind == PAGE_SHARED) {
			expect(tally, info->refs == tally->refs[pfn], "references of a page");
			expect(tally, info->kind != PAGE_ANON || info->maps == tally->maps[pfn],
				"mappers of a page");
			expect(tally, frame->refs == info->refs, "page and ledger");
			writers += frame->writers;
		} else {
			expect(tally, tally->refs[pfn] == 0,
				"reference to a page that is not in use");
			expect(tally, info->kind == PAGE_TABLE || frame->refs + frame->writers == 0,
				"the ledger knows of references to a page that is not in use");
		}
	}
	expect(tally, writers == tally->writers, "writable entries");
	for (int kind = PAGE_FREE; kind < PAGE_KINDS; kind++) {
		expect(tally, count[kind] == pool->count[kind], "number of pages of a kind");
		total += count[kind];
	}
	expect(tally, total == pool->total, "sum of all pages");
}

const char *vm_check(struct vm *vm)
{
	struct tally tally = {.vm = vm};

	/* The tally's own pages are VM's heap and settle before anything is counted. */
	tally.refs = heap_alloc(
		&vm->heap, vm->pool.frames * (sizeof(*tally.refs) + sizeof(*tally.maps)));
	if (tally.refs == NULL) {
		return NULL;
	}
	tally.maps = (uint16_t *)(tally.refs + vm->pool.frames);
	list_for_each(space, &vm->spaces, struct space, link)
	{
		check_space(&tally, space);
		check_users(&tally, space);
	}
	check_objects(&tally);
	check_safemaps(&tally);
	check_pages(&tally);
	heap_free(&vm->heap, tally.refs);
	return tally.fault;
}
