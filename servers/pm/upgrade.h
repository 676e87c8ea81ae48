/* SPDX-License-Identifier: BSD-2-Clause */
/* Live update from a PM whose structures were others. */
#pragma once

#include <stdint.h>

/* A sef_upgrade_fn: *root is a struct pm of version `from` and all that it leads to. -EPROTO: this
 * version does not know that one. */
int pm_upgrade(void **root, uint32_t from);
