/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of the line discipline: typed bytes in, echo and what a reader gets out. */
#include "drivers/tty/ldisc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

static int last_signal;

static void note_signal(void *ctx, int signo)
{
	(void)ctx;
	last_signal = signo;
}

static const struct ldisc_ops ops = {.signal = note_signal};
static struct ldisc ld;
static char echoed[65536];
static char got[65536];

static void start(void)
{
	ldisc_init(&ld, &ops, NULL);
	last_signal = 0;
}

static void type(const char *text)
{
	for (size_t i = 0; text[i] != '\0'; i++) {
		ldisc_input(&ld, (uint8_t)text[i], LDISC_NORMAL);
		CHECK(ldisc_check(&ld));
	}
}

static const char *echo(void)
{
	size_t n = tty_output_take(&ld.out, (uint8_t *)echoed, sizeof(echoed) - 1);

	echoed[n] = '\0';
	return echoed;
}

static const char *take(size_t len)
{
	size_t n = ldisc_read(&ld, (uint8_t *)got, len);

	got[n] = '\0';
	CHECK(ldisc_check(&ld));
	return got;
}

static bool is_ready(void)
{
	uint32_t timeout;

	return ldisc_decide(&ld, 100, false, &timeout) == LDISC_DELIVER;
}

static void set_raw(uint8_t vmin, uint8_t vtime)
{
	struct tty_termios tio = ld.tio;

	tio.c_lflag &= ~(TTY_ICANON | TTY_ECHO | TTY_ISIG);
	tio.c_cc[TTY_VMIN] = vmin;
	tio.c_cc[TTY_VTIME] = vtime;
	ldisc_set_termios(&ld, &tio);
	CHECK(ldisc_check(&ld));
}

static void set_flags(uint32_t iflag, uint32_t oflag, uint32_t lflag)
{
	struct tty_termios tio = ld.tio;

	tio.c_iflag = iflag;
	tio.c_oflag = oflag;
	tio.c_lflag = lflag;
	ldisc_set_termios(&ld, &tio);
}

static void test_lines(void)
{
	start();
	CHECK(!is_ready());
	type("ab\rcd");
	CHECK(strcmp(echo(), "ab\r\ncd") == 0);
	CHECK(is_ready() && ldisc_is_readable(&ld) && ldisc_available(&ld) == 3);
	CHECK(strcmp(take(2), "ab") == 0);
	CHECK(is_ready());
	CHECK(strcmp(take(10), "\n") == 0);
	CHECK(!is_ready());
	type("\n");
	CHECK(strcmp(take(100), "cd\n") == 0);
	type("x\ny\n");
	CHECK(strcmp(take(100), "x\n") == 0);
	CHECK(strcmp(take(100), "y\n") == 0);
}

static void test_end_of_file(void)
{
	start();
	type("\004");
	CHECK(is_ready() && ldisc_available(&ld) == 0);
	CHECK(take(10)[0] == '\0');
	CHECK(!is_ready());
	type("abc\004def\n");
	CHECK(strcmp(take(3), "abc") == 0); /* takes the mark along: no false end of file follows */
	CHECK(strcmp(take(10), "def\n") == 0);
	CHECK(!is_ready());
}

static void test_erase(void)
{
	start();
	type("ab\177c\n");
	CHECK(strcmp(echo(), "ab\b \bc\r\n") == 0);
	CHECK(strcmp(take(10), "ac\n") == 0);
	type("\177\177z");
	CHECK(strcmp(echo(), "z") == 0);
	type("\025");
	CHECK(strcmp(echo(), "\b \b") == 0);
	type("a\001\177");
	CHECK(strcmp(echo(), "a^A\b \b\b \b") == 0);
	type("\025");
	(void)echo();
	type("ab\t\177");
	CHECK(strcmp(echo(), "ab\t\b\b\b\b\b\b") == 0);
	type("\025");
	(void)echo();
	type("foo  bar_1 \027");
	CHECK(strcmp(echo(), "foo  bar_1 \b \b\b \b\b \b\b \b\b \b\b \b") == 0);
	type("\n");
	CHECK(strcmp(take(20), "foo  \n") == 0);
}

static void test_utf8_erase(void)
{
	start();
	set_flags(ld.tio.c_iflag | TTY_IUTF8, ld.tio.c_oflag, ld.tio.c_lflag);
	type("a\303\244\177\n");
	CHECK(strcmp(echo(), "a\303\244\b \b\r\n") == 0);
	CHECK(strcmp(take(20), "a\n") == 0);
}

static void test_literal_and_reprint(void)
{
	start();
	type("\026\003x\n");
	CHECK(last_signal == 0);
	CHECK(strcmp(take(10), "\003x\n") == 0);
	CHECK(strcmp(echo(), "^\b^Cx\r\n") == 0);
	type("ab\022");
	CHECK(strcmp(echo(), "ab^R\r\nab") == 0);
	type("\177");
	CHECK(strcmp(echo(), "\b \b") == 0);
}

static void test_signals(void)
{
	start();
	type("abc\003");
	CHECK(last_signal == TTY_SIGINT);
	CHECK(strcmp(echo(), "^C") == 0); /* the queues are emptied before */
	type("d\n");
	CHECK(strcmp(take(10), "d\n") == 0);
	type("\034");
	CHECK(last_signal == TTY_SIGQUIT);
	type("\032");
	CHECK(last_signal == TTY_SIGTSTP);
	set_flags(ld.tio.c_iflag, ld.tio.c_oflag, ld.tio.c_lflag | TTY_NOFLSH);
	last_signal = 0;
	type("q\003\n");
	CHECK(last_signal == TTY_SIGINT && strcmp(take(10), "q\n") == 0);
}

static void test_break(void)
{
	start();
	ldisc_input(&ld, 0, LDISC_BREAK);
	set_raw(1, 0);
	CHECK(ldisc_read(&ld, (uint8_t *)got, 5) == 1 && got[0] == 0);
	set_flags(TTY_BRKINT, 0, 0);
	ldisc_input(&ld, 0, LDISC_BREAK);
	CHECK(last_signal == TTY_SIGINT);
	set_flags(TTY_PARMRK, 0, 0);
	ldisc_input(&ld, 0, LDISC_BREAK);
	CHECK(ldisc_read(&ld, (uint8_t *)got, 5) == 3 && memcmp(got, "\377\0\0", 3) == 0);
	type("\377");
	CHECK(ldisc_read(&ld, (uint8_t *)got, 5) == 2 && memcmp(got, "\377\377", 2) == 0);
}

static void test_flow(void)
{
	uint8_t c;

	start();
	CHECK(ldisc_write(&ld, (const uint8_t *)"hello", 5) == 5);
	type("\023");
	CHECK(tty_output_take(&ld.out, &c, 1) == 0 && !tty_output_has_work(&ld.out));
	CHECK(tty_output_pending(&ld.out) == 5);
	type("\021");
	CHECK(strcmp(echo(), "hello") == 0);
	type("\023");
	type("\003");
	CHECK(strcmp(echo(), "^C") == 0);
}

static void test_raw(void)
{
	uint32_t timeout;

	start();
	set_raw(3, 0);
	type("ab");
	CHECK(!is_ready() && !ldisc_is_readable(&ld));
	CHECK(ldisc_decide(&ld, 2, false, &timeout) == LDISC_DELIVER);
	type("\003");
	CHECK(last_signal == 0 && is_ready() && ldisc_is_readable(&ld));
	CHECK(strcmp(take(10), "ab\003") == 0);
	set_raw(2, 5);
	CHECK(ldisc_decide(&ld, 10, false, &timeout) == LDISC_WAIT);
	type("x");
	CHECK(ldisc_decide(&ld, 10, false, &timeout) == LDISC_WAIT_TIMED && timeout == 5);
	CHECK(ldisc_decide(&ld, 10, true, &timeout) == LDISC_DELIVER);
	CHECK(strcmp(take(10), "x") == 0);
	set_raw(0, 3);
	CHECK(ldisc_decide(&ld, 10, false, &timeout) == LDISC_WAIT_TIMED && timeout == 3);
	set_raw(0, 0);
	CHECK(ldisc_decide(&ld, 10, false, &timeout) == LDISC_DELIVER);
	CHECK(take(10)[0] == '\0');
}

static void test_mode_switch(void)
{
	start();
	type("line\npart\004rest");
	set_raw(1, 0);
	CHECK(strcmp(take(5), "line\n") == 0);
	CHECK(strcmp(take(50), "partrest") == 0);
	type("tail");
	set_flags(ld.tio.c_iflag, ld.tio.c_oflag, ld.tio.c_lflag | TTY_ICANON);
	CHECK(ldisc_check(&ld) && is_ready());
	CHECK(strcmp(take(50), "tail") == 0);
	CHECK(!is_ready());
}

static void test_mapping(void)
{
	start();
	set_flags(TTY_INLCR, TTY_OPOST | TTY_OCRNL, 0);
	type("\n");
	CHECK(strcmp(take(5), "\r") == 0);
	set_flags(TTY_IGNCR, TTY_OPOST | TTY_XTABS, 0);
	type("\ra");
	CHECK(strcmp(take(5), "a") == 0);
	(void)ldisc_write(&ld, (const uint8_t *)"ab\tc\n", 5);
	CHECK(strcmp(echo(), "ab      c\n") == 0);
	set_flags(0, 0, 0);
	(void)ldisc_write(&ld, (const uint8_t *)"a\nb\t", 4);
	CHECK(strcmp(echo(), "a\nb\t") == 0);
}

static void test_full_input(void)
{
	start();
	set_flags(0, 0, TTY_ICANON);
	for (int i = 0; i < 10000; i++) {
		CHECK(ldisc_has_room(&ld));
		ldisc_input(&ld, 'x', LDISC_NORMAL);
	}
	type("\n");
	CHECK(is_ready());
	CHECK(strlen(take(10000)) == LDISC_INPUT_SIZE);
	CHECK(got[LDISC_INPUT_SIZE - 1] == '\n');
	set_raw(1, 0);
	while (ldisc_has_room(&ld)) {
		ldisc_input(&ld, 'y', LDISC_NORMAL);
	}
	CHECK(ldisc_available(&ld) >= LDISC_INPUT_SIZE - 4);
	for (int i = 0; i < 10; i++) {
		ldisc_input(&ld, 'z', LDISC_NORMAL);
	}
	CHECK(ldisc_available(&ld) == LDISC_INPUT_SIZE && ldisc_check(&ld));
}

/* Whole lines, fed only while there is room: nothing may get lost. */
static void test_no_loss(void)
{
	uint32_t fed = 0;
	uint32_t read = 0;

	start();
	set_flags(0, 0, TTY_ICANON);
	while (fed < 20000) {
		while (fed < 20000 && ldisc_has_room(&ld)) {
			ldisc_input(&ld, fed % 67 == 66 ? '\n' : (uint8_t)('a' + fed % 67 % 26),
				LDISC_NORMAL);
			fed++;
		}
		for (const char *p = take(100); *p != '\0'; p++, read++) {
			CHECK(*p == (read % 67 == 66 ? '\n' : (char)('a' + read % 67 % 26)));
		}
	}
	CHECK(read + ldisc_available(&ld) + (ld.write - ld.commit) == fed);
}

static void test_full_output(void)
{
	static uint8_t big[20000];
	size_t taken;
	size_t total = 0;

	start();
	memset(big, '\n', sizeof(big));
	taken = ldisc_write(&ld, big, sizeof(big));
	CHECK(taken == (TTY_OUTPUT_SIZE - TTY_OUTPUT_RESERVE) / 2);
	CHECK(ldisc_write(&ld, big, 10) == 0 && !tty_output_is_writable(&ld.out));
	type("ok");
	CHECK(strstr(echo(), "\r\nok") != NULL);
	while (total < sizeof(big)) {
		taken = ldisc_write(&ld, big, sizeof(big) - total);
		CHECK(taken > 0);
		total += taken;
		(void)echo();
	}
}

static void test_random_bytes(void)
{
	static const uint32_t lflags[] = {TTY_ICANON | TTY_ECHO | TTY_ECHOE | TTY_ECHOK |
			TTY_ECHOKE | TTY_ECHOCTL | TTY_IEXTEN | TTY_ISIG,
		TTY_ICANON | TTY_IEXTEN, TTY_ECHO, 0,
		TTY_ICANON | TTY_ECHO | TTY_ISIG | TTY_NOFLSH};
	uint32_t seed = 1;

	start();
	for (int i = 0; i < 200000; i++) {
		seed = seed * 1664525u + 1013904223u;
		uint8_t c = (uint8_t)(seed >> 24);

		if (seed % 997 == 0) {
			set_flags(seed >> 8, seed >> 4, lflags[(seed >> 12) % 5]);
		} else if (seed % 13 == 0) {
			(void)take((seed >> 16) % 300);
		} else if (seed % 17 == 0) {
			(void)echo();
		} else {
			ldisc_input(&ld, seed % 5 == 0 ? c : c % 32,
				(seed % 101) == 0 ? LDISC_BREAK : 0);
		}
		if (i % 64 == 0) {
			CHECK(ldisc_check(&ld));
		}
	}
}

int main(void)
{
	test_lines();
	test_end_of_file();
	test_erase();
	test_utf8_erase();
	test_literal_and_reprint();
	test_signals();
	test_break();
	test_flow();
	test_raw();
	test_mode_switch();
	test_mapping();
	test_full_input();
	test_no_loss();
	test_full_output();
	test_random_bytes();
	printf("ldisc: ok\n");
	return 0;
}
