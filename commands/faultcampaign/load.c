/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/faultcampaign/load.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX   8
#define POKE_PAUSE_NS 3000000
#define WORK_PAUSE_NS 2000000 /* so that the short rounds do not keep the long ones waiting */

/* Seen by all of them. */
struct shared {
	struct {
		_Atomic uint64_t begun, done, noticed, wrong;
	} worker[WORKERS_MAX];
	char target[24];
	char words[200];
};

static struct shared *shared;
static pid_t pids[WORKERS_MAX];
static uint64_t marks[WORKERS_MAX];
static uint64_t revived;
static uint64_t first_seed;

void load_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(shared->words, sizeof(shared->words), format, arguments);
	va_end(arguments);
}

const char *load_last_words(void)
{
	return shared->words;
}

static void count(unsigned number, enum outcome outcome)
{
	if (outcome == WORK_NOTICED) {
		shared->worker[number].noticed++;
	} else if (outcome == WORK_WRONG) {
		shared->worker[number].wrong++;
	}
}

static void run_poker(unsigned number)
{
	for (;;) {
		char target[sizeof(shared->target)];
		enum outcome outcome = WORK_FINE;

		memcpy(target, shared->target, sizeof(target));
		target[sizeof(target) - 1] = 0;
		if (target[0]) {
			(void)work_poke(target, &outcome);
			count(number, outcome);
		}
		nanosleep(&(struct timespec){.tv_nsec = POKE_PAUSE_NS}, NULL);
	}
}

static void run_worker(unsigned number)
{
	for (uint64_t round = 1;; round++) {
		shared->worker[number].begun++;
		count(number, works[number].round(first_seed + number * 1000003 + round * 7919));
		shared->worker[number].done++;
		nanosleep(&(struct timespec){.tv_nsec = WORK_PAUSE_NS}, NULL);
	}
}

static int start(unsigned number)
{
	pid_t pid;

	do {
		pid = fork();
	} while (pid < 0 && errno == EINTR);
	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		setpgid(0, 0);
		if (number == works_count) {
			run_poker(number);
		}
		run_worker(number);
	}
	pids[number] = pid;
	return 0;
}

int load_start(const char *directory, uint64_t seed)
{
	if (mkdir(directory, 0755) < 0 && errno != EEXIST) {
		return -errno;
	}
	if (chdir(directory) < 0) {
		return -errno;
	}
	first_seed = seed;
	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		return -errno;
	}
	for (unsigned i = 0; i <= works_count; i++) {
		int r = start(i);

		if (r < 0) {
			return r;
		}
	}
	return 0;
}

void load_revive(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i <= works_count; i++) {
			if (pids[i] == pid) {
				revived++;
				load_say("%s died, status %x",
					i < works_count ? works[i].name : "poker",
					(unsigned)status);
				shared->worker[i].done = shared->worker[i].begun;
				(void)start(i);
			}
		}
	}
}

void load_poke(const char *label)
{
	char target[sizeof(shared->target)] = "";

	snprintf(target, sizeof(target), "%s", label);
	memcpy(shared->target, target, sizeof(target));
}

void load_mark(void)
{
	for (unsigned i = 0; i < works_count; i++) {
		marks[i] = shared->worker[i].begun;
	}
}

bool load_advanced(unsigned rounds)
{
	for (unsigned i = 0; i < works_count; i++) {
		if (shared->worker[i].done < marks[i] + rounds) {
			return false;
		}
	}
	return true;
}

struct load_counts load_counts(void)
{
	struct load_counts counts = {.noticed = revived};

	for (unsigned i = 0; i <= works_count; i++) {
		counts.noticed += shared->worker[i].noticed;
		counts.wrong += shared->worker[i].wrong;
		counts.rounds += shared->worker[i].done;
	}
	return counts;
}

void load_stop(void)
{
	for (unsigned i = 0; i <= works_count; i++) {
		kill(-pids[i], SIGKILL);
		kill(pids[i], SIGKILL);
	}
	for (unsigned i = 0; i <= works_count; i++) {
		while (waitpid(pids[i], NULL, 0) < 0 && errno == EINTR) {
		}
	}
}
