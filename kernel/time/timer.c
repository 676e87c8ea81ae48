/* SPDX-License-Identifier: BSD-2-Clause */
/* See timer.h. Invariant: kernel.timers is sorted by deadline; kernel.timer_next_ns is that of the
 * first. */
#include "kernel/time/timer.h"

#include "kernel/state.h"

void timer_setup(struct timer *timer, void (*expired)(struct timer *timer))
{
	list_init(&timer->link);
	timer->deadline_ns = 0;
	timer->expired = expired;
}

static void update_next(void)
{
	kernel.timer_next_ns = UINT64_MAX;
	if (!list_is_empty(&kernel.timers)) {
		kernel.timer_next_ns = list_first(&kernel.timers, struct timer, link)->deadline_ns;
	}
}

/* From the end: new timers are mostly the latest. */
void timer_start(struct timer *timer, uint64_t deadline_ns)
{
	struct list *at;

	list_remove(&timer->link);
	timer->deadline_ns = deadline_ns;
	at = kernel.timers.prev;
	while (at != &kernel.timers &&
		list_entry(at, struct timer, link)->deadline_ns > deadline_ns) {
		at = at->prev;
	}
	list_insert_between(&timer->link, at, at->next);
	update_next();
}

void timer_stop(struct timer *timer)
{
	if (timer_is_armed(timer)) {
		list_remove(&timer->link);
		update_next();
	}
}

void timer_run(uint64_t now_ns)
{
	while (!list_is_empty(&kernel.timers)) {
		struct timer *timer = list_first(&kernel.timers, struct timer, link);

		if (timer->deadline_ns > now_ns) {
			break;
		}
		list_remove(&timer->link);
		update_next();
		timer->expired(timer);
	}
}

uint64_t timer_next(void)
{
	return kernel.timer_next_ns;
}
