/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/drv/chr.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/sys/asyn.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "proto/vfs.h"

#define ANSWERS_MAX     16
#define REPEAT_LIMIT    1000u         /* requests; less than a grant's number lives */
#define REPEAT_LIMIT_NS 5000000000ull /* VFS repeats at once */

struct chr_kept_answer {
	endpoint_t client;
	int32_t op;
	grant_t grant;
	uint32_t pad;
	int64_t result;
};

/* The last answers given; and those of a predecessor, for the short time in which they may be asked
 * for: later a grant's number may mean another one. */
static struct {
	bool is_kept;
	bool has_begun;
	time_ns_t until_ns; /* repetitions are looked for until then; 0: no more */
	uint32_t life;      /* and in so many requests */
	uint32_t next;
	struct chr_kept_answer given[ANSWERS_MAX];
	struct chr_kept_answer inherited[ANSWERS_MAX];
} answers;

void chr_keep_answers(void)
{
	answers.is_kept = true;
	sef_state("chr.answers", answers.given, sizeof(answers.given), 1, NULL);
}

static void keep_answer(const struct chr_request *req, int64_t result)
{
	/* What was not begun may be begun by the repetition. */
	if (answers.is_kept && req->grant != GRANT_INVALID && result != -EINTR &&
		result != -EAGAIN) {
		answers.given[answers.next++ % ANSWERS_MAX] =
			(struct chr_kept_answer){.client = req->client,
				.op = req->op,
				.grant = req->grant,
				.result = result};
	}
}

/* With the first request. */
static void begin_answers(void)
{
	answers.has_begun = true;
	if (answers.is_kept && sef_self()->type != SEF_INIT_FRESH) {
		answers.until_ns = sys_monotonic_ns() + REPEAT_LIMIT_NS;
		answers.life = REPEAT_LIMIT;
		memcpy(answers.inherited, answers.given, sizeof(answers.inherited));
	}
	memset(answers.given, 0, sizeof(answers.given));
}

static struct chr_kept_answer *find_in(struct chr_kept_answer *kept, const struct chr_request *req)
{
	for (uint32_t i = 0; i < ANSWERS_MAX; i++) {
		if (kept[i].op == req->op && kept[i].client == req->client &&
			kept[i].grant == req->grant) {
			return &kept[i];
		}
	}
	return NULL;
}

/* The answer that this request has had: of the predecessor, or of this instance when it came before
 * VFS knew of the restart, which made it ask again. False: none. */
static bool find_answer(const struct chr_request *req, int64_t *result)
{
	struct chr_kept_answer *kept;

	if (!answers.has_begun) {
		begin_answers();
	}
	if (answers.until_ns == 0 || req->grant == GRANT_INVALID) {
		return false;
	}
	if (answers.life-- == 0 || sys_monotonic_ns() > answers.until_ns) {
		answers.until_ns = 0;
		return false;
	}
	kept = find_in(answers.given, req);
	if (!kept) {
		kept = find_in(answers.inherited, req);
	}
	if (!kept) {
		return false;
	}
	*result = kept->result;
	kept->op = 0;
	return true;
}

void chr_answer(const struct chr_request *req, int64_t result)
{
	struct message m = {.type = req->op | PROTO_REPLY};

	keep_answer(req, result);
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
	if (!find_answer(&req, &result)) {
		result = handle(driver, ctx, &req);
	}
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
