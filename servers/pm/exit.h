/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of threads and processes. The order of a process's end:
 *
 *   all threads stopped (the scheduler hears of a stopped one no more), other threads cleared
 *   services that asked are told, and answer                EXITING
 *   VM_WILLEXIT (no more faults are served)
 *   VFS_PM_EXIT, asynchronously: files are closed            EXITING
 *   ... VFS answers
 *   sys_clear, VM_EXIT: slot and memory are free             ZOMBIE
 *   parent told; freed when waited for (or at once when the parent ignores SIGCHLD)
 *
 * A process whose exec VFS is working on ends when that has been answered.
 */
#pragma once

#include "servers/pm/process.h"

/* End a process; status as wait4 stores it. Nothing when it is ending already. All threads but the
 * leader are freed. */
void process_terminate(struct pm *pm, struct process *process, int32_t status);
/* End one thread that is neither the leader nor the last one, or a leader before exec by another.
 * Freed. _told: with this status for its tracer, which may end in here and kill the process. */
void thread_end(struct pm *pm, struct thread *thread);
void thread_end_told(struct pm *pm, struct thread *thread, int32_t status);
/* The call exit of one thread; code as _exit has it. */
void exit_thread(struct pm *pm, struct thread *thread, int32_t code);
/* Its vfork waits for the child, or answers with the child's pid if that has gone its way. */
void exit_wait_vfork(struct pm *pm, struct thread *parent, int64_t child_pid);
/* The services that wanted to know have answered: the second half of process_terminate. */
void exit_go_on(struct pm *pm, struct process *process);
/* VFS has answered VFS_PM_EXIT. */
void exit_answered(struct pm *pm, endpoint_t ep, uint32_t seq);
/* The child does not need the parent's memory any more (exec or end). */
void exit_release_vfork(struct pm *pm, struct process *child);

int64_t call_exit(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_exit_group(struct pm *pm, struct thread *thread, const uint64_t *arg);
