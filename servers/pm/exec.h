/* SPDX-License-Identifier: BSD-2-Clause */
/* execve, execveat: VFS builds the image; PM keeps the process's side of it. */
#pragma once

#include "proto/pm.h"
#include "servers/pm/process.h"

int64_t call_execve(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_execveat(struct pm *pm, struct thread *thread, const uint64_t *arg);
/* VFS has answered VFS_PM_EXEC. */
void exec_answered(struct pm *pm, const struct pm_vfs_exec_reply *reply);
