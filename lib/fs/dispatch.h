/* SPDX-License-Identifier: BSD-2-Clause */
/* From a message of proto/fs.h to an operation of lib/fs/ops.h and back. */
#pragma once

#include "lib/fs/request.h"

struct fs_mount {
	struct fs *fs;
	uint64_t dev;   /* st_dev */
	uint32_t flags; /* FS_FLAG_* */
};

/* Serve one request, but for mounting, unmounting and drivers; returns its result. */
int fs_dispatch(struct fs_mount *mount, struct fs_request *request);

/* The answer to a mount: the root's node, with a reference. */
int fs_dispatch_root(struct fs_mount *mount, struct fs_request *request);
