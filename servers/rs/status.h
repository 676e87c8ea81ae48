/* SPDX-License-Identifier: BSD-2-Clause */
/* What RS tells of services. */
#pragma once

#include "proto/rs.h"
#include "servers/rs/rs.h"

/*
 * Lines of text about all services (label ""), or about one with what is counted of it: bytes
 * written (without a NUL), -ESRCH, -ENOSPC.
 */
int status_text(struct rs *rs, const char *label, char *text, size_t size);

/* A recovery is complete that took so long. */
void status_count_recovery(struct service *service, uint64_t took_ns);

/* The numbers. */
void status_stats(const struct service *service, struct axo_service_stats *stats);
