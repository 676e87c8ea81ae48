/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host tests of terminal lines: reads, writes, ioctls and polls that wait, against a device whose
 * speed the test sets. Clients' memory is the test's own; a grant is an index into `memory`.
 */
#include "drivers/tty/line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/tty/ioctl.h"
#include "lib/sys/asyn.h"
#include "lib/sys/kcall.h"
#include "proto/pm.h"

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

#define CLIENT    1
#define SEQS      64
#define BAD_GRANT 99
#define DS        100000000ull /* a tenth of a second */

static struct tty_line line;
static time_ns_t now_ns;
static char memory[20000]; /* behind every grant but BAD_GRANT */
static char sent[100000];  /* what the device has sent */
static size_t sent_len;
static size_t device_room; /* bytes that it takes now */
static const char *typed = "";
static int64_t results[SEQS];
static bool is_answered[SEQS];
static int signals_sent;
static int last_signal;
static uint32_t ready_told;

/* ---- what a line calls ---- */

void chr_answer(const struct chr_request *req, int64_t result)
{
	CHECK(req->seq < SEQS && !is_answered[req->seq]);
	is_answered[req->seq] = true;
	results[req->seq] = result;
}

void chr_ready(endpoint_t client, uint32_t major, uint32_t minor, uint32_t events)
{
	CHECK(client == CLIENT && major == 4 && minor == 64);
	ready_told |= events;
}

int chr_copy_in(const struct chr_request *req, uint64_t offset, void *to, size_t bytes)
{
	if (req->grant == BAD_GRANT) {
		return -EFAULT;
	}
	CHECK(offset + bytes <= req->bytes);
	memcpy(to, memory + offset, bytes);
	return 0;
}

int chr_copy_out(const struct chr_request *req, uint64_t offset, const void *from, size_t bytes)
{
	if (req->grant == BAD_GRANT) {
		return -EFAULT;
	}
	CHECK(offset + bytes <= req->bytes);
	memcpy(memory + offset, from, bytes);
	return 0;
}

int asyn_send(endpoint_t dst, const struct message *m)
{
	CHECK(dst == EP_PM && m->type == PM_TTY_SIGNAL);
	CHECK(((const struct pm_kill_pgrp *)(const void *)m->raw)->pgid == 42);
	last_signal = ((const struct pm_kill_pgrp *)(const void *)m->raw)->signo;
	signals_sent++;
	return 0;
}

int64_t sys_trap(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	CHECK(nr == KCALL_BASE + KCALL_times);
	((struct proc_times *)a1)->uptime_ns = now_ns;
	return 0;
}

/* ---- the device ---- */

static void device_transmit(struct tty_line *l)
{
	size_t n = tty_output_take(&l->ld.out, (uint8_t *)sent + sent_len, device_room);

	sent_len += n;
	device_room -= n;
	sent[sent_len] = '\0';
}

static void device_receive(struct tty_line *l)
{
	while (*typed != '\0' && line_input(l, (uint8_t)*typed, LDISC_NORMAL)) {
		typed++;
	}
}

static bool device_is_idle(struct tty_line *l)
{
	return true;
}

static const struct tty_device_ops device = {
	.transmit = device_transmit,
	.receive = device_receive,
	.is_idle = device_is_idle,
};

/* ---- helpers ---- */

static void start(void)
{
	line_init(&line, &device, NULL);
	memset(is_answered, 0, sizeof(is_answered));
	memset(memory, 0, sizeof(memory));
	line.pgid = 42;
	sent_len = 0;
	sent[0] = '\0';
	device_room = 50000;
	now_ns = DS;
	signals_sent = 0;
	ready_told = 0;
	typed = "";
}

static struct chr_request request(uint32_t seq, int op, uint64_t bytes, uint32_t flags)
{
	return (struct chr_request){.client = CLIENT,
		.op = op,
		.seq = seq,
		.major = 4,
		.minor = 64,
		.flags = flags,
		.grant = 1,
		.bytes = bytes};
}

static int64_t start_read(uint32_t seq, uint64_t bytes, uint32_t flags)
{
	struct chr_request req = request(seq, CHR_READ, bytes, flags);
	int64_t r = line_read(&line, &req);

	line_settle(&line);
	return r;
}

static int64_t start_write(uint32_t seq, uint64_t bytes, uint32_t flags)
{
	struct chr_request req = request(seq, CHR_WRITE, bytes, flags);
	int64_t r = line_write(&line, &req);

	line_settle(&line);
	return r;
}

static int64_t start_ioctl(uint32_t seq, uint32_t number, uint64_t bytes, uint64_t value)
{
	struct chr_request req = request(seq, CHR_IOCTL, bytes, 0);
	int64_t r;

	req.ioctl = number;
	req.value = value;
	r = ioctl_line(&line, &req);
	line_settle(&line);
	return r;
}

static void type(const char *text)
{
	typed = text;
	device_receive(&line);
	line_settle(&line);
}

static void set_raw(uint8_t vmin, uint8_t vtime)
{
	struct tty_termios tio = line.ld.tio;

	tio.c_lflag = 0;
	tio.c_cc[TTY_VMIN] = vmin;
	tio.c_cc[TTY_VTIME] = vtime;
	memcpy(memory, &tio, sizeof(tio));
	CHECK(start_ioctl(0, TTY_TCSETS, sizeof(tio), 0) == 0);
}

/* ---- tests ---- */

static void test_reads(void)
{
	start();
	CHECK(start_read(1, 100, O_NONBLOCK) == -EAGAIN);
	CHECK(start_read(1, 100, 0) == CHR_LATER && !is_answered[1]);
	CHECK(start_read(2, 100, 0) == CHR_LATER);
	type("one\n");
	CHECK(is_answered[1] && results[1] == 4 && memcmp(memory, "one\n", 4) == 0 &&
		!is_answered[2]);
	type("two\nthree\n");
	CHECK(is_answered[2] && results[2] == 4);
	CHECK(start_read(3, 100, 0) == 6 && memcmp(memory, "three\n", 6) == 0);
	CHECK(start_read(4, 100, 0) == CHR_LATER);
	CHECK(!line_cancel(&line, CLIENT, 3) && !line_cancel(&line, CLIENT + 1, 4));
	CHECK(line_cancel(&line, CLIENT, 4) && results[4] == -EINTR);
	CHECK(start_read(5, 0, 0) == 0);
	type("\003");
	CHECK(signals_sent == 1 && last_signal == TTY_SIGINT);
}

static void test_timed_reads(void)
{
	start();
	set_raw(0, 5);
	CHECK(start_read(1, 10, 0) == CHR_LATER && line_deadline(&line) == 6 * DS);
	now_ns = 6 * DS;
	line_settle(&line);
	CHECK(is_answered[1] && results[1] == 0 && line_deadline(&line) == 0);
	set_raw(4, 2);
	CHECK(start_read(2, 10, 0) == CHR_LATER && line_deadline(&line) == 0);
	type("a");
	CHECK(!is_answered[2] && line_deadline(&line) == 8 * DS);
	now_ns = 7 * DS;
	type("b");
	CHECK(line_deadline(&line) == 9 * DS);
	now_ns = 9 * DS;
	line_settle(&line);
	CHECK(is_answered[2] && results[2] == 2);
	CHECK(start_read(3, 10, 0) == CHR_LATER);
	type("wxyz");
	CHECK(is_answered[3] && results[3] == 4);
	set_raw(0, 0);
	CHECK(start_read(4, 10, 0) == 0);
}

static void test_writes(void)
{
	start();
	memset(memory, 'x', sizeof(memory));
	CHECK(start_write(1, 20, 0) == 20 && sent_len == 20);
	device_room = 100;
	CHECK(start_write(2, sizeof(memory), 0) == CHR_LATER && !is_answered[2]);
	CHECK(start_write(3, 5, 0) == CHR_LATER);
	CHECK(start_write(4, 5, O_NONBLOCK) == -EAGAIN);
	while (!is_answered[2]) {
		device_room = 1000;
		line_settle(&line);
	}
	CHECK(results[2] == sizeof(memory));
	device_room = 50000;
	line_settle(&line);
	CHECK(is_answered[3] && results[3] == 5 && sent_len == 20 + sizeof(memory) + 5);
	device_room = 0;
	CHECK(start_write(5, sizeof(memory), 0) == CHR_LATER);
	CHECK(line_cancel(&line, CLIENT, 5) && results[5] > 0 &&
		results[5] < (int64_t)sizeof(memory));
	CHECK(start_write(6, sizeof(memory), 0) == CHR_LATER);
	CHECK(line_cancel(&line, CLIENT, 6) && results[6] == -EINTR);
}

static void test_faults(void)
{
	struct chr_request req = request(1, CHR_WRITE, 10, 0);

	start();
	req.grant = BAD_GRANT;
	CHECK(line_write(&line, &req) == -EFAULT);
	req.op = CHR_READ;
	type("abc\n");
	CHECK(line_read(&line, &req) == -EFAULT);
}

static void test_ioctls(void)
{
	struct tty_termios tio;

	start();
	CHECK(start_ioctl(1, TTY_TCGETS, sizeof(tio), 0) == 0);
	memcpy(&tio, memory, sizeof(tio));
	CHECK((tio.c_lflag & TTY_ICANON) != 0 && tio.c_cc[TTY_VINTR] == 3);
	device_room = 0;
	memset(memory, 'x', 100);
	CHECK(start_write(2, 100, 0) == 100);
	CHECK(start_ioctl(3, TTY_TIOCOUTQ, 4, 0) == 0 && memory[0] == 100);
	tio.c_lflag = 0;
	memcpy(memory, &tio, sizeof(tio));
	type("typed");
	CHECK(start_ioctl(4, TTY_TCSETSF, sizeof(tio), 0) == CHR_LATER && line.ld.tio.c_lflag != 0);
	CHECK(start_ioctl(5, TTY_TCSBRK, 0, 1) == CHR_LATER);
	device_room = 1000;
	line_settle(&line);
	CHECK(is_answered[4] && is_answered[5] && line.ld.tio.c_lflag == 0);
	CHECK(ldisc_available(&line.ld) == 0);
	CHECK(start_ioctl(6, 0x1234, 0, 0) == -ENOTTY);
	CHECK(start_ioctl(7, TTY_TCFLSH, 0, 9) == -EINVAL);
	memset(memory, 1, 8);
	CHECK(start_ioctl(8, TTY_TIOCSWINSZ, 8, 0) == 0 && last_signal == TTY_SIGWINCH &&
		signals_sent == 1);
	CHECK(start_ioctl(9, TTY_TIOCSWINSZ, 8, 0) == 0 && signals_sent == 1);
	CHECK(start_ioctl(10, TTY_TCXONC, 0, TTY_TCOOFF) == 0 && line.ld.out.is_stopped);
	CHECK(start_ioctl(11, TTY_TCXONC, 0, TTY_TCOON) == 0 && !line.ld.out.is_stopped);
}

static void test_poll(void)
{
	struct chr_request req = request(1, CHR_POLL, 0, 0);

	start();
	req.events = POLLIN | POLLOUT;
	req.is_watched = true;
	CHECK(line_poll(&line, &req) == POLLOUT && ready_told == 0);
	type("x\n");
	CHECK(ready_told == POLLIN);
	ready_told = 0;
	type("y\n");
	CHECK(ready_told == 0); /* told once */
	CHECK(line_poll(&line, &req) == (POLLIN | POLLOUT));
	device_room = 0;
	memset(memory, 'x', sizeof(memory));
	CHECK(start_write(2, sizeof(memory), O_NONBLOCK) > 0);
	CHECK(line_poll(&line, &req) == POLLIN);
	device_room = 50000;
	line_settle(&line);
	CHECK(ready_told == POLLOUT);
}

/* More input than fits is held back by the device, and all of it arrives. */
static void test_held_input(void)
{
	static char text[9001];
	size_t got = 0;

	start();
	set_raw(1, 0);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		text[i] = (char)('a' + i % 26);
	}
	type(text);
	CHECK(line.is_receive_blocked && *typed != '\0');
	while (got < sizeof(text) - 1) {
		int64_t n = start_read(1, 700, 0);

		CHECK(n > 0 && memcmp(memory, text + got, (size_t)n) == 0);
		got += (size_t)n;
	}
	CHECK(!line.is_receive_blocked);
}

/* A successor has settings, input, output; a write that was half done goes on where it was. */
static void test_successor(void)
{
	struct tty_request *lost;
	size_t half;

	start();
	set_raw(1, 0);
	type("typed before");
	memset(memory, 'w', sizeof(memory));
	device_room = 100;
	CHECK(start_write(1, 9000, 0) == CHR_LATER && start_read(2, 0, 0) == 0);
	half = line.progress[line.progress_at].after;
	CHECK(half > 0 && half < 9000);
	lost = list_first(&line.writes, struct tty_request, link);
	line_adopt(&line, &device, NULL);
	free(lost); /* was the predecessor's */
	CHECK(line.pgid == 42 && list_is_empty(&line.writes) && line.inherited[0].after == half);
	/* Another's request comes first; the next successor still knows. */
	line_adopt(&line, &device, NULL);
	device_room = 50000;
	CHECK(start_write(3, 9000, 0) == 9000);
	line_settle(&line);
	CHECK(sent_len == 9000);
	/* It was stopped before it had made the step that it had noted. */
	device_room = 0;
	CHECK(start_write(5, 10, 0) == 10);
	line.ld.out.tail -= 10;
	line_adopt(&line, &device, NULL);
	device_room = 50000;
	CHECK(start_write(6, 10, 0) == 10);
	line_settle(&line);
	CHECK(sent_len == 9010);
	CHECK(start_read(4, 100, 0) == 12 && memcmp(memory, "typed before", 12) == 0);
	line.ld.write = line.ld.read + LDISC_INPUT_SIZE + 7; /* damaged */
	line_adopt(&line, &device, NULL);
	CHECK(ldisc_check(&line.ld) && ldisc_available(&line.ld) == 0);
	line.ld.out.tail = line.ld.out.head + TTY_OUTPUT_SIZE + 1;
	line_adopt(&line, &device, NULL);
	CHECK(ldisc_check(&line.ld) && tty_output_pending(&line.ld.out) == 0);
}

int main(void)
{
	test_reads();
	test_timed_reads();
	test_writes();
	test_faults();
	test_ioctls();
	test_poll();
	test_held_input();
	test_successor();
	printf("line: ok\n");
	return 0;
}
