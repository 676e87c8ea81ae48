/* SPDX-License-Identifier: BSD-2-Clause */
/* Nice values and the sched_* calls. */
#pragma once

#include "servers/pm/process.h"

int64_t call_getpriority(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setpriority(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_sched_setparam(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_sched_getparam(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_sched_setscheduler(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_sched_getscheduler(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_sched_get_priority_max(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_sched_get_priority_min(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_sched_rr_get_interval(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_sched_setaffinity(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_sched_getaffinity(struct pm *pm, struct thread *thread, const uint64_t *arg);
