/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What PM tells and asks VFS and SCHED: always asynchronous, in order; PM waits for none of it. The
 * answers that VFS owes arrive as messages of their own, with the sequence number given here.
 */
#pragma once

#include "abi/message.h"
#include "lib/core/list.h"

struct pm;
struct process;
struct thread;

/* In pm->backlog. */
struct backlog_entry {
	struct list link;
	endpoint_t dst;
	struct message message;
};

/* Sent now, or when there is room again; order to one receiver is kept. */
void notice_send(struct pm *pm, endpoint_t dst, const struct message *m);
/* From the main loop: try the backlog again. */
void notice_flush(struct pm *pm);
uint32_t notice_next_seq(struct pm *pm);

/* flags: VFS_FORK_* */
void notice_fork(
	struct pm *pm, const struct thread *parent, const struct thread *child, uint32_t flags);
void notice_thread_exit(struct pm *pm, const struct thread *thread);
/* Answered; sets process->exit_seq. */
void notice_exit(struct pm *pm, struct process *process);
/* Answered; sets thread->cancel_seq. */
void notice_cancel(struct pm *pm, struct thread *thread);
/* Ids, process group, session; groups too. */
void notice_ids(struct pm *pm, const struct process *process);
void notice_groups(struct pm *pm, const struct process *process);
void notice_jobctl_reply(struct pm *pm, endpoint_t ep, int32_t result, uint32_t seq);
void notice_rlimit(struct pm *pm, const struct process *process, int which);

/* parent NULL: the default priority. */
void notice_sched_start(struct pm *pm, const struct thread *thread, const struct thread *parent);
void notice_sched_nice(struct pm *pm, const struct process *process);
