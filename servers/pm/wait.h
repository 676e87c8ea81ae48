/* SPDX-License-Identifier: BSD-2-Clause */
/* wait4 and waitid, and telling parents what became of their children. */
#pragma once

#include "servers/pm/process.h"

/* A stop or continuation is to be told (LCLD_STOPPED or LCLD_CONTINUED). */
void wait_notify_parent(struct pm *pm, struct process *child, int code, int status);
/* Something has become of a child or a tracee: threads that wait look again. */
void wait_waiters_wake(struct pm *pm, struct process *parent);
/* A tracee has ended, and is recorded: the tracer's waits, and SIGCHLD. */
void wait_tell_tracer(struct pm *pm, struct process *tracer, int32_t tid, int32_t status);
/* A process has become a zombie: parent told; the process may be freed in here. */
void wait_child_ended(struct pm *pm, struct process *child);
/* The parent has got zombies from one that ended. */
void wait_zombies_adopted(struct pm *pm, struct process *parent);

int64_t call_wait4(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_waitid(struct pm *pm, struct thread *thread, const uint64_t *arg);
