/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways into the kernel and out of it. There is one kernel stack a processor and nothing lives on it between entries:
 * from user mode, SYSCALL and interrupts push the registers straight into the frame at the start of the current
 * struct proc, then the C part runs on the processor's stack and returns the process that shall run next.
 *
 * From the kernel itself only come: interrupts in arch_idle (on the kernel stack), faults of the user copy functions
 * (trap_kernel jumps to their fix-up), and fatal exceptions (own stacks by IST).
 */
#include "kernel/arch/x86_64/layout.h"
#include "kernel/arch/x86_64/offsets.h"

	.macro push_registers
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	.endm

	.macro pop_registers
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
	.endm

	/* Becomes STAC (cb) or CLAC (ca) where the CPU has SMAP: cpu.c. */
	.macro smap_site last
	.pushsection .rodata.smap, "a"
	.quad 9f
	.byte \last
	.balign 8
	.popsection
9:	.byte 0x0f, 0x1f, 0x00
	.endm

	.text
	/* The high kernel's first instruction; rdi = handoff (physical). */
	.globl kernel_start
kernel_start:
	movq $boot_stack_top, %rsp
	xorl %ebp, %ebp
	call arch_main
	ud2

	.globl syscall_entry
	.type syscall_entry, @function
syscall_entry:
	swapgs
	movq %rsp, %gs:CPU_SCRATCH
	movq %gs:CPU_FRAME_END, %rsp
	pushq $SEL_USER_DATA
	pushq %gs:CPU_SCRATCH
	pushq %r11
	pushq $SEL_USER_CODE
	pushq %rcx
	pushq $0
	pushq $VECTOR_SYSCALL
	push_registers
	movq %rsp, %rdi
	movq %gs:CPU_STACK_TOP, %rsp
	xorl %ebp, %ebp
	call trap_syscall
	jmp resume_user

	/* arch_resume(struct proc *): the first entry of user mode */
	.globl arch_resume
arch_resume:
	movq %rdi, %rax
	jmp resume_user

	/* rax = the struct proc to run: its frame comes first. */
	.globl resume_user
	.type resume_user, @function
resume_user:
	movq %rax, %rsp
	cmpq $VECTOR_SYSCALL, FRAME_VECTOR(%rsp)
	pop_registers /* flags stay */
	jne 1f
	movq 16(%rsp), %rcx /* rip */
	movq 32(%rsp), %r11 /* rflags */
	movq 40(%rsp), %rsp
	swapgs
	sysretq
1:	leaq 16(%rsp), %rsp
	swapgs
	iretq

	/* Vector and error code are pushed; rip, cs, rflags, rsp, ss are above. */
	.type interrupt_common, @function
interrupt_common:
	testb $3, 24(%rsp)
	jz 1f
	swapgs
	push_registers
	movq %rsp, %rdi
	movq %gs:CPU_STACK_TOP, %rsp
	xorl %ebp, %ebp
	cld
	smap_site 0xca
	call trap_user
	jmp resume_user
1:	push_registers
	movq %rsp, %rdi
	cld
	call trap_kernel
	pop_registers
	addq $16, %rsp
	iretq

	/* NMI, double fault and machine check: on stacks of their own, never to return. */
	.type fatal_common, @function
fatal_common:
	push_registers
	movq %rsp, %rdi
	movl $0xc0000101, %ecx /* GS base: the kernel's is in the upper half */
	rdmsr
	testl %edx, %edx
	js 1f
	swapgs
1:	cld
	call trap_fatal
	ud2

	.macro stub vector
	.balign 16
stub_\vector:
	.if (\vector == 2) || (\vector == 18)
	pushq $0
	pushq $\vector
	jmp fatal_common
	.elseif \vector == 8
	pushq $\vector
	jmp fatal_common
	/* Those that push an error code. */
	.elseif ((\vector >= 10) && (\vector <= 14)) || (\vector == 17) || (\vector == 21) || (\vector == 29)
	pushq $\vector
	jmp interrupt_common
	.elseif \vector == 30
	pushq $\vector
	jmp interrupt_common
	.else
	pushq $0
	pushq $\vector
	jmp interrupt_common
	.endif
	.endm

	.section .text.stubs, "ax"
	.altmacro
	.balign 16
	.globl interrupt_stubs
interrupt_stubs:
	.set i, 0
	.rept 256
	stub %i
	.set i, i + 1
	.endr
	.noaltmacro

	.text

	/*
	 * user_copy(to, from, bytes), user_message_in(to, from), user_message_out(to, from) -> 0, or 1 after a fault
	 * (machine.fault_address says where). A message goes through registers, so that with SMAP on only the
	 * program's page is touched while access is open.
	 */
	.macro load_message
	movq (%rsi), %rax
	movq 8(%rsi), %rcx
	movq 16(%rsi), %rdx
	movq 24(%rsi), %r8
	movq 32(%rsi), %r9
	movq 40(%rsi), %r10
	movq 48(%rsi), %r11
	movq 56(%rsi), %rsi
	.endm
	.macro store_message
	movq %rax, (%rdi)
	movq %rcx, 8(%rdi)
	movq %rdx, 16(%rdi)
	movq %r8, 24(%rdi)
	movq %r9, 32(%rdi)
	movq %r10, 40(%rdi)
	movq %r11, 48(%rdi)
	movq %rsi, 56(%rdi)
	.endm

	.macro copy_words at
	movq \at(%rsi), %rax
	movq \at+8(%rsi), %r8
	movq \at+16(%rsi), %r9
	movq \at+24(%rsi), %r10
	movq %rax, \at(%rdi)
	movq %r8, \at+8(%rdi)
	movq %r9, \at+16(%rdi)
	movq %r10, \at+24(%rdi)
	.endm

	.globl user_copy, user_message_in, user_message_out
	.globl user_copy_fault_start, user_copy_fault_end, user_copy_failed
	.type user_copy, @function
	.type user_message_in, @function
	.type user_message_out, @function
user_copy_fault_start:
user_copy:
	movq %rdx, %rcx
	shrq $7, %rcx
	smap_site 0xcb
	jz 2f
	/* By 128 bytes: under an emulator a string instruction takes its time for each word. */
1:	copy_words 0
	copy_words 32
	copy_words 64
	copy_words 96
	addq $128, %rsi
	addq $128, %rdi
	decq %rcx
	jnz 1b
2:	movl %edx, %ecx
	andl $127, %ecx
	shrl $3, %ecx
	rep movsq
	movl %edx, %ecx
	andl $7, %ecx
	rep movsb
	smap_site 0xca
	xorl %eax, %eax
	ret
user_message_in:
	smap_site 0xcb
	load_message
	smap_site 0xca
	store_message
	xorl %eax, %eax
	ret
user_message_out:
	load_message
	smap_site 0xcb
	store_message
	smap_site 0xca
	xorl %eax, %eax
	ret
user_copy_fault_end:
user_copy_failed:
	smap_site 0xca
	movl $1, %eax
	ret

	.bss
	.balign 16
	.skip 16384
	.globl boot_stack_top
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
