/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks, sleeping, and facts about the system. */
#include "case.h"

#include <sched.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static long long now_ns(clockid_t clock)
{
	struct timespec time;
	if (syscall(SYS_clock_gettime, clock, &time) != 0) {
		return -1;
	}
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

CASE(monotonic)
{
	int backwards = 0;
	long long last = now_ns(CLOCK_MONOTONIC), first = last;
	for (int i = 0; i < 20000; i++) {
		struct timespec time;
		clock_gettime(CLOCK_MONOTONIC, &time);
		long long now = time.tv_sec * 1000000000ll + time.tv_nsec;
		backwards += now < last;
		last = now;
	}
	printf("backwards %d moves %d\n", backwards, last > first);
	SHOW(now_ns(CLOCK_REALTIME) > 1600000000000000000ll);
	SHOW(now_ns(CLOCK_BOOTTIME) > 0);
	SHOW(now_ns(CLOCK_MONOTONIC_RAW) > 0);
	SHOW(now_ns(CLOCK_MONOTONIC_COARSE) > 0);
	SHOW(now_ns(CLOCK_PROCESS_CPUTIME_ID) > 0);
	SHOW(now_ns(CLOCK_THREAD_CPUTIME_ID) > 0);
	SHOW(now_ns(99));
	struct timeval day;
	gettimeofday(&day, NULL);
	printf("close %d %d\n", labs((long)(day.tv_sec - time(NULL))) <= 1,
		llabs(now_ns(CLOCK_REALTIME) / 1000000000 - day.tv_sec) <= 1);
	struct timespec resolution;
	SHOW(clock_getres(CLOCK_MONOTONIC, &resolution));
	printf("%ld\n", (long)resolution.tv_sec);
}

CASE(sleeping)
{
	long long start = now_ns(CLOCK_MONOTONIC);
	struct timespec time = {0, 150000000};
	SHOW(nanosleep(&time, NULL));
	long long took = (now_ns(CLOCK_MONOTONIC) - start) / 1000000;
	printf("long enough %d, not much longer %d\n", took >= 150, took < 1000);
	time.tv_nsec = 1000000000;
	SHOW(nanosleep(&time, NULL));
	time.tv_nsec = -1;
	SHOW(nanosleep(&time, NULL));
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 50000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	printf("%d\n", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
	printf("%d\n", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
	start = now_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < 20; i++) {
		usleep(2000);
	}
	took = (now_ns(CLOCK_MONOTONIC) - start) / 1000000;
	printf("many short %d %d\n", took >= 40, took < 2000);
}

CASE(processor_time)
{
	struct tms start, end;
	clock_t began = times(&start);
	long long cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	while (now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu < 200000000) {
	}
	clock_t ended = times(&end);
	printf("user or system time %d, elapsed %d\n",
		end.tms_utime + end.tms_stime >= start.tms_utime + start.tms_stime + 10,
		ended - began >= 15);
	pid_t child = fork();
	if (child == 0) {
		cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
		while (now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu < 100000000) {
		}
		_exit(0);
	}
	wait(NULL);
	times(&end);
	printf("children's time %d\n", end.tms_cutime + end.tms_cstime >= 5);
	printf("ticks %ld\n", sysconf(_SC_CLK_TCK));
}

CASE(random_bytes)
{
	unsigned char a[64] = {0}, b[64] = {0};
	SHOW(getrandom(a, sizeof a, 0));
	SHOW(getrandom(b, sizeof b, GRND_NONBLOCK));
	printf("differ %d\n", memcmp(a, b, sizeof a) != 0);
	SHOW(getrandom(a, 0, 0));
	SHOW(getrandom(a, 8, 0x80));
	int counts[256] = {0}, good = 1;
	static unsigned char many[65536];
	long got = getrandom(many, sizeof many, 0);
	for (long i = 0; i < got; i++) {
		counts[many[i]]++;
	}
	for (int i = 0; i < 256; i++) {
		good &= counts[i] > 128 && counts[i] < 400;
	}
	printf("got %ld even %d\n", got, good);
}

CASE(system_facts)
{
	struct sysinfo info;
	SHOW(sysinfo(&info));
	printf("sensible %d %d %d\n", info.totalram > info.freeram, info.mem_unit >= 1,
		info.procs > 0);
	cpu_set_t set;
	SHOW(sched_getaffinity(0, sizeof set, &set) >= 0);
	SHOW(CPU_COUNT(&set) >= 1);
	SHOW(sched_getscheduler(0));
	char name[65];
	SHOW(gethostname(name, sizeof name));
	SHOW(sysconf(_SC_PAGESIZE));
	SHOW(getppid() > 0);
}
