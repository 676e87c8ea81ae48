/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that processes map or that have pages in the cache, known by (dev, ino); ino 0 is the
 * device itself.
 *
 * While a region or a request at VFS refers to a file VM holds one reference at VFS for it. After
 * that its pages stay cached.
 */
#pragma once

#include "proto/vm.h"
#include "servers/vm/cache.h"

struct file {
	struct list bucket_link;
	uint64_t dev, ino;
	int32_t handle;              /* VFS's; -1: VM has none */
	int32_t store_handle;        /* of a mapping that may be stored to; -1: none */
	uint32_t store_regions;      /* such mappings */
	uint32_t refs;               /* regions and requests */
	struct cache_client *client; /* whose cache its pages are; NULL: nobody's */
	struct list regions;         /* by region->file_link */
	struct list pages;           /* struct cache_page by file_link */
	uint64_t page_count;
	uint64_t placed_pages; /* of a device: pages of files known by their places on it */
};

/* -ENOMEM. */
int file_init(struct vm *vm);

/*
 * The file (dev, ino), with one reference more for the caller. VFS's handle, which carries a
 * reference, becomes VM's: if VM has one for the file already, it is given back. -1: none. NULL
 * when there is no memory; the handle is then the caller's.
 */
struct file *file_get(struct vm *vm, uint64_t dev, uint64_t ino, int32_t handle);

/* The file if VM knows it, without a reference more; file_hold() takes one. */
struct file *file_find(struct vm *vm, uint64_t dev, uint64_t ino);
static inline void file_hold(struct file *file)
{
	file->refs++;
}

/*
 * VFS's handle with its reference becomes the file's, or goes back if there is one. `store`: it is
 * that of a shared mapping that may be written: VFS has it back when there is no such mapping any
 * more (seals depend on that).
 */
void file_adopt(struct file *file, int32_t handle, bool store);

/* What refs must be between two requests: regions and requests at VFS. */
uint32_t file_count_users(struct vm *vm, const struct file *file);

/* A region begins or ceases to refer to the file. */
void file_add_region(struct region *region);
void file_remove_region(struct vm *vm, struct region *region);

/* A handle to speak to VFS of the file with; -1: nobody maps it. */
static inline int32_t file_handle(const struct file *file)
{
	return file->handle >= 0 ? file->handle : file->store_handle;
}

void file_put(struct vm *vm, struct file *file);

/* A file that nobody refers to and that has no pages is forgotten. */
void file_free_if_unused(struct vm *vm, struct file *file);

/* Give a reference back to VFS. */
void file_drop_handle(int32_t handle);

/* Whether its pages come by VFS_VM_PEEK: its file system caches in VM. */
bool file_is_peeked(struct vm *vm, struct file *file);

/* Unmap pages first ... end - 1 of the file where page `pfn` is mapped; PFN_NONE: whatever is,
 * private copies too. The caller flushes. */
void file_unmap(struct vm *vm, struct file *file, uint64_t first, uint64_t end, pfn_t pfn);

/* Unmap a page from all mappings, of its file and of the device. The caller flushes. */
void file_unmap_page(struct vm *vm, const struct cache_page *page);

/* Take the right to write from all entries of a page; the caller flushes. */
void file_protect(struct vm *vm, const struct cache_page *page);

/* Whether a process has used its mapping of the page since this was asked last. */
bool file_take_accessed(struct vm *vm, const struct cache_page *page);

/* Whether a process has locked its mapping of the page (mlock). */
bool file_is_locked(const struct cache_page *page);

/* The names of pages first ... end - 1 go, from mappings too; end UINT64_MAX: truncated, private
 * copies go as well. */
void file_forget_range(struct vm *vm, uint64_t dev, uint64_t ino, uint64_t first, uint64_t end);

/* A client goes: no file is its any more. */
void file_forget_client(struct vm *vm, const struct cache_client *client);

/* The valid page if it is there, else NULL. */
struct cache_page *file_find_page(struct vm *vm, const struct file *file, uint64_t index);

/*
 * The page, valid; -EAGAIN: *request says which answer of VFS to wait for; -ENOMEM; -EIO. A read
 * also brings up to `ahead` pages that follow.
 */
int file_get_page(struct vm *vm, struct file *file, uint64_t index, uint64_t ahead,
	struct cache_page **page, uint32_t *request);

/* Have VFS make pages ready to be written by shared mappings: -EAGAIN: *request says which answer
 * to wait for; -ENOMEM. */
int file_make_writable(
	struct vm *vm, struct file *file, uint64_t index, uint64_t count, uint32_t *request);

/* Have VFS write the file back: as file_make_writable(). */
int file_sync(struct vm *vm, struct file *file, uint32_t *request);

/*
 * VFS has answered a request: true when it was one of these. *result is for those who wait for it:
 * 0: look again; -ENOMEM: wait for memory; else there is no such page, or it cannot be had.
 */
bool file_answer(struct vm *vm, const struct vm_vfs_reply *reply, int *result);
