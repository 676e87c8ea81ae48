/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is not there: page faults of processes, and what the kernel itself needs (memory
 * requests). */
#pragma once

#include "kernel/proc/proc.h"

/* Bits of a page fault's error code. */
#define FAULT_PRESENT 1
#define FAULT_WRITE   2
#define FAULT_USER    4
#define FAULT_FETCH   16

/*
 * The process cannot go on without the page at `address`: it waits (PAGEFAULT) and VM gets
 * VM_PAGEFAULT from it. Outside of user space it gets SIGSEGV. A fault of VM itself is fatal.
 */
void fault_report(struct proc *proc, vaddr_t address, uint64_t error);
/* VM has answered. -EINVAL: it has no page fault. */
int fault_clear(struct proc *proc);

/*
 * The caller's kernel call needs memory of `target`: it waits (VMREQUEST) until VM has answered,
 * then the call runs again. Returns KCALL_SUSPENDED, or -EFAULT where nobody could bring the memory
 * in (VM's own, or VM waits itself).
 */
int64_t memreq_suspend(
	struct proc *caller, struct proc *target, vaddr_t address, uint64_t bytes, bool write);
/*
 * Any request (abi/kcall.h) on behalf of the caller's call, which waits for the answer; requestor
 * and id are filled in here. -EFAULT: VM itself is involved.
 */
int64_t memreq_post(struct proc *caller, const struct memreq *request);
/* The oldest request that VM has not seen; false: none. */
bool memreq_fetch(struct memreq *request);
/*
 * VM's answer: run the call again, or end it, as the kind of the request says. Late answers to
 * nobody or to an older request (id; 0: any) are fine.
 */
void memreq_answer(struct proc *requestor, int64_t result, uint32_t id);
/* The memory of `target` is going to be another one: calls that wait for it look again. */
void memreq_rerun(struct proc *target);
/* Give a waiting request up: the call is as if it had not begun. */
void memreq_cancel(struct proc *proc);
/* The process dies: its own request goes, requests for its memory fail. */
void memreq_release(struct proc *proc);
