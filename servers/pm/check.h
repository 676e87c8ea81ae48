/* SPDX-License-Identifier: BSD-2-Clause */
/* The invariants of process.h and deliver.h, walked. Linear in processes and threads: for tests. */
#pragma once

struct pm;

/* Between two messages all invariants hold: NULL, or the text of the first that does not. */
const char *pm_check(struct pm *pm);
