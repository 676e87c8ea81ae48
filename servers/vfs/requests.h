/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of PM, VM, RS, drivers and file systems (proto/vfs.h), and answers to VFS's own
 * requests. */
#pragma once

#include "abi/message.h"

void request_handle(const struct message *m);
