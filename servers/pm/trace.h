/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traced threads: where they stand for their tracer, and how they go on. The requests of ptrace(2)
 * are in ptrace.c.
 *
 *             trace_boundary: call_at, exec_due, group_due, trap_due, step_due
 *             trace_signal: a signal is to be taken; trace_event, trace_ends: within a call
 *     TRACE_RUNS ----------------------------------------------> TRACE_AT_..., TRACE_IN_GROUP_STOP
 *          ^                                                         |           |PTRACE_LISTEN
 *          +------------------- trace_go, trace_detach --------------+---- TRACE_LISTENS
 *
 * Invariants:
 *  1. A thread that stands (stop is not TRACE_RUNS) is RUN_STOPPED, or waits in WAIT_TRACER.
 *  2. Nothing but trace_go, trace_detach and the end of the thread lets it run.
 *  3. trace.tracer is ALIVE; the thread is in its list of tracees.
 *  4. A process is hidden if and only if a struct trace_ended of its tracer points to it.
 */
#pragma once

#include "servers/pm/process.h"

/* The tracer gets the thread; it inherits nothing. */
void trace_attach(struct thread *thread, struct process *tracer, bool seized, uint32_t options);
/* A child of a traced thread, which has not run: traced as its parent is, and stops first. */
void trace_inherit(struct thread *child, const struct thread *parent);
/* It is nobody's any more and goes on, taking signo (0: none). The thread may end in here. */
void trace_detach(struct pm *pm, struct thread *thread, int signo);
/* It stands: let it go on with mode (TRACEE_*), taking signo. The thread may end in here. */
void trace_go(struct pm *pm, struct thread *thread, uint32_t mode, int signo);

/* It stands in a group stop and stays there until that ends, or until it is interrupted: if that
 * has happened already it stands anew. */
void trace_listen(struct pm *pm, struct thread *thread);

/* It has to stop for its tracer at the boundary of user mode. */
bool trace_has_work(const struct thread *thread);
/* It is there (RUN_STOPPED) and traced. True: it stands. */
bool trace_boundary(struct pm *pm, struct thread *thread);
/* It is about to take this signal: it stands. */
void trace_signal(struct pm *pm, struct thread *thread, const struct linux_siginfo *info);
/* Within its call: if the tracer asked for the event the thread stands, and does `then` when it
 * goes on. False: it did not. */
bool trace_event(struct pm *pm, struct thread *thread, int event, uint64_t message,
	enum trace_then then, int64_t result);
/* The same for PTRACE_EVENT_EXIT, of a thread that may be outside of any call. */
bool trace_ends(struct pm *pm, struct thread *thread, enum trace_then then, int32_t status);
/* Its exec has succeeded. */
void trace_exec(struct thread *thread, int32_t former_tid);

/* Job control. */
void trace_process_stops(struct process *process);
void trace_process_continues(struct pm *pm, struct process *process);
/* Its parent traces it: what stops it is told once. */
bool trace_is_by_parent(const struct process *process);
/* Signals that would be ignored go to the tracer first. thread NULL: to any of the process. */
bool trace_sees_signals(const struct process *process, const struct thread *thread);

/* A thread that is not the last ends. If it is traced: the tracer that wait_tell_tracer tells, when
 * the thread is gone (the tracer may end in there, and take the process with it); else NULL. */
struct process *trace_thread_ends(struct thread *thread, int32_t status);
/* The leader ends with its process: the tracer that waits for it before the parent does; NULL: the
 * parent is the first. */
struct process *trace_leader_ends(struct thread *leader);
/* The tracer knows; a hidden process comes to its parent, and may be freed in here. */
void trace_ended_free(struct pm *pm, struct trace_ended *ended);
/* A process that may be a tracer ends: its tracees are free, or killed. And when its end is
 * complete, what it has not waited for comes to the parents: before it is a zombie, which a parent
 * that is woken in here would free. */
void trace_tracer_ends(struct pm *pm, struct process *tracer);
void trace_tracer_ended(struct pm *pm, struct process *tracer);
