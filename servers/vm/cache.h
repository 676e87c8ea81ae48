/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page cache: pages of files and of devices by name (proto/vm.h has the protocol).
 *
 *                VM_CACHE_GET                  the client fills it
 *   (no page) ------------------> pinned, not valid -------------> valid <---> dirty
 *       ^                               |                            |
 *       +------- VM_CACHE_FORGET -------+------- forgotten, evicted -+
 *
 * A page is in the window of its file system (CACHE_OWNER) and, while VFS reads it, in VFS's
 * (CACHE_READER). What its state is stands in the marks of the owner's slot.
 */
#pragma once

#include "proto/vm.h"
#include "servers/vm/region.h"

enum cache_window { CACHE_OWNER, CACHE_READER, CACHE_WINDOWS };

/* Slots are kept in pieces of one page. */
#define CACHE_CHUNK (AXO_PAGE_SIZE / sizeof(struct cache_page *))

/* A client may always have so many pages, from the services' reserve if need be. */
#define CACHE_PAGES_MIN 64

/* Whose cache a device's pages are; it outlives the process. Device 0: VFS. */
struct cache_client {
	struct list link; /* in vm->cache.clients */
	uint64_t dev;
	endpoint_t ep;
	struct list windows;         /* regions by file_link; one for each process that opened it */
	struct shared_object *marks; /* NULL: never opened */
	struct cache_page ***chunks;
	uint32_t slots;
	uint32_t first_free; /* no slot below is free */
	uint32_t used_end;   /* no slot from here on was ever used */
	uint32_t pages;      /* slots in use */
	bool is_asked;       /* to write back, has not said yet that it did */
	bool is_stuck;       /* it could not write anything back the last time */
	uint32_t dirty;      /* pages when it was asked */
};

struct cache_page {
	struct list bucket_link;
	struct list file_link;
	struct list lru_link; /* in one of vm->cache's lists */
	struct file *file;    /* NULL: forgotten while VFS had it pinned */
	uint64_t index;
	/* A file's page: its place on the device, by which it is found as well (cache_name.c). */
	struct list device_link; /* in its bucket of vm->cache.device_buckets */
	struct file *device;     /* ino 0 of the same device; NULL: no such name */
	uint64_t device_index;
	pfn_t pfn;
	uint32_t slot[CACHE_WINDOWS]; /* VM_CACHE_NO_SLOT: in none */
	bool is_used;                 /* by a fault, since last looked at */
	uint8_t uses;                 /* times it was found used */
	uint8_t list;                 /* enum cache_list */
};

/* -ENOMEM. */
int cache_init(struct vm *vm);

/* The page, in whatever state, of a device also one that lies there; NULL: there is none. */
struct cache_page *cache_find(struct vm *vm, const struct file *file, uint64_t index);

/* The page of that very file. */
struct cache_page *cache_find_own(struct vm *vm, const struct file *file, uint64_t index);

/* The file's page that is known by this place of a device. */
struct cache_page *cache_find_by_place(struct vm *vm, const struct file *device, uint64_t index);

/*
 * The page lies at page `index` of its device (VM_CACHE_NO_INDEX: nowhere): who had that place
 * before has it no more, and mappings of the device and VFS's window let go of it. A page of the
 * device's own keeps its name. The caller flushes. -ENOMEM; none, and the page stays, if it goes
 * nowhere or the caller has the device's file.
 */
int cache_set_place(struct vm *vm, struct cache_page *page, uint64_t index);

/* Whether its contents are the file's: others than its owner may see it. */
bool cache_is_valid(struct vm *vm, const struct cache_page *page);

/*
 * Enter a page under a name that is free; the reference to it becomes the cache's. NULL when there
 * is no memory (the reference stays the caller's).
 */
struct cache_page *cache_add(struct vm *vm, struct file *file, uint64_t index, pfn_t pfn);

/*
 * The page's name goes, and it goes from the windows; from mappings only by file_unmap(). VFS
 * keeps it while it has it pinned.
 */
void cache_forget(struct vm *vm, struct cache_page *page);

/* VFS's window has it no more, unless VFS has it pinned. The caller flushes. */
void cache_close_reader(struct vm *vm, struct cache_page *page);

/* Free what VFS had pinned when it was forgotten and has no more. */
void cache_sweep(struct vm *vm);

/* The client of a device; NULL: nobody. */
struct cache_client *cache_client_find(struct vm *vm, uint64_t dev);

/* Whether a process serves the device's files from the cache now, or will again (restart). */
bool cache_client_is_open(const struct cache_client *client);

/* The byte of marks of a slot; read and written by __atomic operations only. */
uint8_t *cache_marks(struct vm *vm, const struct cache_client *client, uint32_t slot);

/* Whose window it is for a page. NULL: nobody's. */
struct cache_client *cache_window_client(
	struct vm *vm, const struct cache_page *page, enum cache_window window);

/*
 * Put a page in the client's window at a free slot, with the given marks. -ENOMEM.
 */
int cache_put(struct vm *vm, struct cache_client *client, struct cache_page *page,
	enum cache_window window, uint8_t marks);

/* Take a page out of a window; its slot is free then. The marks are the caller's business. */
void cache_take(struct vm *vm, struct cache_page *page, enum cache_window window);

/* References to a page that are no mappings by processes: the cache's and its windows'. */
uint32_t cache_own_refs(struct vm *vm, const struct cache_page *page);

/* The page at a slot; NULL: it is free or there is no such slot. */
struct cache_page *cache_at(const struct cache_client *client, uint64_t slot);

/*
 * Free up to `count` pages that are neither dirty nor pinned, those that were not used for long
 * first; their number. File systems with dirty pages are asked to write them back when that is too
 * little.
 */
uint64_t cache_evict(struct vm *vm, uint64_t count);

/* About how many pages could be evicted. */
uint64_t cache_clean_pages(struct vm *vm);

/* Whether a file system is writing back because memory is short. */
bool cache_is_cleaning(const struct vm *vm);

/* The process is another one now, with the windows of the one before: what that was asked to write
 * back it may never have heard of. */
void cache_client_replaced(struct vm *vm, endpoint_t ep);

/* The alarm: a file system that was asked to write back and has got nothing done since is waited
 * for no longer. */
void cache_alarm(struct vm *vm);

/* A notification: the file system has written back what it could. */
void cache_cleaned(struct vm *vm, endpoint_t ep);

/*
 * Whether processes may have the page writable: it is dirty and known to be so mapped. If `mark`,
 * a dirty page becomes so.
 */
bool cache_may_write(struct vm *vm, struct cache_page *page, bool mark);

/* What vm_check() compares: NULL when the cache is sound. */
const char *cache_check(struct vm *vm, uint32_t *refs);

/* The same for one page. */
const char *cache_check_page(struct vm *vm, const struct cache_page *page);

/* The same for the numbers of pages. */
const char *cache_check_sums(struct vm *vm);
