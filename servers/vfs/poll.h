/* SPDX-License-Identifier: BSD-2-Clause */
/* poll and select: readiness of many files at once. */
#pragma once

#include "abi/types.h"
#include "lib/coro/coro.h"

struct call;
struct file;

/* Where a poller has entered itself: one waiter for each queue. */
struct poll_table {
	unsigned count, size;
	struct waiter *waiters;
	bool is_watch; /* the waiters are epoll's; else the coroutine is woken */
};

/* An object's poll operation names the queue that tells of changes. NULL table: nobody wants to
 * know. */
void poll_table_enter(struct poll_table *table, struct waitq *queue);
void poll_table_init(struct poll_table *table, struct waiter *waiters, unsigned size);
/* Whether any of the queues has told of a change. */
bool poll_table_is_woken(const struct poll_table *table);
void poll_table_leave(struct poll_table *table);

/* POLL* bits of `events` (POLLERR and POLLHUP always) that hold for a file. */
unsigned poll_file(struct call *call, struct file *file, unsigned events, struct poll_table *table);

#define POLL_FOREVER UINT64_MAX

/* When a call with this time-out ends; the same for each run of a call that was put back. */
time_ns_t poll_deadline(struct call *call, time_ns_t timeout_ns);

/* The caller's signal mask for the time of its call (PM is asked; the call is about to wait). */
void poll_set_mask(struct call *call, uint64_t mask);

int64_t sys_poll(struct call *call);
int64_t sys_ppoll(struct call *call);
int64_t sys_select(struct call *call);
int64_t sys_pselect6(struct call *call);
