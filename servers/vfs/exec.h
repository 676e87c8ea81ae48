/* SPDX-License-Identifier: BSD-2-Clause */
/* execve: VFS's part of it, which is nearly all. PM asks (VFS_PM_EXEC) and is told
 * (PM_VFS_EXEC_REPLY). */
#pragma once

#include "abi/message.h"

struct call;

/* From the main loop. */
void exec_request(const struct message *m);
/* VFS crashed within the request: PM is told that it failed. */
void exec_abandoned(struct call *call);
