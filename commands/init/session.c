/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/init/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "commands/init/devices.h"
#include "commands/init/root.h"
#include "commands/init/say.h"

#define SEARCH_PATH \
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" RUN_DIR "/bin"

/* Output byte for byte, and nothing of the input in it. */
static void make_plain(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) == 0) {
		t.c_oflag &= ~(tcflag_t)ONLCR;
		t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
		(void)tcsetattr(fd, TCSANOW, &t);
	}
}

static void take_console(enum session_kind kind)
{
	(void)setsid();
	devices_open_console();
	if (kind == SESSION_RC) {
		return;
	}
	(void)ioctl(0, TIOCSCTTY, 0);
	(void)tcsetpgrp(0, getpid());
	if (kind == SESSION_COMMAND) {
		make_plain(0);
	}
}

static void reset_signals(void)
{
	sigset_t none;

	for (int signo = 1; signo < NSIG; signo++) {
		(void)signal(signo, SIG_DFL);
	}
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void run(enum session_kind kind, char *const argv[], bool is_vga)
{
	char *const environment[] = {
		"HOME=/root",
		"USER=root",
		"LOGNAME=root",
		"SHELL=/bin/sh",
		SEARCH_PATH,
		is_vga ? "TERM=linux" : "TERM=vt220",
		NULL,
	};

	reset_signals();
	take_console(kind);
	if (chdir("/root") < 0) {
		(void)chdir("/");
	}
	execve("/bin/sh", argv, environment);
	say_aloud("init: cannot run /bin/sh: %s", strerror(errno));
	_exit(127);
}

pid_t session_start(enum session_kind kind, char *const argv[], bool is_vga)
{
	pid_t pid = fork();

	if (pid == 0) {
		run(kind, argv, is_vga);
	}
	return pid < 0 ? -errno : pid;
}

void session_drain(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0) {
		(void)tcdrain(fd);
		close(fd);
	}
}
