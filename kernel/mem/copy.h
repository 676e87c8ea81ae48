/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying between processes, through their page tables and the direct map. A page that is absent,
 * or shared copy-on-write where it is written, suspends the caller until VM has brought it in; then
 * its call runs again from the start, so a call must copy before it changes anything else.
 */
#pragma once

#include "abi/kcall.h"
#include "abi/linux/errno.h"
#include "kernel/proc/proc.h"

/* The caller waits for memory and its call will run again: there is no result to store. Same value
 * as IPC_BLOCKED. */
#define KCALL_SUSPENDED INT64_MIN

/* One side of a copy; proc NULL: the address is physical. */
struct copy_side {
	struct proc *proc;
	uint64_t address;
};

/* Only one side is not waited for. */
#define COPY_TRY_SRC 2
#define COPY_TRY_DST 4

/* 0, -EFAULT (no such memory, or absent with COPY_TRY), or KCALL_SUSPENDED. */
int64_t copy_between(struct proc *caller, struct copy_side src, struct copy_side dst,
	uint64_t bytes, unsigned flags);
int64_t copy_set(struct proc *caller, struct copy_side dst, uint8_t byte, uint64_t bytes);
/* From and to the caller's own memory, whose address space is loaded. */
int64_t copy_in(struct proc *caller, void *to, vaddr_t from, size_t bytes);
int64_t copy_out(struct proc *caller, vaddr_t to, const void *from, size_t bytes);
/* From and to kernel memory; may suspend the caller as the others do. */
int64_t copy_from(struct proc *caller, struct proc *src, vaddr_t from, void *to, uint64_t bytes);
int64_t copy_to(
	struct proc *caller, struct proc *dst, vaddr_t to, const void *from, uint64_t bytes);
/* The same without waiting: 0 or -EFAULT. */
int copy_peek(struct proc *src, vaddr_t from, void *to, uint64_t bytes);
int copy_poke(struct proc *dst, vaddr_t to, const void *from, uint64_t bytes);
/* A piece of the process' memory in physical terms: as arch_translate, suspending like a copy. */
int64_t copy_translate(struct proc *caller, struct copy_side side, bool write, uint64_t wanted,
	paddr_t *paddr, uint64_t *bytes);
