/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interval timers (setitimer, alarm) and POSIX timers (timer_create). A periodic timer whose signal
 * is pending is not armed: taking the signal arms it again, with the periods missed as overrun; so
 * a short period costs no more than its handler.
 */
#pragma once

#include "servers/pm/process.h"

/* SIGALRM has been taken: ITIMER_REAL's next period. */
void timers_alarm_taken(struct pm *pm, struct process *process);
/* A POSIX timer's signal has been taken: overrun into info, and the next period. */
void timers_signal_taken(struct pm *pm, struct posix_timer *timer, struct linux_siginfo *info);
/* exec: POSIX timers go. End: all go. */
void timers_exec(struct pm *pm, struct process *process);
void timers_process_ends(struct pm *pm, struct process *process);
void timers_clock_was_set(struct pm *pm);

/* Called by the queue of timers. */
void timers_real_expired(struct pm *pm, struct pm_timer *timer);
void timers_virtual_expired(struct pm *pm, struct cpu_timer *timer);
void timers_prof_expired(struct pm *pm, struct cpu_timer *timer);
void timers_posix_expired(struct pm *pm, struct pm_timer *timer);
void timers_posix_cpu_expired(struct pm *pm, struct cpu_timer *timer);

int64_t call_alarm(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_getitimer(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setitimer(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_timer_create(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_timer_settime(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_timer_gettime(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_timer_getoverrun(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_timer_delete(struct pm *pm, struct thread *thread, const uint64_t *arg);
