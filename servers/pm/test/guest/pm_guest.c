/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What PM promises programs, tried from a program: each check holds on Linux too, so that the same binary run on the host
 * says whether the check itself is right. Prints "ok NAME" or "not ok NAME: line"; exit status: number of failures.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
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
#include <unistd.h>

static int failed_line;
#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (!(condition) && !failed_line) {                                                          \
			failed_line = __LINE__;                                                              \
		}                                                                                            \
	} while (0)
/* In a child: its exit status says it. */
#define CHILD_CHECK(condition)                                                                               \
	do {                                                                                                 \
		if (!(condition)) {                                                                          \
			_exit(__LINE__ % 255 + 1);                                                           \
		}                                                                                            \
	} while (0)

static volatile sig_atomic_t hits, last_signo, last_code, last_value, last_pid, last_status;
static volatile pthread_t hit_thread;

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

static void handle(int signo, int flags)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};

	sigaction(signo, &action, NULL);
	hits = 0;
}

static void block(int how, int signo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(how, &set, NULL);
}

static void sleep_ms(long ms);

/* The signal of an event may come a little after the call that tells of it. */
static void await_hits(int count)
{
	for (int i = 0; i < 1000 && hits < count; i++) {
		sleep_ms(1);
	}
}

static int wait_status(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void sleep_ms(long ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&time, &time) < 0 && errno == EINTR) {
	}
}

static long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void test_fork_wait(void)
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
	CHECK(wait4(pids[0], &status, 0, &usage) == pids[0] && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	CHECK(wait4(-1, &status, 0x100, NULL) == -1 && errno == EINVAL);
	CHECK(waitid(P_ALL, 0, &info, 0) == -1 && errno == EINVAL);
}

static void test_wait_nohang(void)
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

static void test_orphan(void)
{
	int pipe_fd[2];
	pid_t pid, parent = -1;

	CHECK(pipe(pipe_fd) == 0);
	pid = fork();
	if (pid == 0) {
		pid_t self = getpid();

		if (fork() == 0) {
			while (getppid() == self) {
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

static void test_handler_info(void)
{
	union sigval value = {.sival_int = 42};

	handle(SIGUSR1, 0);
	CHECK(kill(getpid(), SIGUSR1) == 0 && hits == 1 && last_signo == SIGUSR1 && last_code == SI_USER);
	CHECK(last_pid == getpid());
	CHECK(raise(SIGUSR1) == 0 && hits == 2 && last_code == SI_TKILL);
	CHECK(sigqueue(getpid(), SIGUSR1, value) == 0 && hits == 3 && last_code == SI_QUEUE && last_value == 42);
	handle(SIGUSR1, (int)SA_RESETHAND);
	CHECK(raise(SIGUSR1) == 0 && hits == 1);
	struct sigaction old;
	CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
	CHECK(sigaction(SIGKILL, &old, NULL) == -1 && errno == EINVAL);
}

static void test_pending_and_mask(void)
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

static void test_realtime_queue(void)
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

static void test_sigsuspend(void)
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

static void test_ppoll_mask(void)
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

static void test_eintr_and_restart(void)
{
	CHECK(interrupted_read(0) == -EINTR && hits == 1);
	CHECK(interrupted_read(SA_RESTART) == 1 && hits == 1);
}

static void test_wait_restart(void)
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

static void test_altstack(void)
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

static void test_faults(void)
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

static void test_stop_continue(void)
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
	CHECK(setpgid(pid, pid) == 0); /* a group that is not orphaned, or SIGTSTP would do nothing */
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
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && hits == 1 && last_code == CLD_KILLED);
	signal(SIGCHLD, SIG_DFL);
}

static void test_sigchld_ignored(void)
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

static void test_groups(void)
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

static void test_sleep(void)
{
	struct timespec time = {0, 60000000}, left = {0, 0}, at;
	struct itimerval alarm_soon = {{0, 0}, {0, 20000}}, old;
	long start = now_ms();

	CHECK(nanosleep(&time, NULL) == 0 && now_ms() - start >= 60);
	handle(SIGALRM, 0);
	CHECK(setitimer(ITIMER_REAL, &alarm_soon, NULL) == 0);
	time.tv_sec = 5;
	start = now_ms();
	CHECK(nanosleep(&time, &left) == -1 && errno == EINTR && hits == 1 && left.tv_sec >= 4 && now_ms() - start < 3000);
	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += 50000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	start = now_ms();
	CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL) == 0 && now_ms() - start >= 45);
	time.tv_nsec = 1000000000;
	CHECK(nanosleep(&time, NULL) == -1 && errno == EINVAL);
	CHECK(nanosleep((void *)8, NULL) == -1 && errno == EFAULT);
	CHECK(alarm(100) == 0 && alarm(0) == 100);
	CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0);
	CHECK(setitimer(9, &old, NULL) == -1 && errno == EINVAL);
}

static void test_stopped_sleeper(void)
{
	long start = now_ms();
	pid_t pid = fork();

	if (pid == 0) {
		struct timespec time = {0, 150000000};

		_exit(nanosleep(&time, NULL) == 0 ? 0 : 1);
	}
	sleep_ms(30);
	kill(pid, SIGSTOP);
	sleep_ms(30);
	kill(pid, SIGCONT);
	CHECK(wait_status(pid) == 0 && now_ms() - start >= 150 && now_ms() - start < 3000);
}

static void test_interval_timer(void)
{
	struct itimerval every = {{0, 10000}, {0, 10000}}, none = {{0, 0}, {0, 0}};

	handle(SIGALRM, SA_RESTART);
	CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
	while (hits < 5) {
		pause();
	}
	CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
	handle(SIGPROF, SA_RESTART);
	CHECK(setitimer(ITIMER_PROF, &every, NULL) == 0);
	for (long start = now_ms(); hits < 2 && now_ms() - start < 10000;) {
	}
	CHECK(hits >= 2 && setitimer(ITIMER_PROF, &none, NULL) == 0);
	handle(SIGVTALRM, SA_RESTART);
	CHECK(setitimer(ITIMER_VIRTUAL, &every, NULL) == 0);
	for (long start = now_ms(); hits < 1 && now_ms() - start < 10000;) {
	}
	CHECK(hits >= 1 && setitimer(ITIMER_VIRTUAL, &none, NULL) == 0);
}

static void test_posix_timers(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 4};
	struct itimerspec spec = {{0, 0}, {0, 20000000}}, now;
	timer_t timer;
	sigset_t set;
	siginfo_t info;

	event.sigev_value.sival_int = 123;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 4);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &spec, NULL) == 0);
	CHECK(timer_gettime(timer, &now) == 0 && now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 20000000);
	CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 4 && info.si_code == SI_TIMER && info.si_value.sival_int == 123);
	CHECK(timer_gettime(timer, &now) == 0 && now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
	spec.it_interval.tv_nsec = 5000000;
	CHECK(timer_settime(timer, 0, &spec, NULL) == 0);
	sleep_ms(100);
	CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 4 && info.si_overrun >= 5);
	CHECK(timer_getoverrun(timer) == info.si_overrun);
	CHECK(timer_delete(timer) == 0);
	CHECK(syscall(SYS_timer_delete, 12345) == -1 && errno == EINVAL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void test_credentials(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		gid_t groups[4] = {3, 4, 5};
		uid_t r, e, s;

		if (getuid() != 0) {
			_exit(0);
		}
		CHILD_CHECK(setgroups(3, groups) == 0 && getgroups(0, NULL) == 3 && getgroups(1, groups) == -1);
		CHILD_CHECK(syscall(SYS_setresgid, 7, 7, 7) == 0);
		CHILD_CHECK(syscall(SYS_setresuid, 10, 11, 12) == 0);
		CHILD_CHECK(getresuid(&r, &e, &s) == 0 && r == 10 && e == 11 && s == 12 && geteuid() == 11);
		CHILD_CHECK(syscall(SYS_setuid, 0) == -1 && errno == EPERM);
		CHILD_CHECK(syscall(SYS_setgid, 0) == -1 && errno == EPERM);
		CHILD_CHECK(syscall(SYS_setgroups, 0, NULL) == -1 && errno == EPERM);
		CHILD_CHECK(syscall(SYS_setreuid, 11, 12) == 0 && getuid() == 11 && geteuid() == 12);
		CHILD_CHECK(kill(1, SIGTERM) == -1 && errno == EPERM);
		CHILD_CHECK(sethostname("x", 1) == -1 && errno == EPERM);
		CHILD_CHECK(syscall(SYS_reboot, 0, 0, 0, 0) == -1);
		CHILD_CHECK(setpriority(PRIO_PROCESS, 0, 3) == 0 && getpriority(PRIO_PROCESS, 0) == 3);
		CHILD_CHECK(setpriority(PRIO_PROCESS, 0, -3) == -1 && errno == EACCES);
		_exit(0);
	}
	CHECK(wait_status(pid) == 0);
}

static void test_limits(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit limit = {20, 10};

		CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == -1 && errno == EINVAL);
		limit.rlim_max = 20;
		CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0);
		CHILD_CHECK(limit.rlim_cur == 20 && limit.rlim_max == 20);
		CHILD_CHECK(getrlimit(99, &limit) == -1 && errno == EINVAL);
		int count = 0;
		while (dup(1) >= 0) {
			count++;
		}
		CHILD_CHECK(errno == EMFILE && count > 0 && count < 20);
		_exit(0);
	}
	CHECK(wait_status(pid) == 0);
	pid = fork();
	if (pid == 0) {
		struct rlimit limit = {1, 1};

		setrlimit(RLIMIT_CPU, &limit);
		for (;;) {
		}
	}
	CHECK(wait_status(pid) == SIGKILL);
}

static void test_usage(void)
{
	struct rusage usage;
	struct tms tms;
	struct sysinfo info;
	struct utsname names;
	volatile unsigned long sum = 0;

	for (long start = now_ms(); now_ms() - start < 100;) {
		sum++;
	}
	CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec > 20000);
	CHECK(getrusage(77, &usage) == -1 && errno == EINVAL);
	CHECK(times(&tms) != (clock_t)-1 && tms.tms_utime + tms.tms_stime > 0);
	CHECK(sysinfo(&info) == 0 && info.totalram > 1 << 20 && info.procs > 1 && info.mem_unit == 1);
	CHECK(uname(&names) == 0 && strcmp(names.sysname, "Linux") == 0 && strcmp(names.machine, "x86_64") == 0);
	CHECK(names.release[0] >= '3');
}

static void test_prctl(void)
{
	char name[16] = "", random[16] = "", zero[16] = "";
	int value = -1;

	CHECK(prctl(PR_SET_NAME, "a-rather-long-name") == 0 && prctl(PR_GET_NAME, name) == 0);
	CHECK(strcmp(name, "a-rather-long-n") == 0);
	CHECK(prctl(PR_GET_DUMPABLE) >= 0 && prctl(PR_CAPBSET_READ, 999) == -1 && errno == EINVAL);
	CHECK(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && prctl(PR_GET_PDEATHSIG, &value) == 0 && value == SIGTERM);
	CHECK(prctl(PR_SET_PDEATHSIG, 0) == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 && prctl(9999) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_getrandom, random, 16, 0) == 16 && memcmp(random, zero, 16) != 0);
	CHECK(syscall(SYS_getrandom, random, 16, 0x100) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_personality, 0xffffffff) == 0);
	CHECK(syscall(SYS_sched_get_priority_max, SCHED_FIFO) == 99);
	CHECK(syscall(SYS_sched_getscheduler, 0) == 0);
	cpu_set_t set;
	CHECK(sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_ISSET(0, &set));
}

static const char *self;
static volatile int thread_ran;

static void *thread_main(void *arg)
{
	thread_ran++;
	if (arg) {
		pthread_kill(pthread_self(), SIGUSR1);
	}
	return (void *)((char *)arg + 1);
}

static void test_threads(void)
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
	CHECK(pthread_join(threads[0], &result) == 0 && hits == 1 && pthread_equal(hit_thread, thread));
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

static void test_thread_groups_end(void)
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

static void test_exec_and_spawn(void)
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
_Noreturn static void leader_ends(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, last_thread, NULL);
	pthread_exit(NULL);
}

/* Run by exec in the test above. */
static int signals_after_exec(void)
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

static void test_fork_tree(void)
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

static void test_sigpipe(void)
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

static void test_futex_interrupted(void)
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

static void test_signal_storm(void)
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

#define TEST(name)                                                                                           \
	{                                                                                                    \
		#name, test_##name                                                                           \
	}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {
		TEST(fork_wait), TEST(wait_nohang), TEST(orphan), TEST(handler_info), TEST(pending_and_mask),
		TEST(realtime_queue), TEST(sigsuspend), TEST(ppoll_mask), TEST(eintr_and_restart), TEST(wait_restart),
		TEST(altstack), TEST(faults), TEST(stop_continue), TEST(sigchld_ignored), TEST(groups), TEST(sleep),
		TEST(stopped_sleeper), TEST(interval_timer), TEST(posix_timers), TEST(credentials), TEST(limits),
		TEST(usage), TEST(prctl), TEST(threads), TEST(thread_groups_end), TEST(exec_and_spawn), TEST(fork_tree),
		TEST(sigpipe), TEST(futex_interrupted), TEST(signal_storm),
	};
	int failures = 0;

	self = "/proc/self/exe";
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
