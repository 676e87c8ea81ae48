/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signal frames, exactly as Linux lays them out (abi/linux/signal.h). The frame lies in the
 * program's memory and is the program's to change: what comes back by sigreturn is believed in
 * nothing that could hurt the kernel.
 */
#include "abi/linux/signal.h"

#include <string.h>

#include "abi/bootinfo.h"
#include "kernel/arch/x86_64/machine.h"
#include "kernel/arch/x86_64/x86.h"
#include "kernel/debug/diag.h"
#include "kernel/linux/call.h"
#include "kernel/mem/copy.h"

#define FXSAVE_BYTES    512
#define SW_BYTES_OFFSET 464 /* of struct linux_fpx_sw_bytes in the fxsave area */
#define FPU_ALIGN       64

static uint32_t frame_fpu_bytes(void)
{
	return machine.xsave_bytes + (machine.has_xsave ? (uint32_t)sizeof(uint32_t) : 0);
}

static bool is_on_altstack(const struct sigsend_spec *spec, vaddr_t sp)
{
	return spec->altstack_size != 0 && sp > spec->altstack_sp &&
		sp - spec->altstack_sp <= spec->altstack_size;
}

/* Where the frame goes, and where its FPU image. False: no room in user space. */
static bool place_frame(const struct sigsend_spec *spec, vaddr_t sp, vaddr_t *frame, vaddr_t *fpu)
{
	bool switches = spec->use_altstack != 0 && !is_on_altstack(spec, sp);
	vaddr_t top = switches ? spec->altstack_sp + spec->altstack_size : sp - LINUX_RED_ZONE;

	if (top > USER_END || top < 2 * XSTATE_MAX + sizeof(struct linux_rt_sigframe)) {
		return false;
	}
	*fpu = (top - frame_fpu_bytes()) & ~(vaddr_t)(FPU_ALIGN - 1);
	*frame = ((*fpu - sizeof(struct linux_rt_sigframe)) & ~(vaddr_t)15) - 8;
	/* An alternate stack that is too small is an overflow, as on Linux. */
	return spec->use_altstack == 0 || !is_on_altstack(spec, top) || *frame > spec->altstack_sp;
}

static void fill_context(struct linux_sigcontext *context, const struct trap_frame *regs,
	const struct sigsend_spec *spec)
{
	*context = (struct linux_sigcontext){
		.r8 = regs->r8,
		.r9 = regs->r9,
		.r10 = regs->r10,
		.r11 = regs->r11,
		.r12 = regs->r12,
		.r13 = regs->r13,
		.r14 = regs->r14,
		.r15 = regs->r15,
		.rdi = regs->rdi,
		.rsi = regs->rsi,
		.rbp = regs->rbp,
		.rbx = regs->rbx,
		.rdx = regs->rdx,
		.rax = regs->rax,
		.rcx = regs->rcx,
		.rsp = regs->rsp,
		.rip = regs->rip,
		.eflags = regs->rflags,
		.cs = SEL_USER_CODE,
		.ss = SEL_USER_DATA,
		.err = spec->error,
		.trapno = (uint64_t)spec->trapno,
		.oldmask = spec->mask,
		.cr2 = spec->fault_address,
	};
}

/* The FPU state and its markers: the last bytes of the fxsave area, and a word after everything. */
static int64_t send_fpu(struct proc *caller, struct proc *target, vaddr_t to)
{
	struct linux_fpx_sw_bytes sw = {
		.magic1 = LINUX_FP_XSTATE_MAGIC1,
		.extended_size = frame_fpu_bytes(),
		.xfeatures = machine.xsave_features,
		.xstate_size = machine.xsave_bytes,
	};
	uint32_t magic2 = LINUX_FP_XSTATE_MAGIC2;
	int64_t error;

	fpu_save(&target->arch);
	error = copy_to(caller, target, to, target->arch.fpu, machine.xsave_bytes);
	if (error == 0 && machine.has_xsave) {
		error = copy_to(caller, target, to + SW_BYTES_OFFSET, &sw, sizeof(sw));
	}
	if (error == 0 && machine.has_xsave) {
		error = copy_to(caller, target, to + machine.xsave_bytes, &magic2, sizeof(magic2));
	}
	return error;
}

int64_t arch_signal_send(struct proc *caller, struct proc *target, const struct sigsend_spec *spec)
{
	struct trap_frame *regs = &target->arch.frame;
	struct linux_rt_sigframe frame;
	vaddr_t at, fpu;
	int64_t error;

	if (!place_frame(spec, regs->rsp, &at, &fpu)) {
		return -EFAULT;
	}
	/* Bring all of it in by one question, before anything is resolved. */
	memset(&frame, 0, sizeof(frame));
	error = copy_to(caller, target, at, &frame, sizeof(frame));
	if (error == 0) {
		error = send_fpu(caller, target, fpu);
	}
	if (error != 0) {
		return error;
	}
	linux_call_interrupt(target, (spec->sa_flags & LSA_RESTART) != 0);
	frame.pretcode = spec->restorer;
	frame.uc.flags = LINUX_UC_SIGCONTEXT_SS | LINUX_UC_STRICT_RESTORE_SS |
		(machine.has_xsave ? LINUX_UC_FP_XSTATE : 0);
	frame.uc.stack = (struct linux_stack_t){
		.sp = spec->altstack_sp,
		.flags = (int32_t)spec->altstack_flags,
		.size = spec->altstack_size,
	};
	fill_context(&frame.uc.mcontext, regs, spec);
	if ((target->flags & PROC_TRACE_STEP) != 0) {
		frame.uc.mcontext.eflags &= ~RFLAGS_TF; /* its tracer's */
	}
	frame.uc.mcontext.fpstate = fpu;
	frame.uc.sigmask = spec->mask;
	memcpy(&frame.info, spec->siginfo, sizeof(frame.info));
	error = copy_to(caller, target, at, &frame, sizeof(frame));
	if (error != 0) {
		return error;
	}
	regs->rip = spec->handler;
	regs->rsp = at;
	regs->rdi = (uint64_t)spec->signo;
	regs->rsi = at + offsetof(struct linux_rt_sigframe, info);
	regs->rdx = at + offsetof(struct linux_rt_sigframe, uc);
	regs->rax = 0;
	regs->rflags &= ~(RFLAGS_DF | RFLAGS_TF);
	regs->vector = 0; /* leave by IRET: rcx and r11 are the program's again */
	return 0;
}

static int64_t return_fpu(struct proc *caller, struct proc *target, vaddr_t from)
{
	static uint8_t area[XSTATE_MAX] __attribute__((aligned(64)));
	struct linux_fpx_sw_bytes sw;
	bool extended;
	int64_t error;

	if (from == 0) {
		fpu_discard(&target->arch);
		target->arch.fpu_used = false;
		return 0;
	}
	if ((from & (FPU_ALIGN - 1)) != 0 || machine.xsave_bytes > sizeof(area)) {
		return -EFAULT;
	}
	error = copy_from(caller, target, from, area, FXSAVE_BYTES);
	if (error != 0) {
		return error;
	}
	memcpy(&sw, area + SW_BYTES_OFFSET, sizeof(sw));
	extended = machine.has_xsave && sw.magic1 == LINUX_FP_XSTATE_MAGIC1 &&
		sw.xstate_size == machine.xsave_bytes;
	if (extended) {
		error = copy_from(caller, target, from, area, machine.xsave_bytes);
		if (error != 0) {
			return error;
		}
	}
	fpu_tame(area, extended);
	fpu_discard(&target->arch);
	memcpy(target->arch.fpu, area, machine.xsave_bytes);
	target->arch.fpu_used = true;
	return 0;
}

int64_t arch_signal_return(struct proc *caller, struct proc *target, struct sigreturn_info *info)
{
	struct trap_frame *regs = &target->arch.frame;
	const struct linux_sigcontext *context;
	struct linux_rt_sigframe frame;
	/* The handler's return has popped pretcode. */
	vaddr_t at = regs->rsp - sizeof(frame.pretcode);
	int64_t error = copy_from(caller, target, at, &frame, sizeof(frame));

	if (error != 0) {
		return error;
	}
	context = &frame.uc.mcontext;
	if (context->rip >= USER_END) {
		return -EFAULT;
	}
	error = return_fpu(caller, target, context->fpstate);
	if (error != 0) {
		return error;
	}
	regs->r8 = context->r8;
	regs->r9 = context->r9;
	regs->r10 = context->r10;
	regs->r11 = context->r11;
	regs->r12 = context->r12;
	regs->r13 = context->r13;
	regs->r14 = context->r14;
	regs->r15 = context->r15;
	regs->rdi = context->rdi;
	regs->rsi = context->rsi;
	regs->rbp = context->rbp;
	regs->rbx = context->rbx;
	regs->rdx = context->rdx;
	regs->rax = context->rax;
	regs->rcx = context->rcx;
	regs->rsp = context->rsp;
	regs->rip = context->rip;
	regs->rflags = (context->eflags & RFLAGS_USER_MASK) | RFLAGS_USER_DEFAULT;
	regs->vector = 0; /* all registers count: leave by IRET */
	target->flags &= ~(uint32_t)PROC_RESTART;
	info->mask = frame.uc.sigmask;
	info->altstack_sp = frame.uc.stack.sp;
	info->altstack_size = frame.uc.stack.size;
	info->altstack_flags = (uint32_t)frame.uc.stack.flags;
	return 0;
}
