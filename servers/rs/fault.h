/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults on purpose. */
#pragma once

#include "proto/rs.h"
#include "servers/rs/rs.h"

/* Have a running service fail as `req` of `program` says. -EINVAL: no such kind; -EPERM: VM, or a
 * kind that RS would not come back from; -EBUSY: it does not run. */
int fault_inject(struct service *service, const struct axo_service_req *req, endpoint_t program);
