/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/pagetable.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/core/util.h"

#define TOP_LEVEL (PT_LEVELS - 1)

static pte_t *table_of(struct vm *vm, paddr_t table)
{
	return page_memory(&vm->pool, table >> AXO_PAGE_SHIFT);
}

static pfn_t alloc_table(struct vm *vm, enum page_class class)
{
	pfn_t table = vm_alloc_page(vm, PAGE_TABLE, class);

	if (table != PFN_NONE) {
		memset(page_memory(&vm->pool, table), 0, AXO_PAGE_SIZE);
	}
	return table;
}

int pt_create(struct vm *vm, struct pt *pt, enum page_class class)
{
	pfn_t root = alloc_table(vm, class);

	if (root == PFN_NONE) {
		return -ENOMEM;
	}
	memcpy(table_of(vm, root << AXO_PAGE_SHIFT) + PT_USER_ENTRIES,
		table_of(vm, vm->kinfo.boot_root) + PT_USER_ENTRIES,
		(PT_ENTRIES - PT_USER_ENTRIES) * sizeof(pte_t));
	pt->root = root;
	pt->tables = 1;
	return 0;
}

static void destroy_below(struct vm *vm, struct pt *pt, pfn_t table, int level)
{
	pte_t *entries = page_memory(&vm->pool, table);
	unsigned count = level == TOP_LEVEL ? PT_USER_ENTRIES : PT_ENTRIES;

	for (unsigned i = 0; level > 0 && i < count; i++) {
		if (entries[i] != 0) {
			destroy_below(vm, pt, pte_pfn(entries[i]), level - 1);
		}
	}
	page_free(&vm->pool, table);
	pt->tables--;
}

void pt_destroy(struct vm *vm, struct pt *pt)
{
	destroy_below(vm, pt, pt->root, TOP_LEVEL);
	assert(pt->tables == 0);
}

pte_t *pt_find(struct vm *vm, const struct pt *pt, vaddr_t addr)
{
	pte_t *table = page_memory(&vm->pool, pt->root);

	for (int level = TOP_LEVEL; level > 0; level--) {
		pte_t entry = table[pt_index(addr, level)];

		if (entry == 0) {
			return NULL;
		}
		table = table_of(vm, pte_paddr(entry));
	}
	return &table[pt_index(addr, 0)];
}

pte_t *pt_make(struct vm *vm, struct pt *pt, vaddr_t addr, enum page_class class)
{
	pte_t *table = page_memory(&vm->pool, pt->root);

	for (int level = TOP_LEVEL; level > 0; level--) {
		pte_t *entry = &table[pt_index(addr, level)];

		if (*entry == 0) {
			pfn_t lower = alloc_table(vm, class);

			if (lower == PFN_NONE) {
				return NULL;
			}
			pt_set(vm, entry, pte_make_table(lower << AXO_PAGE_SHIFT));
			pt->tables++;
			if (level == 1) {
				ledger_add_table(&vm->pool, lower, pt, addr);
			}
		}
		table = table_of(vm, pte_paddr(*entry));
	}
	return &table[pt_index(addr, 0)];
}

void pt_set(struct vm *vm, pte_t *slot, pte_t pte)
{
	struct page_info *table = page_info(&vm->pool, page_of_memory(&vm->pool, slot));

	if (AXO_CHECKS) {
		ledger_set_entry(vm, slot, *slot, pte);
	}
	table->refs += (pte != 0) - (*slot != 0);
	vm->has_empty_tables |= table->refs == 0;
	*slot = pte;
}

bool pt_next_span(
	struct vm *vm, const struct pt *pt, vaddr_t *addr, vaddr_t end, struct pt_span *span)
{
	while (*addr < end) {
		pte_t *table = page_memory(&vm->pool, pt->root);
		int level = TOP_LEVEL;

		while (level > 0 && table[pt_index(*addr, level)] != 0) {
			table = table_of(vm, pte_paddr(table[pt_index(*addr, level)]));
			level--;
		}
		if (level == 0) {
			vaddr_t table_end =
				align_down(*addr, pt_entry_bytes(1)) + pt_entry_bytes(1);
			vaddr_t span_end = u64_min(end, table_end);

			span->pte = &table[pt_index(*addr, 0)];
			span->addr = *addr;
			span->count = (span_end - *addr) >> AXO_PAGE_SHIFT;
			*addr = span_end;
			return true;
		}
		*addr = align_down(*addr, pt_entry_bytes(level)) + pt_entry_bytes(level);
	}
	return false;
}

static bool prune_below(
	struct vm *vm, struct pt *pt, pfn_t table, int level, vaddr_t start, vaddr_t end)
{
	pte_t *entries = page_memory(&vm->pool, table);
	uint64_t step = pt_entry_bytes(level);
	bool any = false;

	for (vaddr_t at = start; at < end; at = align_down(at, step) + step) {
		pte_t *entry = &entries[pt_index(at, level)];
		pfn_t lower = pte_pfn(*entry);

		if (*entry == 0) {
			continue;
		}
		if (level > 1) {
			any |= prune_below(vm, pt, lower, level - 1, at,
				u64_min(end, align_down(at, step) + step));
		}
		if (page_info(&vm->pool, lower)->refs == 0) {
			pt_set(vm, entry, 0);
			page_free(&vm->pool, lower);
			pt->tables--;
			any = true;
		}
	}
	return any;
}

bool pt_prune(struct vm *vm, struct pt *pt, vaddr_t start, vaddr_t end)
{
	return prune_below(vm, pt, pt->root, TOP_LEVEL, start, end);
}
