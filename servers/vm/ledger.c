/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/ledger.h"

#include <errno.h>

#include "lib/core/util.h"
#include "servers/vm/pagetable.h"

/* A request that changes more than an eighth of all pages costs a walk over everything. */
#define NOTES_MIN 1024

int ledger_init(struct vm *vm)
{
	struct ledger *ledger = heap_alloc(&vm->heap, sizeof(*ledger));

	if (ledger == NULL) {
		return -ENOMEM;
	}
	ledger->max = (uint32_t)u64_max(vm->pool.frames / 8, NOTES_MIN);
	ledger->frames = heap_alloc(&vm->heap, vm->pool.frames * sizeof(*ledger->frames));
	ledger->slots = heap_alloc(&vm->heap, ledger->max * sizeof(*ledger->slots));
	ledger->pages = heap_alloc(&vm->heap, ledger->max * sizeof(*ledger->pages));
	if (ledger->frames == NULL || ledger->slots == NULL || ledger->pages == NULL) {
		return -ENOMEM;
	}
	vm->pool.ledger = ledger;
	return 0;
}

void ledger_note_page(struct page_pool *pool, uint64_t pfn)
{
	struct ledger *ledger = pool->ledger;

	if (ledger->page_count == ledger->max) {
		ledger->is_overflown = true;
		return;
	}
	ledger->pages[ledger->page_count++] = pfn;
	page_info(pool, pfn)->is_noted = true;
}

void ledger_free_page(struct page_pool *pool, uint64_t pfn, bool is_table)
{
	struct ledger_frame *frame = &pool->ledger->frames[pfn];

	frame->pt = NULL;
	if (is_table) {
		frame->refs = 0;
		frame->writers = 0;
	}
}

void ledger_hold(struct page_pool *pool, uint64_t pfn, int change)
{
	if (AXO_CHECKS && pool->ledger != NULL) {
		pool->ledger->frames[pfn].refs += (uint32_t)change;
		page_note(pool, pfn);
	}
}

void ledger_cache(struct page_pool *pool, uint64_t pfn, const struct cache_page *page)
{
	if (AXO_CHECKS && pool->ledger != NULL) {
		pool->ledger->frames[pfn].cached = page;
		ledger_hold(pool, pfn, page != NULL ? 1 : -1);
		ledger_note_cached(pool, pfn);
	}
}

void ledger_note_cached(struct page_pool *pool, uint64_t pfn)
{
	page_note(pool, pfn);
	if (AXO_CHECKS) {
		page_info(pool, pfn)->is_cache_noted = true;
	}
}

void ledger_add_table(struct page_pool *pool, uint64_t pfn, struct pt *pt, vaddr_t addr)
{
	if (AXO_CHECKS && pool->ledger != NULL) {
		pool->ledger->frames[pfn] = (struct ledger_frame){
			.refs = (uint32_t)(addr / pt_entry_bytes(1)),
			.pt = pt,
		};
	}
}

/* What an entry refers to is counted or no longer. */
static void count_entry(struct vm *vm, struct pt *pt, pte_t pte, uint32_t change)
{
	struct page_pool *pool = &vm->pool;
	pfn_t pfn = pte_pfn(pte);

	if (pte == 0 || (pte & PTE_UNCOUNTED) || pfn >= pool->frames) {
		return;
	}
	pool->ledger->frames[pfn].refs += change;
	if (pte & PTE_WRITE) {
		pool->ledger->frames[pfn].writers += change;
	}
	if (pfn != vm->zero_page) {
		pt->counted += (uint64_t)(int64_t)(int32_t)change;
	}
	page_note(pool, pfn);
}

void ledger_set_entry(struct vm *vm, const pte_t *slot, pte_t old, pte_t pte)
{
	struct ledger *ledger = vm->pool.ledger;
	struct pt *pt = ledger->frames[page_of_memory(&vm->pool, slot)].pt;

	if (pt == NULL) {
		return; /* not a leaf */
	}
	if (ledger->slot_count < ledger->max) {
		ledger->slots[ledger->slot_count++] = slot;
	} else {
		ledger->is_overflown = true;
	}
	count_entry(vm, pt, old, UINT32_MAX);
	count_entry(vm, pt, pte, 1);
}

void ledger_clear(struct vm *vm)
{
	struct ledger *ledger = vm->pool.ledger;

	for (uint32_t i = 0; i < ledger->page_count; i++) {
		struct page_info *info = page_info(&vm->pool, ledger->pages[i]);

		info->is_noted = false;
		info->is_cache_noted = false;
	}
	ledger->page_count = 0;
	ledger->slot_count = 0;
	ledger->is_overflown = false;
}
