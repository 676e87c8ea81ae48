/* SPDX-License-Identifier: BSD-2-Clause */
/* The end: processes killed, files written back, file systems unmounted, the machine stopped. */
#pragma once

enum shutdown_kind { SHUTDOWN_NONE, SHUTDOWN_POWEROFF, SHUTDOWN_REBOOT, SHUTDOWN_HALT };

/* Does not return. */
_Noreturn void shutdown_system(enum shutdown_kind kind);
