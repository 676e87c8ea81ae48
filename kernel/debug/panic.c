/* SPDX-License-Identifier: BSD-2-Clause */
/* See panic.h. Prints by the polled port only, and touches as little of the kernel as it can. */
#include "kernel/debug/panic.h"

#include <stdarg.h>

#include "kernel/arch.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/trace.h"
#include "kernel/state.h"

#define PANIC_TRACE_RECORDS 24

void panic_say(const char *format, ...)
{
	char line[256];
	va_list args;
	int i;

	va_start(args, format);
	format_args(line, sizeof(line), format, args);
	va_end(args);
	for (i = 0; line[i] != '\0'; i++) {
		arch_panic_putc(line[i]);
	}
}

static void say_trace(void)
{
	uint64_t have =
		kernel.trace_count < PANIC_TRACE_RECORDS ? kernel.trace_count : PANIC_TRACE_RECORDS;
	uint64_t i;

	panic_say("last events:\n");
	for (i = kernel.trace_count - have; i < kernel.trace_count; i++) {
		const struct trace_record *record = &kernel.trace[i % TRACE_RECORDS];
		const struct proc *proc = proc_find(record->proc);

		panic_say("  %14lu %6d %-12s %-9s %lx %lx\n", record->tsc, record->proc,
			proc != NULL ? proc->name : "-", trace_event_name(record->event), record->a,
			record->b);
	}
}

static void say_diag_tail(void)
{
	uint64_t position = kernel.diag_end > 1500 ? kernel.diag_end - 1500 : 0;

	if (kernel.log_port) {
		return; /* it is there already */
	}
	panic_say("last diagnostics:\n");
	while (position < kernel.diag_end) {
		arch_panic_putc(kernel.diag[position++ % DIAG_BYTES]);
	}
}

static _Noreturn void panic_args(const struct trap_frame *frame, const char *format, va_list args)
{
	static bool again;
	char text[256];

	format_args(text, sizeof(text), format, args);
	if (again) {
		panic_say("\naxolotl: panic in panic: %s\n", text);
		arch_halt();
	}
	again = true;
	say_diag_tail();
	panic_say("\naxolotl: kernel panic: %s\n", text);
	if (kernel.procs != NULL && this_cpu()->current != NULL) {
		const struct proc *proc = this_cpu()->current;

		panic_say("current: %s, endpoint %d, ip %lx, sp %lx\n", proc->name, proc->endpoint,
			arch_ip(&proc->arch), arch_sp(&proc->arch));
	}
	arch_panic_state(frame);
	if (kernel.procs != NULL) {
		say_trace();
	}
	panic_say("axolotl: halted\n");
	arch_halt();
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	panic_args(NULL, format, args);
}

void panic_frame(const struct trap_frame *frame, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	panic_args(frame, format, args);
}

void assert_failed(const char *text, const char *file, int line)
{
	panic("assertion failed: %s (%s:%d)", text, file, line);
}
