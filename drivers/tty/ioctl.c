/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/tty/ioctl.h"

#include <errno.h>
#include <string.h>

#include "lib/sys/kcall.h"

#define BREAK_NS 250000000ull

static void set_termios(struct tty_line *line, const struct tty_termios *tio)
{
	ldisc_set_termios(&line->ld, tio);
	if (line->device->configure != NULL) {
		line->device->configure(line);
	}
}

bool ioctl_is_drained(struct tty_line *line)
{
	return tty_output_pending(&line->ld.out) == 0 && list_is_empty(&line->writes) &&
		line->device->is_idle(line);
}

int64_t ioctl_finish_drain(
	struct tty_line *line, const struct chr_request *req, const struct tty_termios *termios)
{
	switch (req->ioctl) {
	case TTY_TCSETSF:
		ldisc_flush_input(&line->ld);
		set_termios(line, termios);
		return 0;
	case TTY_TCSETSW:
		set_termios(line, termios);
		return 0;
	default: /* TCSBRK, TCSBRKP */
		if (line->device->set_break != NULL &&
			(req->ioctl == TTY_TCSBRKP || req->value == 0)) {
			line->device->set_break(line, true);
			line->break_end_ns = sys_monotonic_ns() + BREAK_NS;
		}
		return 0;
	}
}

/* Does an ioctl when output has left, now or later. */
static int64_t after_drain(
	struct tty_line *line, const struct chr_request *req, const struct tty_termios *termios)
{
	int r;

	line->device->transmit(line);
	if (list_is_empty(&line->drains) && ioctl_is_drained(line)) {
		return ioctl_finish_drain(line, req, termios);
	}
	r = line_wait(&line->drains, req, termios);
	return r < 0 ? r : CHR_LATER;
}

static int64_t ioctl_set_termios(struct tty_line *line, const struct chr_request *req)
{
	struct tty_termios tio;
	int r = chr_copy_in(req, 0, &tio, sizeof(tio));

	if (r < 0) {
		return r;
	}
	if (req->ioctl == TTY_TCSETS) {
		set_termios(line, &tio);
		return 0;
	}
	return after_drain(line, req, &tio);
}

static int64_t ioctl_set_winsize(struct tty_line *line, const struct chr_request *req)
{
	struct tty_winsize size;
	int r = chr_copy_in(req, 0, &size, sizeof(size));

	if (r < 0) {
		return r;
	}
	if (memcmp(&size, &line->winsize, sizeof(size)) != 0) {
		line->winsize = size;
		line_signal(line, TTY_SIGWINCH);
	}
	return 0;
}

static int64_t ioctl_flow(struct tty_line *line, uint64_t action)
{
	switch (action) {
	case TTY_TCOOFF:
		ldisc_set_stopped(&line->ld, true);
		return 0;
	case TTY_TCOON:
		ldisc_set_stopped(&line->ld, false);
		return 0;
	case TTY_TCIOFF:
		line->ld.out.priority = line->ld.tio.c_cc[TTY_VSTOP];
		return 0;
	case TTY_TCION:
		line->ld.out.priority = line->ld.tio.c_cc[TTY_VSTART];
		return 0;
	default:
		return -EINVAL;
	}
}

static int64_t ioctl_flush(struct tty_line *line, uint64_t queue)
{
	if (queue > TTY_TCIOFLUSH) {
		return -EINVAL;
	}
	if (queue == TTY_TCIFLUSH || queue == TTY_TCIOFLUSH) {
		ldisc_flush_input(&line->ld);
	}
	if (queue == TTY_TCOFLUSH || queue == TTY_TCIOFLUSH) {
		tty_output_flush(&line->ld.out);
	}
	return 0;
}

static int64_t put_int(const struct chr_request *req, int32_t value)
{
	return chr_copy_out(req, 0, &value, sizeof(value));
}

int64_t ioctl_line(struct tty_line *line, const struct chr_request *req)
{
	switch (req->ioctl) {
	case TTY_TCGETS:
		return chr_copy_out(req, 0, &line->ld.tio, sizeof(line->ld.tio));
	case TTY_TCSETS:
	case TTY_TCSETSW:
	case TTY_TCSETSF:
		return ioctl_set_termios(line, req);
	case TTY_TCSBRK:
	case TTY_TCSBRKP:
		return after_drain(line, req, NULL);
	case TTY_TCXONC:
		return ioctl_flow(line, req->value);
	case TTY_TCFLSH:
		return ioctl_flush(line, req->value);
	case TTY_TIOCGWINSZ:
		return chr_copy_out(req, 0, &line->winsize, sizeof(line->winsize));
	case TTY_TIOCSWINSZ:
		return ioctl_set_winsize(line, req);
	case TTY_FIONREAD:
		return put_int(req, (int32_t)ldisc_available(&line->ld));
	case TTY_TIOCOUTQ:
		return put_int(req, (int32_t)tty_output_pending(&line->ld.out));
	case TTY_TIOCSPGRP:
		line->pgid = req->pgid;
		return 0;
	case TTY_TIOCMGET:
		return line->device->modem != NULL
			? put_int(req, (int32_t)line->device->modem(line))
			: -ENOTTY;
	case TTY_TIOCSTI:
		return -EIO; /* as Linux without CONFIG_LEGACY_TIOCSTI */
	default:
		return -ENOTTY;
	}
}
