/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariants: 1. a coroutine is running, ready (in `ready`), or asleep; 2. the guard words at the
 * low end of each stack are intact whenever it is switched away from; 3. unused stacks are in
 * `pool`, at most POOL_MAX; 4. a mutex is in the list of its owner exactly when it has one.
 *
 * From being woken to its next wait is a window of lib/undo: a crash in it leaves the coroutine
 * ready, with its stack as it was.
 */
#include "lib/coro/coro.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/coro/switch.h"
#include "lib/undo/undo.h"

#define POOL_MAX    32
#define TRIES_MAX   2
#define GUARD_WORDS 8
#define GUARD_VALUE 0xc0ffee5eed0ddba1ull

struct coro {
	struct list link;    /* in ready or pool */
	struct list mutexes; /* struct coro_mutex that it owns */
	void *sp;            /* saved stack pointer while not running */
	uint64_t *stack;
	coro_fn *fn;
	void *arg;
	bool is_ready;
	bool is_done;
	unsigned tries;    /* how often it has been begun since its last wait */
	bool is_abandoned; /* never runs again; its stack stays, for others point into it */
	void *fake_stack;  /* host tests: the address sanitizer's */
};

static struct {
	struct list ready;
	struct list pool;
	unsigned pool_count;
	unsigned count;
	struct coro *running;
	void *main_sp;
	void *main_fake_stack;
	const void *main_bottom;
	size_t main_size;
	void (*watch)(struct waiter *waiter);
} sched UNDO_STATIC = {.ready = LIST_INIT(sched.ready), .pool = LIST_INIT(sched.pool)};

/* Under the address sanitizer each switch is announced, so that it knows which stack is in use. */
#if defined(__SANITIZE_ADDRESS__) && defined(AXO_HOST)
void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **bottom_old, size_t *size_old);
#define fiber_leave(save, bottom, size)  __sanitizer_start_switch_fiber(save, bottom, size)
#define fiber_arrive(fake, bottom, size) __sanitizer_finish_switch_fiber(fake, bottom, size)
#else
#define fiber_leave(save, bottom, size)  ((void)(save), (void)(bottom), (void)(size))
#define fiber_arrive(fake, bottom, size) ((void)(fake), (void)(bottom), (void)(size))
#endif

static void to_main(struct coro *coro)
{
	fiber_leave(coro->is_done ? NULL : &coro->fake_stack, sched.main_bottom, sched.main_size);
	coro_switch(&coro->sp, sched.main_sp);
	fiber_arrive(coro->fake_stack, &sched.main_bottom, &sched.main_size);
}

static void coro_entry(void)
{
	struct coro *coro = sched.running;

	fiber_arrive(NULL, &sched.main_bottom, &sched.main_size);
	coro->fn(coro->arg);
	coro->is_done = true;
	to_main(coro);
	abort();
}

static struct coro *coro_new(void)
{
	struct coro *coro;

	if (!list_is_empty(&sched.pool)) {
		sched.pool_count--;
		return list_entry(list_pop_head(&sched.pool), struct coro, link);
	}
	coro = calloc(1, sizeof(*coro));
	if (!coro) {
		return NULL;
	}
	coro->stack = aligned_alloc(16, CORO_STACK_BYTES);
	if (!coro->stack) {
		free(coro);
		return NULL;
	}
	for (int i = 0; i < GUARD_WORDS; i++) {
		coro->stack[i] = GUARD_VALUE;
	}
	list_init(&coro->link);
	list_init(&coro->mutexes);
	return coro;
}

static void coro_free(struct coro *coro)
{
	sched.count--;
	if (sched.pool_count < POOL_MAX) {
		sched.pool_count++;
		list_add_head(&sched.pool, &coro->link);
	} else {
		free(coro->stack);
		free(coro);
	}
}

static void check_guard(const struct coro *coro)
{
	for (int i = 0; i < GUARD_WORDS; i++) {
		if (coro->stack[i] != GUARD_VALUE) {
			abort();
		}
	}
}

struct coro *coro_start(coro_fn *fn, void *arg)
{
	struct coro *coro = coro_new();

	if (!coro) {
		return NULL;
	}
	coro->fn = fn;
	coro->arg = arg;
	coro->tries = 0;
	coro->is_done = false;
	coro->is_ready = true;
	coro->fake_stack = NULL;
	coro->sp = coro_switch_prepare((char *)coro->stack + CORO_STACK_BYTES, coro_entry);
	list_add_tail(&sched.ready, &coro->link);
	sched.count++;
	return coro;
}

/* From a wake to the next wait. What is in the window is undone by a crash; the switches' own notes
 * are saved, for they are no stores that the compiler knows of. */
static void run_slice(struct coro *coro)
{
	char *stack_end = (char *)coro->stack + CORO_STACK_BYTES;

	coro->tries++;
	undo_open(UNDO_MAIN_STACK, NULL);
	undo_save(&coro->sp, sizeof(coro->sp));
	undo_save(coro->sp, (size_t)(stack_end - (char *)coro->sp));
	list_remove(&coro->link);
	coro->is_ready = false;
	sched.running = coro;
	fiber_leave(&sched.main_fake_stack, coro->stack, CORO_STACK_BYTES);
	undo_on_stack(stack_end);
	coro_switch(&sched.main_sp, coro->sp);
	undo_on_stack(UNDO_MAIN_STACK);
	fiber_arrive(sched.main_fake_stack, NULL, NULL);
	sched.running = NULL;
	check_guard(coro);
	coro->tries = 0;
	if (coro->is_done) {
		coro_free(coro);
	}
	undo_commit();
}

void coro_run(void)
{
	assert(!sched.running);
	while (!list_is_empty(&sched.ready)) {
		run_slice(list_first(&sched.ready, struct coro, link));
	}
}

struct coro *coro_self(void)
{
	return sched.running;
}

void coro_wait(void)
{
	assert(sched.running);
	to_main(sched.running);
}

void coro_wake(struct coro *coro)
{
	if (coro != sched.running && !coro->is_ready && !coro->is_abandoned) {
		coro->is_ready = true;
		list_add_tail(&sched.ready, &coro->link);
	}
}

static void mutex_own(struct coro_mutex *mutex, struct coro *coro)
{
	mutex->owner = coro;
	list_add_head(&coro->mutexes, &mutex->held);
}

/* To the first that waits for it, if any. */
static void mutex_hand_on(struct coro_mutex *mutex)
{
	list_remove(&mutex->held);
	mutex->owner = NULL;
	if (!list_is_empty(&mutex->queue.waiters)) {
		mutex_own(mutex, list_first(&mutex->queue.waiters, struct waiter, link)->coro);
		waitq_wake_one(&mutex->queue);
	}
}

void *coro_arg(const struct coro *coro)
{
	return coro->arg;
}

/* Rolled back, and not to be tried again. */
static struct coro *take_given_up(void)
{
	struct coro *coro;

	if (list_is_empty(&sched.ready)) {
		return NULL;
	}
	coro = list_first(&sched.ready, struct coro, link);
	if (coro->tries < TRIES_MAX) {
		return NULL;
	}
	list_remove(&coro->link);
	coro->is_ready = false;
	return coro;
}

struct coro *coro_abandon(void)
{
	struct coro *coro = sched.running ? sched.running : take_given_up();

	sched.running = NULL;
	if (!coro) {
		return NULL;
	}
	coro->is_abandoned = true;
	sched.count--;
	while (!list_is_empty(&coro->mutexes)) {
		mutex_hand_on(list_first(&coro->mutexes, struct coro_mutex, held));
	}
	return coro;
}

void coro_free_stacks(void)
{
	while (!list_is_empty(&sched.pool)) {
		struct coro *coro = list_entry(list_pop_head(&sched.pool), struct coro, link);

		free(coro->stack);
		free(coro);
	}
	sched.pool_count = 0;
}

unsigned coro_count(void)
{
	return sched.count;
}

void waitq_init(struct waitq *queue)
{
	list_init(&queue->waiters);
}

__attribute__((noinline)) void waitq_enter(struct waitq *queue, struct waiter *waiter)
{
	waiter->coro = coro_self();
	waiter->woken = false;
	list_add_tail(&queue->waiters, &waiter->link);
}

void waitq_on_watch(void (*fn)(struct waiter *waiter))
{
	sched.watch = fn;
}

void waitq_watch(struct waitq *queue, struct waiter *waiter)
{
	waiter->coro = NULL;
	waiter->woken = false;
	list_add_tail(&queue->waiters, &waiter->link);
}

void waitq_leave(struct waiter *waiter)
{
	list_remove(&waiter->link);
}

void waitq_wake_one(struct waitq *queue)
{
	struct list *link = list_pop_head(&queue->waiters);

	if (link) {
		struct waiter *waiter = list_entry(link, struct waiter, link);

		waiter->woken = true;
		if (waiter->coro) {
			coro_wake(waiter->coro);
		} else {
			sched.watch(waiter);
		}
	}
}

void waitq_wake_all(struct waitq *queue)
{
	struct waitq all;

	/* Who enters again while being told waits for the next time. */
	waitq_init(&all);
	list_splice_tail(&all.waiters, &queue->waiters);
	while (!list_is_empty(&all.waiters)) {
		waitq_wake_one(&all);
	}
}

void waitq_wait(struct waitq *queue)
{
	struct waiter waiter;

	waitq_enter(queue, &waiter);
	while (!waiter.woken) {
		coro_wait();
	}
	waitq_leave(&waiter);
}

void coro_mutex_init(struct coro_mutex *mutex)
{
	mutex->owner = NULL;
	list_init(&mutex->held);
	waitq_init(&mutex->queue);
}

bool coro_mutex_try_lock(struct coro_mutex *mutex)
{
	if (mutex->owner) {
		return false;
	}
	assert(coro_self());
	mutex_own(mutex, coro_self());
	return true;
}

void coro_mutex_lock(struct coro_mutex *mutex)
{
	if (!coro_mutex_try_lock(mutex)) {
		assert(mutex->owner != coro_self());
		waitq_wait(&mutex->queue);
		assert(mutex->owner == coro_self());
	}
}

void coro_mutex_unlock(struct coro_mutex *mutex)
{
	assert(mutex->owner == coro_self());
	mutex_hand_on(mutex);
}

bool coro_mutex_is_locked(const struct coro_mutex *mutex)
{
	return mutex->owner != NULL;
}
