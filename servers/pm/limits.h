/* SPDX-License-Identifier: BSD-2-Clause */
/* Resource limits: PM keeps all, tells VM and VFS theirs, and enforces those of processor time and
 * processes. */
#pragma once

#include "servers/pm/process.h"

/* A new process has inherited its limits: start watching its processor time. */
void limits_forked(struct pm *pm, struct process *process);
/* Called by the queue of timers. */
void limits_cpu_reached(struct pm *pm, struct cpu_timer *timer);

int64_t call_getrlimit(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setrlimit(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_prlimit64(struct pm *pm, struct thread *thread, const uint64_t *arg);
