/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the system: VFS unmounts, then the kernel stops the machine. */
#pragma once

#include "servers/pm/process.h"

/* how: enum abort_how. The first request counts. */
void reboot_start(struct pm *pm, int how);
/* VFS has unmounted. */
void reboot_unmounted(struct pm *pm, uint32_t seq);
/* Called by the queue of timers: VFS takes too long. */
void reboot_patience_over(struct pm *pm, struct pm_timer *timer);
int64_t call_reboot(struct pm *pm, struct thread *thread, const uint64_t *arg);
