/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFS after its own crash. RS has brought up a new process under the old endpoint, which has taken
 * over the whole memory: descriptors, mounts, vnodes, and the coroutines that wait, with their
 * stacks. What was running at the crash is given up: its program gets EINTR; all others notice
 * nothing.
 */
#pragma once

#include "lib/sys/sef.h"

/* For sef_on_init_type(SEF_INIT_RESTART). */
int crash_recover(const struct sef_info *info);
/* For sef_on_waiter: VFS will answer this endpoint. */
bool crash_knows_waiter(endpoint_t ep);
