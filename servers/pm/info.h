/* SPDX-License-Identifier: BSD-2-Clause */
/* What the proc file system asks of processes. */
#pragma once

#include "proto/pm.h"

struct pm;

/* PM_GETPROC from `source`: the answer goes there asynchronously. */
void info_request(struct pm *pm, endpoint_t source, const struct pm_getproc *request);

/* PM_GETNAMES, likewise. */
void info_names(struct pm *pm, endpoint_t source, const struct pm_getnames *request);
