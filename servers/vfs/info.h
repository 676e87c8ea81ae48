/* SPDX-License-Identifier: BSD-2-Clause */
/* What VFS tells the proc file system (VFS_GETINFO). */
#pragma once

#include "abi/message.h"

void info_request(const struct message *m);
