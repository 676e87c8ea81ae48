/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/drv/chr.h"

#include <errno.h>
#include <stdbool.h>

#include "lib/sys/asyn.h"
#include "lib/sys/kcall.h"
#include "proto/vfs.h"

void chr_answer(const struct chr_request *req, int64_t result)
{
	struct message m = {.type = req->op | PROTO_REPLY};

	*MSG(&m, chr_rep) = (struct chr_rep){.seq = req->seq, .result = result};
	(void)asyn_send(req->client, &m);
}

static void answer_poll(const struct chr_request *req, uint32_t events)
{
	struct message m = {.type = req->op | PROTO_REPLY};

	*MSG(&m, chr_rep) =
		(struct chr_rep){.seq = req->seq, .result = (int64_t)events, .events = events};
	(void)asyn_send(req->client, &m);
}

void chr_ready(endpoint_t client, uint32_t major, uint32_t minor, uint32_t events)
{
	struct message m = {.type = VFS_CHR_READY};

	*MSG(&m, vfs_chr_ready) =
		(struct vfs_chr_ready){.minor = minor, .major = major, .events = events};
	(void)asyn_send(client, &m);
}

/* Unpacks m into req; false if it is not of this protocol. CANCEL is not a request. */
static bool unpack(const struct message *m, struct chr_request *req)
{
	*req = (struct chr_request){.client = m->source, .op = m->type, .grant = GRANT_INVALID};
	switch (m->type) {
	case CHR_OPEN:
	case CHR_CLOSE: {
		const struct chr_req *p = MSG(m, chr_req);

		req->seq = p->seq;
		req->major = p->major;
		req->minor = p->minor;
		req->flags = p->flags;
		req->user = p->user;
		return true;
	}
	case CHR_READ:
	case CHR_WRITE: {
		const struct chr_io_req *p = MSG(m, chr_io_req);

		req->seq = p->seq;
		req->major = p->major;
		req->minor = p->minor;
		req->flags = p->flags;
		req->grant = p->grant;
		req->bytes = p->bytes;
		req->position = p->position;
		req->user = p->user;
		return true;
	}
	case CHR_IOCTL: {
		const struct chr_ioctl_req *p = MSG(m, chr_ioctl_req);

		req->seq = p->seq;
		req->major = p->major;
		req->minor = p->minor;
		req->ioctl = p->request;
		req->grant = p->grant;
		req->bytes = p->grant == GRANT_INVALID ? 0 : p->bytes;
		req->value = p->value;
		req->user = p->user;
		req->pgid = p->pgid;
		return true;
	}
	case CHR_POLL: {
		const struct chr_poll_req *p = MSG(m, chr_poll_req);

		req->seq = p->seq;
		req->major = p->major;
		req->minor = p->minor;
		req->events = p->events;
		req->is_watched = p->watch != 0;
		return true;
	}
	default:
		return false;
	}
}

static int64_t handle(const struct chr_driver *driver, void *ctx, const struct chr_request *req)
{
	switch (req->op) {
	case CHR_OPEN:
		return driver->open != NULL ? driver->open(ctx, req) : 0;
	case CHR_CLOSE:
		return driver->close != NULL ? driver->close(ctx, req) : 0;
	case CHR_READ:
		return driver->read != NULL ? driver->read(ctx, req) : -EIO;
	case CHR_WRITE:
		return driver->write != NULL ? driver->write(ctx, req) : -EIO;
	default:
		return driver->ioctl != NULL ? driver->ioctl(ctx, req) : -ENOTTY;
	}
}

bool chr_dispatch(const struct chr_driver *driver, void *ctx, const struct message *m)
{
	struct chr_request req;
	int64_t result;

	if (m->type == CHR_CANCEL) {
		if (driver->cancel != NULL) {
			driver->cancel(ctx, m->source, MSG(m, chr_cancel_req)->seq);
		}
		return true;
	}
	if (!unpack(m, &req)) {
		return false;
	}
	if (req.op == CHR_POLL) {
		answer_poll(&req, driver->poll != NULL ? driver->poll(ctx, &req) : req.events);
		return true;
	}
	result = handle(driver, ctx, &req);
	if (result != CHR_LATER) {
		chr_answer(&req, result);
	}
	return true;
}

int chr_copy_in(const struct chr_request *req, uint64_t offset, void *to, size_t bytes)
{
	if (req->grant == GRANT_INVALID || bytes > req->bytes || offset > req->bytes - bytes) {
		return -EFAULT;
	}
	return sys_safecopyfrom(req->client, req->grant, offset, to, bytes);
}

int chr_copy_out(const struct chr_request *req, uint64_t offset, const void *from, size_t bytes)
{
	if (req->grant == GRANT_INVALID || bytes > req->bytes || offset > req->bytes - bytes) {
		return -EFAULT;
	}
	return sys_safecopyto(req->client, req->grant, offset, from, bytes);
}
