/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/init/shutdown.h"

#include <errno.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands/init/say.h"
#include "commands/service/client.h"

#define GRACE_MS   1000
#define MOUNTS_MAX 64

static volatile sig_atomic_t is_time_over;

static void on_alarm(int signo)
{
	(void)signo;
	is_time_over = 1;
}

/*
 * Wait until there are no children (orphans are init's, so: no processes), or the time is over. The
 * timer goes on ringing, so that a ring between the look and the wait does no harm.
 */
static void reap(unsigned limit_ms)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval rings = {.it_value = {limit_ms / 1000, (long)(limit_ms % 1000) * 1000},
		.it_interval = {.tv_usec = 100000}};
	static const struct itimerval silence;
	sigset_t wanted;

	is_time_over = 0;
	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &wanted, NULL);
	(void)setitimer(ITIMER_REAL, &rings, NULL);
	while (!is_time_over && (wait(NULL) > 0 || errno == EINTR)) {
	}
	(void)setitimer(ITIMER_REAL, &silence, NULL);
}

static void kill_all(void)
{
	if (kill(-1, SIGTERM) < 0) {
		return;
	}
	(void)kill(-1, SIGCONT); /* for the stopped ones */
	reap(GRACE_MS);
	if (kill(-1, SIGKILL) == 0) {
		reap(GRACE_MS);
	}
}

/* The last mounted first; the root becomes read-only. */
static void unmount_all(void)
{
	char targets[MOUNTS_MAX][128];
	struct mntent *entry;
	FILE *mounts = setmntent("/proc/mounts", "r");
	int count = 0;

	while (mounts && count < MOUNTS_MAX && (entry = getmntent(mounts))) {
		snprintf(targets[count++], sizeof(targets[0]), "%s", entry->mnt_dir);
	}
	if (mounts) {
		endmntent(mounts);
	}
	while (count-- > 0) {
		if (strcmp(targets[count], "/") != 0) {
			(void)umount2(targets[count], MNT_DETACH);
		}
	}
	(void)mount("", "/", "", MS_REMOUNT | MS_RDONLY, "");
}

_Noreturn void shutdown_system(enum shutdown_kind kind)
{
	int how = kind == SHUTDOWN_REBOOT ? RB_AUTOBOOT
		: kind == SHUTDOWN_HALT   ? RB_HALT_SYSTEM
					  : RB_POWER_OFF;

	kill_all();
	sync();
	(void)chdir("/");
	say_close();
	for (int fd = 0; fd < 3; fd++) {
		close(fd);
	}
	unmount_all();
	/* Not sooner: a driver that dies before must come back for the last data. */
	(void)client_simple(AXO_SERVICE_SHUTDOWN, "");
	(void)reboot(how);
	for (;;) {
		pause();
	}
}
