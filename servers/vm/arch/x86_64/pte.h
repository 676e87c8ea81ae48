/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page table entries of x86-64 (Intel SDM volume 3, section 4.5): four levels of 512 entries.
 *
 * An entry that is not 0 is used. In a leaf table a used entry holds a reference to a page, also
 * when the region allows no access and the processor sees it as absent (PTE_HELD).
 */
#pragma once

#include "abi/types.h"

typedef uint64_t pte_t;

#define PTE_PRESENT       0x1ull
#define PTE_WRITE         0x2ull
#define PTE_USER          0x4ull
#define PTE_WRITE_THROUGH 0x8ull
#define PTE_UNCACHED      0x10ull
#define PTE_ACCESSED      0x20ull
#define PTE_DIRTY         0x40ull
#define PTE_HELD          0x200ull /* ours: in each leaf entry that is used */
#define PTE_UNCOUNTED     0x400ull /* ours: the page is nobody's, no reference is counted */
#define PTE_NO_EXECUTE    (1ull << 63)
#define PTE_ADDRESS       0x000ffffffffff000ull

#define PT_LEVELS       4
#define PT_ENTRIES      512
#define PT_USER_ENTRIES 256 /* of the root: the rest is the kernel's, the same in every table */

/* Bytes that one entry of a table covers; level 0 is the leaf. */
static inline uint64_t pt_entry_bytes(int level)
{
	return 1ull << (12 + 9 * level);
}

static inline unsigned pt_index(vaddr_t addr, int level)
{
	return (addr >> (12 + 9 * level)) & (PT_ENTRIES - 1);
}

static inline pte_t pte_make_table(paddr_t table)
{
	return table | PTE_PRESENT | PTE_WRITE | PTE_USER;
}

/* A leaf entry; `flags` are further PTE_ bits. Without access the processor finds nothing. */
static inline pte_t pte_make(paddr_t page, bool access, bool write, bool execute, uint64_t flags)
{
	pte_t pte = page | PTE_HELD | PTE_USER | flags;

	if (access) {
		pte |= PTE_PRESENT;
	}
	if (write) {
		pte |= PTE_WRITE;
	}
	if (!execute) {
		pte |= PTE_NO_EXECUTE;
	}
	return pte;
}

static inline paddr_t pte_paddr(pte_t pte)
{
	return pte & PTE_ADDRESS;
}

static inline bool pte_is_present(pte_t pte)
{
	return pte & PTE_PRESENT;
}

static inline bool pte_is_writable(pte_t pte)
{
	return (pte & (PTE_PRESENT | PTE_WRITE)) == (PTE_PRESENT | PTE_WRITE);
}

static inline bool pte_is_executable(pte_t pte)
{
	return (pte & PTE_PRESENT) && !(pte & PTE_NO_EXECUTE);
}

static inline pte_t pte_without_write(pte_t pte)
{
	return pte & ~PTE_WRITE;
}

/* The hardware's error code of a page fault. */
#define PF_ERROR_PRESENT 1
#define PF_ERROR_WRITE   2
#define PF_ERROR_USER    4
#define PF_ERROR_FETCH   16
