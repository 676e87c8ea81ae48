/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VM protocol. Programs' mmap family and brk arrive as LINUX_CALL messages, not as these
 * operations.
 *
 * Callers: each operation says who; all others get -EPERM. Sizes in bytes; unless said, addresses
 * and sizes that are not page-aligned get -EINVAL.
 */
#pragma once

#include "abi/message.h"

enum vm_op {
	VM_PAGEFAULT = VM_BASE, /* kernel only, on behalf of the faulting thread: vm_pagefault;
				   never answered as a message */
	/* PM */
	VM_FORK, /* vm_fork_req -> vm_fork_rep: new process or thread; the child is stopped */
	VM_EXIT, /* vm_ep_req: the last thread of the process is gone (sys_clear comes after): frees
		    all */
	VM_WILLEXIT, /* vm_ep_req: no more faults are served for it, waits for files are dropped */
	VM_THREAD_EXIT, /* vm_ep_req: one thread of several is gone */
	VM_SETLIMIT,    /* vm_setlimit_req */
	/* RS */
	VM_NEWPROC, /* vm_newproc_req -> vm_newproc_rep: empty address space and kernel slot for a
		       service */
	VM_SETPRIV, /* vm_setpriv_req: which calls a service may make of VM, and its memory */
	/* VFS, RS: on behalf of another process */
	VM_MMAP_FOR,     /* vm_mmap_for_req -> vm_addr_rep */
	VM_MUNMAP_FOR,   /* vm_munmap_for_req */
	VM_CLEAR,        /* vm_ep_req: exec: all regions go; other threads must be gone */
	VM_SETBRK,       /* vm_setbrk_req: exec: where the heap starts */
	VM_MPROTECT_FOR, /* vm_mprotect_for_req */
	/* VFS */
	VM_VFS_REPLY, /* vm_vfs_reply: sent asynchronously or by sendrec: answers a VM_VFS_* request
		       */
	VM_CACHE_BIND,   /* VFS: vm_cache_bind_req: whose cache the pages of a device are */
	VM_CACHE_UNBIND, /* VFS: vm_cache_bind_req: unmounted: all of the device's pages go */
	VM_CACHE_MAP,    /* VFS: vm_cache_get_req -> vm_cache_get_rep: valid pages, read-only, into
			    the caller's window; pages that are not there are left out */
	/* services */
	VM_MAP_PHYS,     /* vm_map_phys_req -> vm_addr_rep: needs the memory right (kernel
			    PRIV_QUERY_MEM) */
	VM_UNMAP_PHYS,   /* vm_munmap_for_req with ep EP_SELF */
	VM_ALLOC_CONTIG, /* vm_alloc_contig_req -> vm_contig_rep: zeroed, physically contiguous, for
			    DMA */
	VM_BOOTDISK,     /* memory driver: -> vm_bootdisk_rep: the boot ramdisk mapped into it */
	VM_BOOTDISK_FREE, /* memory driver: the ramdisk's memory becomes free */
	VM_INFO,          /* vm_info_req: copies a struct to the caller */
	VM_MAKE_PRESENT,  /* VFS, asynchronous: vm_make_present_req: make a range of a process
			     present, answered asynchronously by  VM_MAKE_PRESENT | PROTO_REPLY:
			     vm_make_present_rep. For a copy by VFS, a file system or a driver that
			     met a  page whose file must be read first: VM answers the kernel -EFAULT
			     then, for they cannot wait for VFS */
			  /* VM -> VFS, asynchronous: proto/vfs.h VFS_VM_REQUEST */
	/* file systems: the page cache (see below) */
	VM_CACHE_OPEN, /* vm_cache_open_req -> vm_cache_open_rep: the caller's window */
	VM_CACHE_GET,  /* vm_cache_get_req -> vm_cache_get_rep: pages by name, new ones where there
			  are none */
	VM_CACHE_FORGET,  /* vm_cache_range_req: the pages' names go, from every mapping too */
	VM_CACHE_PROTECT, /* vm_cache_slots_req: before write-back: no mapping can be written
			     without a fault any more */
	VM_CACHE_LIST,    /* vm_cache_list_req -> vm_info_rep: what is there (after a restart) */
	/* RS */
	VM_UPDATE,  /* vm_update_req: two service processes swap their endpoints */
	VM_STANDBY, /* vm_ep_req: this process takes RS's place when RS dies (EP_NONE: none) */
	/* services, about themselves */
	VM_INHERIT, /* vm_inherit_req: after VM_UPDATE, the successor takes over memory of its
		       predecessor, at the same addresses. -ESRCH: it has none */
	/* RS */
	VM_BOOTBINARY, /* vm_bootbinary_req -> vm_bootdisk_rep: the file of a boot service, mapped
			  read-only into the caller, whose memory it is from now on (munmap frees
			  it). -ENOENT: there is none (any more). Empty name: those not asked for
			  become free */
	/* PM */
	VM_FORCE_STORE, /* vm_force_store_req: what ptrace stores where the process itself may not,
			  as a breakpoint in its text: in a private copy of the page. -EAGAIN: read
			  it first; -EACCES: shared memory; -EFAULT: nothing is there */
	/* RS */
	VM_RENEW /* vm_renew_req: RS's own live update */
};

struct vm_force_store_req {
	endpoint_t ep;
	uint32_t bytes; /* at most 8, within one page */
	uint64_t address;
	uint8_t data[8];
};

struct vm_bootbinary_req {
	char name[32];
};

struct vm_pagefault {
	uint64_t address;
	uint64_t error; /* hardware: bit 0 present, 1 write, 2 user, 4 instruction fetch */
	uint64_t ip, sp;
};

struct vm_ep_req {
	endpoint_t ep;
};

#define VM_FORK_THREAD 1 /* CLONE_VM|CLONE_THREAD: shares the address space */
#define VM_FORK_VM                                                                           \
	2 /* CLONE_VM without CLONE_THREAD (vfork, posix_spawn): a process of its own in the \
	     shared space */
#define VM_FORK_SETTLS 4
struct vm_fork_req {
	endpoint_t parent; /* the calling thread */
	uint32_t flags;
	uint64_t stack; /* 0: the parent's */
	uint64_t tls;
};
struct vm_fork_rep {
	endpoint_t child;
};
PROTO_FITS(vm_fork_req);

enum vm_limit { VM_LIMIT_AS = 1, VM_LIMIT_DATA, VM_LIMIT_STACK, VM_LIMIT_MEMLOCK };
struct vm_setlimit_req {
	endpoint_t ep;
	int32_t which;  /* enum vm_limit */
	uint64_t limit; /* bytes; UINT64_MAX: none */
};

struct vm_newproc_req {
	char name[16];
	int32_t slot; /* -1: any */
};
struct vm_newproc_rep {
	endpoint_t ep;
};

struct vm_setpriv_req {
	endpoint_t ep;
	uint32_t pad;
	uint64_t mask;       /* bit (op - VM_BASE) */
	uint64_t memory_max; /* bytes of address space; UINT64_MAX: no limit */
};

/* Memory of another process. Flags and protection are Linux's MAP_* and PROT_*. */
struct vm_mmap_for_req {
	endpoint_t ep;
	uint32_t dev; /* with file: the file's device and inode, by which VM shares its pages */
	uint64_t addr, len;
	uint32_t flags : 24; /* MAP_FIXED, MAP_PRIVATE, MAP_ANONYMOUS, MAP_GROWSDOWN, MAP_POPULATE
				... */
	uint32_t prot : 8;
	int32_t file; /* VFS's handle of a file (VFS_VM_*: see proto/vfs.h), -1: anonymous. When the
			 call succeeds VM owns one reference, which it gives back by VFS_VM_DROP;
			 else the caller keeps it */
	uint64_t offset;     /* file offset; page-aligned */
	uint64_t file_bytes; /* bytes of the mapping that come from the file; the rest of its last
				page is zero. Pages past it: anonymous zero */
	uint64_t ino;
};
PROTO_FITS(vm_mmap_for_req);
struct vm_addr_rep {
	uint64_t addr;
};
struct vm_munmap_for_req {
	endpoint_t ep;
	uint32_t pad;
	uint64_t addr, len;
};
struct vm_mprotect_for_req {
	endpoint_t ep;
	int32_t prot;
	uint64_t addr, len;
};
struct vm_setbrk_req {
	endpoint_t ep;
	uint32_t pad;
	uint64_t start;                  /* end of bss */
	uint64_t stack_top, stack_limit; /* for /proc and growth */
};

/* VFS's answer to a VFS_VM_REQUEST. */
struct vm_vfs_reply {
	uint32_t id;
	int32_t result; /* 0, or negative errno */
	int32_t file;   /* LOOKUP: VFS's handle, one reference taken for VM */
	uint32_t mode;  /* LOOKUP: bit 0 readable, bit 1 writable (descriptor), bit 2: is /dev/zero:
			   map as anonymous, bit 3: sealed against writing */
	uint64_t dev, ino;
	uint64_t size; /* LOOKUP: bytes; PEEK: bytes there are (short at the end of file) */
};
PROTO_FITS(vm_vfs_reply);

struct vm_make_present_req {
	endpoint_t ep;
	uint32_t id;        /* given back */
	uint64_t addr, len; /* bytes, any alignment */
	uint32_t write;     /* 1: will be written */
	uint32_t pad;
};
struct vm_make_present_rep {
	uint32_t id;
	int32_t result; /* 0; -EFAULT: not mapped or not permitted; -EIO */
};

struct vm_map_phys_req {
	endpoint_t ep;       /* EP_SELF or, for RS and tty, another */
	uint32_t flags;      /* VM_PHYS_* */
	uint64_t paddr, len; /* need not be aligned: the answer has the same offset in the page */
};
#define VM_PHYS_UNCACHED 1
#define VM_PHYS_READONLY 2

struct vm_alloc_contig_req {
	uint64_t len;
	uint32_t flags; /* VM_CONTIG_* */
};
#define VM_CONTIG_LOWER16M 1
#define VM_CONTIG_LOWER1M  2
#define VM_CONTIG_ALIGN64K 4
#define VM_CONTIG_LOWER4G  8
struct vm_contig_rep {
	uint64_t addr;
	uint64_t paddr;
};

struct vm_bootdisk_rep {
	uint64_t addr; /* in the caller's address space, read-write */
	uint64_t len;  /* bytes; 0: there is none */
};

enum vm_info_what {
	VM_INFO_STATS = 1, /* struct vm_stats */
	VM_INFO_USAGE, /* struct vm_usage of ep; EP_KERNEL, EP_VM: of what is the kernel's, VM's */
	VM_INFO_PAGES, /* uint64_t[] of ep from address `next` on: VM_PAGE_* */
	VM_INFO_REGIONS, /* struct vm_region_info[] of ep from address `next` on; the reply says how
			    many */
	VM_INFO_CALLS    /* uint64_t: what service ep has asked of VM so far, bit (op - VM_BASE) */
};
struct vm_info_req {
	int32_t what;
	endpoint_t ep;
	uint64_t to;    /* caller's buffer */
	uint64_t bytes; /* its size */
	uint64_t next;
};
struct vm_info_rep {
	uint64_t count; /* bytes or records stored */
	uint64_t next;  /* where to go on; 0: at the end */
};
struct vm_stats {
	uint64_t page_size;
	/* pages; total = free + kernel + boot + service + program + page_tables + cached + reserve
	 */
	uint64_t total, free, cached, kernel, boot, page_tables, reserve, anon, largest_contig;
	uint64_t faults_minor, faults_major;
	uint64_t shared;
	uint64_t committed;
	uint64_t service, program; /* memory of processes; VM's own and what services share with
				      programs is services' */
	uint64_t vm_heap;          /* of `service`: VM's tables */
	/* of `cached`: */
	uint64_t buffers;      /* metadata: pages of devices */
	uint64_t dirty;        /* newer than the device */
	uint64_t memory_files; /* of file systems that live in memory */
	uint64_t mapped;       /* by processes */
	uint64_t cache_active; /* used more than once */
};
struct vm_usage {
	uint64_t virtual_bytes, resident_pages, shared_pages, data_bytes, stack_bytes, text_bytes,
		max_resident_pages;
	uint64_t minor_faults, major_faults;
	uint64_t page_table_pages;
	uint64_t brk_start, brk_end, stack_top;
	uint64_t text_start, text_end;
	uint64_t anon_pages, file_pages,
		memory_pages; /* of resident_pages: anonymous; of files; of
				 shared memory. The latter two are shared_pages */
	uint64_t locked_bytes, max_virtual_bytes;
};
struct vm_region_info {
	uint64_t start, end;
	uint32_t prot;  /* PROT_* */
	uint32_t flags; /* VM_REGION_* */
	uint64_t offset, dev, ino;
	int32_t file; /* VFS's handle or -1 */
	/* Pages: resident = shared + private; the zero page does not count. */
	uint32_t resident_pages, shared_clean, shared_dirty, private_clean, private_dirty;
	uint32_t anonymous, referenced, locked_pages, pad;
	uint64_t share_bytes; /* of each page the part that falls to this process */
};
#define VM_REGION_SHARED 1
#define VM_REGION_HEAP   2
#define VM_REGION_STACK  4
#define VM_REGION_FILE   8
#define VM_REGION_LOCKED 16

/* VM_INFO_PAGES: 8 bytes a page, as in /proc/PID/pagemap, but without the page number. */
#define VM_PAGE_PRESENT   (1ull << 63)
#define VM_PAGE_FILE      (1ull << 61) /* of a file, or shared memory */
#define VM_PAGE_EXCLUSIVE (1ull << 56) /* mapped here only */

/*
 * The page cache.
 *
 * Every cached page of every file system is VM's. A page has a name, (dev, ino, index): `ino` 0 is
 * the device itself (metadata; index is the device offset in pages), else a file's page. A file's
 * page whose bytes lie in one piece on the device has the name of that place, (dev, 0, index), as
 * well, once the file system has told it (vm_cache_get_req.names): who looks by that name (a reader
 * of the device, a mapping of it) finds the same page. No two pages have one name: a place told
 * anew is the later page's; a page of the device's own keeps its name, and one that the file system
 * asks for by VM_CACHE_GET takes it. Pages of blocks smaller than a page are no pages of the
 * device: they have the inode number VM_CACHE_INO_BLOCKS, and files in such blocks no second name.
 *
 * A client (a file system; VFS for reading) has a window: slot i is the page at
 * window + i * page size. Beside it lies an array of one byte a slot, `marks`, that VM and the
 * client both read and write, always atomically, never across a message: it takes the place of
 * messages for what happens often.
 *
 * - PINNED: the client uses the page now; VM leaves it alone. The client sets it first, then looks
 *   at EVICTED: if that is set the page has gone, the slot is free, and the client forgets it.
 * - VALID: the contents are those of the file. Set by the file system when it has filled the page.
 *   Until then nobody else sees the page.
 * - DIRTY: newer than the device. Such a page is never evicted, and outlives the file system.
 * - USED: set by the client at each use; VM clears it as it looks for what has not been used.
 * - EVICTED: set by VM when it takes an unpinned, clean page away (or forgets it).
 * - WMAPPED: set by VM when a process got the page writable: before the page is written back the
 *   client clears DIRTY only after VM_CACHE_PROTECT, and by compare-exchange from a value without
 *   WMAPPED. VM sets it on dirty pages only.
 *
 * A file system that VM notifies writes dirty pages back, for memory is short, then notifies VM.
 * Files of a device can be mapped from when its file system has opened its window.
 *
 * A slot whose page went is given out again by VM_CACHE_GET or VM_CACHE_MAP.
 */
#define VM_CACHE_PINNED  0x01
#define VM_CACHE_VALID   0x02
#define VM_CACHE_DIRTY   0x04
#define VM_CACHE_USED    0x08
#define VM_CACHE_EVICTED 0x10
#define VM_CACHE_WMAPPED 0x20

#define VM_CACHE_BATCH 64 /* pages or slots in one request at most */

struct vm_cache_bind_req {
	uint64_t dev;
	endpoint_t ep; /* the file system's process */
	uint32_t pad;
};

struct vm_cache_open_req {
	uint64_t dev; /* bound to the caller; VFS: 0 */
};
struct vm_cache_open_rep {
	uint64_t window; /* address of slot 0 */
	uint64_t marks;  /* address of the byte of slot 0 */
	uint64_t slots;  /* how many there are */
	uint64_t
		cached; /* pages of the device that were there already (the client was restarted) */
};

#define VM_CACHE_GET_OLD 1 /* GET: only what is there; others get slot VM_CACHE_NO_SLOT */
struct vm_cache_get_req {
	uint64_t dev, ino;
	uint64_t index; /* pages */
	uint32_t count; /* 1 .. VM_CACHE_BATCH */
	uint32_t flags; /* VM_CACHE_GET_* */
	uint64_t to; /* uint32_t[count] in the caller: the slots, all pinned for the caller. A new
			page is not valid, and zeroed. GET_OLD and MAP: VM_CACHE_NO_SLOT for what is
			not there. A slot that the caller knew under another name is that no more */
	uint64_t names;      /* GET: struct vm_cache_name[name_count] in the caller: done first, and
				alone when count is 0; of slots without a file's page they are ignored */
	uint32_t name_count; /* 0 .. VM_CACHE_BATCH */
	uint32_t pad;
};
PROTO_FITS(vm_cache_get_req);
#define VM_CACHE_NO_SLOT UINT32_MAX

#define VM_CACHE_INO_BLOCKS (UINT64_MAX - 1)

/* Where the page in a slot lies on the device. */
struct vm_cache_name {
	uint32_t slot;
	uint32_t pad;
	uint64_t index; /* device offset in pages; VM_CACHE_NO_INDEX: nowhere (any more) */
};
#define VM_CACHE_NO_INDEX UINT64_MAX
struct vm_cache_get_rep {
	uint32_t
		count; /* slots stored: fewer than asked when memory is short; type -ENOMEM: none */
	uint32_t pad;
	uint64_t free_pages;  /* what may still be had at once ... */
	uint64_t clean_pages; /* ... and what VM could take back: for the client's dirty limit */
};

struct vm_cache_range_req {
	uint64_t dev, ino;
	uint64_t first, end; /* pages; end UINT64_MAX: to the end */
};

struct vm_cache_slots_req {
	uint64_t dev;
	uint64_t slots; /* uint32_t[count] in the caller */
	uint32_t count;
	uint32_t pad;
};

struct vm_cache_list_req {
	uint64_t dev;
	uint64_t next; /* 0, then what the answer says */
	uint64_t to;   /* struct vm_cache_entry[] in the caller */
	uint64_t bytes;
};
struct vm_cache_entry {
	uint64_t ino, index;
	uint32_t slot;
	uint32_t marks;
	uint64_t device_index; /* of a file's page: where it lies; VM_CACHE_NO_INDEX: not told */
};

/*
 * RS cannot look after its own update: VM does. RS rests within VM_RENEW_BEGIN, while `ep`, another
 * RS, has its endpoint. That one takes over (VM_INHERIT_COPY; VM_INHERIT_MOVE is -EBUSY) and says
 * VM_RENEW_DONE: `ep` is its standby from now on, and the old one is its to end. When it says
 * VM_RENEW_FAILED, which has no answer, or dies, or limit_ns are over, the old one is RS again, and
 * that is its answer: `result`, -EIO, -ETIMEDOUT. Other errors of VM_RENEW_BEGIN: nothing has been
 * done. -EINVAL: bad `ep`, or no such step now.
 */
enum vm_renew_step { VM_RENEW_BEGIN, VM_RENEW_DONE, VM_RENEW_FAILED };
struct vm_renew_req {
	uint32_t step;  /* enum vm_renew_step */
	endpoint_t ep;  /* BEGIN, DONE */
	int32_t result; /* FAILED: a negative error */
	uint32_t padding;
	uint64_t limit_ns; /* BEGIN */
};

#define VM_UPDATE_ROLLBACK 1 /* undoes the VM_UPDATE of the same two before */
struct vm_update_req {
	endpoint_t old;       /* keeps naming the service: the new contents from now on */
	endpoint_t successor; /* names the old contents afterwards, until VM_EXIT */
	uint32_t flags;       /* VM_UPDATE_* */
};

enum vm_inherit_how {
	/* For the same program: all writable private memory but the stack. Pages are moved: of the
	 * predecessor nothing but its text, its stack and its registers is left, and
	 * VM_UPDATE_ROLLBACK is refused. */
	VM_INHERIT_MOVE,
	/* For another program: what lies above image and brk, but the stack. Both have it then,
	 * private memory copy-on-write. -EEXIST: the successor has something there; -EBUSY: memory
	 * is shared by grants. An error changes nothing. */
	VM_INHERIT_COPY
};
struct vm_inherit_req {
	uint32_t how; /* enum vm_inherit_how */
};
