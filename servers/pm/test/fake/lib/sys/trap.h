/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of lib/sys/trap.h for host tests: traps go to the fake kernel. */
#pragma once

#include "abi/trap.h"

int64_t sys_trap(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);
