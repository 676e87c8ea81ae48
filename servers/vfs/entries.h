/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that make, move and take away names. */
#pragma once

#include <stdint.h>

struct call;

int64_t sys_mkdir(struct call *call);
int64_t sys_mkdirat(struct call *call);
int64_t sys_mknod(struct call *call);
int64_t sys_mknodat(struct call *call);
int64_t sys_symlink(struct call *call);
int64_t sys_symlinkat(struct call *call);
int64_t sys_link(struct call *call);
int64_t sys_linkat(struct call *call);
int64_t sys_unlink(struct call *call);
int64_t sys_rmdir(struct call *call);
int64_t sys_unlinkat(struct call *call);
int64_t sys_rename(struct call *call);
int64_t sys_renameat(struct call *call);
int64_t sys_renameat2(struct call *call);
