/* SPDX-License-Identifier: BSD-2-Clause */
/* One-shot timers of the kernel, in one list ordered by time. */
#pragma once

#include "lib/core/list.h"

struct timer {
	struct list link;
	uint64_t deadline_ns; /* monotonic */
	void (*expired)(struct timer *timer);
};

void timer_setup(struct timer *timer, void (*expired)(struct timer *timer));
/* Arm (again) for the monotonic time; one in the past expires at the next chance. */
void timer_start(struct timer *timer, uint64_t deadline_ns);
void timer_stop(struct timer *timer);
static inline bool timer_is_armed(const struct timer *timer)
{
	return list_is_linked(&timer->link);
}
/* Expire what is due. */
void timer_run(uint64_t now_ns);
/* When the first timer is due; UINT64_MAX: none. */
uint64_t timer_next(void);
