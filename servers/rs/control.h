/* SPDX-License-Identifier: BSD-2-Clause */
/* The axo_service call of programs (proto/rs.h). */
#pragma once

#include "servers/rs/rs.h"

#define CONTROL_LATER INT64_MAX /* the waiter of the service has the answer to give */

/*
 * Serve the call. True: *result is for the program; false: it will be answered later. -EPERM unless
 * the caller is root, or named by the service's declaration (`control`).
 */
bool control_call(struct rs *rs, endpoint_t program, vaddr_t request, int64_t *result);

/* Whether RS has an answer to give to ep, later. */
bool control_is_waiter(const struct rs *rs, endpoint_t ep);
