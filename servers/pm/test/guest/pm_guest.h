/* SPDX-License-Identifier: BSD-2-Clause */
/* What the checks of pm_guest have in common. Each test_ function is one of its tests. */
#pragma once

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#define CHECK(condition)                            \
	do {                                        \
		if (!(condition) && !failed_line) { \
			failed_line = __LINE__;     \
		}                                   \
	} while (0)
/* In a child: its exit status says it. */
#define CHILD_CHECK(condition)                     \
	do {                                       \
		if (!(condition)) {                \
			_exit(__LINE__ % 255 + 1); \
		}                                  \
	} while (0)

/* What the last handled signal was, and how many there were since `handle`. */
extern volatile sig_atomic_t hits, last_signo, last_code, last_value, last_pid, last_status;
extern volatile pthread_t hit_thread;
/* Line of the first check that did not hold, or 0. */
extern int failed_line;
/* A path by which this program can be executed again. */
extern const char *const self;

/* Count signo, with these SA_ flags. */
void handle(int signo, int flags);
void block(int how, int signo);
void sleep_ms(long ms);
/* The signal of an event may come a little after the call that tells of it. */
void await_hits(int count);
/* Wait for the process: its status, or -1. */
int wait_status(pid_t pid);
long now_ms(void);

/* Modes of this program when a test executes it. */
int signals_after_exec(void);
_Noreturn void leader_ends(void);

void test_fork_wait(void);
void test_wait_nohang(void);
void test_orphan(void);
void test_handler_info(void);
void test_pending_and_mask(void);
void test_realtime_queue(void);
void test_sigsuspend(void);
void test_ppoll_mask(void);
void test_eintr_and_restart(void);
void test_wait_restart(void);
void test_altstack(void);
void test_faults(void);
void test_stop_continue(void);
void test_sigchld_ignored(void);
void test_groups(void);
void test_sleep(void);
void test_stopped_sleeper(void);
void test_interval_timer(void);
void test_posix_timers(void);
void test_credentials(void);
void test_limits(void);
void test_usage(void);
void test_prctl(void);
void test_threads(void);
void test_thread_groups_end(void);
void test_exec_and_spawn(void);
void test_fork_tree(void);
void test_sigpipe(void);
void test_futex_interrupted(void);
void test_signal_storm(void);
