/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers as debuggers see them (abi/linux/ptrace.h). What they store is checked: a thread must
 * never come to user mode with more than user mode may have. */
#include <string.h>

#include "abi/bootinfo.h"
#include "abi/linux/errno.h"
#include "abi/linux/ptrace.h"
#include "kernel/arch/x86_64/machine.h"
#include "kernel/arch/x86_64/x86.h"

void arch_get_registers(
	const struct arch_proc *arch, int32_t call, bool steps, struct linux_user_regs *regs)
{
	const struct trap_frame *f = &arch->frame;

	*regs = (struct linux_user_regs){.r15 = f->r15,
		.r14 = f->r14,
		.r13 = f->r13,
		.r12 = f->r12,
		.rbp = f->rbp,
		.rbx = f->rbx,
		.r11 = f->r11,
		.r10 = f->r10,
		.r9 = f->r9,
		.r8 = f->r8,
		.rax = f->rax,
		.rcx = f->rcx,
		.rdx = f->rdx,
		.rsi = f->rsi,
		.rdi = f->rdi,
		.orig_rax = arch_is_in_call(arch) ? (uint64_t)call : UINT64_MAX,
		.rip = f->rip,
		.cs = SEL_USER_CODE,
		.eflags = steps ? f->rflags & ~RFLAGS_TF : f->rflags,
		.rsp = f->rsp,
		.ss = SEL_USER_DATA,
		.fs_base = arch->fs_base,
		.gs_base = arch->gs_base};
}

int arch_set_registers(struct arch_proc *arch, const struct linux_user_regs *regs)
{
	struct trap_frame *f = &arch->frame;

	if (regs->fs_base >= USER_END || regs->gs_base >= USER_END || regs->rip >= USER_END ||
		regs->cs != SEL_USER_CODE || regs->ss != SEL_USER_DATA) {
		return -EIO;
	}
	f->r15 = regs->r15;
	f->r14 = regs->r14;
	f->r13 = regs->r13;
	f->r12 = regs->r12;
	f->r11 = regs->r11;
	f->r10 = regs->r10;
	f->r9 = regs->r9;
	f->r8 = regs->r8;
	f->rbp = regs->rbp;
	f->rdi = regs->rdi;
	f->rsi = regs->rsi;
	f->rdx = regs->rdx;
	f->rcx = regs->rcx;
	f->rbx = regs->rbx;
	f->rax = regs->rax;
	f->rip = regs->rip;
	f->rflags = (regs->eflags & RFLAGS_USER_MASK) | RFLAGS_USER_DEFAULT;
	f->rsp = regs->rsp;
	arch->fs_base = regs->fs_base;
	arch->gs_base = regs->gs_base;
	arch_keep_registers(arch);
	return 0;
}

void arch_step(struct arch_proc *arch, bool on)
{
	if (on) {
		arch->frame.rflags |= RFLAGS_TF;
		arch_keep_registers(arch); /* SYSRET would trap before the instruction */
	} else {
		arch->frame.rflags &= ~RFLAGS_TF;
	}
}

const void *arch_fpu_image(struct arch_proc *arch)
{
	fpu_save(arch);
	if (machine.has_xsave) {
		memcpy((uint8_t *)arch->fpu + LINUX_XSTATE_FEATURES, &machine.xsave_features,
			sizeof(uint64_t));
	}
	return arch->fpu;
}

int arch_fpu_set(struct arch_proc *arch, const void *image, uint32_t bytes)
{
	static uint8_t area[XSTATE_MAX] __attribute__((aligned(64)));

	if ((bytes != LINUX_FPREGS_BYTES && bytes != machine.xsave_bytes) ||
		machine.xsave_bytes > sizeof(area)) {
		return -EINVAL;
	}
	fpu_save(arch);
	memcpy(area, arch->fpu, machine.xsave_bytes);
	memcpy(area, image, bytes);
	fpu_tame(area, bytes == machine.xsave_bytes);
	fpu_discard(arch);
	memcpy(arch->fpu, area, machine.xsave_bytes);
	return 0;
}
