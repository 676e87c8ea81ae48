/* SPDX-License-Identifier: BSD-2-Clause */
/* Replicas: processes made in advance, so that a recovery need only swap them in. */
#pragma once

#include "servers/rs/rs.h"

/* Keep a replica from now on. -EEXIST: there is one already; -EPERM: cannot be restarted. */
int replica_want(struct rs *rs, struct service *service);

/* Keep none any more. -ENOENT: none was kept. */
int replica_unwant(struct rs *rs, struct service *service);

/* The replica to use now, EP_NONE: there is none. It is the caller's then. */
endpoint_t replica_take(struct service *service);

/* End it: what it was made of is outdated, or the service goes. One is made anew if wanted. */
void replica_drop(struct service *service);

/* Make those that are due; when the next is due, 0: never. */
time_ns_t replica_tick(struct rs *rs);
