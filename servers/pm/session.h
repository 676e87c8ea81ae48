/* SPDX-License-Identifier: BSD-2-Clause */
/* Process groups, sessions, and what terminals do to them. */
#pragma once

#include "proto/pm.h"
#include "servers/pm/process.h"

/* No member's parent is in another group of the same session. `without`: as if that process were
 * gone; may be NULL. */
bool session_group_is_orphaned(
	struct pm *pm, int32_t pgid, int32_t sid, const struct process *without);
/* The process ends: groups that this orphans and that have stopped members get SIGHUP and SIGCONT.
 */
void session_process_ends(struct pm *pm, struct process *process);

/* A terminal's signal for a group: interrupt characters, hang-up, window size. */
void session_terminal_signal(struct pm *pm, const struct pm_kill_pgrp *request);
/* A background process wants its terminal: VFS gets the verdict. */
void session_job_control(struct pm *pm, const struct pm_jobctl *request);

int64_t call_setpgid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_getpgid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_setsid(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_getsid(struct pm *pm, struct thread *thread, const uint64_t *arg);
