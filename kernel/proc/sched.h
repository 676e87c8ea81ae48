/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who runs next. Policy lives in the user-mode scheduler: the kernel keeps queues by priority,
 * counts quanta, and tells a thread's scheduler when one is used up (SCHED_NO_QUANTUM, sent on the
 * thread's behalf).
 */
#pragma once

#include "abi/types.h"

struct cpu;
struct proc;

void sched_init(struct cpu *cpu);
/* Called by rts_set and rts_clear only. */
void sched_enqueue(struct proc *proc);
void sched_dequeue(struct proc *proc);
/* New priority and quantum; the thread may run again if it waited for that. -EINVAL: out of range.
 */
int sched_set(struct proc *proc, int priority, uint64_t quantum_ns);
/* The caller gives way to equals. */
void sched_yield_current(struct proc *proc);
/* A thread whose scheduler died is the kernel's. */
void sched_orphan(endpoint_t scheduler);
/* The last thing of each kernel entry: charge the time, pick a process, make it ready to run in
 * user mode. */
struct proc *sched_leave(void);
/* The first thing of each kernel entry: charge the time in user mode. */
void sched_enter(struct proc *proc);
