/* SPDX-License-Identifier: BSD-2-Clause */
/* The signal system calls. */
#pragma once

#include "proto/pm.h"
#include "servers/pm/process.h"

/* A signal is pending that this rt_sigtimedwait waits for. */
void sigcalls_waiter_wakes(struct pm *pm, struct thread *thread);
/* Called by the queue of timers. */
void sigtimedwait_expired(struct pm *pm, struct pm_timer *timer);
/* VFS: a mask for the time of a call. */
void sigcalls_temporary_mask(struct pm *pm, const struct pm_sigmask *request);

int64_t call_rt_sigaction(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_rt_sigprocmask(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_rt_sigpending(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_rt_sigsuspend(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_rt_sigtimedwait(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_rt_sigreturn(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_sigaltstack(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_pause(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_kill(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_tkill(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_tgkill(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_rt_sigqueueinfo(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_rt_tgsigqueueinfo(struct pm *pm, struct thread *thread, const uint64_t *arg);
