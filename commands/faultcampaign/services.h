/* SPDX-License-Identifier: BSD-2-Clause */
/* RS's side of a campaign: which services there are, what RS counts of them, and faults. Results
 * are 0 or more, or a negative errno. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/rs.h"

/* Kinds of faults: those of enum sef_fault_kind, and FAULT_KILL. */
#define FAULT_KILL  0
#define FAULT_KINDS 11

/* The name of a kind ("pointer"), and the kind of a name; NULL or -EINVAL where there is none. */
const char *fault_name(int kind);
int fault_by_name(const char *name);

/* Whether this kind ends the service by itself. */
bool fault_is_deadly(int kind);

/* Whether it only shows by the service's silence, which RS has to notice. */
bool fault_is_silent(int kind);

/* The label that a name stands for: itself, or the first label NAME.SOMETHING. -ESRCH: there is
 * none. */
int services_resolve(const char *name, char label[24]);

int services_stats(const char *label, struct axo_service_stats *stats);

/* 0 when the service answers. */
int services_ping(const char *label);

int services_restart(const char *label);

/* Makes the service fail in one of its next requests; flags: AXO_SERVICE_BOUNDARY, _STANDS. */
int services_fault(const char *label, int kind, uint64_t seed, uint32_t flags);
