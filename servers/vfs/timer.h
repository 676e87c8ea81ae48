/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers of VFS: one queue, one alarm of the kernel. */
#pragma once

#include "abi/types.h"
#include "lib/coro/coro.h"

struct timer {
	struct list link;
	time_ns_t at_ns; /* monotonic */
	struct coro *coro;
	bool is_timerfd; /* no coroutine waits: timerfd_expired() is called */
	bool is_expired;
};

/* Wake the running coroutine at a time. timer_stop() before the timer goes out of scope. */
void timer_start(struct timer *timer, time_ns_t at_ns);
/* After a crash: the kernel has forgotten the alarm. */
void timer_restart(void);
void timer_stop(struct timer *timer);
/* Call timerfd_expired() at a time. */
void timer_start_timerfd(struct timer *timer, time_ns_t at_ns);
/* The kernel's alarm went off. */
void timer_alarm(time_ns_t now_ns);
