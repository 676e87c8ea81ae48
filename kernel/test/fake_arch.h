/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine for host tests: kernel/arch.h over an array of bytes, with page tables that are plain
 * tables. */
#pragma once

#include "kernel/state.h"

#define FAKE_PAGES       2048
#define FAKE_SPACES      16
#define FAKE_SPACE_PAGES 64 /* an address space has pages at 0x10000 and up */
#define FAKE_BASE        0x10000ul

/* A fresh kernel with `procs` slots. */
void fake_boot(uint32_t procs);
/* The root of address space `space`, 1 and up. */
paddr_t fake_root(unsigned space);
/* Map a page of an address space to a page of memory; NULL-like page 0: unmap. */
void fake_map(unsigned space, vaddr_t vaddr, unsigned page, bool write);
/* Where a page of memory lies on the host. */
void *fake_page(unsigned page);
/* A process of its own address space, all of whose pages are mapped, privileged to do all
 * (`service`) or a program. */
struct proc *fake_proc(bool service);
/* RS, its own signal manager: to be made after VM. */
struct proc *fake_rs(void);
unsigned fake_space_of(const struct proc *proc);
/* Its memory on the host. */
void *fake_memory(const struct proc *proc, vaddr_t vaddr);
/* As if the process executed SYSCALL: the trap, then leaving the kernel. Returns what runs next,
 * NULL: idle. */
struct proc *fake_trap(struct proc *proc, uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2,
	uint64_t a3, uint64_t a4, uint64_t a5);
int64_t fake_result(const struct proc *proc);
/* The clock. */
extern uint64_t fake_now_ns;
/* Interrupt lines as the controller sees them: bit set means unmasked. */
extern uint64_t fake_unmasked;
