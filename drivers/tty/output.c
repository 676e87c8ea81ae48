/* SPDX-License-Identifier: BSD-2-Clause */
#include "output.h"

#include <string.h>

#define TAB_WIDTH     8u
#define WRITABLE_ROOM 1024u

void tty_output_init(struct tty_output *out)
{
	memset(out, 0, sizeof(*out));
}

static size_t output_room(const struct tty_output *out)
{
	return TTY_OUTPUT_SIZE - (out->tail - out->head);
}

/* Into the ring behind what is in the queue. */
static void output_put(struct tty_output *out, struct tty_output_step *at, uint8_t c)
{
	out->ring[at->tail % TTY_OUTPUT_SIZE] = c;
	at->tail++;
}

/* Moves the column for a byte that is neither newline, return, tab nor backspace. */
static void output_advance(struct tty_output_step *at, const struct tty_termios *tio, uint8_t c)
{
	bool is_continuation = (tio->c_iflag & TTY_IUTF8) != 0 && (c & 0xc0) == 0x80;

	if (c >= 0x20 && c != 0x7f && !is_continuation) {
		at->column++;
	}
}

static bool output_newline(
	struct tty_output *out, struct tty_output_step *at, uint32_t oflag, size_t room)
{
	if ((oflag & TTY_ONLCR) != 0) {
		if (room < 2) {
			return false;
		}
		output_put(out, at, '\r');
		at->column = 0;
	} else if ((oflag & TTY_ONLRET) != 0) {
		at->column = 0;
	}
	output_put(out, at, '\n');
	return true;
}

static bool output_return(
	struct tty_output *out, struct tty_output_step *at, uint32_t oflag, size_t room)
{
	if ((oflag & TTY_ONOCR) != 0 && at->column == 0) {
		return true;
	}
	if ((oflag & TTY_OCRNL) != 0) {
		return output_newline(out, at, oflag & ~TTY_ONLCR, room);
	}
	output_put(out, at, '\r');
	at->column = 0;
	return true;
}

static bool output_tab(
	struct tty_output *out, struct tty_output_step *at, uint32_t oflag, size_t room)
{
	uint32_t spaces = TAB_WIDTH - at->column % TAB_WIDTH;

	if ((oflag & TTY_TABDLY) == TTY_XTABS) {
		if (room < spaces) {
			return false;
		}
		for (uint32_t i = 0; i < spaces; i++) {
			output_put(out, at, ' ');
		}
	} else {
		output_put(out, at, '\t');
	}
	at->column += spaces;
	return true;
}

/* Processes one byte if `room` bytes suffice for all that it becomes; false if not. */
static bool output_process(struct tty_output *out, struct tty_output_step *at,
	const struct tty_termios *tio, uint8_t c, size_t room)
{
	if (room == 0) {
		return false;
	}
	if ((tio->c_oflag & TTY_OPOST) == 0) {
		output_put(out, at, c);
		return true;
	}
	switch (c) {
	case '\n':
		return output_newline(out, at, tio->c_oflag, room);
	case '\r':
		return output_return(out, at, tio->c_oflag, room);
	case '\t':
		return output_tab(out, at, tio->c_oflag, room);
	case '\b':
		if (at->column > 0) {
			at->column--;
		}
		output_put(out, at, c);
		return true;
	default:
		if ((tio->c_oflag & TTY_OLCUC) != 0 && c >= 'a' && c <= 'z') {
			c = (uint8_t)(c - 'a' + 'A');
		}
		output_advance(at, tio, c);
		output_put(out, at, c);
		return true;
	}
}

size_t tty_output_prepare(struct tty_output *out, const struct tty_termios *tio, const uint8_t *buf,
	size_t len, struct tty_output_step *step)
{
	size_t taken = 0;

	*step = (struct tty_output_step){out->tail, out->column};
	while (taken < len) {
		size_t room = TTY_OUTPUT_SIZE - (step->tail - out->head);

		room = room > TTY_OUTPUT_RESERVE ? room - TTY_OUTPUT_RESERVE : 0;
		if (!output_process(out, step, tio, buf[taken], room)) {
			break;
		}
		taken++;
	}
	return taken;
}

void tty_output_commit(struct tty_output *out, const struct tty_output_step *step)
{
	__atomic_store_n(&out->tail, step->tail, __ATOMIC_RELEASE);
	out->column = step->column;
}

size_t tty_output_write(
	struct tty_output *out, const struct tty_termios *tio, const uint8_t *buf, size_t len)
{
	struct tty_output_step step;
	size_t taken = tty_output_prepare(out, tio, buf, len, &step);

	tty_output_commit(out, &step);
	return taken;
}

void tty_output_echo(struct tty_output *out, const struct tty_termios *tio, uint8_t c)
{
	struct tty_output_step step = {out->tail, out->column};

	(void)output_process(out, &step, tio, c, output_room(out));
	tty_output_commit(out, &step);
}

size_t tty_output_peek(
	const struct tty_output *out, uint8_t *buf, size_t len, struct tty_output_taken *taken)
{
	size_t given = 0;

	*taken = (struct tty_output_taken){.head = out->head};
	if (out->priority != 0 && len > 0) {
		buf[given++] = out->priority;
		taken->has_priority = true;
	}
	while (!out->is_stopped && given < len && taken->head != out->tail) {
		buf[given++] = out->ring[taken->head % TTY_OUTPUT_SIZE];
		taken->head++;
	}
	return given;
}

void tty_output_taken(struct tty_output *out, const struct tty_output_taken *taken)
{
	if (taken->has_priority) {
		out->priority = 0;
	}
	out->head = taken->head;
}

size_t tty_output_take(struct tty_output *out, uint8_t *buf, size_t len)
{
	struct tty_output_taken taken;
	size_t given = tty_output_peek(out, buf, len, &taken);

	tty_output_taken(out, &taken);
	return given;
}

size_t tty_output_pending(const struct tty_output *out)
{
	return out->tail - out->head;
}

bool tty_output_has_work(const struct tty_output *out)
{
	return out->priority != 0 || (!out->is_stopped && out->head != out->tail);
}

bool tty_output_is_writable(const struct tty_output *out)
{
	return output_room(out) >= TTY_OUTPUT_RESERVE + WRITABLE_ROOM;
}

void tty_output_flush(struct tty_output *out)
{
	out->head = out->tail;
}
