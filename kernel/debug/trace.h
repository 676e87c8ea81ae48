/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace ring: the last TRACE_RECORDS events, always recorded. Decoded by `axo trace` and shown
 * in panics. */
#pragma once

#include "abi/trace.h"

void trace(enum trace_event event, uint64_t a, uint64_t b);
/* The newest `max` records or fewer, oldest first, from index `from` of what is there; returns how
 * many. */
unsigned trace_read(struct trace_record *to, unsigned max);
const char *trace_event_name(unsigned event);
