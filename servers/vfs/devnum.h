/* SPDX-License-Identifier: BSD-2-Clause */
/* Device numbers in Linux's 64-bit form: bits 8..19 and 32..63 the major, 0..7 and 20..31 the minor
 * number. */
#pragma once

#include <stdint.h>

static inline uint64_t dev_make(uint32_t major, uint32_t minor)
{
	return (uint64_t)(major & 0xfff) << 8 | (uint64_t)(major & ~0xfffu) << 32 | (minor & 0xff) |
		(uint64_t)(minor & ~0xffu) << 12;
}

static inline uint32_t dev_major(uint64_t dev)
{
	return (uint32_t)((dev >> 8 & 0xfff) | (dev >> 32 & ~0xfffull));
}

static inline uint32_t dev_minor(uint64_t dev)
{
	return (uint32_t)((dev & 0xff) | (dev >> 12 & ~0xffull));
}
