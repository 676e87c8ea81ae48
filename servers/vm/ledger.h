/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second account of who refers to which page, for the sanity checks of debug builds (VM-15).
 *
 * page_info.refs is kept by those who take and give back references; the ledger is kept where
 * entries of page tables change and where caches and objects take pages in. Both must agree for
 * each page when a request is done. The ledger also notes what a request has changed, so that
 * vm_check_request() need not walk everything. In release builds there is none.
 */
#pragma once

#include "servers/vm/arch/x86_64/pte.h"

struct cache_page;
struct page_pool;
struct pt;
struct vm;

/* What is known of one page frame. */
struct ledger_frame {
	uint32_t refs;    /* entries and holders that refer to it; leaf table: address >> 21 */
	uint32_t writers; /* entries that may write it; leaf table: round of the last look at it */
	union {
		struct pt *pt;                   /* leaf table: whose */
		const struct cache_page *cached; /* page of a file: its record */
	};
};

struct ledger {
	struct ledger_frame *frames;
	const pte_t **slots; /* entries of leaf tables that were set, ... */
	uint64_t *pages;     /* ... pages whose record or references changed, each once */
	uint32_t slot_count;
	uint32_t page_count;
	uint32_t max;      /* room for either */
	bool is_overflown; /* there was more than room: the whole must be walked */
	uint32_t round;    /* of vm_check_request() */
	uint32_t unwalked; /* rounds since everything was walked */
};

/* -ENOMEM. The pool exists, no page of processes does yet. */
int ledger_init(struct vm *vm);

/* The page is to be looked at; page_note() is the way to call it. */
void ledger_note_page(struct page_pool *pool, uint64_t pfn);

/* The page becomes free, or is used for something else. */
void ledger_free_page(struct page_pool *pool, uint64_t pfn, bool is_table);

/* A holder that is no page table entry refers to the page (change 1), or does no more (-1). */
void ledger_hold(struct page_pool *pool, uint64_t pfn, int change);

/* The page is a file's, and the cache refers to it; page NULL: no more. */
void ledger_cache(struct page_pool *pool, uint64_t pfn, const struct cache_page *page);

/* The cache has changed what it knows of the page. */
void ledger_note_cached(struct page_pool *pool, uint64_t pfn);

/* A new leaf table for the addresses from `addr` on. */
void ledger_add_table(struct page_pool *pool, uint64_t pfn, struct pt *pt, vaddr_t addr);

/* An entry of any table is about to change. */
void ledger_set_entry(struct vm *vm, const pte_t *slot, pte_t old, pte_t pte);

/* All that was noted has been looked at. */
void ledger_clear(struct vm *vm);
