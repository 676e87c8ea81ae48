/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things lie in physical and virtual memory (docs/memory-layout.md); for C, assembly and the
 * linker script. */
#pragma once

#define KERNEL_PHYS     0x100000
#define KERNEL_VIRT     0xffffffff80000000
#define DIRECT_MAP_BASE 0xffff800000000000
#define MMIO_BASE \
	0xffffffffc0000000 /* 4 KiB uncached pages for device registers of the kernel's own */
#define MMIO_PAGES 512

/* Selectors, as on Linux, because programs see cs and ss in signal frames. */
#define SEL_KERNEL_CODE 0x10
#define SEL_KERNEL_DATA 0x18
#define SEL_USER_CODE32 0x23
#define SEL_USER_DATA   0x2b
#define SEL_USER_CODE   0x33
#define SEL_TSS         0x40

/* Interrupt vectors: 32 + n for interrupt line n, then the kernel's own. */
#define VECTOR_IRQ0         0x20
#define VECTOR_IRQ_COUNT    64
#define VECTOR_TIMER        0xf0
#define VECTOR_SPURIOUS     0xff
#define VECTOR_SYSCALL      0x100 /* in a frame: entered by SYSCALL, may leave by SYSRET */
#define VECTOR_SYSCALL_IRET 0x101 /* entered by SYSCALL, must leave by IRET */

/* Page-table entries. */
#define PTE_PRESENT       0x001
#define PTE_WRITE         0x002
#define PTE_USER          0x004
#define PTE_WRITE_THROUGH 0x008
#define PTE_NO_CACHE      0x010
#define PTE_ACCESSED      0x020
#define PTE_DIRTY         0x040
#define PTE_LARGE         0x080
#define PTE_GLOBAL        0x100
#define PTE_NO_EXECUTE    0x8000000000000000
#define PTE_ADDR_MASK     0x000ffffffffff000

#define PAGE_2M 0x200000
