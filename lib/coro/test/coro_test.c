/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of lib/coro: order of running, waits, mutexes, many coroutines at once. */
#include "lib/coro/coro.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MANY 300

static char trace[4096];
static struct waitq queue;
static struct coro_mutex mutex;
static int counter;

static void note(const char *text)
{
	strcat(trace, text);
}

static void two_steps(void *arg)
{
	note(arg);
	waitq_wait(&queue);
	note(arg);
}

static void locked_steps(void *arg)
{
	coro_mutex_lock(&mutex);
	note(arg);
	waitq_wait(&queue);
	note(arg);
	coro_mutex_unlock(&mutex);
}

static void deep(void *arg)
{
	volatile char buf[8192];
	int before = counter;

	memset((char *)buf, 1, sizeof(buf));
	waitq_wait(&queue);
	assert(buf[17] == 1);
	counter = before >= 0 ? counter + 1 : 0;
}

static void *crash_to[5];

static void crash(void *arg)
{
	struct waiter waiter;

	coro_mutex_lock(&mutex);
	waitq_enter(&queue, &waiter);
	note(arg);
	__builtin_longjmp(crash_to, 1);
}

/* A coroutine is lost with its process; the others go on in the successor. */
static void test_abandon(void)
{
	struct coro *lost;

	trace[0] = '\0';
	assert(coro_start(locked_steps, "a") && coro_start(two_steps, "b"));
	coro_run();
	assert(!coro_abandon() && coro_count() == 2);
	waitq_wake_all(&queue);
	coro_run();
	assert(coro_count() == 0);
	lost = coro_start(crash, "c");
	assert(lost && coro_start(locked_steps, "d"));
	if (__builtin_setjmp(crash_to) == 0) {
		coro_run();
		assert(false);
	}
	assert(strcmp(trace, "ababc") == 0 && coro_self() == lost && coro_arg(lost));
	assert(coro_abandon() == lost && !coro_self() && coro_count() == 1);
	assert(!coro_mutex_is_locked(&mutex));
	coro_wake(lost);
	coro_run();
	assert(strcmp(trace, "ababcd") == 0 && coro_mutex_is_locked(&mutex));
	waitq_wake_all(&queue);
	coro_run();
	assert(coro_count() == 0 && !coro_mutex_is_locked(&mutex));
}

int main(void)
{
	waitq_init(&queue);
	coro_mutex_init(&mutex);

	assert(coro_start(two_steps, "a") && coro_start(two_steps, "b"));
	assert(strcmp(trace, "") == 0);
	coro_run();
	assert(strcmp(trace, "ab") == 0);
	waitq_wake_one(&queue);
	coro_run();
	assert(strcmp(trace, "aba") == 0);
	waitq_wake_all(&queue);
	coro_run();
	assert(strcmp(trace, "abab") == 0 && coro_count() == 0);

	trace[0] = '\0';
	assert(coro_start(locked_steps, "x") && coro_start(locked_steps, "y"));
	coro_run();
	assert(strcmp(trace, "x") == 0);
	waitq_wake_all(&queue);
	coro_run();
	assert(strcmp(trace, "xxy") == 0);
	waitq_wake_all(&queue);
	coro_run();
	assert(strcmp(trace, "xxyy") == 0 && !coro_mutex_is_locked(&mutex));

	for (int i = 0; i < MANY; i++) {
		assert(coro_start(deep, NULL));
	}
	coro_run();
	assert(coro_count() == MANY);
	waitq_wake_all(&queue);
	coro_run();
	assert(coro_count() == 0 && counter == MANY && !coro_self());
	test_abandon();
	printf("coro: ok\n");
	return 0;
}
