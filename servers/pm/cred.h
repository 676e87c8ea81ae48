/* SPDX-License-Identifier: BSD-2-Clause */
/* User and group ids, supplementary groups, capabilities (credentials(7), capabilities(7)). */
#pragma once

#include "servers/pm/process.h"

/* Whether it has the capability in its effective set. */
bool cred_capable(const struct process *process, enum linux_cap cap);
/* exec: set-user-id and set-group-id of the file, as VFS found them; capabilities by the new ids.
 */
void cred_exec(struct process *process, bool set_uid, uint32_t uid, bool set_gid, uint32_t gid);

int64_t call_setuid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setgid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setreuid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setregid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setresuid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setresgid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_getresuid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_getresgid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setfsuid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setfsgid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_getgroups(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setgroups(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_capget(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_capset(struct pm *pm, struct thread *thread, const uint64_t *arg);
