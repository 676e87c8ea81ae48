/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/timerq.h"

#include "lib/sys/kcall.h"
#include "servers/pm/limits.h"
#include "servers/pm/pm.h"
#include "servers/pm/reboot.h"
#include "servers/pm/event.h"
#include "servers/pm/sigcalls.h"
#include "servers/pm/sleep.h"
#include "servers/pm/timers.h"
#include "servers/pm/usage.h"

#define CPU_LOOK_MIN_NS 4000000ull
#define CPU_LOOK_MAX_NS 128000000ull

typedef void timer_fn(struct pm *pm, struct pm_timer *timer);
typedef void cpu_timer_fn(struct pm *pm, struct cpu_timer *timer);

static timer_fn cpu_timer_look;

static timer_fn *const when_expired[] = {
	[TIMER_CPU] = cpu_timer_look,
	[TIMER_REAL] = timers_real_expired,
	[TIMER_SLEEP] = sleep_expired,
	[TIMER_SIGNAL_WAIT] = sigtimedwait_expired,
	[TIMER_POSIX] = timers_posix_expired,
	[TIMER_SHUTDOWN] = reboot_patience_over,
	[TIMER_EVENT] = event_late,
};

static cpu_timer_fn *const when_used[] = {
	[CPU_TIMER_VIRTUAL] = timers_virtual_expired,
	[CPU_TIMER_PROF] = timers_prof_expired,
	[CPU_TIMER_LIMIT] = limits_cpu_reached,
	[CPU_TIMER_SLEEP] = sleep_cpu_expired,
	[CPU_TIMER_POSIX] = timers_posix_cpu_expired,
};

int timerq_compare(const struct tree_node *a, const struct tree_node *b)
{
	const struct pm_timer *ta = tree_entry(a, struct pm_timer, node);
	const struct pm_timer *tb = tree_entry(b, struct pm_timer, node);

	if (ta->expires_ns != tb->expires_ns) {
		return ta->expires_ns < tb->expires_ns ? -1 : 1;
	}
	return ta->order < tb->order ? -1 : ta->order > tb->order;
}

static void alarm_set(struct pm *pm, uint64_t when)
{
	/* 0 would mean "none". */
	pm->timers.alarm_ns = when ? when : 1;
	(void)sys_setalarm(pm->timers.alarm_ns);
}

void timerq_arm(struct pm *pm, struct pm_timer *timer, uint64_t expires_ns)
{
	timerq_disarm(pm, timer);
	timer->expires_ns = expires_ns;
	timer->order = pm->timers.order++;
	timer->armed = true;
	(void)tree_insert(&pm->timers.tree, &timer->node, timerq_compare);
	if (pm->timers.alarm_ns == 0 || expires_ns < pm->timers.alarm_ns) {
		alarm_set(pm, expires_ns);
	}
}

void timerq_disarm(struct pm *pm, struct pm_timer *timer)
{
	if (timer->armed) {
		tree_remove(&pm->timers.tree, &timer->node);
		timer->armed = false;
	}
}

void timerq_run(struct pm *pm)
{
	uint64_t now = sys_monotonic_ns();
	struct tree_node *first;

	pm->timers.alarm_ns = 0;
	while ((first = tree_first(&pm->timers.tree)) != NULL) {
		struct pm_timer *timer = tree_entry(first, struct pm_timer, node);

		if (timer->expires_ns > now) {
			break;
		}
		timerq_disarm(pm, timer);
		when_expired[timer->kind](pm, timer);
	}
	if (first) {
		uint64_t when = tree_entry(first, struct pm_timer, node)->expires_ns;

		if (pm->timers.alarm_ns == 0 || when < pm->timers.alarm_ns) {
			alarm_set(pm, when);
		}
	}
}

void timerq_restart(struct pm *pm)
{
	struct tree_node *first = tree_first(&pm->timers.tree);

	pm->timers.alarm_ns = 0;
	if (first) {
		alarm_set(pm, tree_entry(first, struct pm_timer, node)->expires_ns);
	}
}

uint64_t cpu_timer_now(struct pm *pm, const struct cpu_timer *timer)
{
	struct cpu_time used =
		timer->thread ? usage_of_thread(timer->thread) : usage_of_process(timer->process);

	return timer->user_only ? used.user_ns : used.user_ns + used.system_ns;
}

static void cpu_timer_look(struct pm *pm, struct pm_timer *pm_timer)
{
	struct cpu_timer *timer = container_of(pm_timer, struct cpu_timer, timer);
	uint64_t now = cpu_timer_now(pm, timer);
	uint64_t left;

	if (now >= timer->target_ns) {
		timer->target_ns = 0;
		when_used[timer->kind](pm, timer);
		return;
	}
	left = timer->target_ns - now;
	timer->pause_ns = now == timer->last_ns ? u64_min(timer->pause_ns * 2, CPU_LOOK_MAX_NS)
						: CPU_LOOK_MIN_NS;
	timer->last_ns = now;
	timerq_arm(pm, pm_timer, sys_monotonic_ns() + u64_max(left, timer->pause_ns));
}

void cpu_timer_arm(struct pm *pm, struct cpu_timer *timer, uint64_t target_ns)
{
	uint64_t now = cpu_timer_now(pm, timer);

	timer->target_ns = target_ns ? target_ns : 1;
	timer->last_ns = now;
	timer->pause_ns = CPU_LOOK_MIN_NS;
	timer->timer.kind = TIMER_CPU;
	timerq_arm(pm, &timer->timer, sys_monotonic_ns() + (target_ns > now ? target_ns - now : 0));
}

void cpu_timer_disarm(struct pm *pm, struct cpu_timer *timer)
{
	timer->target_ns = 0;
	timerq_disarm(pm, &timer->timer);
}
