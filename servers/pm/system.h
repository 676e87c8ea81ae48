/* SPDX-License-Identifier: BSD-2-Clause */
/* The system as a whole: uname and names, sysinfo, the diagnostics buffer, setting the clock,
 * random numbers. */
#pragma once

#include "servers/pm/process.h"

int64_t call_uname(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_sethostname(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setdomainname(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_sysinfo(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_syslog(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_settimeofday(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_clock_settime(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_adjtimex(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_getrandom(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_unshare(struct pm *pm, struct thread *thread, const uint64_t *arg);
