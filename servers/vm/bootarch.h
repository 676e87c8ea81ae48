/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot archive as bytes from outside. */
#pragma once

#include "abi/bootarch.h"

/* Whether an archive of `bytes` bytes is sound: everything its entries say lies inside it, and
 * nothing twice. */
bool bootarch_is_sound(const struct bootarch_header *header, uint64_t bytes);
