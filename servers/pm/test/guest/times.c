/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleeping, timers, identities, limits and other numbers. */
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

void test_sleep(void)
{
	struct timespec time = {0, 60000000}, left = {0, 0}, at;
	struct itimerval alarm_soon = {{0, 0}, {0, 20000}}, old;
	long start = now_ms();

	CHECK(nanosleep(&time, NULL) == 0 && now_ms() - start >= 60);
	handle(SIGALRM, 0);
	CHECK(setitimer(ITIMER_REAL, &alarm_soon, NULL) == 0);
	time.tv_sec = 5;
	start = now_ms();
	CHECK(nanosleep(&time, &left) == -1 && errno == EINTR && hits == 1 && left.tv_sec >= 4 &&
		now_ms() - start < 3000);
	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += 50000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	start = now_ms();
	CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL) == 0 &&
		now_ms() - start >= 45);
	time.tv_nsec = 1000000000;
	CHECK(nanosleep(&time, NULL) == -1 && errno == EINVAL);
	CHECK(nanosleep((void *)8, NULL) == -1 && errno == EFAULT);
	CHECK(alarm(100) == 0 && alarm(0) == 100);
	CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_sec == 0 &&
		old.it_value.tv_usec == 0);
	CHECK(setitimer(9, &old, NULL) == -1 && errno == EINVAL);
}

void test_stopped_sleeper(void)
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

void test_interval_timer(void)
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

void test_posix_timers(void)
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
	CHECK(timer_gettime(timer, &now) == 0 && now.it_value.tv_nsec > 0 &&
		now.it_value.tv_nsec <= 20000000);
	CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 4 && info.si_code == SI_TIMER &&
		info.si_value.sival_int == 123);
	CHECK(timer_gettime(timer, &now) == 0 && now.it_value.tv_sec == 0 &&
		now.it_value.tv_nsec == 0);
	spec.it_interval.tv_nsec = 5000000;
	CHECK(timer_settime(timer, 0, &spec, NULL) == 0);
	sleep_ms(100);
	CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 4 && info.si_overrun >= 5);
	CHECK(timer_getoverrun(timer) == info.si_overrun);
	CHECK(timer_delete(timer) == 0);
	CHECK(syscall(SYS_timer_delete, 12345) == -1 && errno == EINVAL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void test_credentials(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		gid_t groups[4] = {3, 4, 5};
		uid_t r, e, s;

		if (getuid() != 0) {
			_exit(0);
		}
		CHILD_CHECK(setgroups(3, groups) == 0 && getgroups(0, NULL) == 3 &&
			getgroups(1, groups) == -1);
		CHILD_CHECK(syscall(SYS_setresgid, 7, 7, 7) == 0);
		CHILD_CHECK(syscall(SYS_setresuid, 10, 11, 12) == 0);
		CHILD_CHECK(getresuid(&r, &e, &s) == 0 && r == 10 && e == 11 && s == 12 &&
			geteuid() == 11);
		CHILD_CHECK(syscall(SYS_setuid, 0) == -1 && errno == EPERM);
		CHILD_CHECK(syscall(SYS_setgid, 0) == -1 && errno == EPERM);
		CHILD_CHECK(syscall(SYS_setgroups, 0, NULL) == -1 && errno == EPERM);
		CHILD_CHECK(
			syscall(SYS_setreuid, 11, 12) == 0 && getuid() == 11 && geteuid() == 12);
		CHILD_CHECK(kill(1, SIGTERM) == -1 && errno == EPERM);
		CHILD_CHECK(sethostname("x", 1) == -1 && errno == EPERM);
		CHILD_CHECK(syscall(SYS_reboot, 0, 0, 0, 0) == -1);
		CHILD_CHECK(
			setpriority(PRIO_PROCESS, 0, 3) == 0 && getpriority(PRIO_PROCESS, 0) == 3);
		CHILD_CHECK(setpriority(PRIO_PROCESS, 0, -3) == -1 && errno == EACCES);
		_exit(0);
	}
	CHECK(wait_status(pid) == 0);
}

void test_limits(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit limit = {20, 10};

		CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == -1 && errno == EINVAL);
		limit.rlim_max = 20;
		CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0 &&
			getrlimit(RLIMIT_NOFILE, &limit) == 0);
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

void test_usage(void)
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
	CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec >
		20000);
	CHECK(getrusage(77, &usage) == -1 && errno == EINVAL);
	CHECK(times(&tms) != (clock_t)-1 && tms.tms_utime + tms.tms_stime > 0);
	CHECK(sysinfo(&info) == 0 && info.totalram > 1 << 20 && info.procs > 1 &&
		info.mem_unit == 1);
	CHECK(uname(&names) == 0 && strcmp(names.sysname, "Linux") == 0 &&
		strcmp(names.machine, "x86_64") == 0);
	CHECK(names.release[0] >= '3');
}

void test_prctl(void)
{
	char name[16] = "", random[16] = "", zero[16] = "";
	int value = -1;

	CHECK(prctl(PR_SET_NAME, "a-rather-long-name") == 0 && prctl(PR_GET_NAME, name) == 0);
	CHECK(strcmp(name, "a-rather-long-n") == 0);
	CHECK(prctl(PR_GET_DUMPABLE) >= 0 && prctl(PR_CAPBSET_READ, 999) == -1 && errno == EINVAL);
	CHECK(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && prctl(PR_GET_PDEATHSIG, &value) == 0 &&
		value == SIGTERM);
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
