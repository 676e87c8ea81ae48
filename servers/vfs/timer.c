/* SPDX-License-Identifier: BSD-2-Clause */
/* Invariant: vfs->timers is sorted by at_ns; the kernel's alarm is set to the first. */
#include "servers/vfs/timer.h"

#include "lib/sys/kcall.h"
#include "servers/vfs/timerfd.h"
#include "servers/vfs/vfs.h"

static void alarm_update(void)
{
	time_ns_t first = list_is_empty(&vfs->timers)
		? 0
		: list_first(&vfs->timers, struct timer, link)->at_ns;

	if (first != vfs->alarm_ns) {
		vfs->alarm_ns = first;
		(void)sys_setalarm(first);
	}
}

static void timer_enter(struct timer *timer, time_ns_t at_ns)
{
	struct list *before = &vfs->timers;

	timer->at_ns = at_ns ? at_ns : 1;
	timer->is_expired = false;
	list_for_each(other, &vfs->timers, struct timer, link)
	{
		if (other->at_ns > timer->at_ns) {
			before = &other->link;
			break;
		}
	}
	list_add_before(before, &timer->link);
	alarm_update();
}

__attribute__((noinline)) void timer_start(struct timer *timer, time_ns_t at_ns)
{
	timer->coro = coro_self();
	timer->is_timerfd = false;
	timer_enter(timer, at_ns);
}

void timer_start_timerfd(struct timer *timer, time_ns_t at_ns)
{
	timer->coro = NULL;
	timer->is_timerfd = true;
	timer_enter(timer, at_ns);
}

void timer_restart(void)
{
	vfs->alarm_ns = 0;
	alarm_update();
}

void timer_stop(struct timer *timer)
{
	list_remove(&timer->link);
	alarm_update();
}

void timer_alarm(time_ns_t now_ns)
{
	vfs->alarm_ns = 0;
	while (!list_is_empty(&vfs->timers)) {
		struct timer *timer = list_first(&vfs->timers, struct timer, link);

		if (timer->at_ns > now_ns) {
			break;
		}
		list_remove(&timer->link);
		timer->is_expired = true;
		if (timer->is_timerfd) {
			timerfd_expired(timer);
		} else {
			coro_wake(timer->coro);
		}
	}
	alarm_update();
}
