/* SPDX-License-Identifier: BSD-2-Clause */
#include "line_edit.h"

#include "ldisc.h"

#define TAB_WIDTH 8u

static bool has_lflag(const struct ldisc *ld, uint32_t flag)
{
	return (ld->tio.c_lflag & flag) != 0;
}

static bool is_control(uint8_t c)
{
	return c < 0x20 || c == 0x7f;
}

static bool is_continuation(const struct ldisc *ld, uint8_t c)
{
	return (ld->tio.c_iflag & TTY_IUTF8) != 0 && (c & 0xc0) == 0x80;
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		c == '_';
}

static void put(struct ldisc *ld, uint8_t c)
{
	tty_output_echo(&ld->out, &ld->tio, c);
}

/* Columns that a byte takes on the screen when the cursor stands at `column`. */
static uint32_t echo_width(const struct ldisc *ld, uint8_t c, uint32_t column)
{
	if (c == '\t') {
		return TAB_WIDTH - column % TAB_WIDTH;
	}
	if (is_control(c)) {
		return has_lflag(ld, TTY_ECHOCTL) ? 2 : 0;
	}
	return is_continuation(ld, c) ? 0 : 1;
}

void line_edit_echo(struct ldisc *ld, uint8_t c)
{
	if (has_lflag(ld, TTY_ECHOCTL) && is_control(c) && c != '\t' && c != '\n') {
		put(ld, '^');
		put(ld, c ^ 0x40);
		return;
	}
	put(ld, c);
}

static uint8_t last_byte(const struct ldisc *ld)
{
	return (uint8_t)ld->ring[(ld->write - 1) % LDISC_INPUT_SIZE];
}

static bool is_line_empty(const struct ldisc *ld)
{
	return ld->write == ld->commit;
}

/* Column of the cursor after the line being edited as it is now. */
static uint32_t line_end_column(const struct ldisc *ld)
{
	uint32_t column = ld->line_column;

	for (uint32_t i = ld->commit; i != ld->write; i++) {
		column += echo_width(ld, (uint8_t)ld->ring[i % LDISC_INPUT_SIZE], column);
	}
	return column;
}

/* Wipes a removed character from the screen. */
static void erase_shown(struct ldisc *ld, uint8_t c)
{
	uint32_t column = line_end_column(ld);
	uint32_t width = echo_width(ld, c, column);

	for (uint32_t i = 0; i < width; i++) {
		put(ld, '\b');
		if (c != '\t') {
			put(ld, ' ');
			put(ld, '\b');
		}
	}
}

/* Takes the last character (all bytes of it) off the line; returns its first byte. */
static uint8_t remove_last(struct ldisc *ld)
{
	uint8_t c = last_byte(ld);

	ld->write--;
	while (is_continuation(ld, c) && !is_line_empty(ld)) {
		c = last_byte(ld);
		ld->write--;
	}
	return c;
}

void line_edit_erase(struct ldisc *ld)
{
	uint8_t c;

	if (is_line_empty(ld)) {
		return;
	}
	c = remove_last(ld);
	if (!has_lflag(ld, TTY_ECHO)) {
		return;
	}
	if (has_lflag(ld, TTY_ECHOE)) {
		erase_shown(ld, c);
	} else {
		line_edit_echo(ld, ld->tio.c_cc[TTY_VERASE]);
	}
}

void line_edit_erase_word(struct ldisc *ld)
{
	bool has_seen_word = false;

	while (!is_line_empty(ld)) {
		uint8_t c = last_byte(ld);

		if (is_word(c) || c >= 0x80) {
			has_seen_word = true;
		} else if (has_seen_word) {
			return;
		}
		c = remove_last(ld);
		if (has_lflag(ld, TTY_ECHO)) {
			erase_shown(ld, c);
		}
	}
}

void line_edit_kill(struct ldisc *ld)
{
	if (!has_lflag(ld, TTY_ECHO)) {
		ld->write = ld->commit;
		return;
	}
	if (has_lflag(ld, TTY_ECHOK) && has_lflag(ld, TTY_ECHOKE) && has_lflag(ld, TTY_ECHOE)) {
		while (!is_line_empty(ld)) {
			erase_shown(ld, remove_last(ld));
		}
		return;
	}
	ld->write = ld->commit;
	line_edit_echo(ld, ld->tio.c_cc[TTY_VKILL]);
	if (has_lflag(ld, TTY_ECHOK)) {
		put(ld, '\n');
	}
}

void line_edit_reprint(struct ldisc *ld)
{
	line_edit_echo(ld, ld->tio.c_cc[TTY_VREPRINT]);
	put(ld, '\n');
	ld->line_column = ld->out.column;
	for (uint32_t i = ld->commit; i != ld->write; i++) {
		line_edit_echo(ld, (uint8_t)ld->ring[i % LDISC_INPUT_SIZE]);
	}
}
