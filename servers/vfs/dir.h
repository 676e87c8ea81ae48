/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories as objects, and the calls that read them. */
#pragma once

#include "servers/vfs/file.h"

int64_t sys_getdents(struct call *call);
int64_t sys_getdents64(struct call *call);
