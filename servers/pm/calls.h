/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of programs' calls that PM answers (abi/linux/calls.h, owner PM). */
#pragma once

#include "servers/pm/process.h"

/*
 * A call's handler. arg: the six arguments and, at [6], the caller's stack pointer. The value for
 * rax, or CALL_NO_REPLY. After it has sent a signal or ended something a handler may not touch its
 * thread any more.
 */
typedef int64_t call_fn(struct pm *pm, struct thread *thread, const uint64_t *arg);

/* Runs the call and answers it. */
void call_handle(struct pm *pm, endpoint_t source, int32_t nr, const uint64_t arg[7]);
