/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/call.h"

#include <errno.h>
#include <stdlib.h>

#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "proto/pm.h"
#include "servers/vfs/exec.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/table.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/walk.h"

/* A call that waits for a worker. */
struct waiting_call {
	struct list link;
	struct call call;
};

static void worker_main(void *arg);

struct call *call_of(const struct coro *coro)
{
	return &((struct waiting_call *)coro_arg(coro))->call;
}

struct call *call_current(void)
{
	struct coro *coro = coro_self();

	if (coro) {
		return call_of(coro);
	}
	return vfs->fast_call.handler ? &vfs->fast_call : NULL;
}

static void cancel_reply(endpoint_t ep, uint32_t seq)
{
	struct message m = {.type = PM_VFS_REPLY};
	struct pm_vfs_reply *reply = MSG(&m, pm_vfs_reply);

	reply->op = VFS_PM_CANCEL;
	reply->ep = ep;
	reply->seq = seq;
	(void)asyn_send(EP_PM, &m);
}

/* Gives the thread's old signal mask back before the answer that lets it run. */
static void sigmask_restore(const struct call *call)
{
	struct message m = {.type = PM_SIGMASK};

	MSG(&m, pm_sigmask)->ep = call->thread->ep;
	(void)asyn_send(EP_PM, &m);
}

/* Answers the program and, if PM wanted the call ended, PM. */
static void call_finish(struct call *call, int64_t result)
{
	struct thread *thread = call->thread;

	if (!thread) {
		return;
	}
	thread->call = NULL;
	if (call->is_sigmask_set && !thread->is_cancel_asked) {
		sigmask_restore(call);
	}
	if (!call->is_answered) {
		ipc_reply_call(thread->ep, result);
	}
	if (thread->is_cancel_asked) {
		thread->is_cancel_asked = false;
		cancel_reply(thread->ep, thread->cancel_seq);
	}
}

/* Start waiting calls while there is room. */
static void workers_refill(void)
{
	while (!vfs->is_resting && !list_is_empty(&vfs->waiting_calls) &&
		vfs->workers < VFS_WORKERS_MAX) {
		struct waiting_call *waiting =
			list_first(&vfs->waiting_calls, struct waiting_call, link);
		struct call *call = &waiting->call;

		call->coro = coro_start(worker_main, waiting);
		if (!call->coro) {
			return;
		}
		call->handler = call_entry(LINUX_CALL_NR(call->m.type))->handler;
		list_remove(&waiting->link);
		list_add_tail(&vfs->active_calls, &waiting->link);
		vfs->workers++;
	}
}

static void call_free(struct waiting_call *waiting)
{
	if (waiting->call.proc) {
		proc_unref(waiting->call.proc);
	}
	list_remove(&waiting->link);
	free(waiting);
	vfs->workers--;
	workers_refill();
}

static bool is_interrupted(int64_t result)
{
	return result == -EINTR || result == -ERESTARTSYS || result == -ERESTARTNOHAND ||
		result == -ERESTARTNOINTR;
}

bool call_is_put_back(const struct call *call)
{
	return call->is_put_back && call->thread && !call->thread->is_cancel_asked;
}

static void put_back(struct waiting_call *waiting)
{
	struct call *call = &waiting->call;

	call->coro = NULL;
	call->handler = NULL;
	call->is_put_back = false;
	call->is_cancelled = false;
	call->was_begun = true;
	list_remove(&waiting->link);
	list_add_tail(&vfs->waiting_calls, &waiting->link);
	vfs->workers--;
}

static void worker_main(void *arg)
{
	struct waiting_call *waiting = arg;
	struct call *call = &waiting->call;
	int64_t result = call->handler(call);

	if (call_is_put_back(call) && is_interrupted(result)) {
		put_back(waiting);
	} else {
		call_finish(call, result);
		call_free(waiting);
	}
}

void calls_put_back(void)
{
	vfs->is_resting = true;
	list_for_each(waiting, &vfs->active_calls, struct waiting_call, link)
	{
		struct call *call = &waiting->call;

		if (call->thread && !call->is_cancelled) {
			call->is_put_back = true;
			call->is_cancelled = true;
			coro_wake(call->coro);
		}
	}
}

void calls_resume(void)
{
	vfs->is_resting = false;
	list_for_each(waiting, &vfs->active_calls, struct waiting_call, link)
	{
		struct call *call = &waiting->call;

		/* It had no wait that could be ended: it goes on as if nothing had been asked. */
		if (call_is_put_back(call)) {
			call->is_put_back = false;
			call->is_cancelled = false;
		}
	}
	workers_refill();
}

void call_release(struct call *call)
{
	for (int i = 0; i < 2; i++) {
		if (call->reserved_fds[i] >= 0) {
			fd_cancel(call->proc, call->reserved_fds[i]);
		}
	}
	walk_end_all(call);
	while (call->held_count > 0) {
		file_put(call->held[--call->held_count]);
	}
}

void call_abandoned(struct call *call)
{
	struct waiting_call *waiting = container_of(call, struct waiting_call, call);

	call_release(call);
	if (call->thread) {
		call_finish(call, -EINTR);
	} else if (call->m.type == VFS_PM_EXEC) {
		exec_abandoned(call);
	} else if (!IS_LINUX_CALL(call->m.type)) {
		/* VFS's own and other servers' requests can be done twice. */
		(void)call_start_worker(&call->m, call->proc, call->handler);
	}
	call_free(waiting);
}

bool calls_any_but(bool (*is_kind)(const struct message *m))
{
	list_for_each(waiting, &vfs->active_calls, struct waiting_call, link)
	{
		if (!is_kind(&waiting->call.m)) {
			return true;
		}
	}
	return false;
}

unsigned calls_waiting(void)
{
	unsigned count = 0;

	list_for_each(waiting, &vfs->waiting_calls, struct waiting_call, link)
	{
		count++;
	}
	return count;
}

static struct waiting_call *waiting_call_new(
	const struct message *m, struct proc *proc, int64_t (*fn)(struct call *call))
{
	struct waiting_call *waiting = calloc(1, sizeof(*waiting));

	if (!waiting) {
		return NULL;
	}
	list_init(&waiting->link);
	waiting->call.m = *m;
	waiting->call.handler = fn;
	waiting->call.reserved_fds[0] = waiting->call.reserved_fds[1] = -1;
	waiting->call.proc = proc;
	if (proc) {
		proc->refs++;
	}
	return waiting;
}

int call_start_worker(const struct message *m, struct proc *proc, int64_t (*fn)(struct call *call))
{
	struct waiting_call *waiting = waiting_call_new(m, proc, fn);

	if (!waiting) {
		return -ENOMEM;
	}
	waiting->call.coro = coro_start(worker_main, waiting);
	if (!waiting->call.coro) {
		if (proc) {
			proc_unref(proc);
		}
		free(waiting);
		return -ENOMEM;
	}
	list_add_tail(&vfs->active_calls, &waiting->link);
	vfs->workers++;
	return 0;
}

/* A program's call goes to a worker, now or when there is room. */
static void call_queue(const struct message *m, struct thread *thread)
{
	struct waiting_call *waiting = waiting_call_new(m, thread->proc, NULL);

	if (!waiting) {
		ipc_reply_call(m->source, -ENOMEM);
		return;
	}
	waiting->call.thread = thread;
	thread->call = &waiting->call;
	list_add_tail(&vfs->waiting_calls, &waiting->link);
	workers_refill();
}

void call_dispatch(const struct message *m)
{
	struct thread *thread = thread_find(m->source);
	const struct call_entry *entry = call_entry(LINUX_CALL_NR(m->type));

	if (thread && thread->call && vfs->is_redo_known) {
		return; /* handed out again after a crash, but it is in progress */
	}
	if (!thread || !entry || thread->call) {
		ipc_reply_call(m->source, -ENOSYS);
		return;
	}
	if (entry->mode == CALL_FAST && !vfs->is_resting) {
		struct call *call = &vfs->fast_call;
		int64_t result;

		*call = (struct call){.m = *m,
			.proc = thread->proc,
			.thread = thread,
			.reserved_fds = {-1, -1},
			.handler = entry->handler};
		result = entry->handler(call);
		call->handler = NULL;
		if (!call->is_deferred) {
			if (!call->is_answered) {
				ipc_reply_call(m->source, result);
			}
			return;
		}
	}
	call_queue(m, thread);
}

int call_defer(struct call *call)
{
	call->is_deferred = true;
	return -EFAULT;
}

int call_wait(struct call *call, struct waitq *queue)
{
	struct waiter waiter;

	waitq_enter(queue, &waiter);
	while (!waiter.woken && !call->is_cancelled) {
		coro_wait();
	}
	waitq_leave(&waiter);
	return waiter.woken ? 0 : -ERESTARTSYS;
}

void call_cancel(struct thread *thread, uint32_t seq)
{
	struct call *call = thread->call;

	if (!call) {
		cancel_reply(thread->ep, seq);
		return;
	}
	thread->is_cancel_asked = true;
	thread->cancel_seq = seq;
	call->is_cancelled = true;
	if (call->coro) {
		coro_wake(call->coro);
	} else if (!call->was_begun) {
		struct waiting_call *waiting = container_of(call, struct waiting_call, call);

		list_remove(&waiting->link);
		call_finish(call, -ERESTARTNOINTR);
		proc_unref(call->proc);
		free(waiting);
	}
}

void call_forget(struct thread *thread)
{
	struct call *call = thread->call;

	if (!call) {
		return;
	}
	thread->call = NULL;
	call->thread = NULL;
	call->is_cancelled = true;
	if (call->coro) {
		coro_wake(call->coro);
	} else {
		struct waiting_call *waiting = container_of(call, struct waiting_call, call);

		list_remove(&waiting->link);
		proc_unref(call->proc);
		free(waiting);
	}
}
