/* SPDX-License-Identifier: BSD-2-Clause */
/* See trace.h. */
#include "kernel/debug/trace.h"

#include "kernel/state.h"

void trace(enum trace_event event, uint64_t a, uint64_t b)
{
	struct cpu *cpu = this_cpu();
	struct trace_record *record = &kernel.trace[kernel.trace_count++ % TRACE_RECORDS];

	record->tsc =
		cpu->mark_cycles; /* of the kernel entry: reading the counter each time costs */
	record->proc = cpu->current != NULL ? cpu->current->endpoint : EP_NONE;
	record->event = (uint16_t)event;
	record->cpu = (uint16_t)cpu->number;
	record->a = a;
	record->b = b;
}

unsigned trace_read(struct trace_record *to, unsigned max)
{
	uint64_t have = kernel.trace_count < TRACE_RECORDS ? kernel.trace_count : TRACE_RECORDS;
	unsigned i;

	if (max > have) {
		max = (unsigned)have;
	}
	for (i = 0; i < max; i++) {
		to[i] = kernel.trace[(kernel.trace_count - max + i) % TRACE_RECORDS];
	}
	return max;
}

const char *trace_event_name(unsigned event)
{
	static const char *const names[] = {"?", "send", "receive", "notify", "async", "kcall",
		"result", "fault", "irq", "switch", "signal", "exception"};

	return names[event < AXO_ARRAY_LEN(names) ? event : 0];
}
