/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel found and made at boot; VM and others read it with getinfo(GETINFO_KINFO). */
#pragma once

#include "abi/types.h"

/* The map of memory: see docs/memory-layout.md. */
#define USER_BASE         0x0000000000010000ul /* nothing is ever mapped below */
#define USER_END          0x00007ffffffff000ul /* first address past user space */
#define VM_WINDOW_BASE    0x0000600000000000ul /* in VM only: all physical memory */
#define KERNEL_DIRECT_MAP 0xffff800000000000ul
#define KERNEL_BASE       0xffffffff80000000ul

#define KINFO_MMAP_MAX    64
#define KINFO_MODULES_MAX 8
#define KINFO_CMDLINE_MAX 8192 /* GETINFO_CMDLINE; longer ones are cut, loudly */

struct mem_range {
	paddr_t start;
	uint64_t bytes;
};

struct kinfo {
	/* Usable memory as the loader told, page-aligned, sorted. */
	struct mem_range usable[KINFO_MMAP_MAX];
	/* What of it is free for VM: without kernel, boot module, boot-time allocations; the
	 * kernel's low part given back. */
	struct mem_range free[KINFO_MMAP_MAX];
	uint32_t usable_count, free_count;
	struct mem_range
		module; /* the boot archive (abi/bootarch.h); VM frees its parts when used up */
	struct mem_range vm_blob; /* unused since the archive holds VM; 0 */
	paddr_t boot_root; /* VM's page table, made by the kernel; entries 256..511 go into every
			      other */
	paddr_t highest;   /* first address past all usable memory */
	vaddr_t user_base, user_end;
	vaddr_t vm_window;
	uint64_t kernel_image_bytes; /* taken by kernel text, data, symbols */
	uint64_t kernel_boot_bytes;  /* allocated by the kernel at boot: tables, stacks, procs */
	uint64_t vm_boot_bytes; /* pages the kernel mapped for VM (image, stack, its page tables) */
	vaddr_t vm_image_start,
		vm_image_end; /* VM's own pages as loaded: reserved in its address space */
	vaddr_t vm_stack_start, vm_stack_end;
	uint32_t procs_max;
	uint32_t xsave_bytes;
	uint32_t nx, page_1g;          /* processor features: 1 or 0 */
	char release[64], version[64]; /* of uname: release and version */
};
