/* SPDX-License-Identifier: BSD-2-Clause */
/* Regular files as objects: transfers between the file system and memory. */
#pragma once

#include "servers/vfs/file.h"

/* For pread, sendfile and the like: at *pos, which is moved. Workers only. */
int64_t regular_read(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos);
int64_t regular_write(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos);

/* The same for the pages of a block device (blkcache.h) behind an open file; the range is checked.
 * Workers only. */
int64_t regular_read_device(struct call *call, struct file *file, struct vnode *device,
	const struct uio *uio, uint64_t *pos);
int64_t regular_write_device(
	struct vnode *device, const struct uio *uio, uint64_t bytes, uint64_t *pos);

/* Read exactly `bytes` at pos into a process's memory (exec): 0 or negative errno; -ENOEXEC: the
 * file is shorter. */
int regular_load(struct vnode *node, endpoint_t ep, vaddr_t addr, uint64_t bytes, uint64_t pos);

/* Read into VFS's own memory, workers only: bytes done. */
int64_t regular_read_buffer(struct vnode *node, void *buf, size_t bytes, uint64_t offset);

/* Change the size: limits, cached pages. The vnode's lock must not be held. */
int regular_truncate(struct call *call, struct vnode *node, uint64_t size);
/* fallocate(2) of a regular file, whose arguments are checked but for what depends on the file. */
int regular_allocate(
	struct call *call, struct vnode *node, uint32_t mode, uint64_t offset, uint64_t len);
/* Somebody other than root has changed a program: it loses its set-id bits. The lock must be held.
 */
void regular_drop_setid(struct call *call, struct vnode *node);
