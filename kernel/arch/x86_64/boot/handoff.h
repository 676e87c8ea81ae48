/* SPDX-License-Identifier: BSD-2-Clause */
/* What the unpaged boot part hands to the high kernel: the loader's information, copied, and the
 * first page table. */
#pragma once

#include <stdint.h>

#define HANDOFF_RANGES  64
#define HANDOFF_MODULES 16
#define HANDOFF_CMDLINE 8192

struct handoff_range {
	uint64_t base;   /* physical, bytes */
	uint64_t length; /* bytes */
};

struct handoff {
	struct handoff_range
		usable[HANDOFF_RANGES]; /* RAM as the loader told, page aligned, sorted */
	struct handoff_range free[HANDOFF_RANGES];     /* what of it nobody uses */
	struct handoff_range modules[HANDOFF_MODULES]; /* boot modules where the loader put them */
	uint32_t usable_count;
	uint32_t free_count;
	uint32_t module_count;
	uint64_t root;        /* physical address of the bootstrap PML4 */
	uint64_t direct_end;  /* the direct map covers physical 0 to here */
	uint64_t ram_bytes;   /* all RAM the loader reported as available */
	uint64_t ram_end;     /* one past the highest byte of RAM */
	uint64_t table_bytes; /* taken for the page tables */
	uint64_t low_base;    /* the unpaged part itself, free once the high kernel runs */
	uint64_t low_length;
	uint64_t no_execute;  /* PTE_NO_EXECUTE where the CPU has it, else 0 */
	uint32_t cmdline_cut; /* 1: it was longer */
	char cmdline[HANDOFF_CMDLINE];
};
