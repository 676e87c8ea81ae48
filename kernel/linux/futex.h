/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * futex(2): wait and wake by the address of a word. Two threads meet if they name the same address
 * of one address space, or (shared futexes) words that are the same physical memory at the moment
 * of the wake.
 */
#pragma once

#include "kernel/proc/proc.h"

int64_t futex_call(struct proc *proc, const uint64_t args[6]);
/* Its time is over; called by the timer. */
void futex_expired(struct timer *timer);
/* Take the thread out of its wait; its result is `result`. */
void futex_cancel(struct proc *proc, int64_t result);
/* restart_syscall of an interrupted wait with a relative timeout. */
int64_t futex_resume(struct proc *proc);
/*
 * The thread ends (CLEARTID_RUN): clear its tid word and wake one that waits for it, mark the
 * robust futexes it holds as ownerless; then forget both. 0, or KCALL_SUSPENDED on behalf of
 * `caller`, to be run again.
 */
int64_t futex_thread_exit(struct proc *caller, struct proc *proc);
void futex_init(void);
