/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/coro/switch.h"

#include <stdint.h>

#define MXCSR_DEFAULT 0x1f80u
#define FPU_CONTROL_DEFAULT 0x037full

void *coro_switch_prepare(void *top, void (*entry)(void))
{
	uint64_t *sp = top;

	*--sp = 0; /* entry() finds its stack aligned as after a call; it never returns */
	*--sp = (uint64_t)(uintptr_t)entry;
	for (int i = 0; i < 6; i++) {
		*--sp = 0;
	}
	*--sp = FPU_CONTROL_DEFAULT << 32 | MXCSR_DEFAULT;
	return sp;
}
