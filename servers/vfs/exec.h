/* SPDX-License-Identifier: BSD-2-Clause */
/* execve: VFS's part of it, which is nearly all. PM asks (VFS_PM_EXEC) and is told
 * (PM_VFS_EXEC_REPLY). */
#pragma once

#include "abi/message.h"

/* From the main loop. */
void exec_request(const struct message *m);
