/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers for address-space layout and AT_RANDOM: seeded from the random device as soon as
 * there is one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Workers only. */
void random_fill(void *buf, size_t bytes);
uint64_t random_u64(void);
