/* SPDX-License-Identifier: BSD-2-Clause */
/* Recovery scripts of services: RS asks for them by SIGHUP, for it runs no programs itself. */
#pragma once

/* Start the scripts that RS wants run: PATH LABEL REASON INCARNATION. They are reaped like all
 * others. */
void script_start_pending(void);
