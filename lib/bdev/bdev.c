/* SPDX-License-Identifier: BSD-2-Clause */
/* The client of block drivers. */
#include "lib/bdev/bdev.h"

#include <errno.h>
#include <string.h>

#include "abi/errno.h"
#include "lib/sys/diag.h"
#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"

/* Whether an error says that the driver's process is gone or was replaced, not that the device
 * failed. */
static bool is_driver_gone(int error)
{
	return error == -EDEADSRCDST || error == -ERESTARTED;
}

/*
 * Send one request; its reply replaces it. The transport's error, or the driver's. An answer that
 * the driver owed to the process before this one, under the same endpoint, is none to us: the
 * request is made again, and any answer to it counts.
 */
static int call_once(struct bdev *bdev, struct message *m)
{
	const struct message request = *m;
	const struct blk_rep *reply = MSG(m, blk_rep);
	uint32_t first = bdev->seq + 1;

	for (int tries = 0; tries < BDEV_TRIES; tries++) {
		int error;

		*m = request;
		MSG(m, blk_req)->seq = ++bdev->seq;
		error = ipc_sendrec(bdev->driver, m);
		if (error != 0) {
			return error;
		}
		if (reply->seq - first <= bdev->seq - first) {
			return m->type < 0 ? m->type : reply->result;
		}
		diag_printf("bdev: driver %d answers %u, asked was %u", bdev->driver, reply->seq,
			bdev->seq);
	}
	return m->type < 0 ? m->type : -EIO;
}

static int open_once(struct bdev *bdev)
{
	struct message m = {.type = BLK_OPEN};
	const struct blk_rep *reply = MSG(&m, blk_rep);
	int error;

	MSG(&m, blk_req)->minor = bdev->minor;
	MSG(&m, blk_req)->flags = bdev->for_writing;
	error = call_once(bdev, &m);
	if (error == 0) {
		bdev->size_bytes = reply->value;
		bdev->read_only = reply->flags & BLK_FLAG_RDONLY;
	}
	return error;
}

/* Do `once` again and again while drivers die under it. */
static int with_tries(
	struct bdev *bdev, int (*once)(struct bdev *bdev, const void *what), const void *what)
{
	for (int tries = 0; tries < BDEV_TRIES && !bdev->is_dead; tries++) {
		int error = once(bdev, what);

		if (!is_driver_gone(error)) {
			return error;
		}
		/* An error here shows again in the call that follows. */
		(void)open_once(bdev);
		diag_printf("bdev: driver %d was restarted, again", bdev->driver);
	}
	if (!bdev->is_dead) {
		bdev->is_dead = true;
		diag_printf("bdev: driver %d given up", bdev->driver);
	}
	return -ENXIO;
}

int bdev_open(struct bdev *bdev, endpoint_t driver, uint32_t minor, bool for_writing)
{
	int tries = 0, error;

	memset(bdev, 0, sizeof(*bdev));
	bdev->driver = driver;
	bdev->minor = minor;
	bdev->for_writing = for_writing;
	bdev->seq = (uint32_t)(sys_monotonic_ns() >> 10); /* none that the process before used */
	do {
		/* The driver may just be starting anew. */
		error = open_once(bdev);
	} while (is_driver_gone(error) && ++tries < BDEV_TRIES);
	return is_driver_gone(error) ? -ENXIO : error;
}

void bdev_close(struct bdev *bdev)
{
	struct message m = {.type = BLK_CLOSE};

	MSG(&m, blk_req)->minor = bdev->minor;
	if (!bdev->is_dead) {
		(void)call_once(bdev, &m);
	}
}

int bdev_set_driver(struct bdev *bdev, endpoint_t driver)
{
	bdev->driver = driver;
	bdev->is_dead = false;
	return open_once(bdev);
}

static void revoke_pieces(struct bdev *bdev, size_t count)
{
	while (count > 0) {
		(void)grant_revoke(bdev->pieces[--count].grant);
	}
}

/* Grant all pieces; the number of bytes in all, or -ENOMEM. */
static int64_t grant_pieces(
	struct bdev *bdev, bool is_write, const struct bdev_vec *vec, size_t count)
{
	uint32_t access = is_write ? GRANT_READ : GRANT_WRITE;
	int64_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		struct blk_piece *piece = &bdev->pieces[i];

		piece->grant = grant_direct(bdev->driver, vec[i].base, vec[i].len, access);
		piece->bytes = (uint32_t)vec[i].len;
		piece->offset = 0;
		if (piece->grant == GRANT_INVALID) {
			revoke_pieces(bdev, i);
			return -ENOMEM;
		}
		bytes += (int64_t)vec[i].len;
	}
	return bytes;
}

struct transfer {
	bool is_write;
	uint64_t position;
	const struct bdev_vec *vec;
	size_t count;
};

/* One attempt; the grants are for this instance of the driver. */
static int transfer_once(struct bdev *bdev, const void *what)
{
	const struct transfer *transfer = what;
	struct message m = {.type = transfer->is_write ? BLK_WRITE : BLK_READ};
	struct blk_io_req *req = MSG(&m, blk_io_req);
	size_t count = transfer->count;
	grant_t array = GRANT_INVALID;
	int64_t bytes;
	int error;

	bytes = grant_pieces(bdev, transfer->is_write, transfer->vec, count);
	if (bytes < 0) {
		return (int)bytes;
	}
	if (count > 1) {
		array = grant_direct(
			bdev->driver, bdev->pieces, count * sizeof(bdev->pieces[0]), GRANT_READ);
		if (array == GRANT_INVALID) {
			revoke_pieces(bdev, count);
			return -ENOMEM;
		}
	}
	req->minor = bdev->minor;
	req->position = transfer->position;
	req->grant = count == 1 ? bdev->pieces[0].grant : array;
	req->count = (uint32_t)count;
	req->bytes = (uint64_t)bytes;
	error = call_once(bdev, &m);
	if (error == 0 && MSG(&m, blk_rep)->value != (uint64_t)bytes) {
		error = -EIO;
	}
	if (array != GRANT_INVALID) {
		(void)grant_revoke(array);
	}
	revoke_pieces(bdev, count);
	return error;
}

int bdev_transfer(struct bdev *bdev, bool is_write, uint64_t position, const struct bdev_vec *vec,
	size_t count)
{
	struct transfer transfer = {is_write, position, vec, count};
	int error;

	if (count == 0 || count > BLK_PIECES_MAX) {
		return -EINVAL;
	}
	error = with_tries(bdev, transfer_once, &transfer);
	if (error != 0) {
		diag_printf("bdev: %s of minor %u at %llu: %d", is_write ? "write" : "read",
			bdev->minor, (unsigned long long)position, error);
	}
	return error;
}

static int flush_once(struct bdev *bdev, const void *what)
{
	struct message m = {.type = BLK_FLUSH};

	(void)what;
	MSG(&m, blk_req)->minor = bdev->minor;
	return call_once(bdev, &m);
}

int bdev_flush(struct bdev *bdev)
{
	int error = with_tries(bdev, flush_once, NULL);

	/* A driver without a cache of its own need not know the request. */
	return error == -ENOSYS || error == -EOPNOTSUPP || error == -EBADREQUEST ? 0 : error;
}
