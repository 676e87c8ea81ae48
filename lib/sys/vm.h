/* SPDX-License-Identifier: BSD-2-Clause */
/* What services ask VM for (proto/vm.h), as C functions. 0 or a negative error, unless said. */
#pragma once

#include "proto/vm.h"

/* Physical memory of a device into the caller's address space: the address of paddr itself in
 * *addr. */
int vm_map_phys(paddr_t paddr, size_t bytes, uint32_t flags, void **addr);
/* Zeroed, physically contiguous, page-aligned; its physical address in *paddr. */
int vm_alloc_contig(size_t bytes, uint32_t flags, void **addr, paddr_t *paddr);
/* VM_INFO_*: count of bytes or records stored, *next (may be NULL) is where to go on. */
int64_t vm_info(enum vm_info_what what, endpoint_t ep, void *to, size_t bytes, uint64_t *next);
