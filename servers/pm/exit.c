/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/exit.h"

#include <assert.h>

#include "abi/linux/ptrace.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "proto/vm.h"
#include "servers/pm/deliver.h"
#include "servers/pm/event.h"
#include "servers/pm/notice.h"
#include "servers/pm/pm.h"
#include "servers/pm/reboot.h"
#include "servers/pm/session.h"
#include "servers/pm/signal.h"
#include "servers/pm/timers.h"
#include "servers/pm/trace.h"
#include "servers/pm/usage.h"
#include "servers/pm/user.h"
#include "servers/pm/wait.h"

static void vm_tell(enum vm_op op, endpoint_t ep)
{
	struct message m = {.type = op};

	MSG(&m, vm_ep_req)->ep = ep;
	(void)ipc_call(EP_VM, &m);
}

/* The thread runs no more, waits for nothing, and its tid word says so. */
static void thread_halt(struct pm *pm, struct thread *thread)
{
	struct stop_info info;

	(void)sys_stop(thread->ep, &info);
	(void)sys_cleartid(thread->ep, CLEARTID_RUN, 0);
	cpu_timer_disarm(pm, &thread->timer);
	if (thread->wait.kind == WAIT_VFORK || thread->trace.then == THEN_WAIT_VFORK) {
		pm_for_each_process(process, pm)
		{
			if (process->vfork_parent == thread) {
				process->vfork_parent = NULL;
			}
		}
	}
	thread->wait.kind = WAIT_NONE;
	thread->in_call = false;
}

void thread_end(struct pm *pm, struct thread *thread)
{
	endpoint_t ep = thread->ep;

	if (!thread->gone) {
		thread_halt(pm, thread);
	}
	usage_thread_ends(thread);
	notice_thread_exit(pm, thread);
	vm_tell(VM_THREAD_EXIT, ep);
	(void)sys_clear(ep);
	thread_free(pm, thread);
}

void thread_end_told(struct pm *pm, struct thread *thread, int32_t status)
{
	struct process *tracer = trace_thread_ends(thread, status);
	int32_t tid = thread->tid;

	thread_end(pm, thread);
	if (tracer) {
		wait_tell_tracer(pm, tracer, tid, status);
	}
}

static void vfork_done(struct pm *pm, struct thread *parent, int64_t child_pid)
{
	parent->wait.kind = WAIT_NONE;
	if (!trace_event(pm, parent, LPTRACE_EVENT_VFORK_DONE, (uint64_t)child_pid, THEN_REPLY,
		    child_pid)) {
		thread_reply(pm, parent, child_pid);
	}
}

void exit_release_vfork(struct pm *pm, struct process *child)
{
	struct thread *parent = child->vfork_parent;

	child->vfork_parent = NULL;
	/* One that stands for its tracer asks later. */
	if (parent && parent->wait.kind == WAIT_VFORK) {
		vfork_done(pm, parent, child->pid);
	}
}

void exit_wait_vfork(struct pm *pm, struct thread *parent, int64_t child_pid)
{
	const struct process *child = process_by_pid(pm, (int32_t)child_pid);

	if (child && child->vfork_parent == parent) {
		thread_wait(parent, WAIT_VFORK);
	} else {
		vfork_done(pm, parent, child_pid);
	}
}

/* Who adopts the children: the nearest subreaper above, else init. */
static struct process *find_reaper(struct pm *pm, const struct process *process)
{
	for (struct process *up = process->parent; up; up = up->parent) {
		if (up->subreaper && up->state == PROCESS_ALIVE) {
			return up;
		}
	}
	return pm->init;
}

static void children_adopt(struct pm *pm, struct process *process)
{
	struct process *reaper = find_reaper(pm, process);
	bool zombies = false;

	if (process == pm->init) {
		return;
	}
	list_for_each_safe(child, &process->children, struct process, sibling)
	{
		process_set_parent(pm, child, reaper);
		child->exit_signal = LSIGCHLD;
		process_push_ids(child);
		zombies |= child->state == PROCESS_ZOMBIE;
		if (child->parent_death_signal && child->state == PROCESS_ALIVE) {
			struct linux_siginfo info =
				siginfo_user(child->parent_death_signal, LSI_USER, process);

			(void)signal_send(pm, child, NULL, &info, NULL);
		}
	}
	if (zombies) {
		wait_zombies_adopted(pm, reaper);
	}
}

void process_terminate(struct pm *pm, struct process *process, int32_t status)
{
	struct thread *leader = process->leader;

	if (process->state != PROCESS_ALIVE) {
		return;
	}
	if (process->exec_seq != 0) {
		if (!process->doomed) {
			process->doomed = true;
			process->doom_status = status;
		}
		return;
	}
	if (process == pm->init) {
		diag_printf("init has ended, status %#x", status);
		reboot_start(pm, ABORT_PANIC);
	}
	process->state = PROCESS_EXITING;
	process->exit_status = status;
	process->stopped = false;
	timers_process_ends(pm, process);
	list_for_each_safe(thread, &process->threads, struct thread, process_link)
	{
		if (thread != leader) {
			thread_end_told(pm, thread, status);
		}
	}
	trace_tracer_ends(pm, process);
	if (!leader->gone) {
		thread_halt(pm, leader);
	}
	session_process_ends(pm, process);
	children_adopt(pm, process);
	if (!event_publish(pm, process, PM_EVENT_EXIT)) {
		exit_go_on(pm, process);
	}
}

void exit_go_on(struct pm *pm, struct process *process)
{
	event_release(process);
	vm_tell(VM_WILLEXIT, process->leader->ep);
	notice_exit(pm, process);
	exit_release_vfork(pm, process);
}

void exit_answered(struct pm *pm, endpoint_t ep, uint32_t seq)
{
	struct thread *leader = thread_by_ep(pm, ep);
	struct process *process = leader ? leader->process : NULL;
	struct process *tracer;

	if (!process || process->state != PROCESS_EXITING || process->exit_seq != seq) {
		return;
	}
	usage_thread_ends(leader);
	usage_process_ends(process);
	trace_tracer_ended(pm, process);
	tracer = trace_leader_ends(leader);
	(void)sys_clear(ep);
	vm_tell(VM_EXIT, ep);
	thread_free(pm, leader);
	process->state = PROCESS_ZOMBIE;
	if (tracer) {
		wait_tell_tracer(pm, tracer, process->pid, process->exit_status);
	} else {
		wait_child_ended(pm, process);
	}
}

int64_t call_exit_group(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	int32_t status = STATUS_EXITED((int32_t)arg[0]);

	if (!trace_ends(pm, thread, THEN_TERMINATE, status)) {
		process_terminate(pm, thread->process, status);
	}
	return CALL_NO_REPLY;
}

void exit_thread(struct pm *pm, struct thread *thread, int32_t code)
{
	struct process *process = thread->process;

	if (process->thread_count == 1) {
		process_terminate(pm, process, STATUS_EXITED(code));
		return;
	}
	if (thread == process->leader) {
		thread_halt(pm, thread);
		thread->run = RUN_STOPPED;
		thread->gone = true;
		process->thread_count--;
		sigqueue_drop(&thread->pending, UINT64_MAX);
	} else {
		thread_end_told(pm, thread, STATUS_EXITED(code));
	}
	signal_retarget(pm, process, NULL);
	process_check_stop(pm, process);
}

int64_t call_exit(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	int32_t code = (int32_t)arg[0];

	if (!trace_ends(pm, thread, THEN_EXIT, code)) {
		exit_thread(pm, thread, code);
	}
	return CALL_NO_REPLY;
}
