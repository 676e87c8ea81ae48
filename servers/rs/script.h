/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recovery scripts: what a declaration names is run when the service has died, instead of a
 * restart. RS makes no programs: it signals init (process 1), which fetches the request by
 * AXO_SERVICE_SCRIPT and runs the script with the arguments LABEL REASON INCARNATION.
 */
#pragma once

#include "servers/rs/rs.h"

/* The service has died: its script is to be run. */
void script_request(struct service *service);

/*
 * The next request as four lines of text, path, label, reason, incarnation: bytes without the NUL;
 * 0: there is none; -ENOSPC.
 */
int script_fetch(struct rs *rs, char *text, size_t size);
