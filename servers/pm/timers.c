/* SPDX-License-Identifier: BSD-2-Clause */
/* timer_create and its like. */
#include "servers/pm/timers.h"

#include <stdlib.h>
#include <string.h>

#include "servers/pm/pm.h"
#include "servers/pm/signal.h"
#include "servers/pm/sleep.h"
#include "servers/pm/usage.h"
#include "servers/pm/user.h"

#define DROPPED_PERIOD_NS 1000000ull
#define OVERRUN_MAX       INT32_MAX
#define TIMERS_MAX        1024 /* of a process */

static bool timer_is_cpu(const struct posix_timer *timer)
{
	return timer->clock == LCLOCK_PROCESS_CPUTIME || timer->clock == LCLOCK_THREAD_CPUTIME;
}

/* Time of the clock that expires_ns counts in. */
static uint64_t timer_now(struct pm *pm, const struct posix_timer *timer)
{
	if (timer_is_cpu(timer)) {
		return cpu_timer_now(pm, &timer->timer);
	}
	return timer->absolute_realtime ? sys_realtime_ns() : sys_monotonic_ns();
}

static void timer_arm(struct pm *pm, struct posix_timer *timer)
{
	if (timer_is_cpu(timer)) {
		cpu_timer_arm(pm, &timer->timer, timer->expires_ns);
	} else if (timer->absolute_realtime) {
		timerq_arm(pm, &timer->timer.timer, clock_monotonic_of(timer->expires_ns));
	} else {
		timerq_arm(pm, &timer->timer.timer, timer->expires_ns);
	}
}

/* On to the next expiry after now; how many were passed over. */
static uint64_t timer_advance(struct pm *pm, struct posix_timer *timer, uint64_t least_ns)
{
	uint64_t now = timer_now(pm, timer);
	uint64_t late = now > timer->expires_ns ? now - timer->expires_ns : 0;
	uint64_t missed = late / timer->interval_ns;

	timer->expires_ns += (missed + 1) * timer->interval_ns;
	if (timer->expires_ns < now + least_ns) {
		timer->expires_ns = now + least_ns;
	}
	timer_arm(pm, timer);
	return missed;
}

static void timer_expired(struct pm *pm, struct posix_timer *timer)
{
	struct process *process = timer->process;
	struct thread *target = NULL;
	struct linux_siginfo info;
	bool sent = false;

	if (timer->notify == LSIGEV_THREAD_ID) {
		target = thread_by_tid(pm, timer->target_tid);
		if (target && target->process != process) {
			target = NULL;
		}
	}
	if (timer->notify != LSIGEV_NONE && (timer->notify != LSIGEV_THREAD_ID || target)) {
		memset(&info, 0, sizeof(info));
		info.signo = timer->signo;
		info.code = LSI_TIMER;
		info.timerid = timer->id;
		info.timer_value = timer->value;
		sent = signal_send(pm, process, target, &info, timer);
	}
	if (process->state != PROCESS_ALIVE) {
		return; /* the timer went with it */
	}
	if (timer->interval_ns == 0) {
		timer->expires_ns = 0;
	} else if (!sent && !timer->timer.timer.armed) {
		(void)timer_advance(pm, timer, DROPPED_PERIOD_NS);
	}
}

void timers_posix_expired(struct pm *pm, struct pm_timer *timer)
{
	timer_expired(pm, container_of(timer, struct posix_timer, timer.timer));
}

void timers_posix_cpu_expired(struct pm *pm, struct cpu_timer *timer)
{
	timer_expired(pm, container_of(timer, struct posix_timer, timer));
}

void timers_signal_taken(struct pm *pm, struct posix_timer *timer, struct linux_siginfo *info)
{
	uint64_t missed = 0;

	if (timer->interval_ns != 0 && timer->expires_ns != 0 && !timer->timer.timer.armed) {
		missed = timer_advance(pm, timer, 0);
	}
	timer->overrun = (int32_t)u64_min(missed, OVERRUN_MAX);
	info->overrun = timer->overrun;
}

static void timer_disarm(struct pm *pm, struct posix_timer *timer)
{
	cpu_timer_disarm(pm, &timer->timer);
	timer->expires_ns = 0;
}

static void timer_forget_signals(struct posix_timer *timer)
{
	sigqueue_forget_timer(&timer->process->pending, timer);
	process_for_each_thread(thread, timer->process)
	{
		sigqueue_forget_timer(&thread->pending, timer);
	}
}

static void timer_destroy(struct pm *pm, struct posix_timer *timer)
{
	timer_disarm(pm, timer);
	timer_forget_signals(timer);
	list_remove(&timer->link);
	free(timer);
}

void timers_exec(struct pm *pm, struct process *process)
{
	list_for_each_safe(timer, &process->posix_timers, struct posix_timer, link)
	{
		timer_destroy(pm, timer);
	}
}

void timers_process_ends(struct pm *pm, struct process *process)
{
	timers_exec(pm, process);
	timerq_disarm(pm, &process->real_timer);
	cpu_timer_disarm(pm, &process->virtual_timer);
	cpu_timer_disarm(pm, &process->prof_timer);
	cpu_timer_disarm(pm, &process->cpu_limit_timer);
}

void timers_clock_was_set(struct pm *pm)
{
	pm_for_each_process(process, pm)
	{
		list_for_each(timer, &process->posix_timers, struct posix_timer, link)
		{
			if (timer->absolute_realtime && timer->timer.timer.armed) {
				timer_arm(pm, timer);
			}
		}
	}
}

static struct posix_timer *timer_find(const struct process *process, uint64_t id)
{
	list_for_each(timer, &process->posix_timers, struct posix_timer, link)
	{
		if (timer->id == (int32_t)id) {
			return timer;
		}
	}
	return NULL;
}

static int event_check(
	struct pm *pm, const struct thread *thread, const struct linux_sigevent *event)
{
	const struct thread *target;

	switch (event->notify) {
	case LSIGEV_NONE:
		return 0;
	case LSIGEV_SIGNAL:
	case LSIGEV_THREAD:
		return signal_is_valid(event->signo) ? 0 : -EINVAL;
	case LSIGEV_THREAD_ID:
		target = thread_by_tid(pm, event->tid);
		return signal_is_valid(event->signo) && target && target->process == thread->process
			? 0
			: -EINVAL;
	default:
		return -EINVAL;
	}
}

int64_t call_timer_create(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct process *process = thread->process;
	struct linux_sigevent event = {.signo = LSIGALRM, .notify = LSIGEV_SIGNAL};
	int32_t clock = (int32_t)arg[0];
	struct posix_timer *timer;
	int r;

	if (!clock_is_realtime(clock) && !clock_is_monotonic(clock) &&
		clock != LCLOCK_PROCESS_CPUTIME && clock != LCLOCK_THREAD_CPUTIME) {
		return -EINVAL;
	}
	if (arg[1] != 0 && user_read(thread, arg[1], &event, sizeof(event)) < 0) {
		return -EFAULT;
	}
	r = event_check(pm, thread, &event);
	if (r < 0) {
		return r;
	}
	timer = process->next_timer_id < TIMERS_MAX * 1024 ? calloc(1, sizeof(*timer)) : NULL;
	if (!timer) {
		return -EAGAIN;
	}
	timer->id = process->next_timer_id++;
	timer->clock = clock;
	timer->notify = event.notify;
	timer->signo = event.signo;
	timer->target_tid = event.tid;
	timer->value = arg[1] != 0 ? event.value : (uint64_t)timer->id;
	timer->process = process;
	timer->timer.process = process;
	timer->timer.thread = NULL;
	if (clock == LCLOCK_THREAD_CPUTIME && process->thread_count == 1) {
		timer->clock = LCLOCK_PROCESS_CPUTIME;
	}
	if (timer_is_cpu(timer)) {
		timer->timer.kind = CPU_TIMER_POSIX;
	} else {
		timer->timer.timer.kind = TIMER_POSIX;
	}
	if (user_write(thread, arg[2], &timer->id, sizeof(timer->id)) < 0) {
		free(timer);
		return -EFAULT;
	}
	list_add_tail(&process->posix_timers, &timer->link);
	return 0;
}

static struct linux_itimerspec timer_get(struct pm *pm, struct posix_timer *timer)
{
	struct linux_itimerspec value = {.interval = timespec_from_ns(timer->interval_ns)};

	if (timer->expires_ns != 0) {
		uint64_t now = timer_now(pm, timer);
		uint64_t left = timer->expires_ns > now ? timer->expires_ns - now : 0;

		if (left == 0 && timer->interval_ns != 0) {
			left = timer->interval_ns - (now - timer->expires_ns) % timer->interval_ns;
		}
		value.value = timespec_from_ns(left ? left : 1);
	}
	return value;
}

int64_t call_timer_settime(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct posix_timer *timer = timer_find(thread->process, arg[0]);
	bool absolute = arg[1] & LTIMER_ABSTIME;
	struct linux_itimerspec new, old;
	uint64_t value, interval;

	if (arg[2] == 0) {
		return -EINVAL;
	}
	if (user_read(thread, arg[2], &new, sizeof(new)) < 0) {
		return -EFAULT;
	}
	if (!timer || !timespec_to_ns(&new.value, &value) ||
		!timespec_to_ns(&new.interval, &interval)) {
		return -EINVAL;
	}
	old = timer_get(pm, timer);
	timer_disarm(pm, timer);
	timer_forget_signals(timer);
	timer->interval_ns = value ? interval : 0;
	timer->overrun = 0;
	timer->absolute_realtime = absolute && clock_is_realtime(timer->clock);
	if (value != 0) {
		timer->expires_ns =
			absolute ? value : u64_min(timer_now(pm, timer) + value, INT64_MAX);
		timer_arm(pm, timer);
	}
	return user_write_if(thread, arg[3], &old, sizeof(old));
}

int64_t call_timer_gettime(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct posix_timer *timer = timer_find(thread->process, arg[0]);
	struct linux_itimerspec value;

	if (!timer) {
		return -EINVAL;
	}
	value = timer_get(pm, timer);
	return user_write(thread, arg[1], &value, sizeof(value));
}

int64_t call_timer_getoverrun(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct posix_timer *timer = timer_find(thread->process, arg[0]);

	return timer ? timer->overrun : -EINVAL;
}

int64_t call_timer_delete(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct posix_timer *timer = timer_find(thread->process, arg[0]);

	if (!timer) {
		return -EINVAL;
	}
	timer_destroy(pm, timer);
	return 0;
}
