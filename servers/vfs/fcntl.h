/* SPDX-License-Identifier: BSD-2-Clause */
/* fcntl(2). */
#pragma once

#include <stdint.h>

struct call;

int64_t sys_fcntl(struct call *call);
