/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of traced threads (PROC_TRACE_*).
 *
 *   SYSCALL --traced_call_begins--> CALL_BEGINS, P_STOP --TRACEE_GO: traced_go--> the call is made
 *   ... --about to enter user mode: traced_leave--> P_STOP --TRACEE_GO--> user mode
 *
 * Invariants:
 *  1. CALL_BEGINS implies CALL_ENDS and P_STOP; registers are as Linux shows them: rax is -ENOSYS,
 * proc->call the number, and the instruction pointer is behind SYSCALL.
 *  2. While CALL_ENDS is set the thread does not enter user mode. What makes a call run again sets
 * CALL_AGAIN instead of going back over the instruction, so that the call begins and ends once for
 * its tracer.
 */
#pragma once

#include "kernel/proc/proc.h"

/* The thread has executed SYSCALL. True: it stands for its tracer. */
bool traced_call_begins(struct proc *proc, uint64_t number);
/* TRACEE_GO, on behalf of the caller, whose address space is loaded. */
void traced_go(struct proc *caller, struct proc *proc, uint32_t flags);
/* About to enter user mode, with PROC_TRACE_WORK and its address space loaded. False: look for
 * another one. */
bool traced_leave(struct proc *proc);
/* The call has to be made again from the start, by its result register or as invariant 2 says. */
void traced_run_again(struct proc *proc);
/* Its execve has succeeded: the call's end is still to be told. */
void traced_exec(struct proc *proc);
/* It has been stopped by its manager: where it stands, enum stop_traced. */
int traced_stopped(struct proc *proc);
