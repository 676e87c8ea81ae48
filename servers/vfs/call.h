/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request in progress. A program's system call is first tried in the main loop when its handler
 * allows that; a handler that finds it must wait asks for a worker (call_defer) and is run again
 * from the start in a coroutine. So a handler changes nothing before its last point of deferring.
 *
 * A call that waits can be put back: its wait ends as by a signal, and it is begun again from its
 * message later, by the same process or by a newer version of VFS. `deadline_ns` and `written` say
 * what its first run has come to.
 */
#pragma once

#include "abi/message.h"
#include "lib/coro/coro.h"

struct file;
struct proc;
struct thread;

#define CALL_HELD_MAX 8

struct call {
	struct message m;
	struct proc *proc;     /* counted reference; NULL for requests that are no program's call */
	struct thread *thread; /* NULL when the thread has ended meanwhile */
	struct coro *coro;     /* the worker; NULL while tried in the main loop */
	bool is_answered;      /* the program has its answer already (sys_reply_copy) */
	bool is_deferred;      /* tried in the main loop: needs a worker */
	bool is_cancelled;     /* PM wants it ended: a wait ends with EINTR or a restart code */
	bool is_sigmask_set;   /* PM has been asked for a mask for the time of this call */
	bool is_put_back;      /* the wait ends for the call to be begun again */
	bool was_begun;        /* it has been put back before */
	bool is_fatal;         /* exec: the old image is gone */
	time_ns_t deadline_ns; /* poll and its like: when it ends, as first computed; 0: not yet */
	uint64_t written;      /* write: bytes written before it was put back */
	/* What is to be given back when VFS crashes within the call (crash.c); more than fits is
	 * lost then. */
	struct file *held[CALL_HELD_MAX];
	unsigned held_count;
	int reserved_fds[2];                   /* -1: none */
	int64_t (*handler)(struct call *call); /* NULL while the call waits for a worker */
};

#define ARG(c, n)     ((c)->m.call.arg[n])
#define ARG_INT(c, n) ((int)(c)->m.call.arg[n])
#define ARG_U32(c, n) ((unsigned)(c)->m.call.arg[n])

/* A program's call, from the main loop. */
void call_dispatch(const struct message *m);

/* Calls of programs that wait end and wait for a worker again; none is begun until calls_resume().
 * Who waits for a file system or a driver's answer is not disturbed. */
void calls_put_back(void);
void calls_resume(void);
/* Whether there is a call in progress whose message is not of a kind. */
bool calls_any_but(bool (*is_kind)(const struct message *m));
/* How many calls of programs wait for a worker. */
unsigned calls_waiting(void);
/* Whether the call, ended by -EINTR or a restart code, will be put back. */
bool call_is_put_back(const struct call *call);

/* Run fn in a worker with a copy of the message: for requests of PM, VM and VFS itself. 0 or
 * -ENOMEM. */
int call_start_worker(const struct message *m, struct proc *proc, int64_t (*fn)(struct call *call));

/* The call that runs now, in a worker or tried in the main loop. NULL: none. */
struct call *call_current(void);
/* The call that a coroutine is for. */
struct call *call_of(const struct coro *coro);
/* VFS crashed within the call, and has all its memory again: the call is answered or begun again,
 * and freed. */
void call_abandoned(struct call *call);
/* What a call that will not go on holds. */
void call_release(struct call *call);

/* True in a worker, where waiting is allowed. */
static inline bool call_may_wait(const struct call *call)
{
	return call->coro != NULL;
}

/* In the main loop: give up here and run again in a worker. The value is for `return
 * call_defer(call)`. */
int call_defer(struct call *call);

/* Wait in a queue; -ERESTARTSYS when cancelled. */
int call_wait(struct call *call, struct waitq *queue);

/* PM wants the thread's call ended (seq is for the reply to PM). */
void call_cancel(struct thread *thread, uint32_t seq);

/* The thread is gone: its call gets no answer. */
void call_forget(struct thread *thread);
