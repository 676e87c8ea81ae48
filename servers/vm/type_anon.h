/* SPDX-License-Identifier: BSD-2-Clause */
/* What private mappings of files have in common with anonymous memory: pages copied on write. */
#pragma once

#include "servers/vm/region.h"

/* Map a writable private copy of a page at addr. -ENOMEM. */
int anon_copy_page(struct vm *vm, struct region *region, vaddr_t addr, pfn_t from);

/* The entry in *slot holds a page that is to be written: allow it if it is nobody else's, else copy
 * it. -ENOMEM. */
int anon_unshare(struct vm *vm, struct region *region, vaddr_t addr, pte_t *slot);
