/* SPDX-License-Identifier: BSD-2-Clause */
/* Live update from an RS whose structures were others. */
#pragma once

#include <stdint.h>

/* A sef_upgrade_fn: *root is a struct rs of version `from` and all that it leads to. -EPROTO: this
 * version does not know that one. */
int rs_upgrade(void **root, uint32_t from);
