/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sanity checks find what they are for (VM-15): each invariant is broken on purpose, must be
 * reported, and is mended again. The check of everything finds all of it; the check after each
 * request what lies in memory that the request touched.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "lib/core/bitmap.h"
#include "servers/vm/cache.h"
#include "servers/vm/file.h"
#include "servers/vm/test/cache_world.h"
#include "servers/vm/thread.h"
#include "servers/vm/type_shared.h"

#define PAGE AXO_PAGE_SIZE
#define RW   (PROT_READ | PROT_WRITE)
#define BASE 0x20000000ull

/* What there is to break. */
static struct scene {
	endpoint_t ep;
	struct space *space;
	struct region *region;        /* anonymous, with another one right behind it */
	struct region *shared;        /* of shared anonymous memory */
	pte_t *slot;                  /* a writable page of `region` */
	uint64_t difference;          /* ... and what its address differs in from the next one's */
	struct page_info *info;       /* of that page */
	struct page_info *table;      /* of the leaf table that the slot is in */
	struct ledger_frame *account; /* what the ledger has of the page */
	struct cache_page *cached;    /* a page of a file, in the owner's and the reader's window */
	struct cache_client *owner;
} s;

static uint64_t map(uint64_t at, uint64_t bytes, int prot, int flags)
{
	int64_t result = fake_call(&w.vm, s.ep, LINUX_NR_mmap, at, bytes, (uint64_t)prot,
		(uint64_t)flags | MAP_ANONYMOUS, (uint64_t)-1, 0);

	CHECK(result > 0);
	return (uint64_t)result;
}

static void build(void)
{
	uint64_t shared;

	world_boot(MACHINE);
	s.ep = fake_process(&w.vm);
	s.space = thread_space(&w.vm, s.ep);
	(void)map(BASE, 4 * PAGE, RW, MAP_PRIVATE | MAP_FIXED);
	(void)map(BASE + 4 * PAGE, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED);
	shared = map(0, 4 * PAGE, RW, MAP_SHARED);
	*fake_touch(&w.vm, s.ep, BASE, true) = 1;
	*fake_touch(&w.vm, s.ep, BASE + PAGE, true) = 2;
	*fake_touch(&w.vm, s.ep, shared, true) = 1;
	w.size[0] = 4;
	fs_read(0, 0);
	vfs_read(0, 0);
	s.region = region_find(s.space, BASE);
	s.shared = region_find(s.space, shared);
	s.slot = pt_find(&w.vm, &s.space->pt, BASE);
	s.difference = (s.slot[0] ^ s.slot[1]) & PTE_ADDRESS;
	s.info = page_info(&w.vm.pool, pte_pfn(*s.slot));
	s.table = page_info(&w.vm.pool, page_of_memory(&w.vm.pool, s.slot));
	s.account = &w.vm.pool.ledger->frames[pte_pfn(*s.slot)];
	s.owner = cache_client_find(&w.vm, DEV);
	s.cached = list_first(&w.vm.cache.lists[CACHE_INACTIVE], struct cache_page, lru_link);
	CHECK(s.cached->slot[CACHE_READER] != VM_CACHE_NO_SLOT);
}

/* As a request does that comes by all of it: entries, pages, regions, the cache. */
static void touch_all(void)
{
	pt_set(&w.vm, s.slot, *s.slot);
	s.space->unchecked = s.space->region_count;
	ledger_note_cached(&w.vm.pool, s.cached->pfn);
}

/* Each breaks something the first time and mends it the second. */
static bool is_broken;

static uint64_t change(void)
{
	return is_broken ? UINT64_MAX : 1;
}

#define BREAK_NUMBER(name, field)                                  \
	static void name(void)                                     \
	{                                                          \
		(field) = (__typeof__(field))((field) + change()); \
	}
#define BREAK_BITS(name, field, bits) \
	static void name(void)        \
	{                             \
		(field) ^= (bits);    \
	}

BREAK_NUMBER(space_bytes, s.space->virtual_bytes)
BREAK_NUMBER(space_data, s.space->data_bytes)
BREAK_NUMBER(space_locked, s.space->locked_bytes)
BREAK_NUMBER(space_regions, s.space->region_count)
BREAK_NUMBER(space_resident, s.space->resident)
BREAK_NUMBER(space_tables, s.space->pt.tables)
BREAK_NUMBER(space_threads, s.space->threads)
BREAK_NUMBER(space_safemaps, s.space->safemaps)
BREAK_NUMBER(region_crooked, s.region->end)
BREAK_BITS(region_prot, s.region->max_prot, REGION_PROT_WRITE)
BREAK_BITS(region_locked, s.region->flags, REGION_LOCKED)
BREAK_BITS(entry_executable, *s.slot, PTE_NO_EXECUTE)
BREAK_BITS(entry_other_page, *s.slot, s.difference)
BREAK_NUMBER(table_used, s.table->refs)
BREAK_NUMBER(page_refs, s.info->refs)
BREAK_NUMBER(page_maps, s.info->maps)
BREAK_NUMBER(page_account, s.account->refs)
BREAK_NUMBER(page_writers, s.account->writers)
BREAK_NUMBER(pool_anon, w.vm.pool.count[PAGE_ANON])
BREAK_NUMBER(pool_free, w.vm.pool.count[PAGE_FREE])
BREAK_NUMBER(pool_total, w.vm.pool.total)
BREAK_NUMBER(cache_slot, s.cached->slot[CACHE_OWNER])
BREAK_NUMBER(cache_name, s.cached->index)
BREAK_NUMBER(cache_pages, w.vm.cache.pages)
BREAK_NUMBER(cache_counts, w.vm.cache.counts[CACHE_ACTIVE])
BREAK_BITS(cache_list, s.cached->list, CACHE_ACTIVE)
BREAK_NUMBER(cache_client_pages, s.owner->pages)
BREAK_NUMBER(file_pages, s.cached->file->page_count)
BREAK_NUMBER(file_users, s.cached->file->refs)

static void regions_overlap(void)
{
	s.region->end += change() * PAGE;
	s.space->virtual_bytes += change() * PAGE;
	s.space->data_bytes += change() * PAGE;
}

static void region_astray(void)
{
	s.region->space = is_broken ? s.space : NULL;
}

/* The region allows less than its entry. */
static void entry_writable(void)
{
	region_set_mode(s.region, s.region->prot ^ REGION_PROT_WRITE, s.region->flags);
}

/* An entry where no region is. */
static void entry_astray(void)
{
	pte_t *slot = s.slot + 100;

	pt_set(&w.vm, slot, is_broken ? 0 : *s.slot & ~PTE_WRITE);
	s.info->refs += (uint32_t)change();
}

/* The entry has a page that is no process's. */
static void entry_of_table(void)
{
	static pte_t good;

	if (!is_broken) {
		good = *s.slot;
	}
	*s.slot = is_broken
		? good
		: (good & ~PTE_ADDRESS) | page_of_memory(&w.vm.pool, s.slot) << AXO_PAGE_SHIFT;
}

/* Two entries have the page, and one may write it. */
static void page_written_by_two(void)
{
	pte_t *slot = s.slot + 4;

	pt_set(&w.vm, slot, is_broken ? 0 : *s.slot & ~PTE_WRITE);
	s.info->refs += (uint32_t)change();
	s.space->resident += change();
}

static void page_lost(void)
{
	static pfn_t lost;
	pfn_t *page = &s.shared->shared->chunks[0][0];

	if (!is_broken) {
		lost = *page;
	}
	*page = is_broken ? lost : 0;
}

static void page_free_in_map(void)
{
	if (is_broken) {
		bitmap_clear(w.vm.pool.free_map, pte_pfn(*s.slot));
	} else {
		bitmap_set(w.vm.pool.free_map, pte_pfn(*s.slot));
	}
}

/* Freed while an entry still has it. */
static void page_freed(void)
{
	s.info->kind = is_broken ? PAGE_ANON : PAGE_FREE;
}

static void page_of_two_kinds(void)
{
	page_set_kind(&w.vm.pool, pte_pfn(*s.slot), is_broken ? PAGE_ANON : PAGE_HEAP);
}

static void cache_marks_evicted(void)
{
	*cache_marks(&w.vm, s.owner, s.cached->slot[CACHE_OWNER]) ^= VM_CACHE_EVICTED;
}

static void cache_write_mapped(void)
{
	page_info(&w.vm.pool, s.cached->pfn)->is_write_mapped = !is_broken;
}

static void cache_slot_empty(void)
{
	uint32_t slot = s.cached->slot[CACHE_OWNER];

	s.owner->chunks[slot / CACHE_CHUNK][slot % CACHE_CHUNK] = is_broken ? s.cached : NULL;
}

static const struct {
	void (*toggle)(void);
	const char *name;
	bool is_far; /* only the check of everything can see it */
} breakages[] = {
#define NEAR(name)                 \
	{                          \
		name, #name, false \
	}
#define FAR(name)                 \
	{                         \
		name, #name, true \
	}
	NEAR(space_bytes),
	NEAR(space_data),
	NEAR(space_locked),
	NEAR(space_regions),
	NEAR(space_resident),
	FAR(space_tables),
	FAR(space_threads),
	FAR(space_safemaps),
	NEAR(region_crooked),
	NEAR(regions_overlap),
	NEAR(region_astray),
	NEAR(region_prot),
	NEAR(region_locked),
	NEAR(entry_writable),
	NEAR(entry_executable),
	NEAR(entry_astray),
	FAR(entry_other_page),
	NEAR(entry_of_table),
	NEAR(table_used),
	NEAR(page_refs),
	NEAR(page_maps),
	NEAR(page_account),
	FAR(page_writers),
	NEAR(page_written_by_two),
	FAR(page_lost),
	NEAR(page_free_in_map),
	NEAR(page_freed),
	NEAR(page_of_two_kinds),
	NEAR(pool_anon),
	NEAR(pool_free),
	NEAR(pool_total),
	NEAR(cache_slot),
	NEAR(cache_slot_empty),
	NEAR(cache_name),
	NEAR(cache_pages),
	NEAR(cache_counts),
	FAR(cache_list),
	NEAR(cache_marks_evicted),
	NEAR(cache_write_mapped),
	FAR(cache_client_pages),
	FAR(file_pages),
	FAR(file_users),
};

static void test_each_is_found(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(breakages); i++) {
		const char *near, *whole;

		CHECK_SOUND(&w.vm);
		touch_all();
		is_broken = false;
		breakages[i].toggle();
		near = vm_check_request(&w.vm);
		whole = vm_check(&w.vm);
		is_broken = true;
		breakages[i].toggle();
		if (whole == NULL || (near == NULL) != breakages[i].is_far) {
			fprintf(stderr, "%s: after the request: %s; everything: %s\n",
				breakages[i].name, near == NULL ? "sound" : near,
				whole == NULL ? "sound" : whole);
			exit(1);
		}
	}
	CHECK_SOUND(&w.vm);
}

/* What no request has touched is found when everything is walked, which happens by itself. */
static void test_walk_comes_round(void)
{
	uint32_t requests = 0;

	CHECK_SOUND(&w.vm);
	s.info->refs++;
	while (vm_check_request(&w.vm) == NULL) {
		requests++;
	}
	CHECK(requests <= w.vm.pool.frames);
	s.info->refs--;
	CHECK_SOUND(&w.vm);
}

/* A request that changes more than there is room to note has everything walked. */
static void test_much_changed(void)
{
	CHECK_SOUND(&w.vm);
	for (uint32_t i = 0; i <= w.vm.pool.ledger->max; i++) {
		pt_set(&w.vm, s.slot, *s.slot);
	}
	s.space->pt.tables++;
	CHECK(vm_check_request(&w.vm) != NULL);
	s.space->pt.tables--;
	CHECK_SOUND(&w.vm);
}

int main(void)
{
	build();
	test_each_is_found();
	test_walk_comes_round();
	test_much_changed();
	fake_shutdown(&w.vm);
	printf("vm check: ok\n");
	return 0;
}
