/* SPDX-License-Identifier: BSD-2-Clause */
/* What another version of the driver goes on with: tools/layout.py makes a number of it. */
#include "drivers/memory/memory.h"

extern const struct memory *const layout_memory;

const struct memory *const layout_memory;
