/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frame of block drivers (proto/blk.h): unpacks and checks requests, answers them in the way they
 * came (reply to a call, asynchronous message else), and serves the ioctls that all disks have.
 *
 * What reaches a driver's transfer: position and size multiples of BLK_SECTOR, within the device,
 * the pieces adding up to the size.
 */
#pragma once

#include "proto/blk.h"

#define BLK_SECTOR 512u
#define BLK_LATER  1 /* returned by a handler that answers later with blk_answer */

/* A request; a driver that answers later copies it. */
struct blk_request {
	endpoint_t client;
	bool is_call; /* the client waits in sendrec */
	int32_t op;   /* enum blk_op */
	uint32_t seq;
	uint32_t minor;
	uint32_t flags;
	uint64_t position; /* bytes */
	uint64_t bytes;
	uint32_t piece_count;
	struct blk_piece pieces[BLK_PIECES_MAX];
	uint64_t ioctl;
	grant_t grant; /* IOCTL: argument */
	uint32_t grant_bytes;
	uint64_t value;
};

struct blk_driver {
	/* Size of the device in bytes and its BLK_FLAG_*; -ENXIO: no such minor. */
	int (*geometry)(void *ctx, uint32_t minor, uint64_t *bytes, uint32_t *flags);
	/* READ or WRITE. 0: all is done; BLK_LATER; or a negative errno. */
	int (*transfer)(void *ctx, const struct blk_request *req);
	/* As transfer. NULL: nothing to do. */
	int (*flush)(void *ctx, const struct blk_request *req);
	/* What only this driver knows. 0, or negative errno; NULL: -ENOTTY. */
	int (*ioctl)(void *ctx, const struct blk_request *req);
	/* A client opens, or has closed for good. NULL: fine. */
	int (*open)(void *ctx, const struct blk_request *req);
	int (*close)(void *ctx, const struct blk_request *req);
};

/* Handles m if it is of the protocol; false if not. */
bool blk_dispatch(
	const struct blk_driver *driver, void *ctx, const struct message *m, bool is_call);

/* Answers a request for which the handler returned BLK_LATER; value: bytes done. */
void blk_answer(const struct blk_request *req, int result, uint64_t value);
