/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/deliver.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "abi/errno.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "servers/pm/exit.h"
#include "servers/pm/notice.h"
#include "servers/pm/pm.h"
#include "servers/pm/service.h"
#include "servers/pm/session.h"
#include "servers/pm/signal.h"
#include "servers/pm/sleep.h"
#include "servers/pm/timers.h"
#include "servers/pm/trace.h"
#include "servers/pm/wait.h"

static void boundary(struct pm *pm, struct thread *thread);

uint64_t thread_deliverable(const struct thread *thread)
{
	return (thread->pending.mask | thread->process->pending.mask) & ~thread->mask;
}

bool thread_has_work(const struct thread *thread)
{
	bool stops = thread->trace.tracer ? trace_has_work(thread) : thread->process->stopped;

	return stops || thread_deliverable(thread) != 0;
}

bool thread_waits_firmly(const struct thread *thread)
{
	return thread->wait.kind == WAIT_VFORK || thread->wait.kind == WAIT_EXEC ||
		thread->wait.kind == WAIT_TRACER || thread->wait.kind == WAIT_REBOOT;
}

void thread_wait(struct thread *thread, enum wait_kind kind)
{
	thread->wait.kind = kind;
}

int thread_stop(struct thread *thread, struct stop_info *info)
{
	int r = sys_stop(thread->ep, info);

	if (r >= 0 && info->traced != STOP_NO_CALL) {
		thread->trace.call_at = (enum stop_traced)info->traced;
	}
	return r;
}

void thread_kick(struct pm *pm, struct thread *thread)
{
	struct stop_info info = {0};

	if (thread->gone || thread->process->state != PROCESS_ALIVE ||
		thread_waits_firmly(thread)) {
		return;
	}
	if (thread->in_call && thread->wait.kind == WAIT_NONE) {
		return;
	}
	if (thread->run == RUN_STOPPED) {
		boundary(pm, thread);
		return;
	}
	if (thread->run != RUN_FREE || !thread_has_work(thread) || thread_stop(thread, &info) < 0 ||
		info.where == STOP_DEAD) {
		return;
	}
	if (thread->wait.kind != WAIT_NONE || info.where == STOP_USER) {
		thread->run = RUN_STOPPED;
		boundary(pm, thread);
	} else if (info.server == EP_VFS) {
		thread->run = RUN_CANCELLING;
		notice_cancel(pm, thread);
	} else {
		thread->run = RUN_IN_CALL;
	}
}

/* As long as the process is alive a kick frees no thread. */
void process_kick(struct pm *pm, struct process *process)
{
	process_for_each_thread(thread, process)
	{
		thread_kick(pm, thread);
		if (process->state != PROCESS_ALIVE) {
			return;
		}
	}
}

/* What an interrupted wait answers. */
static int64_t wait_interrupt(struct pm *pm, struct thread *thread)
{
	int64_t result = -EINTR;

	switch (thread->wait.kind) {
	case WAIT_CHILD:
		result = -ERESTARTSYS;
		break;
	case WAIT_PAUSE:
	case WAIT_SUSPEND:
		result = -ERESTARTNOHAND;
		break;
	case WAIT_SLEEP:
		result = sleep_interrupt(pm, thread);
		break;
	default:
		break;
	}
	cpu_timer_disarm(pm, &thread->timer);
	thread->wait.kind = WAIT_NONE;
	return result;
}

static void answer(struct thread *thread, int64_t result)
{
	thread->in_call = false;
	ipc_reply_call(thread->ep, result);
}

void thread_call_ends(struct pm *pm, struct thread *thread)
{
	thread->in_call = false;
	thread->wait.kind = WAIT_NONE;
	if (thread->run == RUN_STOPPED || thread_has_work(thread)) {
		thread_kick(pm, thread);
	}
}

void thread_reply(struct pm *pm, struct thread *thread, int64_t result)
{
	struct stop_info info;

	if (thread->wait.kind != WAIT_NONE) {
		cpu_timer_disarm(pm, &thread->timer);
		thread->wait.kind = WAIT_NONE;
	}
	if (thread->run == RUN_FREE && thread_has_work(thread) && thread_stop(thread, &info) >= 0) {
		thread->run = RUN_STOPPED;
	}
	answer(thread, result);
	if (thread->run == RUN_STOPPED) {
		boundary(pm, thread);
	}
}

void thread_cancel_answered(struct pm *pm, struct thread *thread, uint32_t seq)
{
	if (thread->run == RUN_CANCELLING && thread->cancel_seq == seq) {
		thread->run = RUN_STOPPED;
		boundary(pm, thread);
	}
}

/* A traced thread stands at the beginning or the end of a call, unless it has been seen to before
 * the kernel's word of it came. */
static void look_at_call(struct pm *pm, struct thread *thread)
{
	struct stop_info info;

	if (thread_stop(thread, &info) < 0) {
		return;
	}
	if (thread->trace.call_at == STOP_NO_CALL) {
		(void)sys_resume(thread->ep);
		return;
	}
	thread->run = RUN_STOPPED;
	boundary(pm, thread);
}

void thread_call_ended(struct pm *pm, struct thread *thread)
{
	if (thread->run == RUN_IN_CALL) {
		thread->run = RUN_STOPPED;
		boundary(pm, thread);
	} else if (thread->run == RUN_FREE && thread->trace.tracer) {
		look_at_call(pm, thread);
	}
}

/* The handler's frame on the thread's stack; it runs when this returns 0. */
static int frame_send(struct thread *thread, int signo, const struct linux_siginfo *info)
{
	struct linux_sigaction *action = &thread->process->sighand->action[signo];
	struct sigsend_spec spec = {
		.signo = signo,
		.sa_flags = (uint32_t)action->flags,
		.handler = action->handler,
		.restorer = action->restorer,
		.mask = thread->restore_mask ? thread->saved_mask : thread->mask,
		.altstack_sp = thread->altstack_sp,
		.altstack_size = thread->altstack_size,
		.altstack_flags = thread->altstack_flags,
		.use_altstack =
			(action->flags & LSA_ONSTACK) && !(thread->altstack_flags & LSS_DISABLE),
	};
	int r;

	if (thread->fault_signo == signo) {
		spec.trapno = thread->fault_trapno;
		spec.error = thread->fault_error;
		spec.fault_address = thread->fault_address;
		thread->fault_signo = 0;
	}
	memcpy(spec.siginfo, info, sizeof(spec.siginfo));
	r = sys_sigsend(thread->ep, &spec);
	if (r < 0) {
		return r;
	}
	thread->restore_mask = false;
	thread->mask |= action->mask & ~SIGNALS_UNMASKABLE;
	if (!(action->flags & LSA_NODEFER)) {
		thread->mask |= SIGNAL_BIT(signo);
	}
	if (spec.use_altstack && (thread->altstack_flags & LSS_AUTODISARM)) {
		thread->altstack_sp = thread->altstack_size = 0;
		thread->altstack_flags = LSS_DISABLE;
	}
	if (action->flags & LSA_RESETHAND) {
		action->handler = SIGNAL_DEFAULT;
	}
	return 0;
}

/* *decided: its tracer has seen it. */
static int take_signal(
	struct pm *pm, struct thread *thread, struct linux_siginfo *info, bool *decided)
{
	*decided = thread->trace.signo != 0 || !thread->trace.tracer;
	if (thread->trace.signo != 0) {
		thread->trace.signo = 0;
		*info = thread->trace.info;
		return info->signo;
	}
	return signal_take(pm, thread, ~thread->mask, info);
}

/* Default action of a signal that the thread has taken. False: the thread may not be touched any
 * more. */
static bool default_action(struct pm *pm, struct thread *thread, int signo)
{
	struct process *process = thread->process;

	switch (signal_default(signo)) {
	case DEFAULT_IGNORE:
	case DEFAULT_CONTINUE:
		return true;
	case DEFAULT_STOP:
		if (signo == LSIGSTOP ||
			!session_group_is_orphaned(pm, process->pgid, process->sid, NULL)) {
			thread->trace.group_due = process->stopped;
			process_stop(pm, process, signo);
			return process->state == PROCESS_ALIVE;
		}
		return true;
	default:
		if (process == pm->init) {
			return true;
		}
		if (!trace_ends(pm, thread, THEN_TERMINATE, STATUS_KILLED(signo))) {
			process_terminate(pm, process, STATUS_KILLED(signo));
		}
		return false;
	}
}

/* Run the handler. False: the thread may not be touched any more. */
static bool handler_action(
	struct pm *pm, struct thread *thread, int signo, const struct linux_siginfo *info)
{
	struct stop_info stop;
	int r;

	if (thread->wait.kind != WAIT_NONE) {
		answer(thread, wait_interrupt(pm, thread));
	}
	r = frame_send(thread, signo, info);
	if (r == -EFAULT) {
		process_terminate(pm, thread->process, STATUS_KILLED(LSIGSEGV));
		return false;
	}
	thread->run = RUN_FREE;
	thread->trace.step_due = thread->trace.tracer && (thread->trace.mode & TRACEE_STEP);
	if (r < 0 || !thread_has_work(thread) || thread_stop(thread, &stop) < 0) {
		return false;
	}
	/* More signals: their frames lie on this one. */
	thread->run = RUN_STOPPED;
	return true;
}

static void let_run(struct thread *thread)
{
	thread->run = RUN_FREE;
	(void)sys_resume(thread->ep);
}

/* What keeps the thread where it is: services that are to answer an event, its tracer, job control.
 */
static bool stands_still(struct pm *pm, struct thread *thread)
{
	struct process *process = thread->process;

	if (process->unanswered != 0) {
		return true;
	}
	if (thread->trace.tracer) {
		if (thread->trace.stop == TRACE_RUNS && thread->wait.kind != WAIT_NONE &&
			thread_has_work(thread)) {
			answer(thread, wait_interrupt(pm, thread));
		}
		return trace_boundary(pm, thread);
	}
	if (process->stopped) {
		process_check_stop(pm, process);
	}
	return process->stopped;
}

/* The thread is RUN_STOPPED: do what there is to do, then let it run. */
static void boundary(struct pm *pm, struct thread *thread)
{
	struct process *process = thread->process;

	assert(thread->run == RUN_STOPPED);
	while (process->state == PROCESS_ALIVE && !thread->gone) {
		struct linux_siginfo info;
		uint64_t handler;
		bool decided;
		int signo;

		if (stands_still(pm, thread)) {
			return;
		}
		signo = take_signal(pm, thread, &info, &decided);
		if (signo == 0) {
			if (thread->wait.kind == WAIT_NONE && thread->restore_mask) {
				thread->mask = thread->saved_mask;
				thread->restore_mask = false;
				continue;
			}
			let_run(thread);
			return;
		}
		if (!decided) {
			trace_signal(pm, thread, &info);
			return;
		}
		if (process->is_service) {
			if (!service_takes(pm, thread, signo)) {
				return;
			}
			continue;
		}
		handler = process->sighand->action[signo].handler;
		if (handler == SIGNAL_IGNORE) {
			continue;
		}
		if (handler == SIGNAL_DEFAULT ? !default_action(pm, thread, signo)
					      : !handler_action(pm, thread, signo, &info)) {
			return;
		}
	}
}

void process_stop(struct pm *pm, struct process *process, int signo)
{
	if (process->stopped || process->state != PROCESS_ALIVE) {
		return;
	}
	process->stopped = true;
	process->stop_complete = false;
	process->stop_signo = signo;
	process->continue_unreported = false;
	trace_process_stops(process);
	process_kick(pm, process);
	process_check_stop(pm, process);
}

void process_check_stop(struct pm *pm, struct process *process)
{
	if (!process->stopped || process->stop_complete || process->state != PROCESS_ALIVE) {
		return;
	}
	process_for_each_thread(thread, process)
	{
		bool handled_now = thread->in_call && thread->wait.kind == WAIT_NONE &&
			thread->run == RUN_FREE;

		if (!thread->gone && !thread_waits_firmly(thread) && thread->run != RUN_STOPPED &&
			!handled_now) {
			return;
		}
	}
	process->stop_complete = true;
	process->stop_unreported = true;
	if (!trace_is_by_parent(process)) {
		wait_notify_parent(pm, process, LCLD_STOPPED, process->stop_signo);
	}
}

void process_continue(struct pm *pm, struct process *process)
{
	bool was_complete = process->stop_complete;

	if (!process->stopped) {
		return;
	}
	process->stopped = false;
	process->stop_complete = false;
	process->stop_unreported = false;
	if (was_complete) {
		process->continue_unreported = true;
		wait_notify_parent(pm, process, LCLD_CONTINUED, LSIGCONT);
	}
	process_kick(pm, process);
}
