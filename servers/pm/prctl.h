/* SPDX-License-Identifier: BSD-2-Clause */
/* prctl and personality. */
#pragma once

#include "servers/pm/process.h"

int64_t call_prctl(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_personality(struct pm *pm, struct thread *thread, const uint64_t *arg);
