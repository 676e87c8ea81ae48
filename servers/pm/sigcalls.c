/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/sigcalls.h"

#include "lib/sys/kcall.h"
#include "servers/pm/deliver.h"
#include "servers/pm/exit.h"
#include "servers/pm/pm.h"
#include "servers/pm/signal.h"
#include "servers/pm/sleep.h"
#include "servers/pm/user.h"

#define SIGSET_BYTES    8
#define LSA_UNSUPPORTED 0x400u

/* A signal that would be thrown away now: pending ones go when the action becomes "ignore". */
static bool action_ignores(const struct linux_sigaction *action, int signo)
{
	return action->handler == SIGNAL_IGNORE ||
		(action->handler == SIGNAL_DEFAULT && signal_default(signo) == DEFAULT_IGNORE);
}

int64_t call_rt_sigaction(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct process *process = thread->process;
	int signo = (int)arg[0];
	struct linux_sigaction old, new;

	if (!signal_is_valid(signo) || arg[3] != SIGSET_BYTES) {
		return -EINVAL;
	}
	if (arg[1] != 0) {
		if (signo == LSIGKILL || signo == LSIGSTOP) {
			return -EINVAL;
		}
		if (user_read(thread, arg[1], &new, sizeof(new)) < 0) {
			return -EFAULT;
		}
	}
	old = process->sighand->action[signo];
	if (arg[1] != 0) {
		new.mask &= ~SIGNALS_UNMASKABLE;
		new.flags &= ~(uint64_t)LSA_UNSUPPORTED;
		process->sighand->action[signo] = new;
		if (action_ignores(&new, signo)) {
			sigqueue_drop(&process->pending, SIGNAL_BIT(signo));
			process_for_each_thread(one, process)
			{
				sigqueue_drop(&one->pending, SIGNAL_BIT(signo));
			}
		}
	}
	return user_write_if(thread, arg[2], &old, sizeof(old));
}

int64_t call_rt_sigprocmask(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	uint64_t old = thread->mask;
	uint64_t new = old;
	uint64_t set;

	if (arg[3] != SIGSET_BYTES) {
		return -EINVAL;
	}
	if (arg[1] != 0) {
		if (user_read(thread, arg[1], &set, sizeof(set)) < 0) {
			return -EFAULT;
		}
		switch ((int)arg[0]) {
		case LSIG_BLOCK:
			new = old | set;
			break;
		case LSIG_UNBLOCK:
			new = old & ~set;
			break;
		case LSIG_SETMASK:
			new = set;
			break;
		default:
			return -EINVAL;
		}
		signal_set_mask(pm, thread, new);
	}
	return user_write_if(thread, arg[2], &old, sizeof(old));
}

int64_t call_rt_sigpending(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	uint64_t pending = (thread->pending.mask | thread->process->pending.mask) & thread->mask;

	if (arg[1] > SIGSET_BYTES) {
		return -EINVAL;
	}
	return user_write(thread, arg[0], &pending, arg[1]);
}

int64_t call_pause(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	thread_wait(thread, WAIT_PAUSE);
	if (thread_has_work(thread)) {
		thread_kick(pm, thread);
	}
	return CALL_NO_REPLY;
}

int64_t call_rt_sigsuspend(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	uint64_t mask;

	if (arg[1] != SIGSET_BYTES) {
		return -EINVAL;
	}
	if (user_read(thread, arg[0], &mask, sizeof(mask)) < 0) {
		return -EFAULT;
	}
	thread->saved_mask = thread->mask;
	thread->restore_mask = true;
	signal_set_mask(pm, thread, mask);
	thread_wait(thread, WAIT_SUSPEND);
	if (thread_has_work(thread)) {
		thread_kick(pm, thread);
	}
	return CALL_NO_REPLY;
}

/* The answer of rt_sigtimedwait when a signal of its set is pending, else 0. */
static int64_t take_for_waiter(
	struct pm *pm, struct thread *thread, uint64_t set, uint64_t info_address)
{
	struct linux_siginfo info;
	int signo = signal_take(pm, thread, set, &info);

	if (signo != 0 && user_write_if(thread, info_address, &info, sizeof(info)) < 0) {
		return -EFAULT;
	}
	return signo;
}

void sigcalls_waiter_wakes(struct pm *pm, struct thread *thread)
{
	int64_t result =
		take_for_waiter(pm, thread, thread->wait.signal.set, thread->wait.signal.info);

	if (result != 0) {
		thread_reply(pm, thread, result);
	}
}

void sigtimedwait_expired(struct pm *pm, struct pm_timer *timer)
{
	thread_reply(pm, container_of(timer, struct thread, timer.timer), -EAGAIN);
}

int64_t call_rt_sigtimedwait(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct linux_timespec timeout;
	uint64_t set, ns = 0;
	int64_t result;

	if (arg[3] != SIGSET_BYTES) {
		return -EINVAL;
	}
	if (user_read(thread, arg[0], &set, sizeof(set)) < 0) {
		return -EFAULT;
	}
	if (arg[2] != 0) {
		if (user_read(thread, arg[2], &timeout, sizeof(timeout)) < 0) {
			return -EFAULT;
		}
		if (!timespec_to_ns(&timeout, &ns)) {
			return -EINVAL;
		}
	}
	set &= ~SIGNALS_UNMASKABLE;
	result = take_for_waiter(pm, thread, set, arg[1]);
	if (result != 0) {
		return result;
	}
	if (arg[2] != 0 && ns == 0) {
		return -EAGAIN;
	}
	thread->wait.signal.set = set;
	thread->wait.signal.info = arg[1];
	thread_wait(thread, WAIT_SIGNAL);
	if (arg[2] != 0) {
		thread->timer.timer.kind = TIMER_SIGNAL_WAIT;
		timerq_arm(pm, &thread->timer.timer, u64_min(sys_monotonic_ns() + ns, INT64_MAX));
	}
	return CALL_NO_REPLY;
}

static void altstack_set(struct thread *thread, uint64_t sp, uint64_t size, uint32_t flags)
{
	thread->altstack_sp = sp;
	thread->altstack_size = size;
	thread->altstack_flags = flags & (LSS_DISABLE | LSS_AUTODISARM);
	if (size == 0) {
		thread->altstack_flags |= LSS_DISABLE;
	}
}

int64_t call_rt_sigreturn(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct sigreturn_info info = {0};

	if (sys_sigreturn(thread->ep, &info) < 0) {
		process_terminate(pm, thread->process, STATUS_KILLED(LSIGSEGV));
		return CALL_NO_REPLY;
	}
	altstack_set(thread, info.altstack_sp, info.altstack_size, info.altstack_flags);
	thread->in_call = false;
	signal_set_mask(pm, thread, info.mask);
	thread_call_ends(pm, thread);
	return CALL_NO_REPLY;
}

static bool is_on_altstack(const struct thread *thread, uint64_t sp)
{
	return !(thread->altstack_flags & (LSS_DISABLE | LSS_AUTODISARM)) &&
		sp > thread->altstack_sp && sp - thread->altstack_sp <= thread->altstack_size;
}

/* arg[6] is the caller's stack pointer. */
int64_t call_sigaltstack(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct linux_stack_t old = {.sp = thread->altstack_sp, .size = thread->altstack_size};
	bool on_it = is_on_altstack(thread, arg[6]);
	struct linux_stack_t new;
	uint32_t mode;

	old.flags = (int32_t)(thread->altstack_flags & (LSS_AUTODISARM | LSS_DISABLE)) |
		(on_it ? LSS_ONSTACK : 0);
	if (arg[0] != 0) {
		if (user_read(thread, arg[0], &new, sizeof(new)) < 0) {
			return -EFAULT;
		}
		if (on_it) {
			return -EPERM;
		}
		mode = (uint32_t) new.flags & ~LSS_AUTODISARM;
		if (mode != 0 && mode != LSS_DISABLE && mode != LSS_ONSTACK) {
			return -EINVAL;
		}
		if (mode == LSS_DISABLE) {
			altstack_set(thread, 0, 0, (uint32_t) new.flags);
		} else if (new.size < LMINSIGSTKSZ) {
			return -ENOMEM;
		} else {
			altstack_set(
				thread, new.sp, new.size, (uint32_t) new.flags &LSS_AUTODISARM);
		}
	}
	return user_write_if(thread, arg[1], &old, sizeof(old));
}

void sigcalls_temporary_mask(struct pm *pm, const struct pm_sigmask *request)
{
	struct thread *thread = thread_by_ep(pm, request->ep);

	if (!thread || thread->process->state != PROCESS_ALIVE) {
		return;
	}
	if (request->set) {
		if (!thread->restore_mask) {
			thread->saved_mask = thread->mask;
			thread->restore_mask = true;
		}
		signal_set_mask(pm, thread, request->mask);
	} else if (thread->restore_mask) {
		thread->restore_mask = false;
		signal_set_mask(pm, thread, thread->saved_mask);
	}
	if (thread_has_work(thread)) {
		thread_kick(pm, thread);
	}
}

/* Processes that kill with a pid of 0 or below means. */
static bool kill_means(
	struct pm *pm, const struct process *self, int32_t pid, const struct process *process)
{
	if (process->is_service) {
		return false;
	}
	if (pid == -1) {
		return process != pm->init && process != self;
	}
	return process->pgid == (pid == 0 ? self->pgid : -pid);
}

static int64_t kill_many(
	struct pm *pm, struct process *self, int32_t pid, const struct linux_siginfo *info)
{
	bool any = false, permitted = false;

	pm_for_each_process(process, pm) /* as in signal_send_group */
	{
		if (!kill_means(pm, self, pid, process)) {
			continue;
		}
		any = true;
		if (!signal_permitted(self, process, info->signo)) {
			continue;
		}
		permitted = true;
		if (info->signo != 0) {
			(void)signal_send(pm, process, NULL, info, NULL);
		}
	}
	return permitted ? 0 : any ? -EPERM : -ESRCH;
}

/* The process that a pid names; any thread's number will do, as on Linux. */
static struct process *process_of_pid(struct pm *pm, int32_t pid)
{
	struct process *process = process_by_pid(pm, pid);
	struct thread *thread;

	if (process) {
		return process;
	}
	thread = thread_by_tid(pm, pid);
	return thread ? thread->process : NULL;
}

int64_t call_kill(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct process *self = thread->process;
	int32_t pid = (int32_t)arg[0];
	int signo = (int)arg[1];
	struct linux_siginfo info;
	struct process *process;

	if (signo < 0 || signo > LINUX_NSIG) {
		return -EINVAL;
	}
	info = siginfo_user(signo, LSI_USER, self);
	if (pid == INT32_MIN) {
		return -ESRCH;
	}
	if (pid <= 0) {
		return kill_many(pm, self, pid, &info);
	}
	process = process_of_pid(pm, pid);
	if (!process) {
		return -ESRCH;
	}
	if (!signal_permitted(self, process, signo)) {
		return -EPERM;
	}
	if (process->leader && process->leader->ep == EP_PM && signo != 0) {
		/* PM itself: it may not come back to answer. */
		thread_reply(pm, thread, 0);
		(void)signal_send_queue(pm, process, NULL, &info);
		return CALL_NO_REPLY;
	}
	return signo == 0 ? 0 : signal_send_queue(pm, process, NULL, &info);
}

/* tkill, tgkill, rt_tgsigqueueinfo: one thread; tgid 0: of whatever process. */
static int64_t kill_thread(struct pm *pm, struct thread *self, int32_t tgid, int32_t tid,
	const struct linux_siginfo *info)
{
	struct thread *thread;

	if (tid <= 0 || tgid < 0 || info->signo < 0 || info->signo > LINUX_NSIG) {
		return -EINVAL;
	}
	thread = thread_by_tid(pm, tid);
	if (!thread || (tgid != 0 && thread->process->pid != tgid)) {
		struct process *process = process_by_pid(pm, tid);

		/* A zombie is still there to be signalled, in vain. */
		return process && process->state != PROCESS_ALIVE && (tgid == 0 || tgid == tid)
			? 0
			: -ESRCH;
	}
	if (!signal_permitted(self->process, thread->process, info->signo)) {
		return -EPERM;
	}
	return info->signo == 0 ? 0 : signal_send_queue(pm, thread->process, thread, info);
}

int64_t call_tkill(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct linux_siginfo info = siginfo_user((int)arg[1], LSI_TKILL, thread->process);

	return kill_thread(pm, thread, 0, (int32_t)arg[0], &info);
}

int64_t call_tgkill(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct linux_siginfo info = siginfo_user((int)arg[2], LSI_TKILL, thread->process);

	if ((int32_t)arg[0] <= 0) {
		return -EINVAL;
	}
	return kill_thread(pm, thread, (int32_t)arg[0], (int32_t)arg[1], &info);
}

/* The caller's siginfo: only to itself may it claim to come from the kernel or from kill. */
static int read_info(struct thread *thread, uint64_t address, int signo, int32_t target,
	struct linux_siginfo *info)
{
	if (user_read(thread, address, info, sizeof(*info)) < 0) {
		return -EFAULT;
	}
	if ((info->code >= 0 || info->code == LSI_TKILL) && target != thread->process->pid) {
		return -EPERM;
	}
	info->signo = signo;
	return 0;
}

int64_t call_rt_sigqueueinfo(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	int32_t pid = (int32_t)arg[0];
	int signo = (int)arg[1];
	struct linux_siginfo info;
	struct process *process;
	int r = read_info(thread, arg[2], signo, pid, &info);

	if (r < 0) {
		return r;
	}
	if (signo < 0 || signo > LINUX_NSIG) {
		return -EINVAL;
	}
	process = pid > 0 ? process_of_pid(pm, pid) : NULL;
	if (!process) {
		return -ESRCH;
	}
	if (!signal_permitted(thread->process, process, signo)) {
		return -EPERM;
	}
	return signo == 0 ? 0 : signal_send_queue(pm, process, NULL, &info);
}

int64_t call_rt_tgsigqueueinfo(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct linux_siginfo info;
	int r = read_info(thread, arg[3], (int)arg[2], (int32_t)arg[0], &info);

	if (r < 0) {
		return r;
	}
	if ((int32_t)arg[0] <= 0) {
		return -EINVAL;
	}
	return kill_thread(pm, thread, (int32_t)arg[0], (int32_t)arg[1], &info);
}
