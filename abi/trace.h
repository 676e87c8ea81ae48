/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of the kernel's trace ring: the last events before a panic, and what `axo trace` decodes.
 */
#pragma once

#include "abi/types.h"

enum trace_event {
	TRACE_SEND = 1, /* a: destination, b: type */
	TRACE_RECEIVE,  /* a: source, b: type */
	TRACE_NOTIFY,   /* a: destination */
	TRACE_ASYNC,    /* a: destination, b: type */
	TRACE_KCALL,    /* a: number, b: first argument */
	TRACE_KRESULT,  /* a: number, b: result */
	TRACE_FAULT,    /* a: address, b: error code */
	TRACE_IRQ,      /* a: line */
	TRACE_SWITCH,   /* a: endpoint that runs now */
	TRACE_SIGNAL,   /* a: endpoint, b: signal */
	TRACE_EXCEPTION /* a: vector, b: instruction pointer */
};

struct trace_record {
	uint64_t tsc;
	endpoint_t proc; /* current */
	uint16_t event;
	uint16_t cpu;
	uint64_t a, b;
};

_Static_assert(sizeof(struct trace_record) == 32, "trace record");
