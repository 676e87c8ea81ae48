/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/coro/switch.h"

#include <stdint.h>

void *coro_switch_prepare(void *top, void (*entry)(void))
{
	uint64_t *sp = top;

	*--sp = 0; /* entry() finds its stack aligned as after a call; it never returns */
	*--sp = (uint64_t)(uintptr_t)entry;
	for (int i = 0; i < 6; i++) {
		*--sp = 0;
	}
	return sp;
}
