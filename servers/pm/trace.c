/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/trace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "abi/linux/ptrace.h"
#include "lib/sys/kcall.h"
#include "servers/pm/deliver.h"
#include "servers/pm/exit.h"
#include "servers/pm/pm.h"
#include "servers/pm/signal.h"
#include "servers/pm/usage.h"
#include "servers/pm/wait.h"

#define CODE_OF_EVENT(event, signo) ((signo) | (event) << 8)
#define CODE_SYSGOOD                0x80
#define ENDED_MAX                   1024 /* ends of threads that a tracer need not wait for at once */

void trace_attach(struct thread *thread, struct process *tracer, bool seized, uint32_t options)
{
	struct tracee *trace = &thread->trace;

	assert(!trace->tracer);
	memset(trace, 0, sizeof(*trace));
	list_init(&trace->link);
	trace->tracer = tracer;
	trace->seized = seized;
	trace->options = options;
	list_add_tail(&tracer->tracees, &trace->link);
}

void trace_inherit(struct thread *child, const struct thread *parent)
{
	const struct tracee *from = &parent->trace;
	struct linux_siginfo info = siginfo_kernel(LSIGSTOP);

	trace_attach(child, from->tracer, from->seized, from->options);
	if (from->seized) {
		child->trace.trap_due = true;
	} else {
		(void)sigqueue_add(&child->pending, &info, NULL, 1);
	}
}

/* The tracer's wait4, and SIGCHLD. The thread may end in here, when its tracer does. */
static void tell_tracer(struct pm *pm, const struct thread *thread)
{
	struct process *tracer = thread->trace.tracer;
	struct cpu_time time = usage_of_process(thread->process);
	struct linux_siginfo info = siginfo_user(LSIGCHLD, LCLD_TRAPPED, thread->process);

	info.pid = thread->tid;
	info.status = thread->trace.code & 0x7f;
	info.utime = (int64_t)(time.user_ns / NS_PER_TICK);
	info.stime = (int64_t)(time.system_ns / NS_PER_TICK);
	wait_waiters_wake(pm, tracer);
	if (tracer->state == PROCESS_ALIVE &&
		!(tracer->sighand->action[LSIGCHLD].flags & LSA_NOCLDSTOP)) {
		(void)signal_send(pm, tracer, NULL, &info, NULL);
	}
}

static void stand(struct pm *pm, struct thread *thread, enum trace_stop stop, int32_t code,
	const struct linux_siginfo *info)
{
	struct tracee *trace = &thread->trace;
	struct process *process = thread->process;

	trace->stop = stop;
	trace->code = code;
	trace->unreported = true;
	trace->has_info = info != NULL;
	if (info) {
		trace->info = *info;
	}
	tell_tracer(pm, thread);
	if (process->state == PROCESS_ALIVE) {
		process_check_stop(pm, process);
	}
}

/* A stop that is no signal's looks like a SIGTRAP of its own. */
static void stand_trap(struct pm *pm, struct thread *thread, enum trace_stop stop, int32_t code)
{
	struct linux_siginfo info = siginfo_user(LSIGTRAP, code, thread->process);

	info.pid = thread->tid;
	info.signo = code & 0x7f;
	stand(pm, thread, stop, code, &info);
}

static void stand_in_group(struct pm *pm, struct thread *thread)
{
	const struct process *process = thread->process;
	int signo = process->stopped ? process->stop_signo : LSIGTRAP;

	thread->trace.group_due = thread->trace.trap_due = false;
	if (thread->trace.seized) {
		stand_trap(
			pm, thread, TRACE_IN_GROUP_STOP, CODE_OF_EVENT(LPTRACE_EVENT_STOP, signo));
	} else {
		stand(pm, thread, TRACE_IN_GROUP_STOP, signo, NULL);
	}
}

void trace_listen(struct pm *pm, struct thread *thread)
{
	thread->trace.stop = TRACE_LISTENS;
	thread->trace.unreported = false;
	if (thread->trace.trap_due) {
		stand_in_group(pm, thread);
	}
}

bool trace_has_work(const struct thread *thread)
{
	const struct tracee *trace = &thread->trace;

	return trace->call_at != STOP_NO_CALL || trace->exec_due || trace->group_due ||
		trace->trap_due || trace->step_due || trace->signo != 0;
}

static void stand_at_call(struct pm *pm, struct thread *thread)
{
	struct tracee *trace = &thread->trace;
	bool begins = trace->call_at == STOP_CALL_BEGINS;
	int32_t code = LSIGTRAP | (trace->options & LPTRACE_O_TRACESYSGOOD ? CODE_SYSGOOD : 0);

	trace->call_at = STOP_NO_CALL;
	stand_trap(pm, thread, begins ? TRACE_AT_CALL : TRACE_AT_RESULT, code);
}

bool trace_boundary(struct pm *pm, struct thread *thread)
{
	struct tracee *trace = &thread->trace;
	struct stop_info info;

	if (trace->stop != TRACE_RUNS) {
		return true;
	}
	if (trace->exec_due) {
		trace->exec_due = false;
		stand_trap(pm, thread, TRACE_AT_EVENT, CODE_OF_EVENT(LPTRACE_EVENT_EXEC, LSIGTRAP));
		return true;
	}
	if (thread->wait.kind == WAIT_NONE && trace->call_at == STOP_NO_CALL) {
		(void)thread_stop(thread, &info);
	}
	if (trace->call_at != STOP_NO_CALL) {
		stand_at_call(pm, thread);
	} else if (trace->group_due || trace->trap_due) {
		stand_in_group(pm, thread);
	} else if (trace->step_due) {
		trace->step_due = false;
		stand_trap(pm, thread, TRACE_AT_EVENT, LSIGTRAP);
	} else {
		return false;
	}
	return true;
}

void trace_signal(struct pm *pm, struct thread *thread, const struct linux_siginfo *info)
{
	stand(pm, thread, TRACE_AT_SIGNAL, info->signo, info);
}

bool trace_event(struct pm *pm, struct thread *thread, int event, uint64_t message,
	enum trace_then then, int64_t result)
{
	struct tracee *trace = &thread->trace;

	if (!trace->tracer || !(trace->options & LPTRACE_O_EVENT(event))) {
		return false;
	}
	trace->message = message;
	trace->then = then;
	trace->result = result;
	if (thread->in_call) {
		thread_wait(thread, WAIT_TRACER);
	}
	stand_trap(pm, thread, TRACE_AT_EVENT, CODE_OF_EVENT(event, LSIGTRAP));
	return true;
}

bool trace_ends(struct pm *pm, struct thread *thread, enum trace_then then, int32_t status)
{
	return trace_event(pm, thread, LPTRACE_EVENT_EXIT, (uint64_t)status, then, status);
}

void trace_exec(struct thread *thread, int32_t former_tid)
{
	struct linux_siginfo info = siginfo_user(LSIGTRAP, LSI_USER, thread->process);
	struct tracee *trace = &thread->trace;

	if (!trace->tracer) {
		return;
	}
	if (trace->options & LPTRACE_O_EVENT(LPTRACE_EVENT_EXEC)) {
		trace->exec_due = true;
		trace->message = (uint64_t)former_tid;
	} else if (!trace->seized) {
		(void)sigqueue_add(&thread->pending, &info, NULL, 1);
	}
}

/* What it does when it goes on. */
static void go_on(struct pm *pm, struct thread *thread)
{
	struct tracee *trace = &thread->trace;
	enum trace_then then = trace->then;
	int64_t result = trace->result;

	trace->then = THEN_GO_ON;
	if (thread->wait.kind == WAIT_TRACER) {
		thread->wait.kind = WAIT_NONE;
	}
	switch (then) {
	case THEN_REPLY:
		thread_reply(pm, thread, result);
		break;
	case THEN_WAIT_VFORK:
		exit_wait_vfork(pm, thread, result);
		break;
	case THEN_EXIT:
		exit_thread(pm, thread, (int32_t)result);
		break;
	case THEN_TERMINATE:
		process_terminate(pm, thread->process, (int32_t)result);
		break;
	default:
		thread_kick(pm, thread);
		break;
	}
}

/* At a signal: it is taken, or the one that the tracer puts in its place, which waits if it is
 * blocked. Elsewhere a new one. */
static void set_signal(struct thread *thread, enum trace_stop stop, int signo)
{
	struct tracee *trace = &thread->trace;
	struct linux_siginfo info;

	if (signo == 0) {
		return;
	}
	if (stop == TRACE_AT_SIGNAL) {
		if (trace->info.signo != signo) {
			trace->info = siginfo_user(signo, LSI_USER, trace->tracer);
		}
		if (thread->mask & ~SIGNALS_UNMASKABLE & SIGNAL_BIT(signo)) {
			(void)sigqueue_add(&thread->pending, &trace->info, NULL, 1);
		} else {
			trace->signo = signo;
		}
	} else if (stop == TRACE_AT_CALL || stop == TRACE_AT_RESULT) {
		info = siginfo_kernel(signo);
		(void)sigqueue_add(&thread->pending, &info, NULL, 1);
	}
}

static void kernel_go(struct thread *thread, enum trace_stop stop, uint32_t mode)
{
	thread->trace.stop = TRACE_RUNS;
	thread->trace.unreported = false;
	thread->trace.mode = mode;
	(void)sys_trace(TRACEE_GO, thread->ep, mode, 0);
	if (stop == TRACE_AT_CALL) {
		/* Its call comes before anything else. */
		thread->run = RUN_FREE;
		(void)sys_resume(thread->ep);
	}
}

void trace_go(struct pm *pm, struct thread *thread, uint32_t mode, int signo)
{
	enum trace_stop stop = thread->trace.stop;

	set_signal(thread, stop, signo);
	kernel_go(thread, stop, mode);
	go_on(pm, thread);
}

static void forget(struct thread *thread)
{
	struct tracee *trace = &thread->trace;

	list_remove(&trace->link);
	memset(trace, 0, sizeof(*trace));
	list_init(&trace->link);
}

void trace_detach(struct pm *pm, struct thread *thread, int signo)
{
	struct tracee *trace = &thread->trace;
	struct tracee kept;

	if (thread->process->state != PROCESS_ALIVE) {
		forget(thread);
		return;
	}
	set_signal(thread, trace->stop, signo);
	kernel_go(thread, trace->stop, 0);
	kept = *trace;
	forget(thread);
	trace->signo = kept.signo;
	trace->info = kept.info;
	trace->then = kept.then;
	trace->result = kept.result;
	go_on(pm, thread);
}

void trace_process_stops(struct process *process)
{
	process_for_each_thread(thread, process)
	{
		thread->trace.group_due = thread->trace.tracer != NULL;
	}
}

void trace_process_continues(struct pm *pm, struct process *process)
{
	process_for_each_thread(thread, process)
	{
		struct tracee *trace = &thread->trace;

		trace->group_due = false;
		if (!trace->tracer || !trace->seized) {
			continue;
		}
		if (trace->stop == TRACE_LISTENS) {
			stand_in_group(pm, thread);
		} else {
			trace->trap_due = true;
		}
		if (process->state != PROCESS_ALIVE) {
			return;
		}
	}
}

bool trace_is_by_parent(const struct process *process)
{
	return process->leader && process->leader->trace.tracer &&
		process->leader->trace.tracer == process->parent;
}

bool trace_sees_signals(const struct process *process, const struct thread *thread)
{
	const struct thread *target = thread ? thread : process->leader;

	return target && target->trace.tracer;
}

/* Processes that wait to be told count among the user's; threads do not. */
static bool may_record_thread(const struct process *tracer)
{
	unsigned count = 0;

	list_for_each(ended, &tracer->trace_ended, struct trace_ended, link)
	{
		count++;
	}
	return count < ENDED_MAX;
}

/* process NULL: of one thread. Without memory the tracer finds the thread gone. */
static void record(struct thread *thread, int32_t status, struct process *process)
{
	struct trace_ended *ended = process || may_record_thread(thread->trace.tracer)
		? calloc(1, sizeof(*ended))
		: NULL;

	if (ended) {
		list_init(&ended->link);
		ended->tid = thread->tid;
		ended->pgid = thread->process->pgid;
		ended->uid = thread->process->cred.uid;
		ended->status = status;
		ended->process = process;
		list_add_tail(&thread->trace.tracer->trace_ended, &ended->link);
		if (process) {
			process->hidden = true;
		}
	}
}

struct process *trace_thread_ends(struct thread *thread, int32_t status)
{
	struct process *tracer = thread->trace.tracer;

	if (tracer) {
		record(thread, status, NULL);
		forget(thread);
	}
	return tracer;
}

struct process *trace_leader_ends(struct thread *leader)
{
	struct process *process = leader->process;
	struct process *tracer = leader->trace.tracer;

	if (!tracer || tracer == process->parent) {
		if (tracer) {
			forget(leader);
		}
		return NULL;
	}
	record(leader, process->exit_status, process);
	forget(leader);
	return process->hidden ? tracer : NULL;
}

void trace_ended_free(struct pm *pm, struct trace_ended *ended)
{
	struct process *process = ended->process;

	list_remove(&ended->link);
	free(ended);
	if (process) {
		process->hidden = false;
		wait_child_ended(pm, process);
	}
}

void trace_tracer_ends(struct pm *pm, struct process *tracer)
{
	while (!list_is_empty(&tracer->tracees)) {
		struct thread *thread = list_first(&tracer->tracees, struct thread, trace.link);
		const struct tracee *trace = &thread->trace;

		if (trace->options & LPTRACE_O_EXITKILL) {
			forget(thread);
			signal_send_kernel(pm, thread->process, LSIGKILL);
		} else {
			/* info is what the tracer made of it */
			trace_detach(pm, thread, trace->stop == TRACE_AT_SIGNAL ? trace->code : 0);
		}
	}
}

void trace_tracer_ended(struct pm *pm, struct process *tracer)
{
	while (!list_is_empty(&tracer->trace_ended)) {
		trace_ended_free(pm, list_first(&tracer->trace_ended, struct trace_ended, link));
	}
}
