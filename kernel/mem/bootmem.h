/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own allocations: at boot only, until VM has taken the free list
 * (kernel.memory_taken). */
#pragma once

#include "abi/types.h"

/* Zeroed, 64-byte aligned, never freed; counted in kinfo.kernel_boot_bytes. Panics when there is
 * none. */
void *bootmem_alloc(uint64_t bytes);
/* One zeroed page for VM; counted in kinfo.vm_boot_bytes. */
paddr_t bootmem_page_for_vm(void);
