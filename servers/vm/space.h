/* SPDX-License-Identifier: BSD-2-Clause */
/* Address spaces: regions, page table, limits and counts. Threads share them. */
#pragma once

#include "servers/vm/region.h"

#define SPACE_NO_LIMIT        UINT64_MAX
#define SPACE_STACK_DEFAULT   (8ull << 20)
#define SPACE_MEMLOCK_DEFAULT (8ull << 20)
#define SPACE_REGIONS_MAX     65530 /* as Linux's vm.max_map_count */

struct space {
	struct list link;   /* in vm->spaces */
	uint32_t id;        /* the kernel's tag */
	uint32_t threads;   /* in vm->threads; the space goes with the last */
	endpoint_t owner;   /* first thread; whom to kill */
	bool is_service;    /* may use the reserve; is never killed for memory */
	bool must_flush;    /* a present entry was taken away or restricted since the last flush */
	uint64_t call_mask; /* services: bit (op - VM_BASE) of what they may ask */
	/* ... and what they have asked so far, of what they may */
	uint64_t calls_made;
	bool lock_future;   /* mlockall(MCL_FUTURE) */
	bool lock_on_fault; /* with MCL_ONFAULT */
	struct pt pt;
	struct tree regions;
	uint32_t region_count;
	uint32_t safemaps;  /* ends of records in vm->safemaps */
	uint32_t unchecked; /* debug build: changes of regions since they were last walked */

	uint64_t virtual_bytes, data_bytes, locked_bytes; /* by region */
	uint64_t max_virtual_bytes;
	uint64_t resident, max_resident; /* counted pages mapped, the zero page apart */
	uint64_t minor_faults, major_faults;

	uint64_t limit_as, limit_data, limit_stack, limit_memlock; /* bytes */
	vaddr_t brk_start, brk_end;                                /* 0: not set */
	vaddr_t stack_top;                                         /* 0: not set */
	vaddr_t mmap_top; /* mappings are placed downward from here */
};

static inline enum page_class space_class(const struct space *space)
{
	return space->is_service ? PAGE_FOR_SERVICE : PAGE_FOR_PROGRAM;
}

/* An empty space without threads; NULL when there is no memory. */
struct space *space_create(struct vm *vm, bool is_service);

/* Free all of it; no thread may use it any more. */
void space_destroy(struct vm *vm, struct space *space);

/* Drop all regions and forget brk and stack; limits stay (exec). */
void space_clear(struct vm *vm, struct space *space);

/* Copy of the regions of `parent` into the empty `child`, copy-on-write. -ENOMEM: the child must be
 * destroyed. */
int space_fork(struct vm *vm, struct space *parent, struct space *child);

/* The same region in another space, where its range is free: private pages copy-on-write, others as
 * they are. -ENOMEM: it may be there in part. */
int space_pass_on(struct vm *vm, struct region *from, struct space *heir);

/* Whether bytes more, of the given kind, stay within the limits: 0 or -ENOMEM. */
int space_check_limits(struct vm *vm, const struct space *space, uint64_t bytes, bool is_data);

/* Find room for `bytes` (whole pages), at `hint` if that is free, else downward from mmap_top; 0
 * when there is none. */
vaddr_t space_find_room(const struct space *space, vaddr_t hint, uint64_t bytes);

/* Whether nothing is mapped in a range. */
bool space_is_free(const struct space *space, vaddr_t start, uint64_t bytes);

/* Unmap all in a range of whole pages: 0; with nothing changed: -ENOMEM; -EINVAL: a region at its
 * border stays whole. */
int space_unmap(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end);

/* Drop the pages of a range within one region; they come back as new (zero, or from the file). */
void space_drop_pages(struct vm *vm, struct region *region, vaddr_t start, vaddr_t end);

/* Set the entry for a page; one reference to the page becomes the entry's. -ENOMEM (the reference
 * is dropped). */
int space_map_page(struct vm *vm, struct region *region, vaddr_t addr, pfn_t pfn, bool write);

/* Make entries agree with the region's protection. */
void space_update_prot(struct vm *vm, struct region *region, vaddr_t start, vaddr_t end);

/* Entry and page for an address: 0 when there is none. */
pte_t space_lookup(struct vm *vm, const struct space *space, vaddr_t addr);

/* Count resident pages up or down by one page (the zero page does not count). */
void space_count_page(struct vm *vm, struct space *space, pfn_t pfn, int change);

/* Tell the kernel that entries were taken away, if any were. Called once a request. */
void space_flush(struct vm *vm, struct space *space);

/* The same for all spaces: cached pages were taken from whoever had them. */
void space_flush_all(struct vm *vm);
