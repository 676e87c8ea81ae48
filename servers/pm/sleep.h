/* SPDX-License-Identifier: BSD-2-Clause */
/* nanosleep, clock_nanosleep, restart_syscall, and the clocks that PM can measure. */
#pragma once

#include "servers/pm/process.h"

/* Valid clocks for sleeping and timers: the real-time family, the monotonic family. */
bool clock_is_realtime(int32_t clock);
bool clock_is_monotonic(int32_t clock);
/* Nanoseconds of a timespec, saturated; false: not a valid one. */
bool timespec_to_ns(const struct linux_timespec *time, uint64_t *ns);
/* When it is `realtime` by the clock on the wall, what is the monotonic clock's time? */
uint64_t clock_monotonic_of(uint64_t realtime_ns);

/* A sleep is interrupted: stores what remains; the restart code. */
int64_t sleep_interrupt(struct pm *pm, struct thread *thread);
/* The wall clock was set: sleeps until a time on it end earlier or later. */
void sleep_clock_was_set(struct pm *pm);
/* Called by the queue of timers. */
void sleep_expired(struct pm *pm, struct pm_timer *timer);
void sleep_cpu_expired(struct pm *pm, struct cpu_timer *timer);

int64_t call_nanosleep(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_clock_nanosleep(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_restart_syscall(struct pm *pm, struct thread *thread, const uint64_t *arg);
