/* SPDX-License-Identifier: BSD-2-Clause */
/* The stat family, statx, statfs and readlink. */
#pragma once

#include <stdint.h>

struct call;

int64_t sys_stat(struct call *call);
int64_t sys_lstat(struct call *call);
int64_t sys_fstat(struct call *call);
int64_t sys_newfstatat(struct call *call);
int64_t sys_statx(struct call *call);
int64_t sys_statfs(struct call *call);
int64_t sys_fstatfs(struct call *call);
int64_t sys_ustat(struct call *call);
int64_t sys_readlink(struct call *call);
int64_t sys_readlinkat(struct call *call);
