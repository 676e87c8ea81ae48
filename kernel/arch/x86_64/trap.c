/* SPDX-License-Identifier: BSD-2-Clause */
/* Traps: what entry.S calls with the registers saved. Interrupts are off throughout. */
#include <string.h>

#include "abi/linux/signal.h"
#include "kernel/arch/x86_64/machine.h"
#include "kernel/arch/x86_64/offsets.h"
#include "kernel/arch/x86_64/x86.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/panic.h"
#include "kernel/debug/symbols.h"
#include "kernel/debug/trace.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/fault.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/signal.h"
#include "kernel/state.h"
#include "kernel/time/timer.h"
#include "kernel/trap.h"

_Static_assert(offsetof(struct cpu, frame_end) == CPU_FRAME_END, "entry.S");
_Static_assert(offsetof(struct cpu, stack_top) == CPU_STACK_TOP, "entry.S");
_Static_assert(offsetof(struct cpu, scratch) == CPU_SCRATCH, "entry.S");
_Static_assert(offsetof(struct trap_frame, vector) == FRAME_VECTOR, "entry.S");

enum exception {
	EXC_DIVIDE = 0,
	EXC_DEBUG = 1,
	EXC_NMI = 2,
	EXC_BREAKPOINT = 3,
	EXC_OVERFLOW = 4,
	EXC_OPCODE = 6,
	EXC_NO_FPU = 7,
	EXC_DOUBLE_FAULT = 8,
	EXC_STACK = 12,
	EXC_PAGE_FAULT = 14,
	EXC_X87 = 16,
	EXC_ALIGNMENT = 17,
	EXC_SIMD = 19
};

struct proc *trap_syscall(struct proc *proc)
{
	uint64_t args[6];

	sched_enter(proc);
	arch_call_args(&proc->arch, args);
	trap_call(proc, arch_call_number(&proc->arch), args);
	return sched_leave();
}

static void interrupt(uint64_t vector)
{
	if (vector == VECTOR_TIMER) {
		apic_end_of_interrupt();
		this_cpu()->armed_ns = UINT64_MAX;
		timer_run(arch_now());
	} else if (vector >= VECTOR_IRQ0 && vector < VECTOR_IRQ0 + VECTOR_IRQ_COUNT) {
		irq_handle((unsigned)vector - VECTOR_IRQ0);
		irq_controller_end((unsigned)vector - VECTOR_IRQ0);
	} else if (vector != VECTOR_SPURIOUS) {
		diag_printf("unexpected interrupt %lu\n", vector);
		apic_end_of_interrupt();
	}
}

static void signal_for(uint64_t vector, int *signo, int *code)
{
	switch (vector) {
	case EXC_DIVIDE:
		*signo = LSIGFPE;
		*code = LFPE_INTDIV;
		break;
	case EXC_DEBUG:
		*signo = LSIGTRAP;
		*code = LTRAP_TRACE;
		break;
	case EXC_BREAKPOINT:
		*signo = LSIGTRAP;
		*code = LSI_KERNEL;
		break;
	case EXC_OPCODE:
		*signo = LSIGILL;
		*code = LILL_ILLOPN;
		break;
	case EXC_STACK:
		*signo = LSIGBUS;
		*code = LSI_KERNEL;
		break;
	case EXC_X87:
	case EXC_SIMD:
		*signo = LSIGFPE;
		*code = LFPE_FLTINV;
		break;
	case EXC_ALIGNMENT:
		*signo = LSIGBUS;
		*code = LBUS_ADRALN;
		break;
	default:
		*signo = LSIGSEGV;
		*code = LSI_KERNEL;
		break;
	}
}

static void exception(struct proc *proc, const struct trap_frame *frame)
{
	bool has_address = frame->vector == EXC_DIVIDE || frame->vector == EXC_OPCODE ||
		frame->vector == EXC_X87 || frame->vector == EXC_SIMD || frame->vector == EXC_DEBUG;
	int signo, code;

	if (frame->vector == EXC_NO_FPU) {
		fpu_claim(this_cpu(), &proc->arch);
		return;
	}
	if (frame->vector == EXC_PAGE_FAULT) {
		fault_report(proc, x86_cr2(), frame->error);
		return;
	}
	trace(TRACE_EXCEPTION, frame->vector, frame->rip);
	if (proc == proc_find(EP_VM)) {
		panic_frame(frame, "VM: exception %lu", frame->vector);
	}
	if (frame->vector == EXC_DEBUG) {
		proc->arch.frame.rflags &= ~RFLAGS_TF;
	}
	signal_for(frame->vector, &signo, &code);
	if (frame->vector == EXC_X87 || frame->vector == EXC_SIMD) {
		code = fpu_error_code(&proc->arch, frame->vector == EXC_SIMD);
	}
	signal_fault(
		proc, signo, code, has_address ? frame->rip : 0, (int)frame->vector, frame->error);
}

struct proc *trap_user(struct proc *proc)
{
	struct trap_frame *frame = &proc->arch.frame;

	sched_enter(proc);
	if (frame->vector < VECTOR_IRQ0) {
		exception(proc, frame);
	} else {
		interrupt(frame->vector);
	}
	return sched_leave();
}

void trap_kernel(struct trap_frame *frame)
{
	if (frame->vector >= VECTOR_IRQ0) {
		interrupt(frame->vector); /* in arch_idle */
		return;
	}
	if ((frame->vector == EXC_PAGE_FAULT || frame->vector == 13) &&
		frame->rip >= (uint64_t)user_copy_fault_start &&
		frame->rip < (uint64_t)user_copy_fault_end) {
		machine.fault_address = frame->vector == EXC_PAGE_FAULT ? x86_cr2() : USER_END;
		frame->rip = (uint64_t)user_copy_failed;
		return;
	}
	if (frame->vector == EXC_DEBUG) {
		return; /* a single step over SYSCALL ends here */
	}
	panic_frame(frame, "exception %lu in the kernel", frame->vector);
}

void trap_fatal(struct trap_frame *frame)
{
	panic_frame(frame, "%s",
		frame->vector == EXC_NMI                    ? "non-maskable interrupt"
			: frame->vector == EXC_DOUBLE_FAULT ? "double fault"
							    : "machine check");
}

void arch_idle(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

static void say_code_address(const char *what, uint64_t address)
{
	uint64_t offset = 0;
	const char *name = symbol_find(address, &offset);

	panic_say("%s%lx %s+%lx\n", what, address, name != NULL ? name : "?", offset);
}

/* Frame pointers link the kernel's stack frames; every address is checked before it is followed. */
static void say_stack(uint64_t rbp)
{
	uint64_t last = 0;
	int depth;

	panic_say("stack:\n");
	for (depth = 0; depth < 24 && rbp > last && rbp >= KERNEL_VIRT && (rbp & 7) == 0; depth++) {
		const uint64_t *link = (const uint64_t *)rbp;

		if (symbol_find(link[1], &last) == NULL) {
			break;
		}
		say_code_address("  ", link[1]);
		last = rbp;
		rbp = link[0];
	}
}

void arch_panic_state(const struct trap_frame *frame)
{
	if (frame == NULL) {
		say_stack((uint64_t)__builtin_frame_address(0));
		return;
	}
	panic_say("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", frame->rax, frame->rbx,
		frame->rcx, frame->rdx);
	panic_say("rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", frame->rsi, frame->rdi,
		frame->rbp, frame->rsp);
	panic_say("r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", frame->r8, frame->r9, frame->r10,
		frame->r11);
	panic_say("r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", frame->r12, frame->r13,
		frame->r14, frame->r15);
	panic_say("cs %lx rflags %lx error %lx cr2 %lx cr3 %lx cr4 %lx\n", frame->cs, frame->rflags,
		frame->error, x86_cr2(), x86_cr3(), x86_cr4());
	say_code_address("rip ", frame->rip);
	if ((frame->cs & 3) == 0) {
		say_stack(frame->rbp);
	}
}
