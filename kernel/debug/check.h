/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks the numbered invariants of proc/proc.h, proc/sched.c, proc/priv.h, proc/signal.c and
 * mem/fault.c. */
#pragma once

/* Panics when one does not hold. Called now and then in debug builds, and after each step of the
 * host tests. */
void kernel_check(void);
