/* SPDX-License-Identifier: BSD-2-Clause */
/* The requests of ptrace(2). Any thread of the tracer may make them, not only the one that
 * attached. */
#pragma once

#include "servers/pm/process.h"

int64_t call_ptrace(struct pm *pm, struct thread *thread, const uint64_t *arg);
