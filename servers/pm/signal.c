/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/signal.h"

#include <errno.h>
#include <string.h>

#include "lib/sys/kcall.h"
#include "servers/pm/cred.h"
#include "servers/pm/deliver.h"
#include "servers/pm/event.h"
#include "servers/pm/exit.h"
#include "servers/pm/pm.h"
#include "servers/pm/sigcalls.h"
#include "servers/pm/timers.h"
#include "servers/pm/trace.h"

enum signal_default_action signal_default(int signo)
{
	switch (signo) {
	case LSIGCHLD:
	case LSIGURG:
	case LSIGWINCH:
		return DEFAULT_IGNORE;
	case LSIGCONT:
		return DEFAULT_CONTINUE;
	case LSIGSTOP:
	case LSIGTSTP:
	case LSIGTTIN:
	case LSIGTTOU:
		return DEFAULT_STOP;
	default:
		return DEFAULT_KILL;
	}
}

struct linux_siginfo siginfo_user(int signo, int code, const struct process *sender)
{
	struct linux_siginfo info;

	memset(&info, 0, sizeof(info));
	info.signo = signo;
	info.code = code;
	info.pid = sender->pid;
	info.uid = sender->cred.uid;
	return info;
}

struct linux_siginfo siginfo_kernel(int signo)
{
	struct linux_siginfo info;

	memset(&info, 0, sizeof(info));
	info.signo = signo;
	info.code = LSI_KERNEL;
	return info;
}

bool signal_permitted(const struct process *a, const struct process *b, int signo)
{
	if (cred_capable(a, LCAP_KILL)) {
		return true;
	}
	if (b->is_service) {
		return false;
	}
	if (signo == LSIGCONT && a->sid == b->sid) {
		return true;
	}
	return a->cred.euid == b->cred.uid || a->cred.euid == b->cred.suid ||
		a->cred.uid == b->cred.uid || a->cred.uid == b->cred.suid;
}

/* Signals that the thread's mask holds back; a sigtimedwait takes its own out of what it unblocks.
 */
static bool thread_blocks(const struct thread *thread, int signo)
{
	uint64_t blocked = thread->mask;

	if (thread->wait.kind == WAIT_SIGNAL) {
		blocked |= thread->wait.signal.set;
	}
	return (blocked & SIGNAL_BIT(signo)) != 0;
}

static bool is_held_back(const struct process *process, const struct thread *thread, int signo)
{
	if (thread) {
		return thread_blocks(thread, signo);
	}
	process_for_each_thread(one, process)
	{
		if (!one->gone && !thread_blocks(one, signo)) {
			return false;
		}
	}
	return true;
}

static bool is_ignored(
	struct pm *pm, const struct process *process, const struct thread *thread, int signo)
{
	uint64_t handler = process->sighand->action[signo].handler;
	enum signal_default_action action = signal_default(signo);

	if (trace_sees_signals(process, thread)) {
		return false;
	}
	if (process == pm->init && handler == SIGNAL_DEFAULT && action != DEFAULT_CONTINUE) {
		return true;
	}
	if (handler != SIGNAL_IGNORE && !(handler == SIGNAL_DEFAULT && action == DEFAULT_IGNORE)) {
		return false;
	}
	return !is_held_back(process, thread, signo);
}

static bool can_take(const struct thread *thread, int signo)
{
	return !thread->gone && !(thread->mask & SIGNAL_BIT(signo));
}

/* The thread that shall take a signal of the process: the leader if it can, else any, one in vfork
 * last. NULL: all block it. */
static struct thread *choose_thread(
	const struct process *process, int signo, const struct thread *except)
{
	struct thread *leader = process->leader;
	struct thread *last = NULL;

	if (leader && leader != except && can_take(leader, signo) && !thread_waits_firmly(leader)) {
		return leader;
	}
	process_for_each_thread(thread, process)
	{
		if (thread == except || !can_take(thread, signo)) {
			continue;
		}
		if (!thread_waits_firmly(thread)) {
			return thread;
		}
		last = thread;
	}
	return last;
}

static struct thread *waiter_for(const struct process *process, struct thread *thread, int signo)
{
	if (thread) {
		return thread->wait.kind == WAIT_SIGNAL &&
				(thread->wait.signal.set & SIGNAL_BIT(signo))
			? thread
			: NULL;
	}
	process_for_each_thread(one, process)
	{
		if (one->wait.kind == WAIT_SIGNAL && (one->wait.signal.set & SIGNAL_BIT(signo))) {
			return one;
		}
	}
	return NULL;
}

/* What stop and continue signals do when they are sent, whoever takes them later. */
static void job_control_effects(struct pm *pm, struct process *process, int signo)
{
	uint64_t drop = 0;

	if (signal_default(signo) == DEFAULT_STOP) {
		drop = SIGNAL_BIT(LSIGCONT);
	} else if (signo == LSIGCONT) {
		drop = SIGNALS_STOP;
	}
	if (drop == 0) {
		return;
	}
	sigqueue_drop(&process->pending, drop);
	process_for_each_thread(thread, process)
	{
		sigqueue_drop(&thread->pending, drop);
	}
	if (signo == LSIGCONT) {
		process_continue(pm, process);
		trace_process_continues(pm, process);
	}
}

/* The signal is pending: who is to do something about it? */
static void act_on(struct pm *pm, struct process *process, struct thread *thread, int signo)
{
	struct thread *taker = waiter_for(process, thread, signo);

	if (taker) {
		sigcalls_waiter_wakes(pm, taker);
		return;
	}
	taker = thread ? (thread->mask & SIGNAL_BIT(signo) ? NULL : thread)
		       : choose_thread(process, signo, NULL);
	if (!taker) {
		return;
	}
	if (process != pm->init && process->sighand->action[signo].handler == SIGNAL_DEFAULT &&
		signal_default(signo) == DEFAULT_KILL && !process->stopped &&
		!taker->trace.tracer) {
		process_terminate(pm, process, STATUS_KILLED(signo));
		return;
	}
	(void)event_publish(pm, process, PM_EVENT_SIGNAL);
	thread_kick(pm, taker);
}

bool signal_send(struct pm *pm, struct process *process, struct thread *thread,
	const struct linux_siginfo *info, struct posix_timer *timer)
{
	int signo = info->signo;
	uint32_t room = (uint32_t)u64_min(process->rlimit[LRLIM_SIGPENDING][0], 65536);

	if (process->is_service) {
		(void)sys_kill(process->leader->ep, signo, info->code, 0);
		return true;
	}
	if (process->state != PROCESS_ALIVE || (thread && thread->gone)) {
		return false;
	}
	if (signo == LSIGKILL) {
		if (process != pm->init) {
			process_terminate(pm, process, STATUS_KILLED(LSIGKILL));
		}
		return true;
	}
	job_control_effects(pm, process, signo);
	if (process->state != PROCESS_ALIVE || is_ignored(pm, process, thread, signo)) {
		return false;
	}
	if (!sigqueue_add(thread ? &thread->pending : &process->pending, info, timer, room)) {
		return false;
	}
	act_on(pm, process, thread, signo);
	return true;
}

int signal_send_queue(struct pm *pm, struct process *process, struct thread *thread,
	const struct linux_siginfo *info)
{
	const struct sigqueue *queue = thread ? &thread->pending : &process->pending;

	if (!process->is_service && info->signo >= SIGNAL_RT_MIN && info->code != LSI_USER &&
		queue->count >= process->rlimit[LRLIM_SIGPENDING][0]) {
		return -EAGAIN;
	}
	(void)signal_send(pm, process, thread, info, NULL);
	return 0;
}

void signal_send_kernel(struct pm *pm, struct process *process, int signo)
{
	struct linux_siginfo info = siginfo_kernel(signo);

	(void)signal_send(pm, process, NULL, &info, NULL);
}

int signal_send_group(struct pm *pm, int32_t pgid, int32_t sid, const struct linux_siginfo *info)
{
	int count = 0;

	/* Sending does not free the process, but may free zombies: the next is taken after it. */
	pm_for_each_process(process, pm)
	{
		if (!process->is_service && process->pgid == pgid &&
			(sid == 0 || process->sid == sid)) {
			(void)signal_send(pm, process, NULL, info, NULL);
			count++;
		}
	}
	return count;
}

void signal_fault(struct pm *pm, struct thread *thread, const struct ksig *ksig)
{
	struct process *process = thread->process;
	int signo = ksig->fault_sig;
	struct linux_sigaction *action = &process->sighand->action[signo];
	struct linux_siginfo info = siginfo_kernel(signo);

	bool is_handled = action->handler != SIGNAL_DEFAULT && action->handler != SIGNAL_IGNORE &&
		!(thread->mask & SIGNAL_BIT(signo));

	if (!is_handled) {
		if (!thread->trace.tracer) {
			process_terminate(pm, process, STATUS_KILLED(signo));
			return;
		}
		action->handler = SIGNAL_DEFAULT;
		thread->mask &= ~SIGNAL_BIT(signo);
	}
	info.code = ksig->code;
	info.address = ksig->address;
	thread->fault_signo = signo;
	thread->fault_trapno = ksig->trapno;
	thread->fault_error = ksig->error;
	thread->fault_address = ksig->address;
	(void)signal_send(pm, process, thread, &info, NULL);
}

int signal_take(struct pm *pm, struct thread *thread, uint64_t set, struct linux_siginfo *info)
{
	struct posix_timer *timer = NULL;
	int signo = sigqueue_take(&thread->pending, set, info, &timer);

	if (signo == 0) {
		signo = sigqueue_take(&thread->process->pending, set, info, &timer);
		if (signo == LSIGALRM) {
			timers_alarm_taken(pm, thread->process);
		}
	}
	if (timer) {
		timers_signal_taken(pm, timer, info);
	}
	return signo;
}

void signal_retarget(struct pm *pm, struct process *process, struct thread *except)
{
	for (int signo = 1; signo <= LINUX_NSIG && process->state == PROCESS_ALIVE; signo++) {
		struct thread *taker;

		if (!(process->pending.mask & SIGNAL_BIT(signo))) {
			continue;
		}
		taker = choose_thread(process, signo, except);
		if (taker && taker->run == RUN_FREE) {
			thread_kick(pm, taker);
		}
	}
}

void signal_set_mask(struct pm *pm, struct thread *thread, uint64_t mask)
{
	uint64_t newly_blocked;

	mask &= ~SIGNALS_UNMASKABLE;
	newly_blocked = mask & ~thread->mask;
	thread->mask = mask;
	if (newly_blocked & thread->process->pending.mask) {
		signal_retarget(pm, thread->process, thread);
	}
}
