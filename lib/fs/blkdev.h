/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache's device (device.h) on top of a block driver. */
#pragma once

#include "lib/bdev/bdev.h"
#include "lib/fs/device.h"

struct fs_blkdev {
	struct fs_device device;
	struct bdev bdev;
};

/* Open minor `minor` of a driver; falls back to read-only where the device cannot be written. */
int fs_blkdev_open(struct fs_blkdev *blkdev, endpoint_t driver, uint32_t minor);
