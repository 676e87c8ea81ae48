/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/check.h"

#include "servers/pm/deliver.h"
#include "servers/pm/pm.h"

/* A signal of the process that this thread could take is on its way to another one. */
static bool another_takes(const struct process *process, uint64_t signals)
{
	process_for_each_thread(thread, process)
	{
		if (!thread->gone && thread->run != RUN_FREE) {
			signals &= thread->mask;
		}
	}
	return signals == 0;
}

static const char *check_thread(
	struct pm *pm, const struct process *process, const struct thread *thread)
{
	if (thread->process != process || thread_by_ep(pm, thread->ep) != thread) {
		return "a thread is not where its endpoint says";
	}
	if (process->state != PROCESS_ALIVE || process->is_service || thread->gone) {
		return NULL;
	}
	if (thread_by_tid(pm, thread->tid) != thread) {
		return "a thread is not found by its number";
	}
	if (thread->trace.stop != TRACE_RUNS && thread->run != RUN_STOPPED &&
		thread->wait.kind != WAIT_TRACER) {
		return "a thread runs that stands for its tracer";
	}
	if (thread->in_call != (thread->wait.kind != WAIT_NONE)) {
		return "a call is neither answered nor waits";
	}
	if (thread->run != RUN_FREE || thread_waits_firmly(thread)) {
		return NULL;
	}
	if (process->unanswered != 0) {
		return NULL;
	}
	if (process->stopped && !thread->trace.tracer) {
		return "a thread of a stopped process runs";
	}
	if (thread->pending.mask & ~thread->mask) {
		return "a thread runs that could take a signal of its own";
	}
	if (!another_takes(process, process->pending.mask & ~thread->mask)) {
		return "a thread runs that could take a signal of its process";
	}
	return NULL;
}

static const char *check_leader(const struct process *process)
{
	if (process->state == PROCESS_ZOMBIE) {
		return process->leader || !list_is_empty(&process->threads) ? "a zombie has threads"
									    : NULL;
	}
	if (!process->leader || process->leader->tid != process->pid) {
		return "a process has no leader with its number";
	}
	if (process->state == PROCESS_EXITING &&
		(process->threads.next->next != &process->threads ||
			(process->exit_seq == 0 && process->unanswered == 0))) {
		return "an ending process has threads beside the leader, or nobody closes its "
		       "files";
	}
	return NULL;
}

static const char *check_process(struct pm *pm, const struct process *process)
{
	const char *error = check_leader(process);
	uint32_t count = 0;

	if (process_by_pid(pm, process->pid) != process) {
		return "a process is not found by its number";
	}
	list_for_each(child, &process->children, struct process, sibling)
	{
		if (child->parent != process) {
			return "a child has another parent";
		}
	}
	if (!process->is_service && process != pm->init && !process->parent) {
		return "a process has no parent";
	}
	process_for_each_thread(thread, process)
	{
		if (!error) {
			error = check_thread(pm, process, thread);
		}
		count += !thread->gone;
	}
	if (!error && count != process->thread_count) {
		error = "threads are miscounted";
	}
	return error;
}

const char *pm_check(struct pm *pm)
{
	uint32_t processes = 0, threads = 0;

	pm_for_each_process(process, pm)
	{
		const char *error = check_process(pm, process);

		if (error) {
			return error;
		}
		processes++;
		process_for_each_thread(thread, process)
		{
			threads++;
		}
	}
	if (processes != pm->process_count || threads != pm->slots_used) {
		return "processes or slots are miscounted";
	}
	return tree_check(&pm->timers.tree, timerq_compare) ? NULL
							    : "the tree of timers is out of order";
}
