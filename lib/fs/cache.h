/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of a file system: a view of VM's page cache, in which all its pages live.
 *
 * A page is known by (object, index). Object 0 is the device: its page i holds block i of the
 * device, whatever the size of a block, so that metadata and file data never share a page. Any
 * other object is an inode number: its pages hold the file's bytes, and the cache remembers the
 * device blocks behind each. Whoever frees a block of metadata says so (fs_cache_forget), whoever
 * truncates a file drops its pages.
 *
 * A block is in one page only. Where a block is a page, VM learns the place of a file's page
 * (fs_cache_map_block), so that who reads or maps the device finds it (devnode.h); a page of the
 * device that holds a copy of a block of a file goes when the file's page gets the block. Object 0
 * of smaller blocks is VM_CACHE_INO_BLOCKS for VM: its pages are no pages of the device.
 *
 * The pages, and a byte of marks each, come through `struct fs_cache_memory`: VM in the system
 * (vmmemory.c), a model of it in host tests (test/hostmem.c). What is here about a page is a note
 * beside it, which is lost when the process dies; names, contents and marks stay, and
 * fs_cache_create() takes them up again. log.h makes changes of metadata undoable then.
 *
 * Invariants:
 * 1. A page is in the hash exactly when it has a name; VM may have taken it away all the same
 *    (mark EVICTED), which the next one who pins it finds out.
 * 2. A dirty page is valid, and all blocks behind it are known.
 * 3. A page is on the dirty list exactly when is_dirty, and then its mark DIRTY is set.
 * 4. A page is PINNED exactly while pins > 0; every call below that hands out a page pins it.
 */
#pragma once

#include "lib/core/list.h"
#include "lib/fs/device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_PAGE_SHIFT    12
#define FS_PAGE_SIZE     4096u
#define FS_PAGE_BLOCKS   4 /* blocks in a page at most: 1 KiB blocks */
#define FS_OBJECT_DEVICE 0ull
#define FS_OBJECT_LOG    UINT64_MAX /* the log's own pages: log.h */

/* Pages that one call takes at most, and that a read-ahead is worth. */
#define FS_PAGES_MAX 64
#define FS_AHEAD_MAX 32
#define FS_FLUSH_ALL (UINT64_MAX - 1)

struct fs_page {
	struct list dirty_link; /* in the dirty list (oldest first), when is_dirty */
	uint64_t object;
	uint64_t index;                 /* device: the block's number; files: pages */
	uint32_t block[FS_PAGE_BLOCKS]; /* of file pages: the device block of each part, 0: hole */
	uint32_t next;                  /* in its bucket: slot + 1, 0: the last */
	uint16_t pins;
	uint8_t known; /* bit per block, file pages: block[] has been looked up */
	bool is_named : 1;
	bool is_dirty : 1;
	bool is_checked : 1;   /* the file system has verified what was read (its own business) */
	bool is_forgotten : 1; /* its block is free as soon as the request is done (log.c) */
	bool is_placed : 1;    /* VM knows or will know block[0] as its place */
	bool is_news : 1;      /* ... will, with the next request to it */
	bool has_failed : 1;   /* in the transfer under way */
};

struct vm_cache_entry;
struct vm_cache_name;

/* The client's window: page i at pages + i * FS_PAGE_SIZE, its marks (VM_CACHE_*) in marks[i]. */
struct fs_window {
	uint8_t *pages;
	uint8_t *marks;
	uint32_t slots;
	uint64_t cached; /* pages that were there already */
};

struct fs_room {
	uint64_t free_pages;  /* what may still be had at once ... */
	uint64_t clean_pages; /* ... and what VM could take back */
};

/* Pages [index, index + count) of an inode, and places to tell before. */
struct fs_cache_wish {
	uint64_t ino, index;
	uint32_t count;
	uint32_t name_count;
	const struct vm_cache_name *names;
};

/* VM as the cache sees it; the rules stand in proto/vm.h. Results: 0 or a negative errno. */
struct fs_cache_memory {
	int (*open)(struct fs_cache_memory *memory, struct fs_window *window);
	/* Slots of pages [index, index + count), count <= FS_PAGES_MAX; returns how many. */
	int (*get)(struct fs_cache_memory *memory, const struct fs_cache_wish *wish,
		uint32_t *slots, struct fs_room *room);
	int (*forget)(struct fs_cache_memory *memory, uint64_t ino, uint64_t first, uint64_t end);
	int (*protect)(struct fs_cache_memory *memory, const uint32_t *slots, uint32_t count);
	/* Returns how many entries, from *next on; *next is 0 after the last. */
	int (*list)(struct fs_cache_memory *memory, uint64_t *next, struct vm_cache_entry *entries,
		size_t count);
};

struct fs_cache;

/* One block of metadata: a pinned device page. */
struct fs_block {
	struct fs_page *page;
	uint8_t *data;
	uint64_t number;
};

/* A mark that lasts as long as the contents stay in the cache: they have been verified. */
static inline bool fs_block_is_checked(const struct fs_block *block)
{
	return block->page->is_checked;
}

static inline void fs_block_set_checked(const struct fs_block *block)
{
	block->page->is_checked = true;
}

enum fs_block_how {
	FS_BLOCK_READ, /* bring it in from the device */
	FS_BLOCK_ZERO, /* a new block: zeroes, not read; the caller marks it dirty */
};

struct fs_cache_stats {
	size_t pages; /* that are known here; VM may have taken some of them */
	size_t dirty_pages;
	uint64_t transfers; /* requests to the device so far */
	uint64_t misses;    /* blocks read so far */
};

/*
 * Make a cache over a device (NULL: none) with the given block size (1024, 2048 or 4096). Pages
 * that are in `memory` already, dirty ones too, are its own from the start. Returns 0, -EINVAL,
 * -ENOMEM, or what `memory` said.
 */
int fs_cache_create(struct fs_cache **cache, struct fs_device *device,
	struct fs_cache_memory *memory, uint32_t block_size);

/* Let go of all pages: flush first, what is dirty stays so in VM. No page may be pinned. */
void fs_cache_destroy(struct fs_cache *cache);

/* The same memory is described by other functions: another version of the program goes on with it.
 */
void fs_cache_set_memory(struct fs_cache *cache, struct fs_cache_memory *memory);

void fs_cache_get_stats(const struct fs_cache *cache, struct fs_cache_stats *stats);

/*
 * Get block `number` of the device, pinned. Returns 0, -EIO, -ENOMEM, or -EIO for a number beyond
 * the device.
 */
int fs_cache_get_block(
	struct fs_cache *cache, uint64_t number, enum fs_block_how how, struct fs_block *block);

/* The bytes [at, at + len) of a block are about to change: they can be undone (log.h), and the
 * block is dirty. */
void fs_cache_change(
	struct fs_cache *cache, const struct fs_block *block, const void *at, size_t len);

/* As fs_cache_change, for a block got by FS_BLOCK_ZERO in this request: nothing to undo. */
void fs_cache_dirty_block(struct fs_cache *cache, const struct fs_block *block);

/* Unpin; harmless on a block that is not held (page == NULL). */
void fs_cache_put_block(struct fs_cache *cache, struct fs_block *block);

/* The block has been freed: its contents do not matter any more and must not be written. */
void fs_cache_forget(struct fs_cache *cache, uint64_t number);

/*
 * Get pages [first, first + count) of file `object` (not 0), pinned, count <= FS_PAGES_MAX; they
 * may be neither known nor valid. *got: the first so many of them, when memory is short. 0, or
 * -ENOMEM, -EIO: none.
 */
int fs_cache_get_pages(struct fs_cache *cache, uint64_t object, uint64_t first, size_t count,
	struct fs_page **pages, size_t *got);

/* The page if it is in the cache, pinned, else NULL. */
struct fs_page *fs_cache_find_page(struct fs_cache *cache, uint64_t object, uint64_t index);

void fs_cache_put_page(struct fs_cache *cache, struct fs_page *page);

/* The bytes of a pinned page. */
uint8_t *fs_page_data(const struct fs_cache *cache, const struct fs_page *page);

/* Whether they are the file's; say so (when all is in place: others see the page from then on). */
bool fs_page_is_valid(const struct fs_cache *cache, const struct fs_page *page);
void fs_page_set_valid(struct fs_cache *cache, struct fs_page *page);

/* Whether a process has it mapped for writing. */
bool fs_page_is_mapped(const struct fs_cache *cache, const struct fs_page *page);

/* Say where a part of a file page is on the device; 0 for a hole. */
void fs_cache_map_block(
	struct fs_cache *cache, struct fs_page *page, unsigned part, uint32_t block);

/* Tell VM the places that it has not been told yet. -ENOMEM: some it has not taken. */
int fs_cache_tell_places(struct fs_cache *cache);

/*
 * Bring in those of the pages that are not valid, gathered into as few transfers as possible; holes
 * become zeroes. All their blocks must be known. Returns 0 or -EIO (some may be valid all the
 * same).
 */
int fs_cache_fill_pages(struct fs_cache *cache, struct fs_page **pages, size_t count);

/* Read blocks [number, number + count) of metadata ahead, as far as that is sensible; errors show
 * later. */
void fs_cache_prefetch(struct fs_cache *cache, uint64_t number, size_t count);

/* Mark a file page dirty, or (its blocks are gone) clean again. */
void fs_page_set_dirty(struct fs_cache *cache, struct fs_page *page);
void fs_page_clear_dirty(struct fs_cache *cache, struct fs_page *page);

/*
 * Forget the pages [first, end) of an object, dirty or not, in mappings too (may_be_mapped: private
 * copies as well, and whatever lies behind: the file has become shorter). None may be pinned.
 * Returns how many of them were dirty.
 */
size_t fs_cache_drop(
	struct fs_cache *cache, uint64_t object, uint64_t first, uint64_t end, bool may_be_mapped);

/*
 * Write dirty pages back: those of one object, or FS_FLUSH_ALL: file data first, then metadata.
 * Returns 0 or the first error; what could not be written stays dirty.
 */
int fs_cache_flush(struct fs_cache *cache, uint64_t object);

/* Have the device's own cache written to its medium. */
int fs_cache_sync_device(struct fs_cache *cache);

/*
 * Have a function called for each page that processes had mapped for writing, just before it is
 * written back: they cannot change it then. It must not get pages.
 */
void fs_cache_on_settle(
	struct fs_cache *cache, void (*settle)(void *ctx, struct fs_page *page), void *ctx);

/*
 * Between operations: when too much is dirty, write some of it. Never fails: what cannot be written
 * stays dirty.
 */
void fs_cache_balance(struct fs_cache *cache);

/*
 * After a restart: have each file page that is dirty, or has a place on the device, looked at; it
 * is pinned meanwhile and goes when `keep` says false. `keep` must look up its blocks.
 */
void fs_cache_check_pages(
	struct fs_cache *cache, bool (*keep)(void *ctx, struct fs_page *page), void *ctx);

/* After a crash in memory that has outlived it: what the lost request had pinned is not any more.
 */
void fs_cache_unpin_all(struct fs_cache *cache);

/* Check the invariants, pins included: `pins` is the number of pins that the caller knows of. */
bool fs_cache_check(const struct fs_cache *cache, size_t pins);
