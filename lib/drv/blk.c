/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/drv/blk.h"

#include <errno.h>

#include "lib/core/util.h"
#include "lib/sys/asyn.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"

/* ioctl numbers of Linux */
#define BLKROGET     0x125eu
#define BLKGETSIZE   0x1260u
#define BLKFLSBUF    0x1261u
#define BLKSSZGET    0x1268u
#define BLKBSZGET    0x80081270ul
#define BLKGETSIZE64 0x80081272ul

static void answer(const struct blk_request *req, int result, uint64_t value, uint32_t flags)
{
	struct message m = {.type = result};

	*MSG(&m, blk_rep) =
		(struct blk_rep){.seq = req->seq, .result = result, .value = value, .flags = flags};
	if (req->is_call) {
		(void)ipc_sendnb(req->client, &m);
	} else {
		m.type = req->op | PROTO_REPLY;
		(void)asyn_send(req->client, &m);
	}
}

void blk_answer(const struct blk_request *req, int result, uint64_t value)
{
	answer(req, result, value, 0);
}

/* Fetches and checks the pieces of a transfer. */
static int fetch_pieces(struct blk_request *req, grant_t grant, uint32_t count)
{
	uint64_t total = 0;
	int r;

	if (count == 0 || count > BLK_PIECES_MAX) {
		return -EINVAL;
	}
	req->piece_count = count;
	if (count == 1) {
		if (req->bytes > UINT32_MAX) {
			return -EINVAL;
		}
		req->pieces[0] = (struct blk_piece){.grant = grant, .bytes = (uint32_t)req->bytes};
		return 0;
	}
	r = sys_safecopyfrom(req->client, grant, 0, req->pieces, count * sizeof(req->pieces[0]));
	if (r < 0) {
		return r;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (req->pieces[i].bytes == 0 || req->pieces[i].bytes % BLK_SECTOR != 0) {
			return -EINVAL;
		}
		total += req->pieces[i].bytes;
	}
	return total == req->bytes ? 0 : -EINVAL;
}

/* Cuts a transfer at the end of the device: `bytes` are left. */
static void cut(struct blk_request *req, uint64_t bytes)
{
	uint64_t left = bytes;
	uint32_t i;

	req->bytes = bytes;
	for (i = 0; i < req->piece_count && left > 0; i++) {
		req->pieces[i].bytes = (uint32_t)u64_min(req->pieces[i].bytes, left);
		left -= req->pieces[i].bytes;
	}
	req->piece_count = i;
}

static void do_transfer(const struct blk_driver *driver, void *ctx, struct blk_request *req,
	const struct blk_io_req *io)
{
	uint64_t size;
	uint32_t flags;
	int r = driver->geometry(ctx, req->minor, &size, &flags);

	if (r == 0 && (io->position % BLK_SECTOR != 0 || io->bytes % BLK_SECTOR != 0)) {
		r = -EINVAL;
	}
	if (r == 0 && req->op == BLK_WRITE && (flags & BLK_FLAG_RDONLY) != 0) {
		r = -EROFS;
	}
	req->position = io->position;
	req->bytes = io->bytes;
	if (r == 0 && req->bytes > 0) {
		r = fetch_pieces(req, io->grant, io->count);
	}
	if (r == 0 && req->position >= size) {
		req->bytes = 0; /* nothing past the end */
	} else if (r == 0 && req->bytes > size - req->position) {
		cut(req, align_down(size - req->position, BLK_SECTOR));
	}
	if (r == 0 && req->bytes > 0) {
		r = driver->transfer(ctx, req);
	}
	if (r != BLK_LATER) {
		answer(req, r, r == 0 ? req->bytes : 0, 0);
	}
}

static int put_value(const struct blk_request *req, uint64_t value, size_t bytes)
{
	if (req->grant == GRANT_INVALID || req->grant_bytes < bytes) {
		return -EFAULT;
	}
	return sys_safecopyto(req->client, req->grant, 0, &value, bytes);
}

static int do_ioctl(const struct blk_driver *driver, void *ctx, const struct blk_request *req)
{
	uint64_t size;
	uint32_t flags;
	int r = driver->geometry(ctx, req->minor, &size, &flags);

	if (r < 0) {
		return r;
	}
	switch (req->ioctl) {
	case BLKGETSIZE64:
		return put_value(req, size, sizeof(uint64_t));
	case BLKGETSIZE:
		return put_value(req, size / BLK_SECTOR, sizeof(uint64_t));
	case BLKSSZGET:
		return put_value(req, BLK_SECTOR, sizeof(int32_t));
	case BLKBSZGET:
		return put_value(req, AXO_PAGE_SIZE, sizeof(uint64_t));
	case BLKROGET:
		return put_value(req, flags & BLK_FLAG_RDONLY, sizeof(int32_t));
	case BLKFLSBUF:
		return driver->flush != NULL ? driver->flush(ctx, req) : 0;
	default:
		return driver->ioctl != NULL ? driver->ioctl(ctx, req) : -ENOTTY;
	}
}

static void do_simple(const struct blk_driver *driver, void *ctx, struct blk_request *req)
{
	uint64_t size = 0;
	uint32_t flags = 0;
	int r = driver->geometry(ctx, req->minor, &size, &flags);

	if (r < 0) {
		answer(req, r, 0, 0);
		return;
	}
	switch (req->op) {
	case BLK_OPEN:
		if ((req->flags & 1) != 0 && (flags & BLK_FLAG_RDONLY) != 0) {
			r = -EROFS;
		} else if (driver->open != NULL) {
			r = driver->open(ctx, req);
		}
		answer(req, r, size, flags);
		return;
	case BLK_CLOSE:
		r = driver->close != NULL ? driver->close(ctx, req) : 0;
		break;
	default:
		r = driver->flush != NULL ? driver->flush(ctx, req) : 0;
		break;
	}
	if (r != BLK_LATER) {
		answer(req, r, 0, 0);
	}
}

bool blk_dispatch(const struct blk_driver *driver, void *ctx, const struct message *m, bool is_call)
{
	struct blk_request req;

	req.client = m->source;
	req.is_call = is_call;
	req.op = m->type;
	req.flags = 0;
	req.position = 0;
	req.bytes = 0;
	req.piece_count = 0;
	switch (m->type) {
	case BLK_OPEN:
	case BLK_CLOSE:
	case BLK_FLUSH:
		req.seq = MSG(m, blk_req)->seq;
		req.minor = MSG(m, blk_req)->minor;
		req.flags = MSG(m, blk_req)->flags;
		do_simple(driver, ctx, &req);
		return true;
	case BLK_READ:
	case BLK_WRITE:
		req.seq = MSG(m, blk_io_req)->seq;
		req.minor = MSG(m, blk_io_req)->minor;
		do_transfer(driver, ctx, &req, MSG(m, blk_io_req));
		return true;
	case BLK_IOCTL: {
		const struct blk_ioctl_req *io = MSG(m, blk_ioctl_req);
		int r;

		req.seq = io->seq;
		req.minor = io->minor;
		req.ioctl = io->request;
		req.grant = io->grant;
		req.grant_bytes = io->bytes;
		req.value = io->value;
		r = do_ioctl(driver, ctx, &req);
		if (r != BLK_LATER) {
			answer(&req, r, 0, 0);
		}
		return true;
	}
	default:
		return false;
	}
}
