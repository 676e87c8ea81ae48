/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block device below a file system, as the block cache sees it. In the system lib/bdev stands
 * behind it (lib/fs/blkdev.c), in host tests a file or memory (lib/fs/test/hostdev.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of memory in a transfer. */
struct fs_iovec {
	void *base;
	size_t len; /* bytes */
};

/* The most pieces that the cache puts into one transfer. */
#define FS_IOVEC_MAX 64

struct fs_device {
	uint64_t size_bytes;
	bool read_only;
	/*
	 * Read or write the contiguous bytes from `position` on, in one round trip to the driver
	 * where it can be. Positions and lengths are multiples of the file system's block size.
	 * Returns 0, or a negative errno; after an error the contents of the range are unknown.
	 */
	int (*transfer)(struct fs_device *device, bool is_write, uint64_t position,
		const struct fs_iovec *vec, size_t count);
	/* Have everything written on the medium (a flush of the disk's own cache). May be NULL. */
	int (*flush)(struct fs_device *device);
};
