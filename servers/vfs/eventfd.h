/* SPDX-License-Identifier: BSD-2-Clause */
/* eventfd(2): a counter as a file. */
#pragma once

#include <stdint.h>

struct call;

int64_t sys_eventfd(struct call *call);
int64_t sys_eventfd2(struct call *call);
