/* SPDX-License-Identifier: BSD-2-Clause */
/* ioctl(2): what holds for every file, and how large the arguments of known requests are. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct call;

struct ioctl_arg {
	uint32_t bytes;     /* 0: the argument is a value, or unknown */
	bool is_in, is_out; /* the program gives, the program gets */
};

struct ioctl_arg ioctl_argument(unsigned request);

int64_t sys_ioctl(struct call *call);
