/* SPDX-License-Identifier: BSD-2-Clause */
/* The services of the boot archive: declared at build time, running (but held) when RS begins. */
#pragma once

#include "servers/rs/rs.h"

/* The declarations, made from etc/system.conf.d by embed.py. */
extern const char boot_declarations[];
extern const size_t boot_declarations_len;

/* Fetch each one's program from VM, give each its privileges, let it run, tell the others of it,
 * and have it start. */
void boot_begin(struct rs *rs);

/* A boot service has reported its init's result; after the last one init may run. */
void boot_started(struct rs *rs, struct service *service, int result);
