/* SPDX-License-Identifier: BSD-2-Clause */
/* What RS tells other services: the table of services for /proc. */
#pragma once

#include "proto/rs.h"
#include "servers/rs/rs.h"

/* Serve RS_GETINFO of `client`: it is answered by an asynchronous message. */
void info_request(struct rs *rs, endpoint_t client, const struct rs_getinfo *req);
