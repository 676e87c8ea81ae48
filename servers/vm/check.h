/* SPDX-License-Identifier: BSD-2-Clause */
/* The sanity check (VM-15): walks all that VM knows. */
#pragma once

#include "servers/vm/vm.h"

/* NULL when all invariants of vm.h hold; else what does not. Takes time in proportion to memory. */
const char *vm_check(struct vm *vm);
