/* SPDX-License-Identifier: BSD-2-Clause */
/* Working directory, root directory, umask. */
#pragma once

#include <stdint.h>

struct call;

int64_t sys_chdir(struct call *call);
int64_t sys_fchdir(struct call *call);
int64_t sys_chroot(struct call *call);
int64_t sys_getcwd(struct call *call);
int64_t sys_umask(struct call *call);
