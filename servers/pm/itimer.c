/* SPDX-License-Identifier: BSD-2-Clause */
/* setitimer, getitimer, alarm. */
#include "servers/pm/pm.h"
#include "servers/pm/signal.h"
#include "servers/pm/timers.h"
#include "servers/pm/usage.h"
#include "servers/pm/user.h"

#define LITIMER_REAL      0
#define LITIMER_VIRTUAL   1
#define LITIMER_PROF      2
#define DROPPED_PERIOD_NS 10000000ull /* least distance of expiries that nobody hears of */

struct interval {
	uint64_t value_ns, interval_ns;
};

void timers_real_expired(struct pm *pm, struct pm_timer *timer)
{
	struct process *process = container_of(timer, struct process, real_timer);
	uint64_t interval = process->real_interval_ns;
	struct linux_siginfo info = siginfo_kernel(LSIGALRM);

	process->real_expired_ns = timer->expires_ns;
	process->real_queued = interval != 0;
	if (!signal_send(pm, process, NULL, &info, NULL) &&
		!(process->pending.mask & SIGNAL_BIT(LSIGALRM)) &&
		process->state == PROCESS_ALIVE && interval != 0) {
		process->real_queued = false;
		timerq_arm(pm, timer, timer->expires_ns + u64_max(interval, DROPPED_PERIOD_NS));
	}
}

void timers_alarm_taken(struct pm *pm, struct process *process)
{
	uint64_t interval = process->real_interval_ns;
	uint64_t late;

	if (!process->real_queued || interval == 0) {
		return;
	}
	process->real_queued = false;
	late = sys_monotonic_ns() - process->real_expired_ns;
	timerq_arm(pm, &process->real_timer,
		process->real_expired_ns + (late / interval + 1) * interval);
}

static void cpu_expired(struct pm *pm, struct process *process, struct cpu_timer *timer,
	uint64_t interval, int signo)
{
	if (interval != 0) {
		cpu_timer_arm(pm, timer, cpu_timer_now(pm, timer) + interval);
	}
	signal_send_kernel(pm, process, signo);
}

void timers_virtual_expired(struct pm *pm, struct cpu_timer *timer)
{
	cpu_expired(pm, timer->process, timer, timer->process->virtual_interval_ns, LSIGVTALRM);
}

void timers_prof_expired(struct pm *pm, struct cpu_timer *timer)
{
	cpu_expired(pm, timer->process, timer, timer->process->prof_interval_ns, LSIGPROF);
}

static struct interval real_get(const struct process *process)
{
	struct interval now = {.interval_ns = process->real_interval_ns};
	uint64_t time = sys_monotonic_ns();

	if (process->real_timer.armed) {
		now.value_ns = process->real_timer.expires_ns > time
			? process->real_timer.expires_ns - time
			: 1000;
	} else if (process->real_queued) {
		now.value_ns = 1000;
	}
	return now;
}

static struct interval cpu_get(struct pm *pm, const struct cpu_timer *timer, uint64_t interval)
{
	struct interval now = {.interval_ns = interval};

	if (timer->target_ns != 0) {
		uint64_t used = cpu_timer_now(pm, timer);

		now.value_ns = timer->target_ns > used ? timer->target_ns - used : 1000;
	}
	return now;
}

static struct interval interval_get(struct pm *pm, struct process *process, int which)
{
	switch (which) {
	case LITIMER_REAL:
		return real_get(process);
	case LITIMER_VIRTUAL:
		return cpu_get(pm, &process->virtual_timer, process->virtual_interval_ns);
	default:
		return cpu_get(pm, &process->prof_timer, process->prof_interval_ns);
	}
}

static void real_set(struct pm *pm, struct process *process, const struct interval *new)
{
	timerq_disarm(pm, &process->real_timer);
	process->real_queued = false;
	process->real_interval_ns = new->value_ns ? new->interval_ns : 0;
	process->real_timer.kind = TIMER_REAL;
	if (new->value_ns != 0) {
		timerq_arm(pm, &process->real_timer,
			u64_min(sys_monotonic_ns() + new->value_ns, INT64_MAX));
	}
}

static void cpu_set(struct pm *pm, struct process *process, struct cpu_timer *timer,
	const struct interval *new, bool user_only)
{
	cpu_timer_disarm(pm, timer);
	timer->process = process;
	timer->user_only = user_only;
	timer->kind = user_only ? CPU_TIMER_VIRTUAL : CPU_TIMER_PROF;
	*(user_only ? &process->virtual_interval_ns : &process->prof_interval_ns) =
		new->value_ns ? new->interval_ns : 0;
	if (new->value_ns != 0) {
		cpu_timer_arm(pm, timer, cpu_timer_now(pm, timer) + new->value_ns);
	}
}

static void interval_set(
	struct pm *pm, struct process *process, int which, const struct interval *new)
{
	switch (which) {
	case LITIMER_REAL:
		real_set(pm, process, new);
		break;
	case LITIMER_VIRTUAL:
		cpu_set(pm, process, &process->virtual_timer, new, true);
		break;
	default:
		cpu_set(pm, process, &process->prof_timer, new, false);
		break;
	}
}

static bool timeval_to_ns(const struct linux_timeval *time, uint64_t *ns)
{
	if (time->sec < 0 || time->usec < 0 || time->usec >= 1000000) {
		return false;
	}
	if (!checked_mul((uint64_t)time->sec, NS_PER_SECOND, ns) ||
		!checked_add(*ns, (uint64_t)time->usec * 1000, ns) || *ns > INT64_MAX) {
		*ns = INT64_MAX;
	}
	return true;
}

static int interval_write(struct thread *thread, uint64_t address, const struct interval *interval)
{
	struct linux_itimerval value = {
		timeval_from_ns(interval->interval_ns), timeval_from_ns(interval->value_ns)};

	return user_write(thread, address, &value, sizeof(value));
}

int64_t call_getitimer(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct interval now;

	if (arg[0] > LITIMER_PROF) {
		return -EINVAL;
	}
	now = interval_get(pm, thread->process, (int)arg[0]);
	return interval_write(thread, arg[1], &now);
}

int64_t call_setitimer(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct linux_itimerval value = {{0, 0}, {0, 0}};
	struct interval old, new;

	if (arg[0] > LITIMER_PROF) {
		return -EINVAL;
	}
	if (arg[1] != 0 && user_read(thread, arg[1], &value, sizeof(value)) < 0) {
		return -EFAULT;
	}
	if (!timeval_to_ns(&value.interval, &new.interval_ns) ||
		!timeval_to_ns(&value.value, &new.value_ns)) {
		return -EINVAL;
	}
	old = interval_get(pm, thread->process, (int)arg[0]);
	interval_set(pm, thread->process, (int)arg[0], &new);
	return arg[2] != 0 ? interval_write(thread, arg[2], &old) : 0;
}

int64_t call_alarm(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct interval old = real_get(thread->process);
	struct interval new = {.value_ns = (uint32_t)arg[0] * NS_PER_SECOND};
	uint64_t seconds = old.value_ns / NS_PER_SECOND;

	real_set(pm, thread->process, &new);
	/* Rounded to the nearest, but never to 0. */
	if (old.value_ns != 0 &&
		(seconds == 0 || old.value_ns % NS_PER_SECOND >= NS_PER_SECOND / 2)) {
		seconds++;
	}
	return (int64_t)seconds;
}
