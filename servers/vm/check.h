/* SPDX-License-Identifier: BSD-2-Clause */
/* The sanity check (VM-15): walks all that VM knows. */
#pragma once

#include "servers/vm/vm.h"

/* NULL when all invariants of vm.h hold; else what does not. Takes time in proportion to memory. */
const char *vm_check(struct vm *vm);

/*
 * The check after each request of a debug build: what the request changed (ledger.h) is walked, and
 * all sums are compared; every so often, or when much was changed, everything is walked. Takes time
 * in proportion to what was changed.
 */
const char *vm_check_request(struct vm *vm);
