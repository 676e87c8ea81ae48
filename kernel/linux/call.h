/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls of programs: routed as messages to servers by abi/linux/calls.h, or answered in the
 *kernel.
 *
 *	call --> [SENDING] --> RECEIVING from the server --> linux_call_finish --> (PROC_RESTART)
 *--> user mode
 *
 * A result that is a restart code is kept in the result register until the thread enters user mode
 *again (linux_call_restart: nobody wants a handler run, so the call starts again) or a signal frame
 *is built (linux_call_interrupt: the rules of SA_RESTART).
 */
#pragma once

#include "kernel/proc/proc.h"

/* The process executed SYSCALL with a number below TRAP_BASE. Result, or KCALL_SUSPENDED. */
int64_t linux_call(struct proc *proc, uint64_t number, const uint64_t args[6]);
/* The answer to the call in progress. */
void linux_call_finish(struct proc *proc, int64_t result);
/* Resolve a restart code in favour of running the call again. */
void linux_call_restart(struct proc *proc);
/* Resolve a restart code because a handler is about to run; `restart`: it has SA_RESTART. */
void linux_call_interrupt(struct proc *proc, bool restart);
/* Calls answered in the kernel; linux/fast.c. */
typedef int64_t (*linux_call_fn)(struct proc *proc, const uint64_t args[6]);
linux_call_fn linux_kernel_call(uint64_t number);
