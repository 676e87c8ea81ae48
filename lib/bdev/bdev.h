/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of block drivers (proto/blk.h) for file systems: synchronous transfers, gathered from
 * several pieces of memory.
 *
 * A driver may die and be restarted under a call: its new instance has the same endpoint, and ends
 * the call with -EDEADSRCDST as it starts. Reads and writes of whole blocks may be repeated, so the
 * minor device is opened again and the call issued again. A driver that fails so BDEV_TRIES times
 * in a row is given up: -ENXIO, until bdev_set_driver() names another.
 */
#pragma once

#include "abi/endpoint.h"
#include "proto/blk.h"

#define BDEV_TRIES 8

struct bdev {
	endpoint_t driver;
	uint32_t minor;
	uint32_t seq;
	bool for_writing;
	bool read_only; /* as the driver says */
	bool is_dead;   /* given up */
	uint64_t size_bytes;
	struct blk_piece pieces[BLK_PIECES_MAX];
};

/* A piece of memory; lengths are multiples of 512 bytes. */
struct bdev_vec {
	void *base;
	size_t len;
};

/* Open a minor device. -ENXIO: none such; -EACCES, -EROFS: not for writing. */
int bdev_open(struct bdev *bdev, endpoint_t driver, uint32_t minor, bool for_writing);
void bdev_close(struct bdev *bdev);

/* Another endpoint serves the device from now on. */
int bdev_set_driver(struct bdev *bdev, endpoint_t driver);

/*
 * Read or write the contiguous bytes from `position` (a multiple of 512) on, at most BLK_PIECES_MAX
 * pieces. All or -EIO, -ENXIO, -ENOMEM (no grant).
 */
int bdev_transfer(struct bdev *bdev, bool is_write, uint64_t position, const struct bdev_vec *vec,
	size_t count);

/* What was written so far is on stable storage when it returns 0. */
int bdev_flush(struct bdev *bdev);
