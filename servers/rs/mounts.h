/* SPDX-License-Identifier: BSD-2-Clause */
/* File systems: types that init registers, and an instance for each mount, which VFS asks for. */
#pragma once

#include "proto/rs.h"
#include "servers/rs/rs.h"

/* Register a type, or replace it for the mounts to come: 0, -ENOSPC, -ENOEXEC, -EINVAL (its class
 * is not fs), -ENOMEM. */
int mounts_register(struct rs *rs, const char *type, const struct conf_service *conf,
	struct binary *binary, const char *args);

/* VFS wants an instance: it is answered by VFS_RS_FS_REPLY, now or when its init has ended. */
void mounts_start(struct rs *rs, const struct rs_fs_start *req);

/* VFS is done with an instance. */
void mounts_stop(struct rs *rs, const struct rs_ep *req);
