/* SPDX-License-Identifier: BSD-2-Clause */
/* The SYSCALL instruction as C (abi/trap.h). Only lib/sys uses it. */
#pragma once

#include "abi/trap.h"
#include "lib/undo/outbox.h"

static inline int64_t trap_instruction(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	int64_t result;
	register uint64_t r10 __asm__("r10") = a3;
	register uint64_t r8 __asm__("r8") = a4;
	register uint64_t r9 __asm__("r9") = a5;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* Within a window of lib/undo some traps wait until it ends; others close it. */
static inline int64_t sys_trap(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	const uint64_t first[] = {a0, a1, a2, a3, a4};

	return undo_takes_trap(nr, first) ? 0 : trap_instruction(nr, a0, a1, a2, a3, a4, a5);
}
