/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions: entered by a multiboot loader in 32-bit mode without paging. Builds an identity map of
 * the low 4 GiB with 2 MiB pages, enters long mode and calls preinit(). Linked low, its symbols prefixed.
 *
 * The header carries load addresses (the "a.out kludge"), because QEMU's loader refuses 64-bit ELF files otherwise.
 */
#include "kernel/arch/x86_64/layout.h"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00010003 /* modules page aligned, memory map, address fields */

#define CR0_PE 0x1
#define CR0_WP 0x10000
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define EFER_NXE 0x800

	.section .multiboot, "a"
	.balign 4
header:
	.long MULTIBOOT_MAGIC
	.long MULTIBOOT_FLAGS
	.long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	.long header
	.long image_start
	.long image_load_end
	.long image_end
	.long start

	.text
	.code32
	.globl start
start:
	cli
	cld
	movl $stack_top, %esp
	movl %eax, %ebp
	movl %ebx, %edi

	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb no_long_mode
	movl $0x80000001, %eax
	cpuid
	btl $29, %edx
	jnc no_long_mode
	movl %edx, %esi /* bit 20: no-execute */

	/* PML4[0] -> PDPT -> four page directories of 2 MiB pages. */
	movl $identity_pdpt, %eax
	orl $(PTE_PRESENT | PTE_WRITE), %eax
	movl %eax, identity_pml4
	movl $identity_pds, %eax
	orl $(PTE_PRESENT | PTE_WRITE), %eax
	movl $identity_pdpt, %ebx
	movl $4, %ecx
1:	movl %eax, (%ebx)
	addl $4096, %eax
	addl $8, %ebx
	loop 1b
	movl $(PTE_PRESENT | PTE_WRITE | PTE_LARGE), %eax
	movl $identity_pds, %ebx
	movl $2048, %ecx
2:	movl %eax, (%ebx)
	addl $PAGE_2M, %eax
	addl $8, %ebx
	loop 2b

	movl %cr4, %eax
	orl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $identity_pml4, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_LME, %eax
	btl $20, %esi
	jnc 3f
	orl $EFER_NXE, %eax
3:	wrmsr
	movl %cr0, %eax
	orl $(CR0_PG | CR0_WP | CR0_PE), %eax
	movl %eax, %cr0
	lgdt gdt_pointer
	ljmp $SEL_KERNEL_CODE, $long_mode

no_long_mode:
	movl $no_long_mode_text, %esi
4:	lodsb
	testb %al, %al
	jz 5f
	movw $0x3f8, %dx
	outb %al, %dx
	jmp 4b
5:	hlt
	jmp 5b

	.code64
long_mode:
	movl $SEL_KERNEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl $stack_top, %esp
	movl %edi, %edi /* the loader's information; its upper half is undefined after the mode switch */
	movl %edi, %eax
	movl %ebp, %edi
	movl %eax, %esi
	xorl %ebp, %ebp
	call preinit
	/* rax = the handoff (physical). The high kernel never returns. */
	movq %rax, %rdi
	movabsq $kernel_entry, %rax
	jmp *%rax

	.section .rodata
no_long_mode_text:
	.asciz "axolotl: this CPU has no 64-bit mode\r\n"
	.balign 8
gdt:
	.quad 0
	.quad 0
	.quad 0x00af9b000000ffff /* kernel code, 64 bit */
	.quad 0x00cf93000000ffff /* kernel data */
gdt_pointer:
	.word 4 * 8 - 1
	.long gdt

	.bss
	.balign 4096
	.globl identity_pdpt
identity_pml4:
	.skip 4096
identity_pdpt:
	.skip 4096
identity_pds:
	.skip 4 * 4096
	.skip 8192
stack_top:

	.section .note.GNU-stack, "", @progbits
