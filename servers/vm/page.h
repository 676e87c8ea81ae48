/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical pages: which are free, what each is used for, how many references each has.
 *
 * All addresses are page frame numbers (pfn = physical address / page size). Every page that VM
 * ever owned is in exactly one kind; the counts of all kinds add up to `total` (BOOT-17, VM-40).
 */
#pragma once

#include "abi/bootinfo.h"
#include "abi/types.h"
#include "servers/vm/ledger.h"

typedef uint64_t pfn_t;
#define PFN_NONE UINT64_MAX

enum page_kind {
	PAGE_ABSENT, /* not memory, or not VM's to give away (kernel, boot allocations) */
	PAGE_FREE,
	PAGE_MODULE,    /* boot archive, not yet freed */
	PAGE_HEAP,      /* VM's own allocator: single pages cut into pieces */
	PAGE_HEAP_RUN,  /* VM's own allocator: first page of a run, whose length is in refs */
	PAGE_HEAP_TAIL, /* the rest of a run */
	PAGE_TABLE,     /* page table; refs counts its used entries */
	PAGE_ANON,      /* memory of processes */
	PAGE_SHARED,    /* of a shared object */
	PAGE_FILE,      /* cached page of a file, perhaps mapped too */
	PAGE_KINDS
};

/* Who asks: the last pages are kept for those who must not fail (VM-13). */
enum page_class {
	PAGE_FOR_PROGRAM, /* leaves the reserve of services and VM */
	PAGE_FOR_SERVICE, /* leaves the reserve of VM */
	PAGE_FOR_VM
};

struct page_info {
	uint32_t refs; /* references from page tables, objects, caches; meaning by kind */
	uint8_t kind;  /* enum page_kind */
	bool is_write_mapped : 1; /* PAGE_FILE: processes may have it writable */
	bool is_noted : 1;        /* in the ledger's notes, ... */
	bool is_cache_noted : 1;  /* ... since the cache changed what it knows of it */
	union {
		uint16_t size_class; /* PAGE_HEAP: which */
		uint16_t maps;       /* PAGE_ANON: processes that have mapped it by a grant */
	};
};

struct page_pool {
	uint8_t *window;            /* where physical address 0 appears in VM */
	struct page_info *info;     /* by pfn; NULL before page_pool_init() */
	uint64_t *free_map;         /* bit set: free */
	uint64_t frames;            /* number of frames that info and free_map cover */
	uint64_t count[PAGE_KINDS]; /* PAGE_ABSENT is unused */
	uint64_t total;             /* usable pages, the kernel's included */
	uint64_t kernel_pages;      /* taken by kernel image and boot-time allocations, VM's image
				       included */
	uint64_t reserve_vm, reserve_service; /* pages that the lower classes leave */
	uint64_t next;                        /* where the search for one page starts */
	/* Gives up to `count` pages back when there are too few; NULL: nothing to give. */
	uint64_t (*evict)(struct page_pool *pool, uint64_t count);
	struct ledger *ledger;   /* debug build, after vm_init(): the second account; else NULL */
	uint64_t fail_countdown; /* tests: the allocation that fails, counted from 1; 0: none */
};

/* Constraints of page_alloc_run(). */
#define PAGE_BELOW_1M  1
#define PAGE_BELOW_16M 2
#define PAGE_BELOW_4G  4
#define PAGE_ALIGN_64K 8

/*
 * Take over the free list of the kernel. The pool's own tables come from that list. -ENOMEM when
 * they do not fit.
 */
int page_pool_init(struct page_pool *pool, const struct kinfo *kinfo, uint8_t *window);

/* Tests inject a failure at the n-th allocation of pages or of VM's own memory. */
static inline bool page_must_fail(struct page_pool *pool)
{
	return pool->fail_countdown != 0 && --pool->fail_countdown == 0;
}

/* One page of the given kind with one reference (PAGE_TABLE: none), not cleared; PFN_NONE when
 * there is none. */
pfn_t page_alloc(struct page_pool *pool, enum page_kind kind, enum page_class class);

/* As page_alloc(), zeroed. */
pfn_t page_alloc_zeroed(struct page_pool *pool, enum page_kind kind, enum page_class class);

/* `count` contiguous pages, each with one reference, not cleared; the first, or PFN_NONE. */
pfn_t page_alloc_run(struct page_pool *pool, uint64_t count, enum page_kind kind,
	enum page_class class, unsigned constraints);

/* The page, of whatever kind, becomes free. */
void page_free(struct page_pool *pool, pfn_t pfn);

/* Pages that were used otherwise so far (PAGE_MODULE) become free. */
void page_free_range(struct page_pool *pool, paddr_t start, uint64_t bytes);

/* Change what a page is used for. */
void page_set_kind(struct page_pool *pool, pfn_t pfn, enum page_kind kind);

/* Whether a class may take `count` pages more. */
bool page_is_available(const struct page_pool *pool, uint64_t count, enum page_class class);

/* Pages that the reserve lacks. */
uint64_t page_missing(const struct page_pool *pool);

/* Length of the longest run of free pages. */
uint64_t page_longest_run(const struct page_pool *pool);

static inline struct page_info *page_info(struct page_pool *pool, pfn_t pfn)
{
	return &pool->info[pfn];
}

/* The page's bytes. */
static inline void *page_memory(const struct page_pool *pool, pfn_t pfn)
{
	return pool->window + (pfn << AXO_PAGE_SHIFT);
}

/* The page that an address within the window belongs to. */
static inline pfn_t page_of_memory(const struct page_pool *pool, const void *memory)
{
	return (pfn_t)((const uint8_t *)memory - pool->window) >> AXO_PAGE_SHIFT;
}

/* Debug build: the page's record or what refers to it changes, and is checked after the request. */
static inline void page_note(struct page_pool *pool, pfn_t pfn)
{
	if (AXO_CHECKS && pool->ledger != NULL && !pool->info[pfn].is_noted) {
		ledger_note_page(pool, pfn);
	}
}

static inline void page_ref(struct page_pool *pool, pfn_t pfn)
{
	page_note(pool, pfn);
	pool->info[pfn].refs++;
}

/* Drop a reference; the last one frees the page. */
static inline void page_unref(struct page_pool *pool, pfn_t pfn)
{
	page_note(pool, pfn);
	if (--pool->info[pfn].refs == 0) {
		page_free(pool, pfn);
	}
}
