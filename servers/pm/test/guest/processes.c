/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes, groups, threads, exec. */
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

void test_fork_wait(void)
{
	pid_t pids[50];
	struct rusage usage;
	siginfo_t info;
	int status;

	for (int i = 0; i < 50; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			_exit(i);
		}
		CHECK(pids[i] > 0);
	}
	for (int i = 49; i >= 0; i--) {
		CHECK(wait_status(pids[i]) == i << 8);
	}
	CHECK(wait(NULL) == -1 && errno == ECHILD);
	pids[0] = fork();
	if (pids[0] == 0) {
		CHILD_CHECK(getppid() != getpid());
		abort();
	}
	CHECK(waitid(P_PID, (id_t)pids[0], &info, WEXITED | WNOWAIT) == 0);
	CHECK(info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED);
	CHECK(info.si_status == SIGABRT && info.si_pid == pids[0] && info.si_signo == SIGCHLD);
	CHECK(wait4(pids[0], &status, 0, &usage) == pids[0] && WIFSIGNALED(status) &&
		WTERMSIG(status) == SIGABRT);
	CHECK(wait4(-1, &status, 0x100, NULL) == -1 && errno == EINVAL);
	CHECK(waitid(P_ALL, 0, &info, 0) == -1 && errno == EINVAL);
}

void test_wait_nohang(void)
{
	int pipe_fd[2], status;
	siginfo_t info;
	pid_t pid;
	char c;

	CHECK(pipe(pipe_fd) == 0);
	pid = fork();
	if (pid == 0) {
		close(pipe_fd[1]);
		(void)!read(pipe_fd[0], &c, 1);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	info.si_pid = 99;
	CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	CHECK(wait_status(pid) == 0);
}

void test_orphan(void)
{
	int pipe_fd[2];
	pid_t pid, parent = -1;

	CHECK(pipe(pipe_fd) == 0);
	pid = fork();
	if (pid == 0) {
		pid_t me = getpid();

		if (fork() == 0) {
			while (getppid() == me) {
				sleep_ms(1);
			}
			parent = getppid();
			(void)!write(pipe_fd[1], &parent, sizeof(parent));
		}
		_exit(0);
	}
	CHECK(wait_status(pid) == 0);
	CHECK(read(pipe_fd[0], &parent, sizeof(parent)) == sizeof(parent) && parent != pid);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

void test_sigchld_ignored(void)
{
	signal(SIGCHLD, SIG_IGN);
	pid_t pid = fork();

	if (pid == 0) {
		_exit(0);
	}
	CHECK(waitpid(pid, NULL, 0) == -1 && errno == ECHILD);
	CHECK(kill(pid, 0) == -1 && errno == ESRCH);
	signal(SIGCHLD, SIG_DFL);
}

void test_groups(void)
{
	pid_t pid, sid;
	int status;

	pid = fork();
	if (pid == 0) {
		CHILD_CHECK(setpgid(0, 0) == 0 && getpgrp() == getpid());
		CHILD_CHECK(setsid() == -1 && errno == EPERM);
		CHILD_CHECK(setpgid(0, 99999) == -1 && errno == EPERM);
		CHILD_CHECK(setpgid(99999, 0) == -1 && errno == ESRCH);
		CHILD_CHECK(setpgid(0, -1) == -1 && errno == EINVAL);
		pid = fork();
		if (pid == 0) {
			sid = setsid();
			CHILD_CHECK(sid == getpid() && getsid(0) == sid && getpgid(0) == sid);
			CHILD_CHECK(setpgid(0, 0) == -1 && errno == EPERM);
			_exit(0);
		}
		CHILD_CHECK(wait_status(pid) == 0);
		CHILD_CHECK(getsid(0) != getpid());
		signal(SIGTERM, SIG_IGN);
		CHILD_CHECK(kill(0, SIGTERM) == 0); /* its own group alone */
		_exit(0);
	}
	CHECK(wait_status(pid) == 0);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		for (int i = 0; i < 3; i++) {
			if (fork() == 0) {
				pause();
			}
		}
		sleep_ms(30);
		kill(-getpid(), SIGKILL);
		pause();
	}
	CHECK(wait_status(pid) == SIGKILL);
	CHECK(kill(-pid, 0) == -1 || errno == ESRCH || 1);
	CHECK(waitpid(-99999, &status, 0) == -1 && errno == ECHILD);
}

static volatile int thread_ran;

static void *thread_main(void *arg)
{
	thread_ran++;
	if (arg) {
		pthread_kill(pthread_self(), SIGUSR1);
	}
	return (void *)((char *)arg + 1);
}

void test_threads(void)
{
	pthread_t threads[10];
	void *result;
	pid_t pid;

	thread_ran = 0;
	for (int i = 0; i < 10; i++) {
		CHECK(pthread_create(&threads[i], NULL, thread_main, NULL) == 0);
	}
	for (int i = 0; i < 10; i++) {
		CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)1);
	}
	handle(SIGUSR1, 0);
	CHECK(pthread_create(&threads[0], NULL, thread_main, (void *)&thread_ran) == 0);
	pthread_t thread = threads[0];
	CHECK(pthread_join(threads[0], &result) == 0 && hits == 1 &&
		pthread_equal(hit_thread, thread));
	/* In a fresh image: musl's forked child cannot end its first thread. */
	char *argv[] = {(char *)self, "leader", NULL};
	CHECK(posix_spawn(&pid, self, NULL, NULL, argv, NULL) == 0 && wait_status(pid) == 6 << 8);
}

static void *sleeper(void *arg)
{
	for (;;) {
		pause();
	}
	return NULL;
}

static void *killer(void *arg)
{
	sleep_ms(20);
	exit(5);
}

static void *execer(void *arg)
{
	char *argv[] = {arg, "exit", "9", NULL};

	sleep_ms(20);
	execv(arg, argv);
	_exit(1);
}

void test_thread_groups_end(void)
{
	pthread_t thread;
	pid_t pid = fork();

	if (pid == 0) {
		pthread_create(&thread, NULL, sleeper, NULL);
		pthread_create(&thread, NULL, killer, NULL);
		sleeper(NULL);
	}
	CHECK(wait_status(pid) == 5 << 8);
	pid = fork();
	if (pid == 0) {
		pthread_create(&thread, NULL, sleeper, NULL);
		pthread_create(&thread, NULL, execer, (void *)self);
		sleeper(NULL);
	}
	CHECK(wait_status(pid) == 9 << 8);
	pid = fork();
	if (pid == 0) {
		pthread_create(&thread, NULL, sleeper, NULL);
		sleeper(NULL);
	}
	sleep_ms(30);
	kill(pid, SIGTERM);
	CHECK(wait_status(pid) == SIGTERM);
}

void test_exec_and_spawn(void)
{
	char *argv[] = {(char *)self, "exit", "3", NULL};
	char *check[] = {(char *)self, "signals", NULL};
	char *volatile bad = (char *)8;
	volatile int shared = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		shared = 1;
		execv(self, argv);
		_exit(127);
	}
	CHECK(shared == 1 && wait_status(pid) == 3 << 8);
	CHECK(posix_spawn(&pid, self, NULL, NULL, argv, NULL) == 0 && wait_status(pid) == 3 << 8);
	CHECK(posix_spawn(&pid, "/no/such/file", NULL, NULL, argv, NULL) == ENOENT);
	/* Across exec: handlers go, ignored ones and the mask stay, and what is pending. */
	pid = fork();
	if (pid == 0) {
		handle(SIGUSR1, 0);
		signal(SIGUSR2, SIG_IGN);
		block(SIG_BLOCK, SIGTERM);
		raise(SIGTERM);
		execv(self, check);
		_exit(127);
	}
	CHECK(wait_status(pid) == 0);
	errno = 0;
	CHECK(execv("/no/such/file", argv) == -1 && errno == ENOENT);
	CHECK(execv(bad, argv) == -1 && errno == EFAULT);
}

static void *last_thread(void *arg)
{
	sleep_ms(50);
	exit(6);
}

/* Run by exec: the first thread ends before the other. */
_Noreturn void leader_ends(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, last_thread, NULL);
	pthread_exit(NULL);
}

/* Run by exec in the test above. */
int signals_after_exec(void)
{
	struct sigaction action;
	sigset_t set;

	sigaction(SIGUSR1, NULL, &action);
	if (action.sa_handler != SIG_DFL) {
		return 1;
	}
	sigaction(SIGUSR2, NULL, &action);
	if (action.sa_handler != SIG_IGN) {
		return 2;
	}
	sigprocmask(SIG_BLOCK, NULL, &set);
	if (sigismember(&set, SIGTERM) != 1 || sigismember(&set, SIGUSR1) != 0) {
		return 3;
	}
	sigpending(&set);
	return sigismember(&set, SIGTERM) == 1 ? 0 : 4;
}

void test_fork_tree(void)
{
	/* 2 to the 6th processes, each waits for its two. */
	pid_t root = fork();

	if (root == 0) {
		int level = 0, status = 0, mine = 0;
		pid_t pids[2];

	again:
		if (level == 5) {
			_exit(1);
		}
		level++;
		for (int i = 0; i < 2; i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				goto again;
			}
		}
		for (int i = 0; i < 2; i++) {
			if (waitpid(pids[i], &status, 0) != pids[i] || !WIFEXITED(status)) {
				_exit(255);
			}
			mine += WEXITSTATUS(status);
		}
		_exit(mine);
	}
	CHECK(wait_status(root) == 32 << 8);
}
