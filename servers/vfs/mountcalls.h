/* SPDX-License-Identifier: BSD-2-Clause */
/* mount, umount2, pivot_root. */
#pragma once

#include <stdint.h>

struct call;
struct vnode;

int64_t sys_mount(struct call *call);
int64_t sys_umount2(struct call *call);
int64_t sys_pivot_root(struct call *call);

/* A tmp file system that nobody has mounted: *root is its root with a reference. Workers that hold
 * vfs->mount_lock. */
int mount_hidden_tmp(struct vnode **root);

/* A process that caches the pages of a block device: *node is the device as a file, with a
 * reference. Workers that hold vfs->mount_lock. */
int mount_block_cache(uint64_t dev, struct vnode **node);
