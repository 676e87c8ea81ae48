/* SPDX-License-Identifier: BSD-2-Clause */
/* A file system and VFS for the page cache's tests, and a model of what files contain. */
#pragma once

#include "servers/vm/cache.h"
#include "servers/vm/test/fake_fs.h"
#include "servers/vm/test/vm_test.h"

#define DEV     7
#define FS_EP   FAKE_FS_EP
#define FILES   4
#define PAGES   48 /* of a file at most */
#define PROCS   3
#define PLACES  96    /* pages of the device */
#define DEVICE  FILES /* the device itself among the files that processes map */
#define MACHINE 1500  /* pages */

struct mapped {
	endpoint_t ep; /* EP_NONE: no process */
	vaddr_t at;    /* 0: nothing mapped */
	int file;
	bool is_shared;
	bool is_copied[PAGES];
	uint64_t copy[PAGES];
};

struct world {
	struct vm vm;
	uint64_t seed;
	struct vm_cache_open_rep fs, reader; /* windows */
	uint64_t size[FILES];                /* pages */
	uint64_t content[FILES][PAGES];      /* what a reader must see */
	uint64_t disk[FILES][PAGES];
	uint32_t slot[FILES][PAGES];  /* what the file system remembers */
	uint64_t place[FILES][PAGES]; /* on the device, or VM_CACHE_NO_INDEX */
	uint64_t own[PLACES];         /* what the device's own pages contain ... */
	bool is_own[PLACES];          /* ... which are the file system's metadata */
	struct mapped procs[PROCS];
};

extern struct world w;

/* A number below the limit. */
uint64_t random_below(uint64_t limit);

/* An operation of VM's protocol. */
int world_call(call_fn *fn, endpoint_t source, struct message *req, struct message *rep);

/* The marks of a slot, and the words of its page, in a client's window. */
uint8_t *marks_of(endpoint_t ep, const struct vm_cache_open_rep *window, uint32_t slot);
uint64_t *page_of(endpoint_t ep, const struct vm_cache_open_rep *window, uint32_t slot);

/* VM_CACHE_GET or VM_CACHE_MAP: slots stored, or an error. */
int get_pages(
	call_fn *fn, endpoint_t ep, uint64_t ino, uint64_t index, uint32_t count, uint32_t *slots);

/* The file system finds a page: its slot, pinned. */
uint32_t fs_get(int file, uint64_t index);

/* It is done with it; `more` marks are set. */
void fs_unpin(uint32_t slot, uint8_t more);

/* It reads, writes, writes back, truncates; all is checked against the model. */
void fs_read(int file, uint64_t index);
void fs_write(int file, uint64_t index);
void fs_write_back(int file, uint64_t index);
void fs_write_all_back(void);
void fs_truncate(int file, uint64_t size);

/* The process dies, another one takes its place: what was dirty is still there. */
void fs_restart(void);

/* VFS reads four pages of what is cached. */
void vfs_read(int file, uint64_t index);

/* The file system gives a file's page a place, which may have been another's; uses a place for
 * metadata; frees that. */
void fs_place(int file, uint64_t index, uint64_t place);
void fs_own(uint64_t place);
void fs_free_own(uint64_t place);

/* It tells VM where the page in a slot lies: the result. */
int fs_tell_place(uint32_t slot, uint64_t place);

/* VFS reads a page of the device as far as it is cached: whether it is. */
bool vfs_read_device(uint64_t place);

/* What a page of the device must contain; false: it is nobody's. */
bool device_content(uint64_t place, uint64_t *content);

/* Serve what VM has asked VFS, as VFS and the file system do. */
void serve_requests(void);

/* A machine with so many pages, VFS and the file system. */
void world_boot(uint64_t pages);
