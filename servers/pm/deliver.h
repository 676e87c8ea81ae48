/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing threads to the boundary of user mode, and what happens to them there: signal frames,
 * job-control stops.
 *
 * A thread's `run` is one of
 *
 *            thread_kick: sys_stop says STOP_USER, or it waits in PM
 *      +-----------------------------------------------------------+
 *      |                                                           v
 *   RUN_FREE --thread_kick: in a call of VFS--> RUN_CANCELLING --VFS answers--> RUN_STOPPED
 *    ^ ^   \---thread_kick: in another's call-> RUN_IN_CALL ---ksig bit 0------>   |
 *    | |                                                                          | boundary:
 *    | +------------- nothing (left) to do: sys_resume ---------------------------+ signals, stops
 *    +--------------- a handler is to run:  sys_sigsend --------------------------+
 *
 * from -> to: function
 *   FREE -> STOPPED, CANCELLING, IN_CALL: thread_kick (sys_stop)
 *   FREE -> STOPPED: thread_reply, when there is work: stopped first, then answered, so that it
 * does not run in between CANCELLING -> STOPPED: thread_cancel_answered IN_CALL -> STOPPED:
 * thread_call_ended STOPPED -> FREE: boundary (sys_resume, sys_sigsend) any -> (freed): exit.c
 *
 * Invariants:
 *  1. RUN_FREE means that the kernel does not hold the thread stopped; in every other state it
 * does.
 *  2. RUN_STOPPED: the thread is in user mode, or waits in a call of PM (wait.kind != WAIT_NONE).
 * No other server will touch its memory or its registers.
 *  3. A thread whose call PM is working on right now (in_call, WAIT_NONE) is never kicked:
 * thread_reply looks for work.
 *  4. A thread in WAIT_VFORK, WAIT_EXEC or WAIT_REBOOT is never kicked: the end of the wait looks
 * for work.
 *  5. When a process is stopped each of its threads is RUN_STOPPED, or on its way there, or in a
 * wait of invariant 4; the parent is told when the last one has arrived.
 *  6. The call of a thread that is being interrupted is answered with a restart code before
 * sys_sigsend: the kernel decides by the handler's flags whether it is EINTR or a call again.
 */
#pragma once

#include "servers/pm/process.h"

/* Signals that the thread could take now. */
uint64_t thread_deliverable(const struct thread *thread);
/* In a wait of invariant 4. */
bool thread_waits_firmly(const struct thread *thread);
/* Its process is stopped or it has signals to take. */
bool thread_has_work(const struct thread *thread);
/* sys_stop, and what the kernel says of a traced call is kept. */
int thread_stop(struct thread *thread, struct stop_info *info);
/* It has work: bring it to the boundary (at once, if that can be). The thread and its process may
 * end in here. */
void thread_kick(struct pm *pm, struct thread *thread);
/* Kick all threads of a process (stop, continue). */
void process_kick(struct pm *pm, struct process *process);
/* Answer its call, and let it run or work its signals off. The thread and its process may end in
 * here. */
void thread_reply(struct pm *pm, struct thread *thread, int64_t result);
/* Its call has ended without an answer (rt_sigreturn, execve): only look for work. */
void thread_call_ends(struct pm *pm, struct thread *thread);
/* VFS has answered VFS_PM_CANCEL. */
void thread_cancel_answered(struct pm *pm, struct thread *thread, uint32_t seq);
/* The kernel says that a call of another server has ended. */
void thread_call_ended(struct pm *pm, struct thread *thread);
/* The thread waits in its call from now on. */
void thread_wait(struct thread *thread, enum wait_kind kind);
/* Job control: stop by signo, and go on. */
void process_stop(struct pm *pm, struct process *process, int signo);
void process_continue(struct pm *pm, struct process *process);
/* After a thread ended, or came to stand: is the whole process stopped now? */
void process_check_stop(struct pm *pm, struct process *process);
