/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that change attributes: mode, owner, times. */
#pragma once

#include <stdint.h>

struct call;

int64_t sys_chmod(struct call *call);
int64_t sys_fchmod(struct call *call);
int64_t sys_fchmodat(struct call *call);
int64_t sys_chown(struct call *call);
int64_t sys_lchown(struct call *call);
int64_t sys_fchown(struct call *call);
int64_t sys_fchownat(struct call *call);
int64_t sys_utime(struct call *call);
int64_t sys_utimes(struct call *call);
int64_t sys_futimesat(struct call *call);
int64_t sys_utimensat(struct call *call);

/* The xattr family: no file system here has any. */
int64_t sys_xattr_path(struct call *call);
int64_t sys_xattr_link(struct call *call);
int64_t sys_xattr_fd(struct call *call);
