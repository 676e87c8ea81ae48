/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What PM promises programs, tried from a program: each check holds on Linux too, so that the same
 * binary run on the host says whether the check itself is right. Prints "ok NAME" or "not ok NAME:
 * line"; exit status: number of failures.
 */
#include "servers/pm/test/guest/pm_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

const char *const self = "/proc/self/exe";
int failed_line;
volatile sig_atomic_t hits, last_signo, last_code, last_value, last_pid, last_status;
volatile pthread_t hit_thread;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	hits++;
	last_signo = signo;
	last_code = info->si_code;
	last_value = info->si_value.sival_int;
	last_pid = info->si_pid;
	last_status = info->si_status;
	hit_thread = pthread_self();
}

void handle(int signo, int flags)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};

	sigaction(signo, &action, NULL);
	hits = 0;
}

void block(int how, int signo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(how, &set, NULL);
}

void await_hits(int count)
{
	for (int i = 0; i < 1000 && hits < count; i++) {
		sleep_ms(1);
	}
}

int wait_status(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid ? status : -1;
}

void sleep_ms(long ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&time, &time) < 0 && errno == EINTR) {
	}
}

long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

#define TEST(name)                 \
	{                          \
#name, test_##name \
	}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {
		TEST(fork_wait),
		TEST(wait_nohang),
		TEST(orphan),
		TEST(handler_info),
		TEST(pending_and_mask),
		TEST(realtime_queue),
		TEST(sigsuspend),
		TEST(ppoll_mask),
		TEST(eintr_and_restart),
		TEST(wait_restart),
		TEST(altstack),
		TEST(faults),
		TEST(stop_continue),
		TEST(sigchld_ignored),
		TEST(groups),
		TEST(sleep),
		TEST(stopped_sleeper),
		TEST(interval_timer),
		TEST(posix_timers),
		TEST(credentials),
		TEST(limits),
		TEST(usage),
		TEST(prctl),
		TEST(threads),
		TEST(thread_groups_end),
		TEST(exec_and_spawn),
		TEST(fork_tree),
		TEST(sigpipe),
		TEST(futex_interrupted),
		TEST(signal_storm),
	};
	int failures = 0;

	if (argc == 3 && strcmp(argv[1], "exit") == 0) {
		return atoi(argv[2]);
	}
	if (argc == 2 && strcmp(argv[1], "signals") == 0) {
		return signals_after_exec();
	}
	if (argc == 2 && strcmp(argv[1], "leader") == 0) {
		leader_ends();
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (argc > 1 && strcmp(argv[1], tests[i].name) != 0) {
			continue;
		}
		failed_line = 0;
		fflush(stdout);
		tests[i].run();
		if (failed_line) {
			printf("not ok %s: line %d\n", tests[i].name, failed_line);
			failures++;
		} else {
			printf("ok %s\n", tests[i].name);
		}
	}
	return failures;
}
