/* SPDX-License-Identifier: BSD-2-Clause */
#include "ldisc.h"

#include <string.h>

#include "line_edit.h"

/* Most entries that a byte of the device becomes (PARMRK), and one for the end of a line. */
#define BYTE_ENTRIES_MAX 4u

static const uint8_t default_cc[TTY_NCCS] = {[TTY_VINTR] = 3,
	[TTY_VQUIT] = 28,
	[TTY_VERASE] = 127,
	[TTY_VKILL] = 21,
	[TTY_VEOF] = 4,
	[TTY_VTIME] = 0,
	[TTY_VMIN] = 1,
	[TTY_VSTART] = 17,
	[TTY_VSTOP] = 19,
	[TTY_VSUSP] = 26,
	[TTY_VREPRINT] = 18,
	[TTY_VDISCARD] = 15,
	[TTY_VWERASE] = 23,
	[TTY_VLNEXT] = 22};

void ldisc_default_termios(struct tty_termios *tio, uint32_t baud)
{
	memset(tio, 0, sizeof(*tio));
	tio->c_iflag = TTY_ICRNL | TTY_IXON;
	tio->c_oflag = TTY_OPOST | TTY_ONLCR;
	tio->c_cflag = (baud & TTY_CBAUD) | TTY_CS8 | TTY_CREAD | TTY_HUPCL | TTY_CLOCAL;
	tio->c_lflag = TTY_ISIG | TTY_ICANON | TTY_ECHO | TTY_ECHOE | TTY_ECHOK | TTY_ECHOCTL |
		TTY_ECHOKE | TTY_IEXTEN;
	memcpy(tio->c_cc, default_cc, sizeof(default_cc));
}

void ldisc_init(struct ldisc *ld, const struct ldisc_ops *ops, void *ctx)
{
	memset(ld, 0, sizeof(*ld));
	ld->ops = ops;
	ld->ctx = ctx;
	ldisc_default_termios(&ld->tio, TTY_B38400);
	tty_output_init(&ld->out);
}

static bool is_canonical(const struct ldisc *ld)
{
	return (ld->tio.c_lflag & TTY_ICANON) != 0;
}

static bool has_lflag(const struct ldisc *ld, uint32_t flag)
{
	return (ld->tio.c_lflag & flag) != 0;
}

static bool is_cc(const struct ldisc *ld, enum tty_cc index, uint8_t c)
{
	return ld->tio.c_cc[index] != TTY_CC_DISABLED && ld->tio.c_cc[index] == c;
}

static uint32_t input_used(const struct ldisc *ld)
{
	return ld->write - ld->read;
}

void ldisc_flush_input(struct ldisc *ld)
{
	ld->read = ld->write;
	ld->commit = ld->write;
	ld->lines = 0;
	ld->is_literal = false;
}

void ldisc_set_stopped(struct ldisc *ld, bool is_stopped)
{
	ld->out.is_stopped = is_stopped;
}

/* Puts an entry at the end of the queue; the caller has seen to the room. */
static void input_put(struct ldisc *ld, uint16_t entry)
{
	ld->ring[ld->write % LDISC_INPUT_SIZE] = entry;
	ld->write++;
}

/* Ends the line being edited (canonical mode). */
static void input_commit(struct ldisc *ld)
{
	ld->commit = ld->write;
	ld->lines++;
}

/* Stores an ordinary byte. A canonical line keeps one place for its end. */
static bool input_store(struct ldisc *ld, uint8_t c)
{
	uint32_t limit = is_canonical(ld) ? LDISC_INPUT_SIZE - 1 : LDISC_INPUT_SIZE;

	if (input_used(ld) >= limit) {
		if ((ld->tio.c_iflag & TTY_IMAXBEL) != 0) {
			tty_output_echo(&ld->out, &ld->tio, '\a');
		}
		return false;
	}
	input_put(ld, c);
	if (!is_canonical(ld)) {
		ld->commit = ld->write;
	}
	return true;
}

/* A byte that is data: store and echo. */
static void input_data(struct ldisc *ld, uint8_t c)
{
	if (ld->write == ld->commit) {
		ld->line_column = ld->out.column;
	}
	if (!input_store(ld, c)) {
		return;
	}
	if (has_lflag(ld, TTY_ECHO)) {
		line_edit_echo(ld, c);
	}
	if (c == 0xff && (ld->tio.c_iflag & TTY_PARMRK) != 0) {
		(void)input_store(ld, c);
	}
}

static void input_signal(struct ldisc *ld, int signo, uint8_t c)
{
	if (!has_lflag(ld, TTY_NOFLSH)) {
		ldisc_flush_input(ld);
		tty_output_flush(&ld->out);
	}
	ldisc_set_stopped(ld, false);
	if (has_lflag(ld, TTY_ECHO)) {
		line_edit_echo(ld, c);
	}
	ld->ops->signal(ld->ctx, signo);
}

/* Handles a byte that makes a signal; false if it is none. */
static bool input_try_signal(struct ldisc *ld, uint8_t c)
{
	if (!has_lflag(ld, TTY_ISIG)) {
		return false;
	}
	if (is_cc(ld, TTY_VINTR, c)) {
		input_signal(ld, TTY_SIGINT, c);
		return true;
	}
	if (is_cc(ld, TTY_VQUIT, c)) {
		input_signal(ld, TTY_SIGQUIT, c);
		return true;
	}
	if (is_cc(ld, TTY_VSUSP, c)) {
		input_signal(ld, TTY_SIGTSTP, c);
		return true;
	}
	return false;
}

/* Handles START and STOP; false if the byte is neither. */
static bool input_try_flow(struct ldisc *ld, uint8_t c)
{
	if ((ld->tio.c_iflag & TTY_IXON) == 0) {
		return false;
	}
	if (is_cc(ld, TTY_VSTART, c)) {
		ldisc_set_stopped(ld, false);
		return true;
	}
	if (is_cc(ld, TTY_VSTOP, c)) {
		ldisc_set_stopped(ld, true);
		return true;
	}
	return false;
}

/* Handles a byte that edits the line; false if it does not. */
static bool input_try_edit(struct ldisc *ld, uint8_t c)
{
	if (is_cc(ld, TTY_VERASE, c)) {
		line_edit_erase(ld);
		return true;
	}
	if (is_cc(ld, TTY_VKILL, c)) {
		line_edit_kill(ld);
		return true;
	}
	if (!has_lflag(ld, TTY_IEXTEN)) {
		return false;
	}
	if (is_cc(ld, TTY_VWERASE, c)) {
		line_edit_erase_word(ld);
		return true;
	}
	if (is_cc(ld, TTY_VLNEXT, c)) {
		ld->is_literal = true;
		if (has_lflag(ld, TTY_ECHO) && has_lflag(ld, TTY_ECHOCTL)) {
			tty_output_echo(&ld->out, &ld->tio, '^');
			tty_output_echo(&ld->out, &ld->tio, '\b');
		}
		return true;
	}
	if (is_cc(ld, TTY_VREPRINT, c) && has_lflag(ld, TTY_ECHO)) {
		line_edit_reprint(ld);
		return true;
	}
	return false;
}

/* Handles a byte that ends the line; false if it does not. */
static bool input_try_end(struct ldisc *ld, uint8_t c)
{
	if (c == '\n') {
		if (has_lflag(ld, TTY_ECHO) || has_lflag(ld, TTY_ECHONL)) {
			tty_output_echo(&ld->out, &ld->tio, '\n');
		}
	} else if (is_cc(ld, TTY_VEOF, c)) {
		if (input_used(ld) < LDISC_INPUT_SIZE) {
			input_put(ld, LDISC_ENTRY_EOF);
			input_commit(ld);
		}
		return true;
	} else if (is_cc(ld, TTY_VEOL, c) ||
		(is_cc(ld, TTY_VEOL2, c) && has_lflag(ld, TTY_IEXTEN))) {
		if (has_lflag(ld, TTY_ECHO)) {
			line_edit_echo(ld, c);
		}
	} else {
		return false;
	}
	if (input_used(ld) < LDISC_INPUT_SIZE) {
		input_put(ld, (uint16_t)(c | LDISC_ENTRY_DELIMITER));
		input_commit(ld);
	}
	return true;
}

/* Maps carriage return and newline after c_iflag; false if the byte vanishes. */
static bool input_map(const struct ldisc *ld, uint8_t *c)
{
	uint32_t iflag = ld->tio.c_iflag;

	if (*c == '\r') {
		if ((iflag & TTY_IGNCR) != 0) {
			return false;
		}
		if ((iflag & TTY_ICRNL) != 0) {
			*c = '\n';
		}
	} else if (*c == '\n' && (iflag & TTY_INLCR) != 0) {
		*c = '\r';
	}
	return true;
}

static void input_exception(struct ldisc *ld, uint8_t c, enum ldisc_mark mark)
{
	uint32_t iflag = ld->tio.c_iflag;

	if (mark == LDISC_BREAK) {
		if ((iflag & TTY_IGNBRK) != 0) {
			return;
		}
		if ((iflag & TTY_BRKINT) != 0) {
			ldisc_flush_input(ld);
			tty_output_flush(&ld->out);
			ld->ops->signal(ld->ctx, TTY_SIGINT);
			return;
		}
		c = 0;
	} else if ((iflag & TTY_INPCK) == 0) {
		input_data(ld, c);
		return;
	} else if ((iflag & TTY_IGNPAR) != 0) {
		return;
	}
	if ((iflag & TTY_PARMRK) != 0) {
		(void)input_store(ld, 0xff);
		(void)input_store(ld, 0);
		(void)input_store(ld, c);
	} else {
		(void)input_store(ld, 0);
	}
}

void ldisc_input(struct ldisc *ld, uint8_t c, enum ldisc_mark mark)
{
	if (mark != LDISC_NORMAL) {
		input_exception(ld, c, mark);
		return;
	}
	if ((ld->tio.c_iflag & TTY_ISTRIP) != 0) {
		c &= 0x7f;
	}
	if ((ld->tio.c_iflag & TTY_IUCLC) != 0 && has_lflag(ld, TTY_IEXTEN) && c >= 'A' &&
		c <= 'Z') {
		c = (uint8_t)(c - 'A' + 'a');
	}
	if (ld->is_literal) {
		ld->is_literal = false;
		input_data(ld, c);
		return;
	}
	if (ld->out.is_stopped && (ld->tio.c_iflag & TTY_IXON) != 0 &&
		(ld->tio.c_iflag & TTY_IXANY) != 0 && !is_cc(ld, TTY_VSTOP, c)) {
		ldisc_set_stopped(ld, false);
	}
	if (input_try_flow(ld, c) || input_try_signal(ld, c) || !input_map(ld, &c)) {
		return;
	}
	if (is_canonical(ld) && (input_try_edit(ld, c) || input_try_end(ld, c))) {
		return;
	}
	input_data(ld, c);
}

bool ldisc_has_room(const struct ldisc *ld)
{
	if (is_canonical(ld) && ld->lines == 0) {
		return true;
	}
	return input_used(ld) + BYTE_ENTRIES_MAX < LDISC_INPUT_SIZE;
}

enum ldisc_decision ldisc_decide(
	const struct ldisc *ld, size_t len, bool is_expired, uint32_t *timeout_ds)
{
	size_t minimum = ld->tio.c_cc[TTY_VMIN];
	uint32_t available = ld->commit - ld->read;

	*timeout_ds = ld->tio.c_cc[TTY_VTIME];
	if (is_canonical(ld)) {
		return ld->lines > 0 ? LDISC_DELIVER : LDISC_WAIT;
	}
	if (is_expired || len == 0) {
		return LDISC_DELIVER;
	}
	if (minimum == 0) {
		if (available > 0 || *timeout_ds == 0) {
			return LDISC_DELIVER;
		}
		return LDISC_WAIT_TIMED;
	}
	if (available >= minimum || available >= len) {
		return LDISC_DELIVER;
	}
	return available > 0 && *timeout_ds > 0 ? LDISC_WAIT_TIMED : LDISC_WAIT;
}

static size_t read_line(struct ldisc *ld, uint8_t *buf, size_t len)
{
	size_t given = 0;

	while (ld->read != ld->commit) {
		uint16_t entry = ld->ring[ld->read % LDISC_INPUT_SIZE];

		if ((entry & LDISC_ENTRY_EOF) != 0) {
			ld->read++;
			ld->lines--;
			break;
		}
		if (given == len) {
			break;
		}
		buf[given++] = (uint8_t)entry;
		ld->read++;
		if ((entry & LDISC_ENTRY_DELIMITER) != 0) {
			ld->lines--;
			break;
		}
	}
	return given;
}

size_t ldisc_read(struct ldisc *ld, uint8_t *buf, size_t len)
{
	size_t given = 0;

	if (len == 0) {
		return 0;
	}
	if (is_canonical(ld)) {
		return read_line(ld, buf, len);
	}
	while (given < len && ld->read != ld->commit) {
		buf[given++] = (uint8_t)ld->ring[ld->read % LDISC_INPUT_SIZE];
		ld->read++;
	}
	return given;
}

bool ldisc_is_readable(const struct ldisc *ld)
{
	uint32_t needed = 1;

	if (is_canonical(ld)) {
		return ld->lines > 0;
	}
	if (ld->tio.c_cc[TTY_VTIME] == 0 && ld->tio.c_cc[TTY_VMIN] > 1) {
		needed = ld->tio.c_cc[TTY_VMIN];
	}
	return ld->commit - ld->read >= needed;
}

size_t ldisc_available(const struct ldisc *ld)
{
	size_t count = 0;

	for (uint32_t i = ld->read; i != ld->commit; i++) {
		if ((ld->ring[i % LDISC_INPUT_SIZE] & LDISC_ENTRY_EOF) == 0) {
			count++;
		}
	}
	return count;
}

size_t ldisc_write(struct ldisc *ld, const uint8_t *buf, size_t len)
{
	return tty_output_write(&ld->out, &ld->tio, buf, len);
}

/* To raw mode: all that was typed may be read, marks of line ends vanish. */
static void leave_canonical(struct ldisc *ld)
{
	uint32_t to = ld->read;

	for (uint32_t from = ld->read; from != ld->write; from++) {
		uint16_t entry = ld->ring[from % LDISC_INPUT_SIZE];

		if ((entry & LDISC_ENTRY_EOF) == 0) {
			ld->ring[to % LDISC_INPUT_SIZE] = entry & 0xff;
			to++;
		}
	}
	ld->write = to;
	ld->commit = to;
	ld->lines = 0;
}

/* To canonical mode: what is there is one line. */
static void enter_canonical(struct ldisc *ld)
{
	ld->lines = 0;
	if (ld->read != ld->write) {
		ld->ring[(ld->write - 1) % LDISC_INPUT_SIZE] |= LDISC_ENTRY_DELIMITER;
		ld->lines = 1;
	}
	ld->commit = ld->write;
}

void ldisc_set_termios(struct ldisc *ld, const struct tty_termios *tio)
{
	bool was_canonical = is_canonical(ld);

	ld->tio = *tio;
	if (was_canonical && !is_canonical(ld)) {
		leave_canonical(ld);
	} else if (!was_canonical && is_canonical(ld)) {
		enter_canonical(ld);
	}
	if ((tio->c_iflag & TTY_IXON) == 0) {
		ldisc_set_stopped(ld, false);
	}
	ld->is_literal = false;
}

bool ldisc_check(const struct ldisc *ld)
{
	uint32_t lines = 0;

	if (ld->out.tail - ld->out.head > TTY_OUTPUT_SIZE ||
		ld->write - ld->read > LDISC_INPUT_SIZE ||
		ld->commit - ld->read > ld->write - ld->read) {
		return false;
	}
	if (!is_canonical(ld)) {
		return ld->commit == ld->write;
	}
	for (uint32_t i = ld->read; i != ld->write; i++) {
		bool is_end = ld->ring[i % LDISC_INPUT_SIZE] > 0xff;

		if (is_end && ld->commit - ld->read <= i - ld->read) {
			return false;
		}
		lines += is_end ? 1 : 0;
	}
	return lines == ld->lines;
}
