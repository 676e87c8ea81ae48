/* SPDX-License-Identifier: BSD-2-Clause */
/* splice and tee: bytes between a pipe and a file, or two pipes, without a program's memory. */
#pragma once

#include <stdint.h>

struct call;

int64_t sys_splice(struct call *call);
int64_t sys_tee(struct call *call);
