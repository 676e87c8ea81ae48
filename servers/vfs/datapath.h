/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading cached files: the pages lie in VM's page cache, VFS has them in its window and copies
 * them itself. A read of what is there is one round trip between the program and VFS, and its last
 * copy answers the program in the same kernel entry. Only pages that are nowhere cost a request to
 * the file system.
 */
#pragma once

#include "servers/vfs/readahead.h"

struct call;
struct uio;
struct vnode;

/*
 * Copy up to `total` bytes from `pos` on to the uio's memory: bytes done, 0 at the end of the file;
 * fewer than wanted when the rest is not to be had this way (the caller asks the file system for
 * it); -EFAULT. In the main loop (a call without a worker) it may defer. `call` may be NULL in
 * workers. When all was copied to the caller's own memory the call has been answered
 * (call->is_answered).
 */
int64_t datapath_read(struct call *call, struct vnode *node, struct readahead *ra,
	const struct uio *uio, uint64_t total, uint64_t pos);

/* Whether files of the vnode's file system are read this way. */
bool datapath_serves(const struct vnode *node);
