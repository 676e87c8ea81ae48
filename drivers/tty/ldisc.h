/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Line discipline of a terminal: what stands between a device's bytes and a program's read and
 * write (POSIX.1-2017 XBD chapter 11 and the additions of Linux: ECHOCTL, ECHOKE, IUTF8, ...). Pure
 * logic: it makes no system call, so that host tests run the same file.
 *
 * Invariants: 1. read <= commit <= write (free-running), write - read <= LDISC_INPUT_SIZE.
 * 2. In canonical mode what lies in [read, commit) is whole lines, each ended by an entry with
 *    LDISC_ENTRY_DELIMITER or LDISC_ENTRY_EOF, and [commit, write) is the line being edited.
 * 3. Otherwise commit == write.
 * State: flat; a restarted driver takes it over (line_adopt).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output.h"
#include "termios.h"

#define LDISC_INPUT_SIZE 4096u

#define LDISC_ENTRY_DELIMITER 0x100u /* the line ends with this byte */
#define LDISC_ENTRY_EOF       0x200u /* the line ends here; the entry itself is not delivered */

/* What came with a byte from the device. */
enum ldisc_mark { LDISC_NORMAL, LDISC_BREAK, LDISC_PARITY };

struct ldisc_ops {
	/* Sends a signal to the foreground process group. */
	void (*signal)(void *ctx, int signo);
};

struct ldisc {
	struct tty_termios tio;
	struct tty_output out;
	const struct ldisc_ops *ops;
	void *ctx;
	uint32_t read;        /* next entry for a reader */
	uint32_t commit;      /* end of what readers may have */
	uint32_t write;       /* end of the line being edited */
	uint32_t line_column; /* column at which the line being edited began */
	uint32_t lines;       /* whole lines in [read, commit), canonical mode */
	bool is_literal;      /* LNEXT was typed: the next byte is taken as it is */
	uint16_t ring[LDISC_INPUT_SIZE];
};

/* What a read must do now. */
enum ldisc_decision {
	LDISC_DELIVER, /* take what is there with ldisc_read (may be nothing: end of file, time out)
			*/
	LDISC_WAIT,    /* wait for input */
	LDISC_WAIT_TIMED, /* wait for input, at most the given time since the last byte (or the
			     start) */
};

/* Sets a terminal up with the default settings of a Linux console. */
void ldisc_init(struct ldisc *ld, const struct ldisc_ops *ops, void *ctx);

/* Default settings (tty_std_termios of Linux, 115200 baud if `baud` is TTY_B115200). */
void ldisc_default_termios(struct tty_termios *tio, uint32_t baud);

/* Takes one byte from the device. */
void ldisc_input(struct ldisc *ld, uint8_t c, enum ldisc_mark mark);

/*
 * True if the device's next byte has a place: when false, the driver leaves bytes in the device
 * until somebody reads. A line being edited with no whole line before it never says false, since
 * only more input can end it.
 */
bool ldisc_has_room(const struct ldisc *ld);

/*
 * Decides about a read of `len` bytes. `timeout_ds` receives the time in tenths of a second for
 * LDISC_WAIT_TIMED. `is_expired`: that time has passed.
 */
enum ldisc_decision ldisc_decide(
	const struct ldisc *ld, size_t len, bool is_expired, uint32_t *timeout_ds);

/* Gives up to `len` bytes: at most one line in canonical mode. Returns the number of bytes. */
size_t ldisc_read(struct ldisc *ld, uint8_t *buf, size_t len);

/* True if poll says readable. */
bool ldisc_is_readable(const struct ldisc *ld);

/* Bytes a read could get (FIONREAD). */
size_t ldisc_available(const struct ldisc *ld);

/* Takes bytes that a program writes; returns how many were taken (the rest when output has room).
 */
size_t ldisc_write(struct ldisc *ld, const uint8_t *buf, size_t len);

/* Sets the settings; what has been typed stays (TCSETS, TCSETSW). */
void ldisc_set_termios(struct ldisc *ld, const struct tty_termios *tio);

/* Throws away what was typed and not read. */
void ldisc_flush_input(struct ldisc *ld);

/* Stops or starts output (STOP and START characters, TCXONC). */
void ldisc_set_stopped(struct ldisc *ld, bool is_stopped);

/* Checks the invariants: in tests, and of what a predecessor left. */
bool ldisc_check(const struct ldisc *ld);
