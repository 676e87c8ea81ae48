/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void coro_switch(void **save, void *load): System V x86-64, the callee-saved registers. Servers use no floating
 * point, so its control words are nobody's.
 */
	.text
	.globl coro_switch
	.type coro_switch, @function
coro_switch:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size coro_switch, . - coro_switch
	.section .note.GNU-stack, "", @progbits
