/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process asked for by its call instruction: where Linux's numbers and the native traps
 * part. */
#pragma once

#include "kernel/proc/proc.h"

void trap_call(struct proc *proc, uint64_t number, const uint64_t args[6]);
