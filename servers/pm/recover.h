/* SPDX-License-Identifier: BSD-2-Clause */
/* PM after its own crash or live update: its memory has come over. */
#pragma once

#include "lib/sys/sef.h"

struct pm;

/* Sets what the kernel holds for PM, and sees to the message that was being served. 0. */
int pm_recover(struct pm *pm, const struct sef_info *info);
/* Whether a thread waits in a call that PM knows of and will answer. */
bool pm_knows_waiter(struct pm *pm, endpoint_t ep);
