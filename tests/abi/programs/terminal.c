/* SPDX-License-Identifier: BSD-2-Clause */
/* The controlling terminal: groups, settings, and who may read and write. */
#include "case.h"

#include <sys/ioctl.h>
#include <termios.h>

static int tty;

CASE(settings)
{
	struct termios now, changed;
	tty = open("/dev/tty", O_RDWR);
	outcome("open", tty);
	SHOW(isatty(tty));
	SHOW(tcgetattr(tty, &now));
	printf("icanon %d isig %d\n", !!(now.c_lflag & ICANON), !!(now.c_lflag & ISIG));
	changed = now;
	changed.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	changed.c_cc[VMIN] = 3;
	changed.c_cc[VTIME] = 7;
	changed.c_cc[VINTR] = 1;
	SHOW(tcsetattr(tty, TCSADRAIN, &changed));
	struct termios back;
	tcgetattr(tty, &back);
	printf("kept %d %d %d %d\n", !(back.c_lflag & ICANON), back.c_cc[VMIN], back.c_cc[VTIME],
		back.c_cc[VINTR]);
	SHOW(tcsetattr(tty, TCSAFLUSH, &now));
	SHOW(tcflush(tty, TCIFLUSH));
	SHOW(tcflush(tty, 99));
	struct winsize size = {30, 100, 0, 0}, old;
	SHOW(ioctl(tty, TIOCGWINSZ, &old));
	SHOW(ioctl(tty, TIOCSWINSZ, &size));
	struct winsize got;
	ioctl(tty, TIOCGWINSZ, &got);
	printf("%d %d\n", got.ws_row, got.ws_col);
	SHOW(ioctl(tty, TIOCSWINSZ, &old));
	int null = open("/dev/null", O_RDWR);
	SHOW(tcgetattr(null, &now));
	SHOW(isatty(null));
	SHOW(ioctl(tty, 0x5499, 0));
	SHOW(lseek(tty, 0, SEEK_SET));
}

static volatile sig_atomic_t changes;

static void size_handler(int signo)
{
	changes++;
	(void)signo;
}

CASE(window_change)
{
	tty = open("/dev/tty", O_RDWR);
	signal(SIGWINCH, size_handler);
	struct winsize size, other;
	ioctl(tty, TIOCGWINSZ, &size);
	other = size;
	other.ws_row++;
	SHOW(ioctl(tty, TIOCSWINSZ, &other));
	sleep_ms(50);
	printf("changes %d\n", changes);
	SHOW(ioctl(tty, TIOCSWINSZ, &other));
	sleep_ms(50);
	printf("changes %d\n", changes);
	ioctl(tty, TIOCSWINSZ, &size);
}

CASE(foreground_group)
{
	tty = open("/dev/tty", O_RDWR);
	pid_t before = tcgetpgrp(tty);
	printf("foreground %d\n", before == getpgrp());
	printf("session %d\n", tcgetsid(tty) == getsid(0));
	pid_t child = fork();
	if (child == 0) {
		setpgid(0, 0);
		/* In the background now: setting the foreground group stops us, unless SIGTTOU is
		 * ignored. */
		signal(SIGTTOU, SIG_IGN);
		SHOW(tcsetpgrp(tty, getpgrp()));
		printf("child in front %d\n", tcgetpgrp(tty) == getpgrp());
		SHOW(tcsetpgrp(tty, before));
		SHOW(tcsetpgrp(tty, 1 << 22));
		SHOW(tcsetpgrp(tty, -1));
		fflush(stdout);
		_exit(0);
	}
	int status;
	waitpid(child, &status, 0);
	show_status("child", status);
	printf("foreground %d\n", tcgetpgrp(tty) == getpgrp());
	int null = open("/dev/null", O_RDWR);
	SHOW(tcgetpgrp(null));
}

static void in_background(const char *what, void (*function)(void))
{
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		setpgid(0, 0);
		function();
		fflush(stdout);
		_exit(0);
	}
	int status;
	setpgid(child, child);
	waitpid(child, &status, WUNTRACED);
	show_status(what, status);
	if (WIFSTOPPED(status)) {
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
	}
}

static void background_read(void)
{
	char c;
	read(tty, &c, 1);
}

static void background_read_ignored(void)
{
	char c;
	signal(SIGTTIN, SIG_IGN);
	SHOW(read(tty, &c, 1));
}

static void background_set(void)
{
	struct termios now;
	tcgetattr(tty, &now);
	tcsetattr(tty, TCSANOW, &now);
}

static void background_write(void)
{
	SHOW(write(tty, "", 0));
}

static int orphan_says[2];

static void orphan_read(void)
{
	pid_t parent = getpid();
	if (fork() == 0) {
		char c;
		while (getppid() == parent) {
			sleep_ms(10);
		}
		long got = read(tty, &c, 1);
		char answer[40];
		int length = snprintf(answer, sizeof answer, "orphan: %ld %s\n", got,
			got < 0 ? error_name(errno) : "");
		write(orphan_says[1], answer, (size_t)length);
		_exit(0);
	}
	_exit(0);
}

CASE(background)
{
	tty = open("/dev/tty", O_RDWR);
	in_background("read", background_read);
	in_background("read, SIGTTIN ignored", background_read_ignored);
	in_background("settings", background_set);
	in_background("write", background_write);
	char answer[40] = {0};
	pipe(orphan_says);
	in_background("orphaned group", orphan_read);
	read(orphan_says[0], answer, sizeof answer - 1);
	printf("%s", answer);
}

CASE(hang_up_of_session_leader)
{
	tty = open("/dev/tty", O_RDWR);
	pid_t child = fork();
	if (child == 0) {
		setsid();
		SHOW(ioctl(tty, TIOCSCTTY, 0));
		SHOW(tcgetpgrp(tty));
		SHOW(open("/dev/tty", O_RDWR));
		fflush(stdout);
		_exit(0);
	}
	int status;
	waitpid(child, &status, 0);
	show_status("leader without a terminal", status);
	child = fork();
	if (child == 0) {
		SHOW(ioctl(tty, TIOCNOTTY));
		SHOW(open("/dev/tty", O_RDWR));
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, &status, 0);
	show_status("gave it up", status);
}
