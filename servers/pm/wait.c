/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/wait.h"

#include <string.h>

#include "servers/pm/deliver.h"
#include "servers/pm/pm.h"
#include "servers/pm/signal.h"
#include "servers/pm/trace.h"
#include "servers/pm/usage.h"
#include "servers/pm/user.h"

#define WAIT_PENDING INT64_MIN /* of wait_try: nothing yet */

static struct linux_siginfo child_info(const struct process *child, int code, int status)
{
	struct linux_siginfo info;
	struct cpu_time time = usage_of_process(child);

	memset(&info, 0, sizeof(info));
	info.signo = LSIGCHLD;
	info.code = code;
	info.pid = child->pid;
	info.uid = child->cred.uid;
	info.status = status;
	info.utime = (int64_t)(time.user_ns / NS_PER_TICK);
	info.stime = (int64_t)(time.system_ns / NS_PER_TICK);
	return info;
}

static bool status_was_exit(int32_t status)
{
	return (status & 0x7f) == 0;
}

static struct linux_siginfo ended_info(const struct process *child)
{
	int32_t status = child->exit_status;

	if (status_was_exit(status)) {
		return child_info(child, LCLD_EXITED, (status >> 8) & 0xff);
	}
	return child_info(child, LCLD_KILLED, status & 0x7f);
}

static bool child_matches(const struct process *child, const struct wait_child *wait)
{
	if (wait->idtype == LP_PID && child->pid != wait->id) {
		return false;
	}
	if (wait->idtype == LP_PGID && child->pgid != wait->id) {
		return false;
	}
	if (!(wait->options & LWALL) &&
		(child->exit_signal != LSIGCHLD) != !!(wait->options & LWCLONE)) {
		return false;
	}
	return true;
}

/* Tells the caller about the child, or the thread, that info names. child NULL: of no usage. */
static int64_t report(struct thread *thread, const struct wait_child *wait,
	const struct process *child, int32_t status, const struct linux_siginfo *info)
{
	int32_t pid = info->pid;
	int r = 0;

	if (wait->rusage) {
		struct usage usage = {.time = {0}};
		struct linux_rusage rusage;

		if (child) {
			usage = usage_full(child);
			usage_add(&usage, &child->children_usage);
		}
		rusage = usage_to_linux(&usage);
		r = user_write(thread, wait->rusage, &rusage, sizeof(rusage));
	}
	if (r == 0 && wait->status) {
		r = user_write(thread, wait->status, &status, sizeof(status));
	}
	if (r == 0 && wait->info) {
		r = user_write(thread, wait->info, info, sizeof(*info));
	}
	return r < 0 ? r : wait->is_waitid ? 0 : pid;
}

static int64_t reap(
	struct pm *pm, struct thread *thread, const struct wait_child *wait, struct process *child)
{
	struct linux_siginfo info = ended_info(child);
	int64_t result = report(thread, wait, child, child->exit_status, &info);

	if (!(wait->options & LWNOWAIT)) {
		struct usage *sum = &thread->process->children_usage;

		usage_add(sum, &child->ended);
		usage_add(sum, &child->children_usage);
		process_free(pm, child);
	}
	return result;
}

static int64_t report_stop(
	struct thread *thread, const struct wait_child *wait, struct process *child)
{
	struct linux_siginfo info = child_info(child, LCLD_STOPPED, child->stop_signo);

	if (!(wait->options & LWNOWAIT)) {
		child->stop_unreported = false;
	}
	return report(thread, wait, child, STATUS_STOPPED(child->stop_signo), &info);
}

static int64_t report_continue(
	struct thread *thread, const struct wait_child *wait, struct process *child)
{
	struct linux_siginfo info = child_info(child, LCLD_CONTINUED, LSIGCONT);

	if (!(wait->options & LWNOWAIT)) {
		child->continue_unreported = false;
	}
	return report(thread, wait, child, STATUS_CONTINUED, &info);
}

static bool tracee_matches(const struct wait_child *wait, int32_t tid, int32_t pgid)
{
	return wait->idtype == LP_ALL || wait->id == (wait->idtype == LP_PID ? tid : pgid);
}

static int64_t report_tracee(
	struct thread *thread, const struct wait_child *wait, struct thread *tracee)
{
	struct linux_siginfo info = child_info(tracee->process, LCLD_TRAPPED, tracee->trace.code);

	info.pid = tracee->tid;
	if (!(wait->options & LWNOWAIT)) {
		tracee->trace.unreported = false;
	}
	return report(thread, wait, tracee->process, STATUS_STOPPED(tracee->trace.code), &info);
}

static struct linux_siginfo tracee_ended_info(int32_t tid, uint32_t uid, int32_t status)
{
	struct linux_siginfo info;
	bool was_exit = status_was_exit(status);

	memset(&info, 0, sizeof(info));
	info.signo = LSIGCHLD;
	info.code = was_exit ? LCLD_EXITED : LCLD_KILLED;
	info.pid = tid;
	info.uid = uid;
	info.status = was_exit ? (status >> 8) & 0xff : status & 0x7f;
	return info;
}

/* Threads that the caller's process traces: stops, whatever the options, and ends. */
static int64_t tracees_try(
	struct pm *pm, struct thread *thread, const struct wait_child *wait, bool *any)
{
	struct process *tracer = thread->process;

	list_for_each(tracee, &tracer->tracees, struct thread, trace.link)
	{
		if (!tracee_matches(wait, tracee->tid, tracee->process->pgid)) {
			continue;
		}
		*any = true;
		if (tracee->trace.unreported && tracee->process->state == PROCESS_ALIVE) {
			return report_tracee(thread, wait, tracee);
		}
	}
	list_for_each(ended, &tracer->trace_ended, struct trace_ended, link)
	{
		struct linux_siginfo info =
			tracee_ended_info(ended->tid, ended->uid, ended->status);
		int64_t result;

		if (!tracee_matches(wait, ended->tid, ended->pgid)) {
			continue;
		}
		*any = true;
		if (!(wait->options & LWEXITED)) {
			continue;
		}
		result = report(thread, wait, ended->process, ended->status, &info);
		if (!(wait->options & LWNOWAIT)) {
			trace_ended_free(pm, ended);
		}
		return result;
	}
	return WAIT_PENDING;
}

void wait_tell_tracer(struct pm *pm, struct process *tracer, int32_t tid, int32_t status)
{
	struct linux_siginfo info = tracee_ended_info(tid, 0, status);

	if (tracer->state != PROCESS_ALIVE) {
		return;
	}
	wait_waiters_wake(pm, tracer);
	if (tracer->state == PROCESS_ALIVE) {
		(void)signal_send(pm, tracer, NULL, &info, NULL);
	}
}

/* The answer, or WAIT_PENDING. */
static int64_t wait_try(struct pm *pm, struct thread *thread, const struct wait_child *wait)
{
	struct linux_siginfo nothing;
	bool any = false;
	int64_t result;

	list_for_each(child, &thread->process->children, struct process, sibling)
	{
		if (!child_matches(child, wait)) {
			continue;
		}
		any = true;
		if (child->state == PROCESS_ZOMBIE && !child->hidden &&
			(wait->options & LWEXITED)) {
			return reap(pm, thread, wait, child);
		}
		if (child->stop_unreported && (wait->options & LWUNTRACED) &&
			child->state == PROCESS_ALIVE && !trace_is_by_parent(child)) {
			return report_stop(thread, wait, child);
		}
		if (child->continue_unreported && (wait->options & LWCONTINUED) &&
			child->state == PROCESS_ALIVE) {
			return report_continue(thread, wait, child);
		}
	}
	result = tracees_try(pm, thread, wait, &any);
	if (result != WAIT_PENDING) {
		return result;
	}
	if (!any) {
		return -ECHILD;
	}
	if (!(wait->options & LWNOHANG)) {
		return WAIT_PENDING;
	}
	memset(&nothing, 0, sizeof(nothing));
	return user_write_if(thread, wait->info, &nothing, sizeof(nothing));
}

void wait_waiters_wake(struct pm *pm, struct process *parent)
{
	process_for_each_thread(thread, parent)
	{
		int64_t result;

		if (thread->wait.kind != WAIT_CHILD) {
			continue;
		}
		result = wait_try(pm, thread, &thread->wait.child);
		if (result != WAIT_PENDING) {
			thread_reply(pm, thread, result);
			if (parent->state != PROCESS_ALIVE) {
				return;
			}
		}
	}
}

void wait_notify_parent(struct pm *pm, struct process *child, int code, int status)
{
	struct process *parent = child->parent;
	struct linux_siginfo info = child_info(child, code, status);

	if (!parent || parent->state != PROCESS_ALIVE) {
		return;
	}
	/* Who waits for the child gets it by its call, the signal comes after. */
	wait_waiters_wake(pm, parent);
	if (parent->state == PROCESS_ALIVE &&
		!(parent->sighand->action[LSIGCHLD].flags & LSA_NOCLDSTOP)) {
		(void)signal_send(pm, parent, NULL, &info, NULL);
	}
}

static bool parent_ignores(const struct process *parent, const struct process *child)
{
	const struct linux_sigaction *action = &parent->sighand->action[LSIGCHLD];

	return child->exit_signal == LSIGCHLD &&
		(action->handler == SIGNAL_IGNORE || (action->flags & LSA_NOCLDWAIT));
}

void wait_child_ended(struct pm *pm, struct process *child)
{
	struct process *parent = child->parent;
	struct linux_siginfo info = ended_info(child);

	if (!parent || parent->state != PROCESS_ALIVE) {
		if (child != pm->init) {
			process_free(pm, child);
		}
		return;
	}
	info.signo = child->exit_signal;
	if (parent_ignores(parent, child)) {
		process_free(pm, child);
	}
	wait_waiters_wake(pm, parent);
	if (info.signo != 0 && parent->state == PROCESS_ALIVE) {
		(void)signal_send(pm, parent, NULL, &info, NULL);
	}
}

void wait_zombies_adopted(struct pm *pm, struct process *parent)
{
	struct linux_siginfo info;

	if (parent->state != PROCESS_ALIVE) {
		return;
	}
	list_for_each_safe(child, &parent->children, struct process, sibling)
	{
		if (child->state == PROCESS_ZOMBIE && !child->hidden &&
			parent_ignores(parent, child)) {
			process_free(pm, child);
		}
	}
	info = siginfo_kernel(LSIGCHLD);
	wait_waiters_wake(pm, parent);
	if (parent->state == PROCESS_ALIVE) {
		(void)signal_send(pm, parent, NULL, &info, NULL);
	}
}

static int64_t wait_start(struct pm *pm, struct thread *thread, const struct wait_child *wait)
{
	int64_t result = wait_try(pm, thread, wait);

	if (result != WAIT_PENDING) {
		return result;
	}
	thread->wait.child = *wait;
	thread_wait(thread, WAIT_CHILD);
	return CALL_NO_REPLY;
}

int64_t call_wait4(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	int32_t pid = (int32_t)arg[0];
	uint32_t options = (uint32_t)arg[2];
	struct wait_child wait = {
		.status = arg[1], .rusage = arg[3], .options = options | LWEXITED};

	if (options & ~(LWNOHANG | LWUNTRACED | LWCONTINUED | LWNOTHREAD | LWCLONE | LWALL)) {
		return -EINVAL;
	}
	if (pid == INT32_MIN) {
		return -ESRCH;
	}
	if (pid > 0) {
		wait.idtype = LP_PID;
		wait.id = pid;
	} else if (pid != -1) {
		wait.idtype = LP_PGID;
		wait.id = pid == 0 ? thread->process->pgid : -pid;
	}
	return wait_start(pm, thread, &wait);
}

int64_t call_waitid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	int32_t idtype = (int32_t)arg[0];
	int32_t id = (int32_t)arg[1];
	uint32_t options = (uint32_t)arg[3];
	struct wait_child wait = {.idtype = idtype,
		.id = id,
		.info = arg[2],
		.rusage = arg[4],
		.options = options,
		.is_waitid = true};

	if ((options &
		    ~(LWNOHANG | LWNOWAIT | LWEXITED | LWUNTRACED | LWCONTINUED | LWNOTHREAD |
			    LWCLONE | LWALL)) ||
		!(options & (LWEXITED | LWUNTRACED | LWCONTINUED))) {
		return -EINVAL;
	}
	switch (idtype) {
	case LP_ALL:
		break;
	case LP_PID:
		if (id <= 0) {
			return -EINVAL;
		}
		break;
	case LP_PGID:
		if (id < 0) {
			return -EINVAL;
		}
		if (id == 0) {
			wait.id = thread->process->pgid;
		}
		break;
	default:
		return -EINVAL;
	}
	return wait_start(pm, thread, &wait);
}
