/* SPDX-License-Identifier: BSD-2-Clause */
/* From a message of proto/fs.h to an operation of lib/fs/ops.h and back. */
#pragma once

#include "lib/fs/devnode.h"
#include "lib/fs/request.h"

struct fs_mount {
	struct fs *fs;
	uint64_t dev;   /* st_dev */
	uint32_t flags; /* FS_FLAG_* */
};

/* Serve one request, but for mounting, unmounting and drivers; returns its result. */
int fs_dispatch(struct fs_mount *mount, struct fs_request *request);

/* dispatch_device.c: the same for what concerns the device as a file, and whether it is that. */
bool fs_is_about_device(const struct fs_mount *mount, const struct fs_request *request);
int fs_dispatch_device(struct fs_mount *mount, struct fs_request *request);

/* The answer to a mount: the root's node, with a reference. */
int fs_dispatch_root(struct fs_mount *mount, struct fs_request *request);
