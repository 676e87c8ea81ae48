/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own symbol table, put into the image by kernel/tools/link_kernel.py. */
#pragma once

#include "abi/types.h"

/* The function that holds the address, and the offset into it; NULL: not kernel text. */
const char *symbol_find(uint64_t address, uint64_t *offset);
