/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that processes map: their pages, known by (dev, ino) and page number, are read through VFS
 * and shared by all who map them. VFS says when a page is stale (VM_FILE_CHANGED).
 *
 * While a region or a read at VFS refers to a file VM holds one reference at VFS for it. After that
 * its pages stay cached, until memory is short or VFS says that they changed, which it does too
 * when it forgets the file itself.
 */
#pragma once

#include "proto/vm.h"
#include "servers/vm/region.h"

struct file {
	struct list bucket_link;
	uint64_t dev, ino;
	int32_t handle;      /* VFS's; -1: VM has none (nobody maps it) */
	uint32_t refs;       /* regions and reads */
	struct list regions; /* by region->file_link */
	struct list pages;   /* struct file_page by file_link */
};

struct file_page {
	struct list bucket_link;
	struct list file_link;
	struct list lru_link; /* in vm->file_lru, used last at the end; unlinked while being read */
	struct file *file;
	uint64_t index; /* page number in the file */
	pfn_t pfn;
	uint32_t read_id; /* the read that brings it; 0: it is there */
	uint32_t unused;
};

/* -ENOMEM. */
int file_init(struct vm *vm);

/*
 * The file (dev, ino), with one reference more for the caller. VFS's handle, which carries a
 * reference, becomes VM's: if VM has one for the file already, it is given back. NULL when there is
 * no memory; the handle is then the caller's.
 */
struct file *file_get(struct vm *vm, uint64_t dev, uint64_t ino, int32_t handle);

/* The file if VM knows it, without a reference more; file_hold() takes one. */
struct file *file_find(struct vm *vm, uint64_t dev, uint64_t ino);
static inline void file_hold(struct file *file)
{
	file->refs++;
}

/* VFS's handle with its reference becomes the file's, or goes back if there is one. */
void file_adopt(struct file *file, int32_t handle);

void file_put(struct vm *vm, struct file *file);

/* Give a reference back to VFS. */
void file_drop_handle(int32_t handle);

/* The page if it is there, else NULL. */
struct file_page *file_find_page(struct vm *vm, const struct file *file, uint64_t index);

/*
 * The page; -EAGAIN: *read_id says which read to wait for; -ENOMEM. A read also brings up to
 * `ahead` pages that follow.
 */
int file_get_page(struct vm *vm, struct file *file, uint64_t index, uint64_t ahead,
	struct file_page **page, uint32_t *read_id);

/*
 * VFS has answered a read: true when it was one. *result is for those who wait for it: 0: look
 * again; -EIO: there is no such page.
 */
bool file_read_done(struct vm *vm, const struct vm_vfs_reply *reply, int *result);

/* Bytes of a file have changed or are gone (len UINT64_MAX). */
void file_changed(struct vm *vm, const struct vm_file_changed_req *req);

/* Free up to `count` cached pages: those that nobody maps, else mapped ones, which come back when
 * touched. */
uint64_t file_evict(struct vm *vm, uint64_t count);
