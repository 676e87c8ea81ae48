/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output queue of a terminal: bytes of programs and of the echo after output processing (c_oflag),
 * on their way to the device, with the cursor's column. Pure logic, used by the line discipline.
 *
 * Invariants: 1. tail - head <= TTY_OUTPUT_SIZE (free-running counters).
 * 2. Bytes of programs never fill the last TTY_OUTPUT_RESERVE bytes, so that echo has room while a
 *    program writes at full speed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "termios.h"

#define TTY_OUTPUT_SIZE    8192u
#define TTY_OUTPUT_RESERVE 512u

struct tty_output {
	uint32_t head;    /* next byte for the device */
	uint32_t tail;    /* next free place */
	uint32_t column;  /* cursor's column, 0 = left edge */
	bool is_stopped;  /* by the STOP character or TCOOFF */
	uint8_t priority; /* a START/STOP character that overtakes the queue; 0 = none */
	uint8_t ring[TTY_OUTPUT_SIZE];
};

/* Where the queue will stand when bytes that are in the ring already become part of it. */
struct tty_output_step {
	uint32_t tail;
	uint32_t column;
};

/* How far the device has come when it has been given bytes. */
struct tty_output_taken {
	uint32_t head;
	bool has_priority; /* the START/STOP character was among them */
};

/* Makes an empty queue. */
void tty_output_init(struct tty_output *out);

/*
 * Takes bytes that a program wrote, processed after `tio`; returns how many of them were taken
 * (fewer than `len` when the queue is full; the rest comes again later).
 */
size_t tty_output_write(
	struct tty_output *out, const struct tty_termios *tio, const uint8_t *buf, size_t len);

/* The same in two steps: the queue is as before until the second, a single store. */
size_t tty_output_prepare(struct tty_output *out, const struct tty_termios *tio, const uint8_t *buf,
	size_t len, struct tty_output_step *step);
void tty_output_commit(struct tty_output *out, const struct tty_output_step *step);

/* Takes one byte of echo, processed after `tio`; a byte that finds no room is dropped. */
void tty_output_echo(struct tty_output *out, const struct tty_termios *tio, uint8_t c);

/* Gives the device up to `len` bytes; 0 while output is stopped or nothing waits. */
size_t tty_output_take(struct tty_output *out, uint8_t *buf, size_t len);

/* The same in two steps: what the device is to be given, and, once it has got it, that it has. The
 * second may be done again. */
size_t tty_output_peek(
	const struct tty_output *out, uint8_t *buf, size_t len, struct tty_output_taken *taken);
void tty_output_taken(struct tty_output *out, const struct tty_output_taken *taken);

/* Bytes that wait, stopped or not. */
size_t tty_output_pending(const struct tty_output *out);

/* True if the device could be given a byte now. */
bool tty_output_has_work(const struct tty_output *out);

/* True if tty_output_write would take at least a reasonable piece (poll says writable). */
bool tty_output_is_writable(const struct tty_output *out);

/* Throws away what waits. */
void tty_output_flush(struct tty_output *out);
