/* SPDX-License-Identifier: BSD-2-Clause */
/* Which driver serves which major number, and what happens to requests when one dies or comes back.
 */
#pragma once

#include "proto/vfs.h"
#include "servers/vfs/file.h"

/* The driver of a device, or EP_NONE. */
endpoint_t device_chr_driver(uint64_t dev);
endpoint_t device_blk_driver(uint64_t dev);

void device_map(const struct vfs_rs_mapdriver *req);
/* A file system or driver died for good. */
void device_dead(endpoint_t ep);

/* Character devices in use: pollers of one device share a queue. */
struct chr_device {
	struct list link;
	uint64_t dev;
	unsigned refs;
	struct list files;
	struct waitq poll_wait;
};

/* Open file->path's device (worker): sets ops and object. -ENXIO, or the driver's error. */
int chr_open(struct call *call, struct file *file);
/* The devices that VFS serves itself: null, zero, full; opening them does not wait. */
bool chrmem_serves(uint64_t dev);
void chrmem_open(struct file *file);
/* `from` says that a watched device is ready: heard if it is the device's driver. */
void chr_ready(endpoint_t from, const struct vfs_chr_ready *ready);
/* The driver of a major number was restarted: its open files are opened again, terminals their
   group. Worker function; the first word of the message is the major number. */
int64_t chr_reopen(struct call *call);

/* Block devices as files. */
struct blk_device {
	struct list link;
	uint64_t dev;
	unsigned refs;
	unsigned writers; /* of refs */
	uint64_t bytes;   /* size; 0: not known yet */
	bool is_readonly;
	struct vnode *node;     /* its pages (blkcache.c), counted; NULL: not used yet */
	struct superblock *own; /* the process that caches them when nothing is mounted */
};

int blk_open(struct call *call, struct file *file);
/* What was written is on the device. */
int blk_fsync(const struct file *file);
