/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables, edited through the window. The leaf tables are also VM's record of which page of a
 * region is where: the array of single-page references (docs/vm.md says why). The page_info.refs of
 * a table counts its used entries.
 */
#pragma once

#include "servers/vm/arch/x86_64/pte.h"
#include "servers/vm/vm.h"

struct pt {
	pfn_t root;
	uint64_t tables;  /* pages, the root included */
	uint64_t counted; /* debug build: entries of counted pages, the zero page apart */
};

/* A piece of a leaf table: the entries of `count` pages from `addr` on. */
struct pt_span {
	pte_t *pte;
	vaddr_t addr;
	uint64_t count;
};

/* An empty table with the kernel's half in place; -ENOMEM. */
int pt_create(struct vm *vm, struct pt *pt, enum page_class class);

/* Free all tables; the entries must have been cleared. */
void pt_destroy(struct vm *vm, struct pt *pt);

/* The entry for an address; NULL when there is no leaf table. */
pte_t *pt_find(struct vm *vm, const struct pt *pt, vaddr_t addr);

/* As pt_find(), making the tables; NULL when there is no memory. */
pte_t *pt_make(struct vm *vm, struct pt *pt, vaddr_t addr, enum page_class class);

/* Set an entry, keeping the table's count of used entries. */
void pt_set(struct vm *vm, pte_t *slot, pte_t pte);

/*
 * The next piece of a leaf table at or after *addr and below end; *addr moves past it. False when
 * there is no more. Missing tables are skipped.
 */
bool pt_next_span(
	struct vm *vm, const struct pt *pt, vaddr_t *addr, vaddr_t end, struct pt_span *span);

/* Free the tables in start ... end that have no used entry; true: there were any, and the space
 * must be flushed before their pages are used again. */
bool pt_prune(struct vm *vm, struct pt *pt, vaddr_t start, vaddr_t end);

static inline pfn_t pte_pfn(pte_t pte)
{
	return pte_paddr(pte) >> AXO_PAGE_SHIFT;
}
