/* SPDX-License-Identifier: BSD-2-Clause */
/* fork, vfork, clone, clone3. */
#pragma once

#include "servers/pm/process.h"

int64_t call_fork(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_vfork(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_clone(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_clone3(struct pm *pm, struct thread *thread, const uint64_t *arg);
