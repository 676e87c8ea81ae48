/* SPDX-License-Identifier: BSD-2-Clause */
/* The structures that another version of RS goes on with: tools/layout.py makes a number of them.
 */
#include "servers/rs/rs.h"

extern const struct rs *const layout_rs;

const struct rs *const layout_rs;
