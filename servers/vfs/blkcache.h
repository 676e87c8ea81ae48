/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pages of block devices: whoever caches a device's pages has them as the file with inode 0.
 * That is the file system mounted on the device, so that both show the same bytes, or a process of
 * the type "block" that is started for an open device and ends with its last use, its pages written
 * back.
 *
 * A device is written through its own file only while no file system is mounted on it: opening for
 * writing then, and mounting while it is open for writing, are -EBUSY.
 */
#pragma once

#include "servers/vfs/device.h"

struct superblock;

/* The device's pages as a vnode, with a reference; workers. -ENXIO, -EIO, -ENOMEM. */
int blkcache_get(struct blk_device *blk, struct vnode **node);

/* The same if nothing has to be started or waited for; NULL. */
struct vnode *blkcache_peek(const struct blk_device *blk);

/* Write everything back and give the pages up, unless a file system has them. -EBUSY: they are
 * mapped or being read. Workers. */
int blkcache_end(struct blk_device *blk);

/* A file system is to be mounted: its own cache takes the place of the device's. -EBUSY: open for
 * writing, mapped. Workers that hold vfs->mount_lock. */
int blkcache_make_way(uint64_t dev);

/* A file system is to be unmounted: the device's file lets go of it. -EBUSY: mapped or being
 * read. */
int blkcache_leave(const struct superblock *sb);

/* The last user of a device or of a mapping of it may be gone: what is not needed ends, later. */
void blkcache_unused(uint64_t dev);

/* The device if it is in use. */
struct blk_device *blkcache_find(uint64_t dev);
