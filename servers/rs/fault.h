/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults on purpose. */
#pragma once

#include "proto/rs.h"
#include "servers/rs/rs.h"

/* Have a running service fail as `req` says. -EINVAL: no such kind; -EPERM: RS, VM; -EBUSY: it does
 * not run. */
int fault_inject(struct service *service, const struct axo_service_req *req);
