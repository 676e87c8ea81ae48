/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stackful coroutines: a server's main loop starts one for each request that may wait, and runs
 * them with coro_run() between two messages. Nothing runs in parallel: a coroutine runs until it
 * waits or ends.
 *
 * A wait is always a loop over its condition: coro_wake() may come for another reason than the one
 * waited for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/core/list.h"

struct coro;
typedef void coro_fn(void *arg);

#define CORO_STACK_BYTES (32u * 1024)

/* A coroutine that will run fn(arg) at the next coro_run(); NULL when there is no memory. */
struct coro *coro_start(coro_fn *fn, void *arg);

/* Main loop only: run what is ready until nothing is. */
void coro_run(void);

/* The coroutine that runs now; NULL in the main loop. */
struct coro *coro_self(void);

/* Coroutines only: sleep until coro_wake(). */
void coro_wait(void);

/* Make a sleeping coroutine ready; without effect on one that does not sleep. */
void coro_wake(struct coro *coro);

/* What it was started with. */
void *coro_arg(const struct coro *coro);

/*
 * After a crash, in a process that has taken over the memory: the coroutine that ran then, or NULL
 * when it was the main loop, or when it was rolled back to its last wait (lib/undo) and may go on
 * from there, which is so once. It never runs again; its mutexes go to who waits for them; its
 * stack is not given back.
 */
struct coro *coro_abandon(void);

/* Main loop only: stacks that are kept for the next need are freed. */
void coro_free_stacks(void);

/* How many there are. */
unsigned coro_count(void);

/* Queues of waiting coroutines (or of callbacks): who waits owns a `struct waiter` on its stack. */
struct waitq {
	struct list waiters;
};

struct waiter {
	struct list link;
	struct coro *coro; /* NULL: a watch */
	bool woken;
};

void waitq_init(struct waitq *queue);
/* Enter the running coroutine into the queue; leave (also after being woken) before the waiter goes
 * out of scope. */
void waitq_enter(struct waitq *queue, struct waiter *waiter);
void waitq_leave(struct waiter *waiter);
/* The same without a coroutine: the program's watch function is called, once, in the waker's
 * context. It must not wait. */
void waitq_watch(struct waitq *queue, struct waiter *waiter);
/* One for all watches of the program, so that no waiter holds an address of its code. */
void waitq_on_watch(void (*fn)(struct waiter *waiter));
/* Waiters are marked as woken and taken out of the queue. */
void waitq_wake_one(struct waitq *queue);
void waitq_wake_all(struct waitq *queue);
/* Sleep until woken from this queue. */
void waitq_wait(struct waitq *queue);

/* A lock that is handed on in the order of asking. Not recursive. */
struct coro_mutex {
	struct coro *owner;
	struct list held; /* in the owner's list */
	struct waitq queue;
};

void coro_mutex_init(struct coro_mutex *mutex);
void coro_mutex_lock(struct coro_mutex *mutex);
bool coro_mutex_try_lock(struct coro_mutex *mutex);
void coro_mutex_unlock(struct coro_mutex *mutex);
/* Whether somebody holds it. */
bool coro_mutex_is_locked(const struct coro_mutex *mutex);
