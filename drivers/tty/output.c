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

static void output_put(struct tty_output *out, uint8_t c)
{
	out->ring[out->tail % TTY_OUTPUT_SIZE] = c;
	out->tail++;
}

/* Moves the column for a byte that is neither newline, return, tab nor backspace. */
static void output_advance(struct tty_output *out, const struct tty_termios *tio, uint8_t c)
{
	bool is_continuation = (tio->c_iflag & TTY_IUTF8) != 0 && (c & 0xc0) == 0x80;

	if (c >= 0x20 && c != 0x7f && !is_continuation) {
		out->column++;
	}
}

static bool output_newline(struct tty_output *out, uint32_t oflag, size_t room)
{
	if ((oflag & TTY_ONLCR) != 0) {
		if (room < 2) {
			return false;
		}
		output_put(out, '\r');
		out->column = 0;
	} else if ((oflag & TTY_ONLRET) != 0) {
		out->column = 0;
	}
	output_put(out, '\n');
	return true;
}

static bool output_return(struct tty_output *out, uint32_t oflag, size_t room)
{
	if ((oflag & TTY_ONOCR) != 0 && out->column == 0) {
		return true;
	}
	if ((oflag & TTY_OCRNL) != 0) {
		return output_newline(out, oflag & ~TTY_ONLCR, room);
	}
	output_put(out, '\r');
	out->column = 0;
	return true;
}

static bool output_tab(struct tty_output *out, uint32_t oflag, size_t room)
{
	uint32_t spaces = TAB_WIDTH - out->column % TAB_WIDTH;

	if ((oflag & TTY_TABDLY) == TTY_XTABS) {
		if (room < spaces) {
			return false;
		}
		for (uint32_t i = 0; i < spaces; i++) {
			output_put(out, ' ');
		}
	} else {
		output_put(out, '\t');
	}
	out->column += spaces;
	return true;
}

/* Processes one byte if `room` bytes suffice for all that it becomes; false if not. */
static bool output_process(
	struct tty_output *out, const struct tty_termios *tio, uint8_t c, size_t room)
{
	if (room == 0) {
		return false;
	}
	if ((tio->c_oflag & TTY_OPOST) == 0) {
		output_put(out, c);
		return true;
	}
	switch (c) {
	case '\n':
		return output_newline(out, tio->c_oflag, room);
	case '\r':
		return output_return(out, tio->c_oflag, room);
	case '\t':
		return output_tab(out, tio->c_oflag, room);
	case '\b':
		if (out->column > 0) {
			out->column--;
		}
		output_put(out, c);
		return true;
	default:
		if ((tio->c_oflag & TTY_OLCUC) != 0 && c >= 'a' && c <= 'z') {
			c = (uint8_t)(c - 'a' + 'A');
		}
		output_advance(out, tio, c);
		output_put(out, c);
		return true;
	}
}

size_t tty_output_write(
	struct tty_output *out, const struct tty_termios *tio, const uint8_t *buf, size_t len)
{
	size_t taken = 0;

	while (taken < len) {
		size_t room = output_room(out);

		room = room > TTY_OUTPUT_RESERVE ? room - TTY_OUTPUT_RESERVE : 0;
		if (!output_process(out, tio, buf[taken], room)) {
			break;
		}
		taken++;
	}
	return taken;
}

void tty_output_echo(struct tty_output *out, const struct tty_termios *tio, uint8_t c)
{
	(void)output_process(out, tio, c, output_room(out));
}

size_t tty_output_take(struct tty_output *out, uint8_t *buf, size_t len)
{
	size_t given = 0;

	if (out->priority != 0 && len > 0) {
		buf[given++] = out->priority;
		out->priority = 0;
	}
	if (out->is_stopped) {
		return given;
	}
	while (given < len && out->head != out->tail) {
		buf[given++] = out->ring[out->head % TTY_OUTPUT_SIZE];
		out->head++;
	}
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
