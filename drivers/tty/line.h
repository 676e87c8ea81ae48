/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A terminal line: the line discipline, the device behind it, and the requests that wait.
 *
 * Invariants: 1. Reads are served in order of arrival, writes likewise.
 * 2. When line_settle has run, no request waits that could be answered now, and the device has been
 * given all output that it takes.
 * 3. Of the writes that wait only the first is partly done.
 * State: flat but for the requests that wait, which VFS repeats after a restart; a write that was
 * begun goes on where it was, wherever the predecessor stopped (struct tty_progress).
 */
#pragma once

#include "abi/types.h"
#include "drivers/tty/ldisc.h"
#include "lib/core/list.h"
#include "lib/drv/chr.h"

struct tty_line;

struct tty_device_ops {
	/* Gives the device what line->ld.out has, as much as it takes now. */
	void (*transmit)(struct tty_line *line);
	/* There is room for input again: takes what waits in the device. */
	void (*receive)(struct tty_line *line);
	/* The settings have changed. May be NULL. */
	void (*configure)(struct tty_line *line);
	/* True when the device has sent all it was given. */
	bool (*is_idle)(struct tty_line *line);
	/* Sends a break from now on, or ends it. May be NULL. */
	void (*set_break)(struct tty_line *line, bool is_on);
	/* Modem lines of TIOCMGET. May be NULL: -ENOTTY. */
	uint32_t (*modem)(struct tty_line *line);
};

/* A request that waits. */
struct tty_request {
	struct list link;
	struct chr_request req;
	uint64_t done;              /* bytes so far */
	time_ns_t start_ns;         /* when it came; a read of raw mode counts VTIME from here */
	struct tty_termios termios; /* TCSETSW, TCSETSF */
};

/* Names by which programs poll this line: (4,64) and (5,1) may be the same. */
#define LINE_WATCHES_MAX 4
struct tty_watch {
	endpoint_t client;
	uint32_t major;
	uint32_t minor;
	uint32_t events; /* that somebody waits for; 0: free */
};

/* The last step of a write, noted before it is made: moving the output queue's tail makes it. As
 * long as that stands at `tail` the write has come to `before`, then to `after`. */
struct tty_progress {
	endpoint_t client;
	grant_t grant;
	uint32_t tail;
	uint32_t column; /* of the cursor, afterwards */
	uint64_t before; /* bytes */
	uint64_t after;
	uint32_t life; /* of a predecessor's: for how many writes it is looked for */
};

/* Writes of predecessors whose repetition has not come yet. VFS repeats at once; later the grant's
 * number may mean another one. */
#define LINE_INHERITED_MAX 4

struct tty_line {
	struct ldisc ld;
	const struct tty_device_ops *device;
	void *device_ctx;
	struct tty_winsize winsize;
	int32_t pgid; /* foreground group; 0: none */
	struct list reads;
	struct list writes;
	struct list drains;              /* ioctls that wait for the end of output */
	struct tty_progress progress[2]; /* one counts while the other is written */
	uint32_t progress_at;
	struct tty_progress inherited[LINE_INHERITED_MAX]; /* of predecessors; after 0: none */
	uint32_t inherited_next;
	struct tty_watch watches[LINE_WATCHES_MAX];
	time_ns_t last_input_ns; /* monotonic */
	time_ns_t break_end_ns;  /* a break is being sent until then; 0: none */
	bool is_receive_blocked; /* the device holds input back: there was no room */
};

void line_init(struct tty_line *line, const struct tty_device_ops *device, void *device_ctx);

/* *line is that of a predecessor: makes it this one's, with no request waiting. */
void line_adopt(struct tty_line *line, const struct tty_device_ops *device, void *device_ctx);

/* A byte came from the device; false if there is no room: the device keeps it and
 * line->is_receive_blocked is set. */
bool line_input(struct tty_line *line, uint8_t c, enum ldisc_mark mark);

/* Handlers of the character protocol, for this line. */
int64_t line_read(struct tty_line *line, const struct chr_request *req);
int64_t line_write(struct tty_line *line, const struct chr_request *req);
uint32_t line_poll(struct tty_line *line, const struct chr_request *req);

/* Answers a waiting request of the client with what was done; false if it is not one of this
 * line's. */
bool line_cancel(struct tty_line *line, endpoint_t client, uint32_t seq);

/* Makes a request wait at the end of a list. -ENOMEM, or 0. */
int line_wait(struct list *list, const struct chr_request *req, const struct tty_termios *termios);

/* Answers all that can be answered, starts output and input again. Run after each event. */
void line_settle(struct tty_line *line);

/* When line_settle must run next though nothing happens (monotonic); 0: never. */
time_ns_t line_deadline(const struct tty_line *line);

/* Sends a signal to the foreground group. */
void line_signal(struct tty_line *line, int signo);
