/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a process that only this architecture knows: saved registers, and how calls and
 * results lie in them. */
#pragma once

#include "abi/types.h"
#include "kernel/arch/x86_64/layout.h"

/* As entry.S pushes it. The last five fields are pushed by the CPU on interrupts. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error;
	uint64_t rip, cs, rflags, rsp, ss;
};

_Static_assert(sizeof(struct trap_frame) == 176, "entry.S pushes 22 words");
_Static_assert(sizeof(struct trap_frame) % 16 == 0, "the CPU aligns the stack pointer to 16");

/* Must be the first member of struct proc: interrupts from user mode push straight into it. */
struct arch_proc {
	struct trap_frame frame;
	uint64_t fs_base;
	uint64_t gs_base;
	void *fpu;     /* XSAVE area, in the proc table's own memory */
	bool fpu_used; /* the area (or, for the owner, the registers) holds a state of its own */
};

#define RFLAGS_USER_DEFAULT 0x202ul    /* interrupts on */
#define RFLAGS_USER_MASK    0x240dd5ul /* for programs: CF PF AF ZF SF TF DF OF AC ID */
#define SYSCALL_BYTES       2          /* length of the SYSCALL instruction */

static inline uint64_t arch_call_number(const struct arch_proc *arch)
{
	return arch->frame.rax;
}

static inline void arch_call_args(const struct arch_proc *arch, uint64_t args[6])
{
	args[0] = arch->frame.rdi;
	args[1] = arch->frame.rsi;
	args[2] = arch->frame.rdx;
	args[3] = arch->frame.r10;
	args[4] = arch->frame.r8;
	args[5] = arch->frame.r9;
}

static inline void arch_set_result(struct arch_proc *arch, int64_t result)
{
	arch->frame.rax = (uint64_t)result;
}

static inline int64_t arch_result(const struct arch_proc *arch)
{
	return (int64_t)arch->frame.rax;
}

/* Whether it entered the kernel by a call. */
static inline bool arch_is_in_call(const struct arch_proc *arch)
{
	return arch->frame.vector == VECTOR_SYSCALL || arch->frame.vector == VECTOR_SYSCALL_IRET;
}

/* As if it had entered by one, whose result is 0. */
static inline void arch_enter_call(struct arch_proc *arch)
{
	arch->frame.vector = VECTOR_SYSCALL_IRET;
}

/* From now on all registers count, those too that SYSRET would destroy: it leaves by IRET. */
static inline void arch_keep_registers(struct arch_proc *arch)
{
	if (arch->frame.vector == VECTOR_SYSCALL) {
		arch->frame.vector = VECTOR_SYSCALL_IRET;
	}
}

/* Back over the SYSCALL instruction: call number `number` runs again with the same arguments. */
static inline void arch_rewind_call(struct arch_proc *arch, uint64_t number)
{
	arch->frame.rip -= SYSCALL_BYTES;
	arch->frame.rax = number;
}

static inline uint64_t arch_ip(const struct arch_proc *arch)
{
	return arch->frame.rip;
}

static inline uint64_t arch_sp(const struct arch_proc *arch)
{
	return arch->frame.rsp;
}
