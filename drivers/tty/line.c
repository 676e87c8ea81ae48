/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/tty/line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/tty/ioctl.h"
#include "lib/core/util.h"
#include "lib/sys/asyn.h"
#include "lib/sys/kcall.h"
#include "proto/pm.h"

#define DECISECOND_NS 100000000ull
#define WRITE_PIECE   1024u

#define LINE_INHERITED_LIFE 500u /* less than a grant's number lives */

void line_signal(struct tty_line *line, int signo)
{
	struct message m = {.type = PM_TTY_SIGNAL};

	if (line->pgid <= 0) {
		return;
	}
	*MSG(&m, pm_kill_pgrp) = (struct pm_kill_pgrp){.pgid = line->pgid, .signo = signo};
	(void)asyn_send(EP_PM, &m);
}

static void ldisc_signal(void *ctx, int signo)
{
	line_signal(ctx, signo);
}

static const struct ldisc_ops ldisc_ops = {.signal = ldisc_signal};

void line_init(struct tty_line *line, const struct tty_device_ops *device, void *device_ctx)
{
	memset(line, 0, sizeof(*line));
	ldisc_init(&line->ld, &ldisc_ops, line);
	line->device = device;
	line->device_ctx = device_ctx;
	list_init(&line->reads);
	list_init(&line->writes);
	list_init(&line->drains);
}

/* After a predecessor: whether its last step was made, and how far its write has come. */
static void settle_progress(struct tty_line *line)
{
	struct tty_progress *last = &line->progress[line->progress_at % 2];

	if (line->ld.out.tail == last->tail) {
		last->after = last->before;
	} else {
		line->ld.out.column = last->column;
	}
	if (last->after > 0) {
		last->life = LINE_INHERITED_LIFE;
		line->inherited[line->inherited_next++ % LINE_INHERITED_MAX] = *last;
	}
	*last = (struct tty_progress){.tail = line->ld.out.tail - 1, .column = line->ld.out.column};
}

void line_adopt(struct tty_line *line, const struct tty_device_ops *device, void *device_ctx)
{
	struct tty_termios tio = line->ld.tio;

	if (!ldisc_check(&line->ld)) {
		ldisc_init(&line->ld, &ldisc_ops, line);
		line->ld.tio = tio;
	}
	settle_progress(line);
	line->ld.ops = &ldisc_ops;
	line->ld.ctx = line;
	line->device = device;
	line->device_ctx = device_ctx;
	list_init(&line->reads);
	list_init(&line->writes);
	list_init(&line->drains);
}

bool line_input(struct tty_line *line, uint8_t c, enum ldisc_mark mark)
{
	if (!ldisc_has_room(&line->ld)) {
		line->is_receive_blocked = true;
		return false;
	}
	ldisc_input(&line->ld, c, mark);
	line->last_input_ns = 0; /* line_settle sets it once for all bytes of an interrupt */
	return true;
}

int line_wait(struct list *list, const struct chr_request *req, const struct tty_termios *termios)
{
	struct tty_request *waiting = calloc(1, sizeof(*waiting));

	if (waiting == NULL) {
		return -ENOMEM;
	}
	waiting->req = *req;
	waiting->start_ns = sys_monotonic_ns();
	if (termios != NULL) {
		waiting->termios = *termios;
	}
	list_add_tail(list, &waiting->link);
	return 0;
}

static void finish(struct tty_request *waiting, int64_t result)
{
	chr_answer(&waiting->req, result);
	list_remove(&waiting->link);
	free(waiting);
}

/* ---- reading ---- */

/* Takes what is there and copies it to the reader. */
static int64_t deliver(struct tty_line *line, const struct chr_request *req)
{
	static uint8_t buf[LDISC_INPUT_SIZE];
	size_t len = ldisc_read(&line->ld, buf, u64_min(req->bytes, sizeof(buf)));
	int r = len > 0 ? chr_copy_out(req, 0, buf, len) : 0;

	return r < 0 ? r : (int64_t)len;
}

/* When a read that waits for VTIME shall be over. */
static time_ns_t read_deadline(
	const struct tty_line *line, const struct tty_request *waiting, uint32_t timeout_ds)
{
	time_ns_t from = waiting->start_ns;

	if (line->ld.tio.c_cc[TTY_VMIN] > 0 && line->last_input_ns > from) {
		from = line->last_input_ns;
	}
	return from + timeout_ds * DECISECOND_NS;
}

static bool has_expired(const struct tty_line *line, const struct tty_request *waiting)
{
	uint32_t timeout_ds;

	if (ldisc_decide(&line->ld, waiting->req.bytes, false, &timeout_ds) != LDISC_WAIT_TIMED) {
		return false;
	}
	return sys_monotonic_ns() >= read_deadline(line, waiting, timeout_ds);
}

int64_t line_read(struct tty_line *line, const struct chr_request *req)
{
	uint32_t timeout_ds;
	int r;

	if (req->bytes == 0) {
		return 0;
	}
	if (list_is_empty(&line->reads) &&
		ldisc_decide(&line->ld, req->bytes, false, &timeout_ds) == LDISC_DELIVER) {
		return deliver(line, req);
	}
	if ((req->flags & O_NONBLOCK) != 0) {
		return list_is_empty(&line->reads) && ldisc_is_readable(&line->ld)
			? deliver(line, req)
			: -EAGAIN;
	}
	r = line_wait(&line->reads, req, NULL);
	return r < 0 ? r : CHR_LATER;
}

static void settle_reads(struct tty_line *line)
{
	while (!list_is_empty(&line->reads)) {
		struct tty_request *head = list_first(&line->reads, struct tty_request, link);
		uint32_t timeout_ds;

		if (ldisc_decide(&line->ld, head->req.bytes, has_expired(line, head),
			    &timeout_ds) != LDISC_DELIVER) {
			return;
		}
		finish(head, deliver(line, &head->req));
	}
}

/* ---- writing ---- */

static void note_progress(struct tty_line *line, const struct tty_progress *progress)
{
	uint32_t other = 1 - line->progress_at;

	line->progress[other] = *progress;
	__atomic_store_n(&line->progress_at, other, __ATOMIC_RELEASE);
}

/* How much of a write is done already: it is a repetition after a restart. */
static uint64_t done_before(struct tty_line *line, const struct chr_request *req)
{
	uint64_t done = 0;

	for (uint32_t i = 0; i < LINE_INHERITED_MAX; i++) {
		struct tty_progress *p = &line->inherited[i];

		if (p->life == 0) {
			continue;
		}
		p->life--;
		if (p->client == req->client && p->grant == req->grant && p->after <= req->bytes) {
			done = p->after;
			p->life = 0;
		}
	}
	return done;
}

/* Moves a writer's bytes to the output queue; true if it is through (or failed: *error). */
static bool write_some(
	struct tty_line *line, const struct chr_request *req, uint64_t *done, int *error)
{
	struct tty_output_step step;
	uint8_t buf[WRITE_PIECE];

	*error = 0;
	while (*done < req->bytes) {
		size_t len = u64_min(req->bytes - *done, sizeof(buf));
		size_t taken;

		if (!tty_output_is_writable(&line->ld.out)) {
			line->device->transmit(line);
			if (!tty_output_is_writable(&line->ld.out)) {
				return false;
			}
		}
		*error = chr_copy_in(req, *done, buf, len);
		if (*error < 0) {
			return true;
		}
		taken = tty_output_prepare(&line->ld.out, &line->ld.tio, buf, len, &step);
		note_progress(line,
			&(struct tty_progress){.client = req->client,
				.grant = req->grant,
				.tail = line->ld.out.tail,
				.column = step.column,
				.before = *done,
				.after = *done + taken});
		tty_output_commit(&line->ld.out, &step);
		*done += taken;
	}
	return true;
}

static int64_t write_result(uint64_t done, int error)
{
	return done > 0 || error == 0 ? (int64_t)done : error;
}

int64_t line_write(struct tty_line *line, const struct chr_request *req)
{
	uint64_t done = done_before(line, req);
	int error;
	int r;

	if (list_is_empty(&line->writes) && write_some(line, req, &done, &error)) {
		return write_result(done, error);
	}
	if ((req->flags & O_NONBLOCK) != 0) {
		return done > 0 ? (int64_t)done : -EAGAIN;
	}
	r = line_wait(&line->writes, req, NULL);
	if (r < 0) {
		return write_result(done, done > 0 ? 0 : r);
	}
	list_last(&line->writes, struct tty_request, link)->done = done;
	return CHR_LATER;
}

static void settle_writes(struct tty_line *line)
{
	while (!list_is_empty(&line->writes)) {
		struct tty_request *head = list_first(&line->writes, struct tty_request, link);
		int error;

		if (!write_some(line, &head->req, &head->done, &error)) {
			return;
		}
		finish(head, write_result(head->done, error));
	}
}

/* ---- waiting for the end of output ---- */

static void settle_drains(struct tty_line *line)
{
	while (!list_is_empty(&line->drains) && ioctl_is_drained(line)) {
		struct tty_request *head = list_first(&line->drains, struct tty_request, link);

		finish(head, ioctl_finish_drain(line, &head->req, &head->termios));
	}
}

static void settle_break(struct tty_line *line)
{
	if (line->break_end_ns != 0 && sys_monotonic_ns() >= line->break_end_ns) {
		line->break_end_ns = 0;
		line->device->set_break(line, false);
	}
}

/* ---- poll ---- */

static uint32_t ready_events(const struct tty_line *line)
{
	uint32_t events = 0;

	if (ldisc_is_readable(&line->ld)) {
		events |= POLLIN | POLLRDNORM;
	}
	if (tty_output_is_writable(&line->ld.out)) {
		events |= POLLOUT | POLLWRNORM;
	}
	return events;
}

/* The entry for a name of this line, or a free one; NULL if there is none. */
static struct tty_watch *find_watch(struct tty_line *line, const struct chr_request *req)
{
	struct tty_watch *unused = NULL;

	for (uint32_t i = 0; i < LINE_WATCHES_MAX; i++) {
		struct tty_watch *watch = &line->watches[i];

		if (watch->events == 0) {
			unused = watch;
		} else if (watch->client == req->client && watch->major == req->major &&
			watch->minor == req->minor) {
			return watch;
		}
	}
	return unused;
}

uint32_t line_poll(struct tty_line *line, const struct chr_request *req)
{
	uint32_t ready = ready_events(line);
	uint32_t missing = req->events & ~ready & (POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM);

	if (req->is_watched && missing != 0) {
		struct tty_watch *watch = find_watch(line, req);

		if (watch != NULL) {
			watch->events |= missing;
			watch->client = req->client;
			watch->major = req->major;
			watch->minor = req->minor;
		}
	}
	return ready & req->events;
}

static void settle_watches(struct tty_line *line)
{
	uint32_t ready = ready_events(line);

	for (uint32_t i = 0; i < LINE_WATCHES_MAX; i++) {
		struct tty_watch *watch = &line->watches[i];
		uint32_t events = watch->events & ready;

		if (events != 0) {
			watch->events &= ~events;
			chr_ready(watch->client, watch->major, watch->minor, events);
		}
	}
}

/* ---- all together ---- */

static bool cancel_in(struct list *list, endpoint_t client, uint32_t seq)
{
	list_for_each(waiting, list, struct tty_request, link)
	{
		if (waiting->req.client == client && waiting->req.seq == seq) {
			finish(waiting, waiting->done > 0 ? (int64_t)waiting->done : -EINTR);
			return true;
		}
	}
	return false;
}

bool line_cancel(struct tty_line *line, endpoint_t client, uint32_t seq)
{
	return cancel_in(&line->writes, client, seq) || cancel_in(&line->reads, client, seq) ||
		cancel_in(&line->drains, client, seq);
}

void line_settle(struct tty_line *line)
{
	if (line->last_input_ns == 0) {
		line->last_input_ns = sys_monotonic_ns();
	}
	settle_break(line);
	settle_reads(line);
	while (line->is_receive_blocked && ldisc_has_room(&line->ld)) {
		line->is_receive_blocked = false;
		line->device->receive(line);
		settle_reads(line);
	}
	settle_writes(line);
	if (tty_output_has_work(&line->ld.out)) {
		line->device->transmit(line);
		settle_writes(line);
	}
	settle_drains(line);
	settle_watches(line);
}

/* The earlier of two deadlines, 0 being none. */
static time_ns_t earlier(time_ns_t a, time_ns_t b)
{
	return a == 0 ? b : b == 0 ? a : u64_min(a, b);
}

time_ns_t line_deadline(const struct tty_line *line)
{
	time_ns_t deadline = line->break_end_ns;

	if (!list_is_empty(&line->reads)) {
		const struct tty_request *head = list_first(&line->reads, struct tty_request, link);
		uint32_t timeout_ds;

		if (ldisc_decide(&line->ld, head->req.bytes, false, &timeout_ds) ==
			LDISC_WAIT_TIMED) {
			deadline = earlier(deadline, read_deadline(line, head, timeout_ds));
		}
	}
	if (!list_is_empty(&line->drains) && !line->device->is_idle((struct tty_line *)line)) {
		deadline = earlier(deadline, sys_monotonic_ns() + DECISECOND_NS);
	}
	return deadline;
}
