/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory manager's state, and what all its files share.
 *
 * State: lost at restart (VM is not restarted; its death is the system's).
 * Invariants (vm_check() walks them; after each request vm_check_request() what it touched):
 * 1. The regions of a space are page-aligned, ascend, do not overlap and lie in user space.
 * 2. Each used page table entry lies in a region; the entry allows no more than the region.
 * 3. A counted page's references are the entries that hold it, plus one if a cache or shared object
 * holds it, plus one for the zero page.
 * 4. The counts of pages by kind are true.
 */
#pragma once

#include "abi/bootinfo.h"
#include "abi/endpoint.h"
#include "abi/kcall.h"
#include "abi/message.h"
#include "lib/core/list.h"
#include "servers/vm/cache_state.h"
#include "servers/vm/heap.h"
#include "servers/vm/page.h"

struct space;

/* A thread of a process or a service, by slot of its endpoint. */
struct vm_thread {
	endpoint_t ep;          /* EP_NONE: the slot is free */
	struct space *space;    /* whose memory it uses */
	bool is_exiting;        /* no faults are served any more */
	bool has_inherited;     /* VM_INHERIT_MOVE was done since the last VM_UPDATE */
	endpoint_t predecessor; /* VM_UPDATE put its memory under this endpoint; EP_NONE: none */
};

#define VM_FILE_BUCKETS 1024

enum vm_alarm { ALARM_CACHE, ALARM_RENEWAL, ALARM_COUNT };

/* A boot service's file in the boot archive, as long as RS has not asked for it. */
#define VM_BOOT_FILES 16
struct boot_file {
	char name[32];
	struct mem_range range; /* whole pages; 0 bytes: the entry is free */
	uint64_t bytes;         /* exact length */
};

struct vm {
	struct kinfo kinfo;
	struct page_pool pool;
	struct heap heap;
	struct vm_thread *threads; /* kinfo.procs_max of them */
	struct list spaces;
	uint32_t next_space_id;
	pfn_t zero_page;
	uint64_t random_state;

	/* file.c */
	struct list *file_buckets;
	struct list file_requests; /* at VFS */
	uint32_t next_request;

	struct cache cache;

	/* job.c: what waits for a file or for memory */
	struct list jobs;
	bool memory_was_freed;    /* since jobs last were tried again */
	bool has_empty_tables;    /* perhaps: vm_refill() looks */
	uint32_t refill_pause;    /* requests until vm_refill() searches the cache again */
	struct space *oom_victim; /* has been killed and has not yet exited */

	struct list safemaps; /* safemap.c */

	endpoint_t standby;  /* update.c: takes RS's place; EP_NONE: there is none */
	endpoint_t renewing; /* renew.c: the old RS, while a new one takes over; EP_NONE: none */

	time_ns_t alarms[ALARM_COUNT]; /* alarm.c: 0: not set */

	struct boot_file boot_files[VM_BOOT_FILES]; /* bootfile.c */

	/* device.c */
	struct mem_range bootdisk; /* the boot ramdisk; 0 bytes: there is none (any more) */

	uint64_t minor_faults, major_faults;
};

/* Give malloc() its heap. */
void vm_malloc_init(struct heap *heap);

/*
 * One page for processes or caches; when none is left, clean pages of the cache are given up.
 * PFN_NONE when there is nothing left for the class.
 */
pfn_t vm_alloc_page(struct vm *vm, enum page_kind kind, enum page_class class);

/* About how many pages are free or could be at once. */
uint64_t vm_available_pages(const struct vm *vm);

/*
 * Between two requests: give the reserve back what it lacks (VM-13), from page tables that have
 * become empty and from the cache.
 */
void vm_refill(struct vm *vm);

/* Up to 64 unpredictable bits (address space layout, AT_RANDOM). */
uint64_t vm_random(struct vm *vm);

/* Take over from the kernel: pool, heap, tables. -ENOMEM. `kinfo` is in place. */
int vm_init(struct vm *vm, uint8_t *window);
