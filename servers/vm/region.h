/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions of an address space, and the memory types behind them.
 *
 * The code here knows no type by name: what differs stands in each type's operations (type_*.c).
 */
#pragma once

#include "lib/core/tree.h"
#include "servers/vm/pagetable.h"

#define REGION_PROT_READ  1
#define REGION_PROT_WRITE 2
#define REGION_PROT_EXEC  4
#define REGION_PROT_ALL   7

#define REGION_SHARED       0x1 /* MAP_SHARED: stores are seen by others */
#define REGION_GROWS_DOWN   0x2 /* a stack */
#define REGION_NO_RESERVE   0x4
#define REGION_LOCKED       0x8
#define REGION_DONT_FORK    0x10
#define REGION_WIPE_ON_FORK 0x20
#define REGION_UNCACHED     0x40  /* direct: device registers */
#define REGION_HEAP         0x80  /* for /proc */
#define REGION_SAFEMAPPED   0x100 /* anon: shows memory of another process (safemap.c) */

struct region;
struct shared_object;
struct file;
struct cache_client;

struct region {
	struct tree_node node; /* in space->regions, by start */
	struct space *space;
	vaddr_t start, end;
	const struct memtype *type;
	uint8_t prot;        /* REGION_PROT_* */
	uint8_t max_prot;    /* what mprotect may give */
	uint16_t flags;      /* REGION_* */
	uint32_t around;     /* anon: pages to bring in at the next fault in sequence */
	vaddr_t next_fault;  /* anon: where a sequence would go on */
	uint64_t offset;     /* of start, in the object or file, bytes */
	uint64_t file_limit; /* file: bytes of it beyond this offset read as zero; UINT64_MAX: none
			      */
	union {
		struct shared_object *shared;
		struct file *file;
		struct cache_client *client; /* cache: whose window it is */
		paddr_t paddr;               /* direct: physical address of offset 0 */
	};
	struct list file_link; /* file: in the file's regions; cache: in the client's windows */
};

/* What a fault wants, and what it waits for. */
struct fault {
	vaddr_t addr;
	bool write;
	bool execute;
	bool forced;       /* a debugger stores: the protection does not count */
	bool is_major;     /* out: a file had to be read */
	uint32_t wait_for; /* out, with -EAGAIN: id of the read at VFS to wait for */
};

enum fork_how {
	FORK_COPY,  /* private: both sides lose the right to write, the pages are shared until then
		     */
	FORK_SHARE, /* the same pages with the same rights */
	FORK_EMPTY, /* the region, without pages */
	FORK_OMIT   /* no region in the child */
};

/* The operations of a memory type. */
struct memtype {
	const char *name;
	bool is_counted;   /* pages have references; else they are nobody's (device memory) */
	bool is_anonymous; /* private memory that is charged as data */
	bool is_file;      /* has a file behind it */
	bool is_pinned;    /* a device may know the pages: they stay */

	/* The region takes or gives back its reference to what lies behind it (object, file). */
	void (*reference)(struct vm *vm, struct region *region);
	void (*unreference)(struct vm *vm, struct region *region);

	/* How a fork treats it. */
	enum fork_how (*fork)(const struct region *region);

	/*
	 * Make the page of fault->addr present, and writable if fault->write; the region allows the
	 * access. 0, -EAGAIN (wait), -ENOMEM, -EIO (SIGBUS).
	 */
	int (*fault)(struct vm *vm, struct region *region, struct fault *fault);

	/* Whether the region may get another length in place: 0 or -errno. */
	int (*resize)(const struct region *region, uint64_t bytes);

	/* `high` was cut off `low` and is a copy of it but for start: adjust both. NULL: a region
	 * of the type stays whole. */
	void (*split)(struct vm *vm, struct region *low, struct region *high);

	/* The first `bytes` go. */
	void (*low_shrink)(struct vm *vm, struct region *region, uint64_t bytes);

	/* Whether `high`, which follows at once and is alike in protection and flags, continues
	 * `low`. */
	bool (*continues)(const struct region *low, const struct region *high);

	/* Whether a page that is there may be written without a fault, if the protection allows. */
	bool (*writable)(struct vm *vm, const struct region *region, pfn_t pfn);

	/* Further bits for page table entries. */
	uint64_t (*pt_flags)(const struct region *region);

	/* The rest may be NULL. The pages of a range are about to go. */
	void (*release)(struct vm *vm, struct region *region, vaddr_t start, vaddr_t end);

	/* Whether a fork that copies has to copy the page at once. */
	bool (*must_copy)(struct vm *vm, pfn_t pfn);

	/* Make the page present and no longer shared copy-on-write, so that others may map it;
	 * NULL: none of the type's pages may be mapped by others. -ENOMEM. */
	int (*own)(struct vm *vm, struct region *region, vaddr_t addr);
};

extern const struct memtype memtype_anon, memtype_contig, memtype_direct, memtype_shared,
	memtype_file, memtype_cache;

/* The region that contains addr; the first one that ends after addr; NULL when there is none. */
struct region *region_find(const struct space *space, vaddr_t addr);
struct region *region_at_or_after(const struct space *space, vaddr_t addr);
struct region *region_next(const struct region *region);
struct region *region_prev(const struct region *region);
struct region *region_first(const struct space *space);

/* A region that is in no space yet, with no pages; NULL when there is no memory. */
struct region *region_new(struct vm *vm, const struct memtype *type, vaddr_t start, uint64_t bytes,
	int prot, unsigned flags);

/* A copy of a region's attributes for another place: the object is referenced. NULL when there is
 * no memory. */
struct region *region_clone(
	struct vm *vm, const struct region *region, vaddr_t start, uint64_t bytes, uint64_t offset);

/* Free a region that is in no space and has no pages; the reference to its object is given back. */
void region_delete(struct vm *vm, struct region *region);

/* Put it into a space, where its range must be free. */
void region_insert(struct space *space, struct region *region);

/* Take it out of its space; its pages must be gone. */
void region_remove(struct region *region);

/* Cut a region at an address inside it; the upper part is new. -ENOMEM; -EINVAL: it stays whole. */
int region_split(struct vm *vm, struct region *region, vaddr_t at, struct region **high);

/* Make `at` a border if it lies inside a region. As region_split(). */
int region_cut(struct vm *vm, struct space *space, vaddr_t at);

/* Join a region with its neighbours where they continue each other; returns the region that holds
 * its start. */
struct region *region_merge(struct vm *vm, struct region *region);

/* Change protection and flags, keeping the space's counts. The entries are the caller's business.
 */
void region_set_mode(struct region *region, int prot, unsigned flags);

/* Move the region's end or start (the pages given up must be gone). */
void region_set_end(struct region *region, vaddr_t end);
void region_raise_start(struct vm *vm, struct region *region, vaddr_t start);
void region_lower_start(struct region *region, vaddr_t start);

/* Offset in its object of an address in the region. */
static inline uint64_t region_offset(const struct region *region, vaddr_t addr)
{
	return region->offset + (addr - region->start);
}

static inline uint64_t region_bytes(const struct region *region)
{
	return region->end - region->start;
}

/* Defaults for types that need nothing special. */
void memtype_no_reference(struct vm *vm, struct region *region);
void memtype_offset_split(struct vm *vm, struct region *low, struct region *high);
void memtype_offset_low_shrink(struct vm *vm, struct region *region, uint64_t bytes);
bool memtype_never_continues(const struct region *low, const struct region *high);
bool memtype_always_writable(struct vm *vm, const struct region *region, pfn_t pfn);
uint64_t memtype_no_pt_flags(const struct region *region);
