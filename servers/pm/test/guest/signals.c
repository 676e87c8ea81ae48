/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals: handlers, masks, faults, stops, interrupted calls. */
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

void test_handler_info(void)
{
	union sigval value = {.sival_int = 42};

	handle(SIGUSR1, 0);
	CHECK(kill(getpid(), SIGUSR1) == 0 && hits == 1 && last_signo == SIGUSR1 &&
		last_code == SI_USER);
	CHECK(last_pid == getpid());
	CHECK(raise(SIGUSR1) == 0 && hits == 2 && last_code == SI_TKILL);
	CHECK(sigqueue(getpid(), SIGUSR1, value) == 0 && hits == 3 && last_code == SI_QUEUE &&
		last_value == 42);
	handle(SIGUSR1, (int)SA_RESETHAND);
	CHECK(raise(SIGUSR1) == 0 && hits == 1);
	struct sigaction old;
	CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
	CHECK(sigaction(SIGKILL, &old, NULL) == -1 && errno == EINVAL);
}

void test_pending_and_mask(void)
{
	sigset_t set;

	handle(SIGUSR1, 0);
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK(hits == 0 && sigpending(&set) == 0 && sigismember(&set, SIGUSR1) == 1);
	block(SIG_UNBLOCK, SIGUSR1);
	CHECK(hits == 1 && sigpending(&set) == 0 && sigismember(&set, SIGUSR1) == 0);
	/* Ignoring drops what is pending. */
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	handle(SIGUSR1, 0);
	block(SIG_UNBLOCK, SIGUSR1);
	CHECK(hits == 0);
}

void test_realtime_queue(void)
{
	int signo = SIGRTMIN + 3;
	siginfo_t info;
	sigset_t set;
	struct timespec zero = {0, 0};

	block(SIG_BLOCK, signo);
	for (int i = 0; i < 5; i++) {
		union sigval value = {.sival_int = i};

		CHECK(sigqueue(getpid(), signo, value) == 0);
	}
	sigemptyset(&set);
	sigaddset(&set, signo);
	for (int i = 0; i < 5; i++) {
		CHECK(sigwaitinfo(&set, &info) == signo && info.si_value.sival_int == i);
	}
	CHECK(sigtimedwait(&set, &info, &zero) == -1 && errno == EAGAIN);
	block(SIG_UNBLOCK, signo);
}

void test_sigsuspend(void)
{
	pid_t parent = getpid(), pid;
	sigset_t none, old;

	handle(SIGUSR2, 0);
	block(SIG_BLOCK, SIGUSR2);
	pid = fork();
	if (pid == 0) {
		kill(parent, SIGUSR2);
		_exit(0);
	}
	sigemptyset(&none);
	CHECK(sigsuspend(&none) == -1 && errno == EINTR && hits == 1);
	sigprocmask(SIG_BLOCK, NULL, &old);
	CHECK(sigismember(&old, SIGUSR2) == 1);
	block(SIG_UNBLOCK, SIGUSR2);
	CHECK(wait_status(pid) == 0);
}

void test_ppoll_mask(void)
{
	struct timespec timeout = {5, 0};
	struct pollfd none_ready;
	int pipe_fd[2];
	sigset_t none;
	long start = now_ms();

	CHECK(pipe(pipe_fd) == 0);
	none_ready = (struct pollfd){.fd = pipe_fd[0], .events = POLLIN};
	handle(SIGUSR2, 0);
	block(SIG_BLOCK, SIGUSR2);
	raise(SIGUSR2);
	sigemptyset(&none);
	CHECK(ppoll(&none_ready, 1, &timeout, &none) == -1 && errno == EINTR && hits == 1);
	CHECK(now_ms() - start < 3000);
	raise(SIGUSR2);
	CHECK(hits == 1); /* the mask is back */
	block(SIG_UNBLOCK, SIGUSR2);
	CHECK(hits == 2);
	timeout.tv_sec = 0;
	CHECK(ppoll(&none_ready, 1, &timeout, &none) == 0);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* A read of an empty pipe, a signal after a while, then data. Returns read's result. */
static ssize_t interrupted_read(int flags)
{
	int pipe_fd[2];
	pid_t parent = getpid(), pid;
	ssize_t n;
	char c;

	handle(SIGUSR1, flags);
	CHECK(pipe(pipe_fd) == 0);
	pid = fork();
	if (pid == 0) {
		sleep_ms(50);
		kill(parent, SIGUSR1);
		sleep_ms(50);
		(void)!write(pipe_fd[1], "x", 1);
		_exit(0);
	}
	n = read(pipe_fd[0], &c, 1);
	n = n < 0 ? -errno : n;
	CHECK(wait_status(pid) == 0);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	return n;
}

void test_eintr_and_restart(void)
{
	CHECK(interrupted_read(0) == -EINTR && hits == 1);
	CHECK(interrupted_read(SA_RESTART) == 1 && hits == 1);
}

void test_wait_restart(void)
{
	pid_t parent = getpid(), pid;
	int status;

	for (int restart = 0; restart < 2; restart++) {
		handle(SIGUSR1, restart ? SA_RESTART : 0);
		pid = fork();
		if (pid == 0) {
			sleep_ms(50);
			kill(parent, SIGUSR1);
			sleep_ms(50);
			_exit(3);
		}
		if (restart) {
			CHECK(waitpid(pid, &status, 0) == pid && status == 3 << 8 && hits == 1);
		} else {
			CHECK(waitpid(pid, &status, 0) == -1 && errno == EINTR && hits == 1);
			CHECK(wait_status(pid) == 3 << 8);
		}
	}
}

static char alternate[65536];
static volatile int was_on_alternate;

static void on_alternate(int signo)
{
	char here;
	stack_t now;

	was_on_alternate = &here >= alternate && &here < alternate + sizeof(alternate);
	was_on_alternate &= sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_ONSTACK);
	now.ss_flags = 0;
	was_on_alternate &= sigaltstack(&now, NULL) == -1 && errno == EPERM;
}

void test_altstack(void)
{
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)}, old;
	struct sigaction action = {.sa_handler = on_alternate, .sa_flags = SA_ONSTACK};

	CHECK(sigaltstack(&stack, &old) == 0 && (old.ss_flags & SS_DISABLE));
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	CHECK(was_on_alternate);
	stack.ss_size = 100;
	CHECK(sigaltstack(&stack, NULL) == -1 && errno == ENOMEM);
	stack.ss_flags = SS_DISABLE;
	CHECK(sigaltstack(&stack, &old) == 0 && old.ss_sp == alternate && old.ss_flags == 0);
}

static char *volatile fault_page;
static volatile int fault_code;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	fault_code = info->si_addr == fault_page ? info->si_code : -1;
	mprotect(fault_page, 4096, PROT_READ | PROT_WRITE);
}

static sigjmp_buf fault_jump;

static void on_fault_jump(int signo, siginfo_t *info, void *context)
{
	fault_code = info->si_code;
	siglongjmp(fault_jump, signo);
}

void test_faults(void)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	volatile int zero = 0;

	fault_page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGSEGV, &action, NULL);
	*(volatile char *)fault_page = 7;
	CHECK(fault_code == SEGV_ACCERR && *fault_page == 7);
	action.sa_sigaction = on_fault_jump;
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGFPE, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	munmap(fault_page, 4096);
	if (sigsetjmp(fault_jump, 1) == 0) {
		*(volatile char *)fault_page = 7;
		CHECK(0);
	}
	CHECK(fault_code == SEGV_MAPERR);
	if (sigsetjmp(fault_jump, 1) == 0) {
		zero = 1000 / zero;
		CHECK(0);
	}
	CHECK(fault_code == FPE_INTDIV);
	if (sigsetjmp(fault_jump, 1) == 0) {
		__asm__ volatile("ud2");
		CHECK(0);
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGFPE, SIG_DFL);
	signal(SIGILL, SIG_DFL);
	pid_t pid = fork();
	if (pid == 0) {
		__asm__ volatile("hlt");
		_exit(0);
	}
	CHECK(WTERMSIG(wait_status(pid)) == SIGSEGV);
	pid = fork();
	if (pid == 0) {
		block(SIG_BLOCK, SIGSEGV);
		fault_page = (char *)8;
		*(volatile char *)fault_page = 1;
		_exit(0);
	}
	CHECK(WTERMSIG(wait_status(pid)) == SIGSEGV);
}

void test_stop_continue(void)
{
	int status;
	pid_t pid;

	handle(SIGCHLD, 0);
	pid = fork();
	if (pid == 0) {
		for (;;) {
			pause();
		}
	}
	CHECK(setpgid(pid, pid) ==
		0); /* a group that is not orphaned, or SIGTSTP would do nothing */
	CHECK(kill(pid, SIGSTOP) == 0);
	while (waitpid(pid, &status, WUNTRACED) == -1 && errno == EINTR) {
	}
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	await_hits(1);
	CHECK(hits == 1 && last_code == CLD_STOPPED && last_pid == pid && last_status == SIGSTOP);
	CHECK(waitpid(pid, &status, WUNTRACED | WNOHANG) == 0);
	CHECK(kill(pid, SIGCONT) == 0);
	while (waitpid(pid, &status, WCONTINUED) == -1 && errno == EINTR) {
	}
	await_hits(2);
	CHECK(WIFCONTINUED(status) && hits == 2 && last_code == CLD_CONTINUED);
	handle(SIGCHLD, SA_NOCLDSTOP);
	CHECK(kill(pid, SIGTSTP) == 0);
	while (waitpid(pid, &status, WUNTRACED) == -1 && errno == EINTR) {
	}
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP && hits == 0);
	CHECK(kill(pid, SIGKILL) == 0);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
	}
	await_hits(1);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && hits == 1 &&
		last_code == CLD_KILLED);
	signal(SIGCHLD, SIG_DFL);
}

void test_sigpipe(void)
{
	int pipe_fd[2];
	pid_t pid;

	CHECK(pipe(pipe_fd) == 0);
	close(pipe_fd[0]);
	pid = fork();
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		(void)!write(pipe_fd[1], "x", 1);
		_exit(0);
	}
	CHECK(wait_status(pid) == SIGPIPE);
	handle(SIGPIPE, 0);
	CHECK(write(pipe_fd[1], "x", 1) == -1 && errno == EPIPE && hits == 1);
	signal(SIGPIPE, SIG_IGN);
	CHECK(write(pipe_fd[1], "x", 1) == -1 && errno == EPIPE);
	signal(SIGPIPE, SIG_DFL);
	close(pipe_fd[1]);
}

void test_futex_interrupted(void)
{
	struct itimerval soon = {{0, 0}, {0, 20000}};
	int word = 0;

	handle(SIGALRM, 0);
	setitimer(ITIMER_REAL, &soon, NULL);
	CHECK(syscall(SYS_futex, &word, 0, 0, NULL) == -1 && errno == EINTR && hits == 1);
	handle(SIGALRM, SA_RESTART);
	struct itimerval both = {{0, 0}, {0, 20000}};
	struct timespec timeout = {0, 80000000};
	long start = now_ms();
	setitimer(ITIMER_REAL, &both, NULL);
	CHECK(syscall(SYS_futex, &word, 0, 0, &timeout) == -1);
	CHECK((errno == ETIMEDOUT && now_ms() - start >= 75) || errno == EINTR);
	CHECK(hits == 1);
}

void test_signal_storm(void)
{
	pid_t parent = getpid(), pid;
	int count = 0;

	handle(SIGUSR1, SA_RESTART);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 1000; i++) {
			kill(parent, SIGUSR1);
		}
		_exit(0);
	}
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		count++;
		getppid();
		sched_yield();
	}
	CHECK(hits >= 1 && hits <= 1000 && count >= 0);
}
