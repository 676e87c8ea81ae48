/* SPDX-License-Identifier: BSD-2-Clause */
/* A number that is hard to guess from outside: the time-stamp counter. */
#pragma once

#include <stdint.h>

static inline uint64_t arch_entropy(void)
{
	return __builtin_ia32_rdtsc();
}
