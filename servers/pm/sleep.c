/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/sleep.h"

#include "abi/errno.h"
#include "servers/pm/deliver.h"
#include "servers/pm/pm.h"
#include "servers/pm/usage.h"
#include "servers/pm/user.h"

bool clock_is_realtime(int32_t clock)
{
	return clock == LCLOCK_REALTIME || clock == LCLOCK_TAI || clock == 8;
}

bool clock_is_monotonic(int32_t clock)
{
	return clock == LCLOCK_MONOTONIC || clock == LCLOCK_BOOTTIME || clock == 9;
}

bool timespec_to_ns(const struct linux_timespec *time, uint64_t *ns)
{
	if (time->sec < 0 || time->nsec < 0 || time->nsec >= (int64_t)NS_PER_SECOND) {
		return false;
	}
	if (!checked_mul((uint64_t)time->sec, NS_PER_SECOND, ns) ||
		!checked_add(*ns, (uint64_t)time->nsec, ns) || *ns > INT64_MAX) {
		*ns = INT64_MAX;
	}
	return true;
}

uint64_t clock_monotonic_of(uint64_t realtime_ns)
{
	struct proc_times now = {0};

	(void)sys_times(EP_SELF, &now);
	if (realtime_ns <= now.realtime_ns) {
		return now.uptime_ns;
	}
	return u64_min(now.uptime_ns + (realtime_ns - now.realtime_ns), INT64_MAX);
}

static void sleep_over(struct pm *pm, struct thread *thread)
{
	thread_reply(pm, thread, 0);
}

void sleep_expired(struct pm *pm, struct pm_timer *timer)
{
	sleep_over(pm, container_of(timer, struct thread, timer.timer));
}

void sleep_cpu_expired(struct pm *pm, struct cpu_timer *timer)
{
	sleep_over(pm, container_of(timer, struct thread, timer));
}

static bool sleep_is_on_wall_clock(const struct wait_sleep *sleep)
{
	return sleep->absolute && clock_is_realtime(sleep->clock);
}

static void sleep_arm(struct pm *pm, struct thread *thread)
{
	const struct wait_sleep *sleep = &thread->wait.sleep;

	if (sleep->clock == LCLOCK_PROCESS_CPUTIME) {
		thread->timer.process = thread->process;
		thread->timer.thread = NULL;
		thread->timer.user_only = false;
		thread->timer.kind = CPU_TIMER_SLEEP;
		cpu_timer_arm(pm, &thread->timer, sleep->deadline_ns);
		return;
	}
	thread->timer.timer.kind = TIMER_SLEEP;
	timerq_arm(pm, &thread->timer.timer,
		sleep_is_on_wall_clock(sleep) ? clock_monotonic_of(sleep->deadline_ns)
					      : sleep->deadline_ns);
}

static int64_t sleep_start(struct pm *pm, struct thread *thread, const struct wait_sleep *sleep)
{
	thread->wait.sleep = *sleep;
	thread_wait(thread, WAIT_SLEEP);
	sleep_arm(pm, thread);
	return CALL_NO_REPLY;
}

static uint64_t sleep_clock_now(const struct thread *thread, const struct wait_sleep *sleep)
{
	struct cpu_time used;

	if (sleep->clock != LCLOCK_PROCESS_CPUTIME) {
		return sys_monotonic_ns();
	}
	used = usage_of_process(thread->process);
	return used.user_ns + used.system_ns;
}

int64_t sleep_interrupt(struct pm *pm, struct thread *thread)
{
	struct wait_sleep *sleep = &thread->wait.sleep;
	uint64_t now;

	if (sleep->absolute) {
		return -ERESTARTNOHAND;
	}
	now = sleep_clock_now(thread, sleep);
	if (sleep->remaining) {
		struct linux_timespec left =
			timespec_from_ns(sleep->deadline_ns > now ? sleep->deadline_ns - now : 0);

		if (user_write(thread, sleep->remaining, &left, sizeof(left)) < 0) {
			return -EFAULT;
		}
	}
	thread->restart = *sleep;
	thread->has_restart = true;
	return -ERESTART_RESTARTBLOCK;
}

void sleep_clock_was_set(struct pm *pm)
{
	pm_for_each_process(process, pm)
	{
		process_for_each_thread(thread, process)
		{
			if (thread->wait.kind == WAIT_SLEEP &&
				sleep_is_on_wall_clock(&thread->wait.sleep)) {
				sleep_arm(pm, thread);
			}
		}
	}
}

static int64_t sleep_call(struct pm *pm, struct thread *thread, int32_t clock, uint32_t flags,
	uint64_t request, uint64_t remaining)
{
	struct wait_sleep sleep = {
		.clock = clock, .absolute = flags & LTIMER_ABSTIME, .remaining = remaining};
	struct linux_timespec time;
	uint64_t ns;

	if (clock == LCLOCK_THREAD_CPUTIME ||
		(!clock_is_realtime(clock) && !clock_is_monotonic(clock) &&
			clock != LCLOCK_PROCESS_CPUTIME)) {
		return clock >= 4 && clock <= 6 ? -EOPNOTSUPP : -EINVAL;
	}
	if (user_read(thread, request, &time, sizeof(time)) < 0) {
		return -EFAULT;
	}
	if (!timespec_to_ns(&time, &ns)) {
		return -EINVAL;
	}
	if (sleep.absolute) {
		sleep.deadline_ns = ns;
	} else if (ns == 0) {
		return 0;
	} else {
		sleep.deadline_ns = u64_min(sleep_clock_now(thread, &sleep) + ns, INT64_MAX);
	}
	return sleep_start(pm, thread, &sleep);
}

int64_t call_nanosleep(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	return sleep_call(pm, thread, LCLOCK_MONOTONIC, 0, arg[0], arg[1]);
}

int64_t call_clock_nanosleep(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	return sleep_call(pm, thread, (int32_t)arg[0], (uint32_t)arg[1], arg[2], arg[3]);
}

int64_t call_restart_syscall(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	if (!thread->has_restart) {
		return -EINTR;
	}
	thread->has_restart = false;
	return sleep_start(pm, thread, &thread->restart);
}
