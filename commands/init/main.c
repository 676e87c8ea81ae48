/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init, process 1. It lives twice: on the boot ramdisk, where it starts what leads to the disk and
 * makes the disk the root; then from /run/axolotl/bin, where it runs rc and then the command of
 * exec= or shells on the console, and at last shuts the system down. The kernel command line is
 * argv[1] at first, and in the environment then, where ps does not show it. docs/boot.md.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands/init/devices.h"
#include "commands/init/options.h"
#include "commands/init/root.h"
#include "commands/init/say.h"
#include "commands/init/script.h"
#include "commands/init/session.h"
#include "commands/init/shutdown.h"
#include "commands/service/client.h"

#define LINE_VARIABLE   "AXOLOTL_COMMAND_LINE"
#define RESPAWN_DELAY_S 1

static volatile sig_atomic_t wanted_end; /* enum shutdown_kind, set by signals */

/* busybox's poweroff, halt and reboot send these. */
static void on_end_signal(int signo)
{
	wanted_end = signo == SIGUSR2 ? SHUTDOWN_POWEROFF
		: signo == SIGUSR1    ? SHUTDOWN_HALT
				      : SHUTDOWN_REBOOT;
}

static void on_child(int signo)
{
	(void)signo;
}

static volatile sig_atomic_t are_scripts_wanted;

static void on_script_signal(int signo)
{
	(void)signo;
	are_scripts_wanted = 1;
}

/* All is blocked but for the time of sigsuspend: no signal is missed between a look and the wait.
 */
static void set_signals(void)
{
	static const int ends[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
	struct sigaction end = {.sa_handler = on_end_signal}, child = {.sa_handler = on_child};
	struct sigaction script = {.sa_handler = on_script_signal};
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < AXO_ARRAY_LEN(ends); i++) {
		sigaction(ends[i], &end, NULL);
		sigaddset(&blocked, ends[i]);
	}
	sigaction(SIGCHLD, &child, NULL);
	sigaddset(&blocked, SIGCHLD);
	sigaction(SIGHUP, &script, NULL);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
}

/* Reap until `pid` has ended: its wait status; or -1 when a signal wants the system to end. */
static int wait_for(pid_t pid)
{
	sigset_t none;

	sigemptyset(&none);
	for (;;) {
		int status;
		pid_t ended = waitpid(-1, &status, WNOHANG);

		if (ended == pid) {
			return status;
		}
		if (wanted_end != SHUTDOWN_NONE) {
			return -1;
		}
		if (are_scripts_wanted) {
			are_scripts_wanted = 0;
			script_start_pending();
		}
		if (ended <= 0) {
			sigsuspend(&none);
		}
	}
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void run_command(const struct options *options)
{
	char *argv[] = {"sh", "-c", options->command, NULL};
	pid_t pid = session_start(SESSION_COMMAND, argv, options->is_vga);
	int status = pid < 0 ? -1 : wait_for(pid);

	session_drain();
	if (pid < 0) {
		say("init: cannot start the command: %s", strerror(-pid));
	}
	if (status >= 0) {
		say("axolotl: exit status %d", exit_status(status));
	}
	shutdown_system(
		wanted_end == SHUTDOWN_NONE ? SHUTDOWN_POWEROFF : (enum shutdown_kind)wanted_end);
}

/* A shell that cannot run would be started forever: not faster than once a second. */
static void wait_a_little(void)
{
	struct timespec delay = {.tv_sec = RESPAWN_DELAY_S};

	(void)nanosleep(&delay, NULL);
}

static void run_shells(const struct options *options)
{
	char *argv[] = {"-sh", NULL};

	while (wanted_end == SHUTDOWN_NONE) {
		pid_t pid = session_start(SESSION_SHELL, argv, options->is_vga);
		int status = pid < 0 ? -1 : wait_for(pid);

		if (pid < 0) {
			say("init: cannot start a shell: %s", strerror(-pid));
		}
		if (wanted_end == SHUTDOWN_NONE && (pid < 0 || exit_status(status) == 127)) {
			wait_a_little();
		}
	}
	shutdown_system((enum shutdown_kind)wanted_end);
}

static void set_host_name(void)
{
	char name[65] = "axolotl";
	struct client_file file;

	if (client_read_file("/etc/hostname", &file) == 0) {
		const char *text = file.data;
		size_t len = 0;

		while (len < file.len && len < sizeof(name) - 1 && text[len] > ' ') {
			len++;
		}
		if (len > 0) {
			memcpy(name, text, len);
			name[len] = '\0';
		}
		free(file.data);
	}
	(void)sethostname(name, strlen(name));
}

static void run_rc(const struct options *options)
{
	static const char *const files[] = {RUN_DIR "/etc/rc", "/etc/rc"};

	for (size_t i = 0; i < AXO_ARRAY_LEN(files); i++) {
		char *argv[] = {"sh", (char *)files[i], NULL};
		struct stat st;
		pid_t pid;

		if (stat(files[i], &st) < 0 || !S_ISREG(st.st_mode)) {
			continue;
		}
		pid = session_start(SESSION_RC, argv, options->is_vga);
		if (pid > 0) {
			(void)wait_for(pid);
		}
	}
}

/* There is no way to the disk: a shell on the ramdisk if there is one, else the end. */
static _Noreturn void give_up(const struct options *options)
{
	say_aloud("init: there is no root file system");
	if (access("/bin/sh", X_OK) == 0) {
		run_shells(options);
	}
	session_drain();
	shutdown_system(SHUTDOWN_POWEROFF);
}

static void live_on_ramdisk(const struct options *options, const char *line)
{
	char *argv[] = {"init", NULL};

	if (setenv(LINE_VARIABLE, line, 1) < 0) {
		say("init: no memory for the command line");
	}
	root_start_services();
	if (root_switch(options) < 0) {
		give_up(options);
	}
	if (access("/bin/sh", X_OK) < 0) {
		say_aloud("init: %s has no /bin/sh", options->root);
	}
	say_close();
	for (int fd = 0; fd < 3; fd++) {
		close(fd);
	}
	execve(RUN_DIR "/bin/init", argv, environ);
	devices_open_console();
	say_open();
	say_aloud("init: cannot go on from the disk: %s", strerror(errno));
	give_up(options);
}

static void live_on_disk(const struct options *options)
{
	devices_open_console();
	say_open();
	root_leave_ramdisk();
	set_host_name();
	(void)client_simple(AXO_SERVICE_BOOTED, "");
	run_rc(options);
	if (options->command) {
		run_command(options);
	}
	run_shells(options);
}

int main(int argc, char **argv)
{
	const char *line = getenv(LINE_VARIABLE);
	bool is_on_disk = line != NULL;
	struct options options;
	int r;

	if (!is_on_disk) {
		line = argc > 1 ? argv[1] : "";
	}
	r = options_parse(&options, line);

	if (getpid() != 1) {
		fprintf(stderr, "init: this is for the kernel to start\n");
		return 1;
	}
	set_signals();
	if (!is_on_disk) {
		root_prepare();
	}
	if (r < 0) {
		say("init: exec=: %s", strerror(-r));
	}
	if (!is_on_disk) {
		live_on_ramdisk(&options, line);
	} else {
		live_on_disk(&options);
	}
	return 1;
}
