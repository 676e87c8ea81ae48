/* SPDX-License-Identifier: BSD-2-Clause */
/* mount, umount2, pivot_root. */
#pragma once

#include <stdint.h>

struct call;

int64_t sys_mount(struct call *call);
int64_t sys_umount2(struct call *call);
int64_t sys_pivot_root(struct call *call);
