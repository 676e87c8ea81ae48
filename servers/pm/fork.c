/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Order: checks; structures; VM makes address space and kernel slot (the only synchronous call);
 * ids; the notice to VFS; the child may run; the parent is answered. What fails does so before
 * anybody but VM knows.
 */
#include "servers/pm/fork.h"

#include <string.h>

#include "abi/linux/ptrace.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/undo/undo.h"
#include "proto/vfs.h"
#include "proto/vm.h"
#include "servers/pm/cred.h"
#include "servers/pm/deliver.h"
#include "servers/pm/limits.h"
#include "servers/pm/notice.h"
#include "servers/pm/pm.h"
#include "servers/pm/signal.h"
#include "servers/pm/trace.h"
#include "servers/pm/user.h"

struct clone_request {
	uint64_t flags; /* without the exit signal */
	int32_t exit_signal;
	uint64_t stack; /* 0: the parent's */
	uint64_t tls, parent_tid, child_tid;
};

static uint32_t processes_of_user(struct pm *pm, uint32_t uid)
{
	uint32_t count = 0;

	pm_for_each_process(process, pm)
	{
		if (!process->is_service && process->cred.uid == uid) {
			count += process->thread_count ? process->thread_count : 1;
		}
	}
	return count;
}

static int check_flags(
	struct pm *pm, const struct thread *parent, const struct clone_request *request)
{
	uint64_t flags = request->flags;

	if (((flags & LCLONE_THREAD) && !(flags & LCLONE_SIGHAND)) ||
		((flags & LCLONE_SIGHAND) && !(flags & LCLONE_VM)) ||
		((flags & LCLONE_SIGHAND) && (flags & LCLONE_CLEAR_SIGHAND)) ||
		(flags & LCLONE_PIDFD) || (flags & LCLONE_INTO_CGROUP)) {
		return -EINVAL;
	}
	if (flags & LCLONE_NAMESPACES) {
		return cred_capable(parent->process, LCAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	}
	if ((flags & LCLONE_PARENT) && parent->process == pm->init) {
		return -EINVAL;
	}
	return 0;
}

static int check_room(struct pm *pm, const struct process *process)
{
	bool root = process->cred.uid == 0;
	uint32_t used = pm->slots_used > pm->process_count ? pm->slots_used : pm->process_count;

	if (used + PM_SERVICE_RESERVE + (root ? 0 : PM_ROOT_RESERVE) >= pm->slots) {
		return -EAGAIN;
	}
	if (!root && !cred_capable(process, LCAP_SYS_RESOURCE) &&
		process->rlimit[LRLIM_NPROC][0] != LRLIM_INFINITY &&
		processes_of_user(pm, process->cred.uid) >= process->rlimit[LRLIM_NPROC][0]) {
		return -EAGAIN;
	}
	return 0;
}

/* The endpoint that VM made is of no use after all. */
static void vm_unfork(endpoint_t ep, bool is_thread)
{
	struct message m = {.type = is_thread ? VM_THREAD_EXIT : VM_EXIT};

	MSG(&m, vm_ep_req)->ep = ep;
	(void)ipc_call(EP_VM, &m);
	(void)sys_clear(ep);
}

static void undo_fork(uint64_t ep)
{
	vm_unfork((endpoint_t)ep, false);
}

static void undo_thread(uint64_t ep)
{
	vm_unfork((endpoint_t)ep, true);
}

/* VM makes the child's address space, or has it share, and the kernel slot: its endpoint. */
static int vm_fork(
	const struct thread *parent, const struct clone_request *request, endpoint_t *child)
{
	struct message m = {.type = VM_FORK};
	struct vm_fork_req *req = MSG(&m, vm_fork_req);
	int r;

	req->parent = parent->ep;
	req->stack = request->stack;
	req->tls = request->tls;
	if (request->flags & LCLONE_THREAD) {
		req->flags |= VM_FORK_THREAD;
	} else if (request->flags & LCLONE_VM) {
		req->flags |= VM_FORK_VM;
	}
	if (request->flags & LCLONE_SETTLS) {
		req->flags |= VM_FORK_SETTLS;
	}
	r = ipc_call(EP_VM, &m);
	if (r < 0) {
		return r == -ENOMEM ? -ENOMEM : -EAGAIN;
	}
	*child = MSG(&m, vm_fork_rep)->child;
	undo_by(request->flags & LCLONE_THREAD ? undo_thread : undo_fork, (uint64_t)*child);
	return 0;
}

static int sighand_inherit(struct process *child, struct process *parent, uint64_t flags)
{
	int r;

	child->sighand = parent->sighand;
	child->sighand->references++;
	if (flags & LCLONE_SIGHAND) {
		return 0;
	}
	r = process_unshare_sighand(child);
	if (r == 0 && (flags & LCLONE_CLEAR_SIGHAND)) {
		for (int signo = 1; signo <= LINUX_NSIG; signo++) {
			if (child->sighand->action[signo].handler != SIGNAL_IGNORE) {
				memset(&child->sighand->action[signo], 0,
					sizeof(child->sighand->action[signo]));
			}
		}
	}
	return r;
}

/* A new process as the child of thread's; no thread in it yet. */
static struct process *process_inherit(
	struct pm *pm, struct thread *thread, const struct clone_request *request)
{
	struct process *self = thread->process;
	struct process *parent = request->flags & LCLONE_PARENT ? self->parent : self;
	struct process *child = process_new(pm, parent, 0);

	if (!child) {
		return NULL;
	}
	child->pgid = self->pgid;
	child->sid = self->sid;
	memcpy(child->name, thread->name, sizeof(child->name));
	child->cred = self->cred;
	child->no_new_privs = self->no_new_privs;
	child->dumpable = self->dumpable;
	child->personality = self->personality;
	child->nice = self->nice;
	memcpy(child->rlimit, self->rlimit, sizeof(child->rlimit));
	child->exit_signal =
		request->flags & LCLONE_PARENT ? self->exit_signal : request->exit_signal;
	if (sighand_inherit(child, self, request->flags) < 0) {
		process_free(pm, child);
		return NULL;
	}
	return child;
}

static void thread_inherit(struct thread *child, const struct thread *parent, uint64_t flags)
{
	memcpy(child->name, parent->name, sizeof(child->name));
	child->mask = parent->restore_mask ? parent->saved_mask : parent->mask;
	child->policy = parent->policy;
	child->rt_priority = parent->rt_priority;
	child->timer_slack_ns = parent->timer_slack_ns;
	if (!(flags & LCLONE_VM) || (flags & LCLONE_VFORK)) {
		child->altstack_sp = parent->altstack_sp;
		child->altstack_size = parent->altstack_size;
		child->altstack_flags = parent->altstack_flags;
	}
}

static void notify_all(struct pm *pm, struct thread *parent, struct thread *child, uint64_t flags)
{
	uint32_t vfs_flags = 0;

	if (flags & LCLONE_THREAD) {
		vfs_flags |= VFS_FORK_THREAD;
	}
	if (flags & LCLONE_FILES) {
		vfs_flags |= VFS_FORK_FILES;
	}
	if (flags & LCLONE_FS) {
		vfs_flags |= VFS_FORK_FS;
	}
	notice_fork(pm, parent, child, vfs_flags);
	if (child->process->nice != 0) {
		notice_sched_start(pm, child, parent); /* others SCHED takes up by itself */
	}
}

static void store_tids(
	struct thread *parent, struct thread *child, const struct clone_request *request)
{
	if (request->flags & LCLONE_PARENT_SETTID) {
		(void)user_write(parent, request->parent_tid, &child->tid, sizeof(child->tid));
	}
	if (request->flags & LCLONE_CHILD_SETTID) {
		(void)user_write(child, request->child_tid, &child->tid, sizeof(child->tid));
	}
	if (request->flags & LCLONE_CHILD_CLEARTID) {
		(void)sys_cleartid(child->ep, CLEARTID_SET, request->child_tid);
	}
}

static int fork_event(const struct clone_request *request)
{
	if (request->flags & LCLONE_VFORK) {
		return LPTRACE_EVENT_VFORK;
	}
	return request->exit_signal == LSIGCHLD ? LPTRACE_EVENT_FORK : LPTRACE_EVENT_CLONE;
}

static bool child_is_traced(const struct thread *parent, const struct clone_request *request)
{
	if (!parent->trace.tracer || (request->flags & LCLONE_UNTRACED)) {
		return false;
	}
	return (request->flags & LCLONE_PTRACE) ||
		(parent->trace.options & LPTRACE_O_EVENT(fork_event(request)));
}

/* Both threads are complete; the parent's answer. */
static int64_t let_both_run(struct pm *pm, struct thread *parent, struct thread *child,
	const struct clone_request *request)
{
	bool waits = (request->flags & LCLONE_VFORK) != 0;
	bool is_traced = child_is_traced(parent, request);
	endpoint_t child_ep = child->ep;
	int32_t tid = child->tid;

	if (waits) {
		child->process->vfork_parent = parent;
	}
	if (is_traced) {
		trace_inherit(child, parent);
		child->run = RUN_STOPPED;
	} else {
		(void)sys_resume(child->ep);
	}
	if (!(request->flags & LCLONE_UNTRACED) &&
		trace_event(pm, parent, fork_event(request), (uint64_t)tid,
			waits ? THEN_WAIT_VFORK : THEN_REPLY, tid)) {
		waits = true;
	} else if (waits) {
		thread_wait(parent, WAIT_VFORK);
	}
	child = thread_by_ep(pm, child_ep); /* the parent's tracer may have ended, and killed */
	if (is_traced && child) {
		thread_kick(pm, child);
	}
	return waits ? CALL_NO_REPLY : tid;
}

static int64_t fork_common(
	struct pm *pm, struct thread *parent, const struct clone_request *request)
{
	bool is_thread = (request->flags & LCLONE_THREAD) != 0;
	struct process *process = parent->process;
	struct thread *child;
	endpoint_t ep;
	int r = check_flags(pm, parent, request);

	if (r == 0) {
		r = check_room(pm, process);
	}
	if (r < 0) {
		return r;
	}
	if (!is_thread) {
		process = process_inherit(pm, parent, request);
		if (!process) {
			return -ENOMEM;
		}
	}
	r = vm_fork(parent, request, &ep);
	if (r == 0) {
		child = thread_new(pm, process, ep, is_thread ? 0 : process->pid);
		if (!child) {
			vm_unfork(ep, is_thread);
			r = -ENOMEM;
		}
	}
	if (r < 0) {
		if (!is_thread) {
			process_free(pm, process);
		}
		return r;
	}
	thread_inherit(child, parent, request->flags);
	thread_push_ids(child);
	notify_all(pm, parent, child, request->flags);
	store_tids(parent, child, request);
	limits_forked(pm, process);
	return let_both_run(pm, parent, child, request);
}

int64_t call_fork(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct clone_request request = {.exit_signal = LSIGCHLD};

	return fork_common(pm, thread, &request);
}

int64_t call_vfork(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct clone_request request = {.flags = LCLONE_VM | LCLONE_VFORK, .exit_signal = LSIGCHLD};

	return fork_common(pm, thread, &request);
}

int64_t call_clone(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct clone_request request = {
		.flags = (uint32_t)arg[0] & ~LCLONE_EXIT_SIGNAL,
		.exit_signal = (int32_t)(arg[0] & LCLONE_EXIT_SIGNAL),
		.stack = arg[1],
		.parent_tid = arg[2],
		.child_tid = arg[3],
		.tls = arg[4],
	};

	if (request.exit_signal > LINUX_NSIG) {
		return -EINVAL;
	}
	return fork_common(pm, thread, &request);
}

int64_t call_clone3(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct linux_clone_args args = {0};
	struct clone_request request;
	uint64_t size = arg[1];

	if (size < offsetof(struct linux_clone_args, set_tid)) {
		return -EINVAL;
	}
	if (size > AXO_PAGE_SIZE) {
		return -E2BIG;
	}
	if (size > sizeof(args)) {
		uint8_t rest[64];

		/* What a newer program asks beyond what is known must be zero. */
		for (uint64_t at = sizeof(args); at < size; at += sizeof(rest)) {
			uint64_t part = u64_min(sizeof(rest), size - at);

			if (user_read(thread, arg[0] + at, rest, part) < 0) {
				return -EFAULT;
			}
			for (uint64_t i = 0; i < part; i++) {
				if (rest[i] != 0) {
					return -E2BIG;
				}
			}
		}
		size = sizeof(args);
	}
	if (user_read(thread, arg[0], &args, size) < 0) {
		return -EFAULT;
	}
	if (args.set_tid_size != 0 || args.set_tid != 0 ||
		(args.flags & (LCLONE_EXIT_SIGNAL | LCLONE_DETACHED)) ||
		args.exit_signal > LINUX_NSIG || (args.stack == 0) != (args.stack_size == 0)) {
		return -EINVAL;
	}
	if ((args.flags & (LCLONE_THREAD | LCLONE_PARENT)) && args.exit_signal != 0) {
		return -EINVAL;
	}
	request = (struct clone_request){
		.flags = args.flags,
		.exit_signal = (int32_t)args.exit_signal,
		.stack = args.stack ? args.stack + args.stack_size : 0,
		.parent_tid = args.parent_tid,
		.child_tid = args.child_tid,
		.tls = args.tls,
	};
	return fork_common(pm, thread, &request);
}
