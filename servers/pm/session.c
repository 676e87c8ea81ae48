/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/session.h"

#include <errno.h>

#include "abi/errno.h"
#include "servers/pm/notice.h"
#include "servers/pm/pm.h"
#include "servers/pm/signal.h"

bool session_group_is_orphaned(
	struct pm *pm, int32_t pgid, int32_t sid, const struct process *without)
{
	pm_for_each_process(process, pm)
	{
		const struct process *parent = process->parent;

		if (process->pgid != pgid || process == without ||
			process->state != PROCESS_ALIVE || !parent || parent == pm->init ||
			parent == without) {
			continue;
		}
		if (parent->pgid != pgid && parent->sid == sid) {
			return false;
		}
	}
	return true;
}

static bool group_has_stopped(struct pm *pm, int32_t pgid)
{
	pm_for_each_process(process, pm)
	{
		if (process->pgid == pgid && process->state == PROCESS_ALIVE && process->stopped) {
			return true;
		}
	}
	return false;
}

static void hang_up_if_orphaned(
	struct pm *pm, int32_t pgid, int32_t sid, const struct process *without)
{
	struct linux_siginfo info;

	if (!group_has_stopped(pm, pgid) || !session_group_is_orphaned(pm, pgid, sid, without)) {
		return;
	}
	info = siginfo_kernel(LSIGHUP);
	(void)signal_send_group(pm, pgid, sid, &info);
	info = siginfo_kernel(LSIGCONT);
	(void)signal_send_group(pm, pgid, sid, &info);
}

void session_process_ends(struct pm *pm, struct process *process)
{
	const struct process *parent = process->parent;

	if (parent && parent->pgid != process->pgid && parent->sid == process->sid) {
		hang_up_if_orphaned(pm, process->pgid, process->sid, process);
	}
	list_for_each(child, &process->children, struct process, sibling)
	{
		if (child->state == PROCESS_ALIVE && child->pgid != process->pgid &&
			child->sid == process->sid) {
			hang_up_if_orphaned(pm, child->pgid, child->sid, process);
		}
	}
}

void session_terminal_signal(struct pm *pm, const struct pm_kill_pgrp *request)
{
	struct linux_siginfo info;

	if (request->pgid <= 0 || !signal_is_valid(request->signo)) {
		return;
	}
	info = siginfo_kernel(request->signo);
	(void)signal_send_group(pm, request->pgid, request->sid, &info);
	if (request->and_cont) {
		info = siginfo_kernel(LSIGCONT);
		(void)signal_send_group(pm, request->pgid, request->sid, &info);
	}
}

void session_job_control(struct pm *pm, const struct pm_jobctl *request)
{
	struct thread *thread = thread_by_ep(pm, request->ep);
	struct process *process;
	struct linux_siginfo info;
	int signo = request->signo;

	if (!thread || thread->process->state != PROCESS_ALIVE || !signal_is_valid(signo)) {
		notice_jobctl_reply(pm, request->ep, -EIO, request->seq);
		return;
	}
	process = thread->process;
	if ((thread->mask & SIGNAL_BIT(signo)) ||
		process->sighand->action[signo].handler == SIGNAL_IGNORE) {
		notice_jobctl_reply(pm, request->ep, signo == LSIGTTIN ? -EIO : 0, request->seq);
		return;
	}
	if (session_group_is_orphaned(pm, process->pgid, process->sid, NULL)) {
		notice_jobctl_reply(pm, request->ep, -EIO, request->seq);
		return;
	}
	/* The verdict first: VFS has answered the program's call when it comes to the cancellation
	 * that the signal brings. */
	notice_jobctl_reply(pm, request->ep, -ERESTARTSYS, request->seq);
	info = siginfo_kernel(signo);
	(void)signal_send_group(pm, process->pgid, 0, &info);
}

static struct process *process_of_pid_or_self(struct pm *pm, struct thread *thread, int32_t pid)
{
	struct process *process = pid == 0 ? thread->process : process_by_pid(pm, pid);

	return process && !process->is_service ? process : NULL;
}

static bool group_is_in_session(struct pm *pm, int32_t pgid, int32_t sid)
{
	pm_for_each_process(process, pm)
	{
		if (process->pgid == pgid && process->sid == sid) {
			return true;
		}
	}
	return false;
}

int64_t call_setpgid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct process *self = thread->process;
	struct process *process;
	int32_t pgid = (int32_t)arg[1];

	if (pgid < 0) {
		return -EINVAL;
	}
	process = process_of_pid_or_self(pm, thread, (int32_t)arg[0]);
	if (!process || (process != self && process->parent != self)) {
		return -ESRCH;
	}
	if (process->sid != self->sid || process->pid == process->sid) {
		return -EPERM;
	}
	if (process != self && process->did_exec) {
		return -EACCES;
	}
	if (pgid == 0) {
		pgid = process->pid;
	}
	if (pgid != process->pid && !group_is_in_session(pm, pgid, self->sid)) {
		return -EPERM;
	}
	if (process->pgid != pgid) {
		process->pgid = pgid;
		if (process->state == PROCESS_ALIVE) {
			process_push_ids(process);
			notice_ids(pm, process);
		}
	}
	return 0;
}

int64_t call_getpgid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct process *process = process_of_pid_or_self(pm, thread, (int32_t)arg[0]);

	return process ? process->pgid : -ESRCH;
}

int64_t call_setsid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct process *self = thread->process;

	pm_for_each_process(process, pm)
	{
		if (process->pgid == self->pid) {
			return -EPERM;
		}
	}
	self->sid = self->pgid = self->pid;
	process_push_ids(self);
	notice_ids(pm, self);
	return self->sid;
}

int64_t call_getsid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct process *process = process_of_pid_or_self(pm, thread, (int32_t)arg[0]);

	return process ? process->sid : -ESRCH;
}
