/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/process.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/kcall.h"
#include "servers/pm/pm.h"

static struct list *bucket(struct list *hash, int32_t id)
{
	return &hash[(uint32_t)id % PM_HASH];
}

struct thread *thread_by_ep(struct pm *pm, endpoint_t ep)
{
	uint32_t slot = (uint32_t)EP_SLOT(ep);
	struct thread *thread;

	if (ep < 0 || slot >= pm->slots) {
		return NULL;
	}
	thread = pm->by_slot[slot];
	return thread && thread->ep == ep ? thread : NULL;
}

struct thread *thread_by_tid(struct pm *pm, int32_t tid)
{
	list_for_each(thread, bucket(pm->tid_hash, tid), struct thread, tid_link)
	{
		if (thread->tid == tid && thread->process->state == PROCESS_ALIVE) {
			return thread;
		}
	}
	return NULL;
}

struct process *process_by_pid(struct pm *pm, int32_t pid)
{
	list_for_each(process, bucket(pm->pid_hash, pid), struct process, pid_link)
	{
		if (process->pid == pid) {
			return process;
		}
	}
	return NULL;
}

static bool pid_is_taken(struct pm *pm, int32_t pid)
{
	if (process_by_pid(pm, pid)) {
		return true;
	}
	list_for_each(thread, bucket(pm->tid_hash, pid), struct thread, tid_link)
	{
		if (thread->tid == pid) {
			return true;
		}
	}
	if (pm->pids_wrapped) {
		pm_for_each_process(process, pm)
		{
			if (process->pgid == pid || process->sid == pid) {
				return true;
			}
		}
	}
	return false;
}

/* There are far fewer threads than numbers: it ends. */
static int32_t pid_next(struct pm *pm)
{
	do {
		if (++pm->last_pid >= PM_PID_MAX) {
			pm->last_pid = PM_PID_FIRST_AGAIN;
			pm->pids_wrapped = true;
		}
	} while (pid_is_taken(pm, pm->last_pid));
	return pm->last_pid;
}

static void limits_default(struct process *process)
{
	for (int i = 0; i < LRLIM_COUNT; i++) {
		process->rlimit[i][0] = process->rlimit[i][1] = LRLIM_INFINITY;
	}
	process->rlimit[LRLIM_STACK][0] = 8ull << 20;
	process->rlimit[LRLIM_CORE][0] = 0;
	process->rlimit[LRLIM_NOFILE][0] = 1024;
	process->rlimit[LRLIM_NOFILE][1] = 4096;
	process->rlimit[LRLIM_MEMLOCK][0] = process->rlimit[LRLIM_MEMLOCK][1] = 8ull << 20;
	process->rlimit[LRLIM_SIGPENDING][0] = process->rlimit[LRLIM_SIGPENDING][1] = 1024;
	process->rlimit[LRLIM_MSGQUEUE][0] = process->rlimit[LRLIM_MSGQUEUE][1] = 819200;
	process->rlimit[LRLIM_NICE][0] = process->rlimit[LRLIM_NICE][1] = 0;
	process->rlimit[LRLIM_RTPRIO][0] = process->rlimit[LRLIM_RTPRIO][1] = 0;
}

struct process *process_new(struct pm *pm, struct process *parent, int32_t pid)
{
	struct process *process = calloc(1, sizeof(*process));

	if (!process) {
		return NULL;
	}
	process->pid = pid ? pid : pid_next(pm);
	process->pgid = process->sid = process->pid;
	process->dumpable = 1;
	process->exit_signal = LSIGCHLD;
	process->start_ns = sys_monotonic_ns();
	process->cred.cap_permitted = process->cred.cap_effective = process->cred.cap_bounding =
		LCAP_ALL;
	limits_default(process);
	list_init(&process->children);
	list_init(&process->sibling);
	list_init(&process->threads);
	list_init(&process->posix_timers);
	list_init(&process->tracees);
	list_init(&process->trace_ended);
	list_init(&process->watches);
	sigqueue_init(&process->pending);
	list_add_tail(&pm->processes, &process->all_link);
	list_add_tail(bucket(pm->pid_hash, process->pid), &process->pid_link);
	process_set_parent(pm, process, parent);
	pm->process_count++;
	return process;
}

static void sighand_release(struct process *process)
{
	if (process->sighand && --process->sighand->references == 0) {
		free(process->sighand);
	}
	process->sighand = NULL;
}

void process_free(struct pm *pm, struct process *process)
{
	assert(list_is_empty(&process->threads) && list_is_empty(&process->children) &&
		list_is_empty(&process->watches));
	sighand_release(process);
	sigqueue_drop(&process->pending, UINT64_MAX);
	list_remove(&process->sibling);
	list_remove(&process->pid_link);
	list_remove(&process->all_link);
	pm->process_count--;
	free(process);
}

int process_unshare_sighand(struct process *process)
{
	struct sighand *sighand;

	if (process->sighand && process->sighand->references == 1) {
		return 0;
	}
	sighand = calloc(1, sizeof(*sighand));
	if (!sighand) {
		return -ENOMEM;
	}
	if (process->sighand) {
		*sighand = *process->sighand;
		sighand_release(process);
	}
	sighand->references = 1;
	process->sighand = sighand;
	return 0;
}

/* A service whose slot the kernel has given to another is gone, though RS has not said so yet. */
static void stale_service_forget(struct pm *pm, uint32_t slot)
{
	struct thread *thread = pm->by_slot[slot];

	if (thread && thread->process->is_service) {
		struct process *process = thread->process;

		thread_free(pm, thread);
		process_free(pm, process);
	}
}

struct thread *thread_new(struct pm *pm, struct process *process, endpoint_t ep, int32_t tid)
{
	struct thread *thread;

	if (ep < 0 || (uint32_t)EP_SLOT(ep) >= pm->slots) {
		return NULL;
	}
	stale_service_forget(pm, (uint32_t)EP_SLOT(ep));
	if (pm->by_slot[EP_SLOT(ep)]) {
		return NULL;
	}
	thread = calloc(1, sizeof(*thread));
	if (!thread) {
		return NULL;
	}
	thread->process = process;
	thread->ep = ep;
	thread->tid = tid ? tid : pid_next(pm);
	thread->call = -1;
	thread->altstack_flags = LSS_DISABLE;
	thread->start_ns = sys_monotonic_ns();
	thread->timer_slack_ns = 50000;
	memcpy(thread->name, process->name, sizeof(thread->name));
	list_init(&thread->trace.link);
	sigqueue_init(&thread->pending);
	list_add_tail(&process->threads, &thread->process_link);
	list_add_tail(bucket(pm->tid_hash, thread->tid), &thread->tid_link);
	pm->by_slot[EP_SLOT(ep)] = thread;
	pm->slots_used++;
	process->thread_count++;
	if (!process->leader) {
		process->leader = thread;
	}
	return thread;
}

void thread_free(struct pm *pm, struct thread *thread)
{
	struct process *process = thread->process;

	cpu_timer_disarm(pm, &thread->timer);
	sigqueue_drop(&thread->pending, UINT64_MAX);
	list_remove(&thread->trace.link);
	list_remove(&thread->process_link);
	list_remove(&thread->tid_link);
	pm->by_slot[EP_SLOT(thread->ep)] = NULL;
	pm->slots_used--;
	if (!thread->gone) {
		process->thread_count--;
	}
	if (process->leader == thread) {
		process->leader = NULL;
	}
	free(thread);
}

void thread_become_leader(struct pm *pm, struct thread *thread)
{
	assert(!thread->process->leader);
	list_remove(&thread->tid_link);
	thread->tid = thread->process->pid;
	list_add_tail(bucket(pm->tid_hash, thread->tid), &thread->tid_link);
	thread->process->leader = thread;
}

void process_set_parent(struct pm *pm, struct process *process, struct process *parent)
{
	list_remove(&process->sibling);
	process->parent = parent;
	if (parent) {
		list_add_tail(&parent->children, &process->sibling);
	}
}

void thread_push_ids(struct thread *thread)
{
	const struct process *process = thread->process;
	const struct credentials *cred = &process->cred;
	struct proc_ids ids = {
		.pid = process->pid,
		.tid = thread->tid,
		.ppid = process->parent ? process->parent->pid : 0,
		.pgid = process->pgid,
		.sid = process->sid,
		.uid = cred->uid,
		.euid = cred->euid,
		.suid = cred->suid,
		.gid = cred->gid,
		.egid = cred->egid,
		.sgid = cred->sgid,
	};

	(void)sys_setids(thread->ep, &ids);
}

void process_push_ids(struct process *process)
{
	process_for_each_thread(thread, process)
	{
		thread_push_ids(thread);
	}
}
