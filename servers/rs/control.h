/* SPDX-License-Identifier: BSD-2-Clause */
/* The axo_service call of programs (proto/rs.h). */
#pragma once

#include "servers/rs/rs.h"

#define CONTROL_LATER 1 /* the waiter of the service has the answer to give */

/*
 * Serve the call: CONTROL_LATER, or its result for the program in *result with 0. -EPERM unless the
 * caller is root.
 */
int control_call(struct rs *rs, endpoint_t program, vaddr_t request, int64_t *result);
