/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RS's own recovery: it keeps a process of its own program ready, which VM puts in its place when
 * it dies. That one inherits RS's memory and goes on.
 */
#pragma once

#include "servers/rs/rs.h"

/* Make the standby, if there is none. */
void standby_make(struct rs *rs);

/* After a death or an update of RS: privileges that the kernel changed are put right, and processes
 * that nobody knows end. */
void standby_tidy(struct rs *rs);

/* This process was the standby, and has RS's memory now: sees to what the kernel holds and to what
 * RS may have missed. */
void standby_take_over(struct rs *rs, time_ns_t now_ns);
