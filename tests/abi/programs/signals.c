/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals as Linux delivers them. */
#include "case.h"

#include <poll.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t handled, depth, deepest, raised;
static volatile siginfo_t last;

static void count_handler(int signo)
{
	handled++;
	(void)signo;
}

static void info_handler(int signo, siginfo_t *info, void *context)
{
	handled++;
	last = *info;
	(void)signo;
	(void)context;
}

static void nested_handler(int signo)
{
	depth++;
	if (depth > deepest) {
		deepest = depth;
	}
	if (raised < 4) {
		raised++;
		raise(signo);
	}
	depth--;
	handled++;
}

static void install(int signo, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	sigaction(signo, &action, NULL);
}

static void install_info(int signo, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
	sigaction(signo, &action, NULL);
}

CASE(basic)
{
	install(SIGUSR1, count_handler, 0);
	raise(SIGUSR1);
	kill(getpid(), SIGUSR1);
	printf("handled %d\n", handled);
	struct sigaction old;
	SHOW(sigaction(SIGUSR1, NULL, &old));
	printf("same %d\n", old.sa_handler == count_handler);
	SHOW(sigaction(SIGKILL, &old, NULL));
	SHOW(sigaction(SIGSTOP, &old, NULL));
	SHOW(sigaction(65, &old, NULL));
	SHOW(sigaction(0, &old, NULL));
	SHOW(kill(getpid(), 65));
	SHOW(kill(getpid(), -1));
	SHOW(kill(getpid(), 0));
	SHOW(kill(1 << 22, SIGTERM));
	SHOW(kill(-(1 << 22), SIGTERM));
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
}

CASE(masks)
{
	sigset_t set, old, pending;
	install(SIGUSR1, count_handler, 0);
	install(SIGUSR2, count_handler, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGKILL);
	SHOW(sigprocmask(SIG_BLOCK, &set, &old));
	SHOW(sigprocmask(SIG_BLOCK, NULL, &old));
	printf("usr1 %d kill %d\n", sigismember(&old, SIGUSR1), sigismember(&old, SIGKILL));
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR2);
	printf("handled %d\n", handled);
	sigpending(&pending);
	printf("pending %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	printf("handled %d\n", handled);
	SHOW(sigprocmask(9, &set, NULL));
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	sigpending(&pending);
	printf("ignored, pending %d\n", sigismember(&pending, SIGUSR1));
	pid_t child = fork();
	if (child == 0) {
		sigprocmask(SIG_BLOCK, NULL, &old);
		sigpending(&pending);
		printf("child mask %d pending %d\n", sigismember(&old, SIGUSR1),
			sigismember(&pending, SIGUSR1));
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

CASE(flags)
{
	install(SIGUSR1, nested_handler, 0);
	raise(SIGUSR1);
	printf("plain: handled %d deepest %d\n", handled, deepest);
	handled = deepest = raised = 0;
	install(SIGUSR1, nested_handler, SA_NODEFER);
	raise(SIGUSR1);
	printf("nodefer: handled %d deepest %d\n", handled, deepest);
	install(SIGUSR2, count_handler, SA_RESETHAND);
	raise(SIGUSR2);
	struct sigaction now;
	sigaction(SIGUSR2, NULL, &now);
	printf("reset %d\n", now.sa_handler == SIG_DFL);
	struct sigaction with_mask = {.sa_handler = count_handler};
	sigaddset(&with_mask.sa_mask, SIGUSR1);
	sigaction(SIGUSR2, &with_mask, NULL);
	sigaction(SIGUSR2, NULL, &now);
	printf("mask kept %d\n", sigismember(&now.sa_mask, SIGUSR1));
}

static void die_of(void)
{
	signal(handled, SIG_DFL);
	raise(handled);
}

CASE(default_actions)
{
	for (int signo = 1; signo < 32; signo++) {
		if (signo == SIGSTOP || signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU) {
			continue;
		}
		char name[20];
		snprintf(name, sizeof name, "signal %d", signo);
		handled = signo;
		in_child(name, die_of);
	}
}

static int interrupted_read(int flags)
{
	int ends[2];
	char c;
	pipe(ends);
	install(SIGALRM, count_handler, flags);
	pid_t writer = fork();
	if (writer == 0) {
		sleep_ms(500);
		write(ends[1], "x", 1);
		_exit(0);
	}
	struct itimerval soon = {.it_value = {.tv_usec = 100000}};
	setitimer(ITIMER_REAL, &soon, NULL);
	long result = read(ends[0], &c, 1);
	int error = errno;
	printf("read: %ld %s handled %d\n", result, result < 0 ? error_name(error) : "-", handled);
	handled = 0;
	waitpid(writer, NULL, 0);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

CASE(restart)
{
	interrupted_read(0);
	interrupted_read(SA_RESTART);
	install(SIGALRM, count_handler, SA_RESTART);
	struct itimerval soon = {.it_value = {.tv_usec = 100000}};
	setitimer(ITIMER_REAL, &soon, NULL);
	struct pollfd nothing = {.fd = -1};
	SHOW(poll(&nothing, 1, 1000));
	setitimer(ITIMER_REAL, &soon, NULL);
	struct timespec second = {.tv_sec = 1}, rest = {0};
	SHOW(nanosleep(&second, &rest));
	printf("rest sensible %d\n", rest.tv_sec == 0 && rest.tv_nsec > 500000000);
	setitimer(ITIMER_REAL, &soon, NULL);
	SHOW(pause());
	pid_t child = fork();
	if (child == 0) {
		sleep_ms(400);
		_exit(6);
	}
	setitimer(ITIMER_REAL, &soon, NULL);
	int status;
	printf("wait restarted %d\n", waitpid(child, &status, 0) == child);
	install(SIGALRM, count_handler, 0);
	child = fork();
	if (child == 0) {
		sleep_ms(400);
		_exit(6);
	}
	setitimer(ITIMER_REAL, &soon, NULL);
	SHOW(waitpid(child, &status, 0));
	waitpid(child, &status, 0);
}

CASE(stop_during_sleep)
{
	pid_t child = fork();
	if (child == 0) {
		struct timespec time = {.tv_nsec = 600000000};
		_exit(nanosleep(&time, NULL) == 0 ? 0 : errno);
	}
	sleep_ms(100);
	kill(child, SIGSTOP);
	int status;
	waitpid(child, &status, WUNTRACED);
	show_status("sleeper", status);
	kill(child, SIGCONT);
	waitpid(child, &status, 0);
	show_status("sleeper", status);
}

CASE(information)
{
	install_info(SIGUSR1, info_handler, 0);
	kill(getpid(), SIGUSR1);
	printf("%d code %d me %d uid %d\n", last.si_signo, last.si_code, last.si_pid == getpid(),
		last.si_uid);
	raise(SIGUSR1);
	printf("%d code %d\n", last.si_signo, last.si_code);
	install_info(SIGRTMIN, info_handler, 0);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 3; i++) {
		union sigval value = {.sival_int = 100 + i};
		SHOW(sigqueue(getpid(), SIGRTMIN, value));
	}
	int before = handled;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	printf("queued %d last %d code %d\n", handled - before, last.si_value.sival_int,
		last.si_code);
	install_info(SIGCHLD, info_handler, 0);
	pid_t child = fork();
	if (child == 0) {
		_exit(9);
	}
	while (last.si_signo != SIGCHLD) {
		sleep_ms(10);
	}
	printf("child code %d status %d pid %d\n", last.si_code, last.si_status,
		last.si_pid == child);
	waitpid(child, NULL, 0);
}

CASE(suspend_and_wait)
{
	sigset_t block, none, rt;
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	install(SIGUSR1, count_handler, 0);
	sigprocmask(SIG_BLOCK, &block, NULL);
	raise(SIGUSR1);
	SHOW(sigsuspend(&none));
	printf("handled %d\n", handled);
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	printf("blocked again %d\n", sigismember(&now, SIGUSR1));
	raise(SIGUSR1);
	siginfo_t info;
	struct timespec none_time = {0}, some = {.tv_nsec = 50000000};
	SHOW(sigtimedwait(&block, &info, &none_time));
	printf("info %d\n", info.si_signo);
	SHOW(sigtimedwait(&block, &info, &some));
	pid_t parent = getpid();
	pid_t child = fork();
	if (child == 0) {
		sleep_ms(100);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	SHOW(sigwaitinfo(&block, &info));
	printf("from child %d\n", info.si_pid == child);
	waitpid(child, NULL, 0);
	sigemptyset(&rt);
	sigaddset(&rt, SIGUSR2);
	sigprocmask(SIG_BLOCK, &rt, NULL);
	int caught = 0;
	raise(SIGUSR2);
	SHOW(sigwait(&rt, &caught));
	printf("caught %d\n", caught);
}

CASE(child_signals)
{
	install(SIGCHLD, count_handler, SA_NOCLDSTOP);
	pid_t child = fork();
	if (child == 0) {
		pause();
	}
	kill(child, SIGSTOP);
	waitpid(child, NULL, WUNTRACED);
	printf("after stop %d\n", handled);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	printf("after kill %d\n", handled);
	signal(SIGCHLD, SIG_IGN);
	child = fork();
	if (child == 0) {
		_exit(0);
	}
	SHOW(waitpid(child, NULL, 0));
	install(SIGCHLD, count_handler, SA_NOCLDWAIT);
	child = fork();
	if (child == 0) {
		_exit(0);
	}
	errno = 0;
	while (waitpid(child, NULL, 0) == -1 && errno == EINTR) {
	}
	printf("nocldwait: %s\n", error_name(errno));
}

static void write_to_nobody(void)
{
	int ends[2];
	pipe(ends);
	close(ends[0]);
	write(ends[1], "x", 1);
}

CASE(broken_pipe)
{
	in_child("default", write_to_nobody);
	signal(SIGPIPE, SIG_IGN);
	int ends[2];
	pipe(ends);
	close(ends[0]);
	SHOW(write(ends[1], "x", 1));
}

CASE(alarms)
{
	install(SIGALRM, count_handler, 0);
	SHOW(alarm(100));
	printf("%d\n", alarm(0) >= 99);
	struct itimerval tick = {.it_value = {.tv_usec = 30000}, .it_interval = {.tv_usec = 30000}},
			 now;
	SHOW(setitimer(ITIMER_REAL, &tick, NULL));
	while (handled < 5) {
		pause();
	}
	SHOW(getitimer(ITIMER_REAL, &now));
	printf("interval %ld\n", (long)now.it_interval.tv_usec);
	struct itimerval off = {0};
	SHOW(setitimer(ITIMER_REAL, &off, &now));
	SHOW(setitimer(99, &off, NULL));
	off.it_value.tv_usec = 1000000;
	SHOW(setitimer(ITIMER_REAL, &off, NULL));
	handled = 0;
	install(SIGVTALRM, count_handler, 0);
	struct itimerval burn = {.it_value = {.tv_usec = 50000}};
	SHOW(setitimer(ITIMER_VIRTUAL, &burn, NULL));
	while (!handled) {
	}
	puts("virtual timer ended a loop");
}

CASE(loop_is_interrupted)
{
	install(SIGALRM, count_handler, 0);
	struct itimerval soon = {.it_value = {.tv_usec = 100000}};
	setitimer(ITIMER_REAL, &soon, NULL);
	while (!handled) {
	}
	puts("left the loop");
	pid_t child = fork();
	if (child == 0) {
		for (;;) {
		}
	}
	sleep_ms(100);
	kill(child, SIGTERM);
	int status;
	waitpid(child, &status, 0);
	show_status("loop", status);
}

CASE(kill_group)
{
	pid_t leader = fork();
	if (leader == 0) {
		setpgid(0, 0);
		for (int i = 0; i < 3; i++) {
			if (fork() == 0) {
				pause();
			}
		}
		int ended = 0, status;
		signal(SIGTERM, SIG_IGN);
		while (wait(&status) > 0) {
			ended += WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
		}
		_exit(ended);
	}
	sleep_ms(400);
	SHOW(kill(-leader, SIGTERM));
	int status;
	waitpid(leader, &status, 0);
	show_status("leader counted", status);
}

CASE(order_of_delivery)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	int list[] = {SIGRTMIN + 1, SIGUSR2, SIGRTMIN, SIGUSR1, SIGTERM};
	for (int i = 0; i < 5; i++) {
		raise(list[i]);
	}
	siginfo_t info;
	for (int i = 0; i < 5; i++) {
		printf("%d\n", sigwaitinfo(&all, &info));
	}
}
