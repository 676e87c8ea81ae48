/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/exec.h"

#include <string.h>

#include "lib/sys/kcall.h"
#include "servers/pm/cred.h"
#include "servers/pm/deliver.h"
#include "servers/pm/exit.h"
#include "servers/pm/notice.h"
#include "servers/pm/pm.h"
#include "servers/pm/signal.h"
#include "servers/pm/timers.h"
#include "servers/pm/trace.h"
#include "servers/pm/user.h"
#include "servers/pm/wait.h"

#define LAT_FDCWD (-100)

static struct thread *other_thread(const struct thread *thread)
{
	process_for_each_thread(other, thread->process)
	{
		if (other != thread) {
			return other;
		}
	}
	return NULL;
}

/* The other threads go; the caller becomes the leader. Linux keeps them until nothing can fail any
 * more. exec_seq is set: what kills the process meanwhile waits. */
static void threads_end_others(struct pm *pm, struct thread *thread)
{
	struct process *process = thread->process;
	struct process *tracer = process->leader->trace.tracer;
	struct thread *other;

	/* Each time anew: with its tracer any other may end too. */
	while ((other = other_thread(thread))) {
		if (other == process->leader) {
			thread_end(pm, other); /* its number lives on: no end for a tracer */
		} else {
			thread_end_told(pm, other, STATUS_KILLED(LSIGKILL));
		}
	}
	if (!process->leader) {
		thread_become_leader(pm, thread);
		thread_push_ids(thread);
	}
	if (tracer && tracer->state == PROCESS_ALIVE) {
		wait_waiters_wake(pm, tracer); /* there may be nothing left to wait for */
	}
}

static int64_t exec_start(
	struct pm *pm, struct thread *thread, int32_t dirfd, const uint64_t *arg, int32_t flags)
{
	struct message m = {.type = VFS_PM_EXEC};
	struct vfs_pm_exec *request = MSG(&m, vfs_pm_exec);
	struct process *process = thread->process;

	process->exec_tid = thread->tid;
	process->exec_seq = notice_next_seq(pm);
	threads_end_others(pm, thread);
	request->ep = thread->ep;
	request->dirfd = dirfd;
	request->path = arg[0];
	request->argv = arg[1];
	request->envp = arg[2];
	request->flags = flags;
	request->seq = process->exec_seq;
	request->stack_limit = process->rlimit[LRLIM_STACK][0];
	notice_send(pm, EP_VFS, &m);
	thread_wait(thread, WAIT_EXEC);
	return CALL_NO_REPLY;
}

int64_t call_execve(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	return exec_start(pm, thread, LAT_FDCWD, arg, 0);
}

int64_t call_execveat(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	return exec_start(pm, thread, (int32_t)arg[0], arg + 1, (int32_t)arg[4]);
}

static void signals_reset(struct thread *thread)
{
	struct process *process = thread->process;

	for (int signo = 1; signo <= LINUX_NSIG; signo++) {
		struct linux_sigaction *action = &process->sighand->action[signo];

		if (action->handler != SIGNAL_IGNORE) {
			action->handler = SIGNAL_DEFAULT;
		}
		action->flags = 0;
		action->restorer = 0;
		action->mask = 0;
	}
	thread->altstack_sp = thread->altstack_size = 0;
	thread->altstack_flags = LSS_DISABLE;
	thread->has_restart = false;
	thread->fault_signo = 0;
}

/* The image is in place: the process becomes it. */
static void exec_finish(struct pm *pm, struct thread *thread, const struct pm_vfs_exec_reply *reply)
{
	struct process *process = thread->process;
	bool may_raise = !process->no_new_privs && !thread->trace.tracer;
	struct stop_info stop;
	struct exec_spec spec = {.ip = reply->ip, .sp = reply->sp};

	memcpy(spec.name, reply->name, sizeof(spec.name));
	spec.name[sizeof(spec.name) - 1] = '\0';
	memcpy(process->name, spec.name, sizeof(process->name));
	memcpy(thread->name, spec.name, sizeof(thread->name));
	signals_reset(thread);
	timers_exec(pm, process);
	cred_exec(process, reply->set_uid && may_raise, reply->uid, reply->set_gid && may_raise,
		reply->gid);
	process->dumpable = process->cred.uid == process->cred.euid &&
		process->cred.gid == process->cred.egid && !reply->unreadable;
	if (reply->secure) {
		process->parent_death_signal = 0;
	}
	process->did_exec = true;
	if (process->exit_signal != 0) {
		process->exit_signal = LSIGCHLD;
	}
	process_push_ids(process);
	notice_ids(pm, process);
	exit_release_vfork(pm, process);
	if (thread->trace.tracer && thread_stop(thread, &stop) >= 0) {
		thread->run = RUN_STOPPED;
	}
	if (sys_exec(thread->ep, &spec) < 0) {
		process_terminate(pm, process, STATUS_KILLED(LSIGSEGV));
		return;
	}
	trace_exec(thread, process->exec_tid);
	thread_call_ends(pm, thread);
}

void exec_answered(struct pm *pm, const struct pm_vfs_exec_reply *reply)
{
	struct thread *thread = thread_by_ep(pm, reply->ep);
	struct process *process = thread ? thread->process : NULL;

	if (!process || process->exec_seq == 0 || process->exec_seq != reply->seq) {
		return;
	}
	process->exec_seq = 0;
	if (process->doomed) {
		process_terminate(pm, process, process->doom_status);
	} else if (reply->result >= 0) {
		if (process_unshare_sighand(process) < 0) {
			process_terminate(pm, process, STATUS_KILLED(LSIGKILL));
			return;
		}
		exec_finish(pm, thread, reply);
	} else if (reply->fatal) {
		process_terminate(pm, process, STATUS_KILLED(LSIGKILL));
	} else {
		thread_reply(pm, thread, reply->result);
	}
}
