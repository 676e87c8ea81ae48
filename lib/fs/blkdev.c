/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache's device on top of a block driver. */
#include "lib/fs/blkdev.h"

#include <errno.h>

_Static_assert(FS_IOVEC_MAX <= BLK_PIECES_MAX, "a transfer of the cache is one request");
_Static_assert(sizeof(struct fs_iovec) == sizeof(struct bdev_vec), "the same structure");

static struct fs_blkdev *blkdev_of(struct fs_device *device)
{
	return (struct fs_blkdev *)(void *)device;
}

static int blkdev_transfer(struct fs_device *device, bool is_write, uint64_t position,
	const struct fs_iovec *vec, size_t count)
{
	return bdev_transfer(&blkdev_of(device)->bdev, is_write, position,
		(const struct bdev_vec *)(const void *)vec, count);
}

static int blkdev_flush(struct fs_device *device)
{
	return bdev_flush(&blkdev_of(device)->bdev);
}

int fs_blkdev_open(struct fs_blkdev *blkdev, endpoint_t driver, uint32_t minor)
{
	bool read_only = false;
	int error = bdev_open(&blkdev->bdev, driver, minor, true);

	if (error == -EROFS || error == -EACCES) {
		read_only = true;
		error = bdev_open(&blkdev->bdev, driver, minor, false);
	}
	blkdev->device.size_bytes = blkdev->bdev.size_bytes;
	blkdev->device.read_only = read_only || blkdev->bdev.read_only;
	blkdev->device.transfer = blkdev_transfer;
	blkdev->device.flush = blkdev_flush;
	return error;
}
