/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's state, the boot processes, and the messages of other servers. */
#include "servers/pm/pm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/bootinfo.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "proto/pm.h"
#include "proto/vfs.h"
#include "servers/pm/calls.h"
#include "servers/pm/deliver.h"
#include "servers/pm/event.h"
#include "servers/pm/exec.h"
#include "servers/pm/exit.h"
#include "servers/pm/info.h"
#include "servers/pm/notice.h"
#include "servers/pm/reboot.h"
#include "servers/pm/service.h"
#include "servers/pm/session.h"
#include "servers/pm/sigcalls.h"
#include "servers/pm/signal.h"
#include "servers/pm/trace.h"
#include "servers/pm/wait.h"

#define INIT_PID 1

int pm_init(struct pm *pm, uint32_t slots)
{
	struct kinfo *kinfo = calloc(1, sizeof(*kinfo));

	memset(pm, 0, sizeof(*pm));
	if (!kinfo) {
		return -ENOMEM;
	}
	list_init(&pm->processes);
	list_init(&pm->backlog);
	for (int i = 0; i < PM_HASH; i++) {
		list_init(&pm->pid_hash[i]);
		list_init(&pm->tid_hash[i]);
	}
	tree_init(&pm->timers.tree);
	if (sys_getinfo(GETINFO_KINFO, kinfo, sizeof(*kinfo), 0) >= 0) {
		if (slots == 0) {
			slots = kinfo->procs_max;
		}
		memcpy(pm->release, kinfo->release, sizeof(pm->release) - 1);
		memcpy(pm->version, kinfo->version, sizeof(pm->version) - 1);
	}
	free(kinfo);
	if (slots == 0 || slots > EP_SLOT_MAX) {
		slots = PM_SLOTS_FALLBACK;
	}
	pm->slots = slots;
	pm->by_slot = calloc(slots, sizeof(pm->by_slot[0]));
	if (!pm->by_slot) {
		return -ENOMEM;
	}
	pm->last_pid = INIT_PID;
	memcpy(pm->hostname, "axolotl", sizeof("axolotl"));
	memcpy(pm->domainname, "(none)", sizeof("(none)"));
	pm->boot_ns = sys_monotonic_ns();
	random_seed(&pm->random);
	return 0;
}

static void name_set(char name[16], const char *from)
{
	size_t len = strnlen(from, 15);

	memset(name, 0, 16);
	memcpy(name, from, len);
}

static void user_set(struct process *process, uint32_t uid)
{
	process->cred.uid = process->cred.euid = process->cred.suid = process->cred.fsuid = uid;
}

static struct process *adopt(
	struct pm *pm, endpoint_t ep, int32_t pid, const char *name, uint32_t uid)
{
	struct process *process = process_new(pm, NULL, pid);

	if (!process) {
		return NULL;
	}
	process->is_service = pid != INIT_PID;
	user_set(process, uid);
	name_set(process->name, name);
	if (process_unshare_sighand(process) < 0 || !thread_new(pm, process, ep, process->pid)) {
		process_free(pm, process);
		return NULL;
	}
	return process;
}

void pm_adopt_boot_processes(struct pm *pm)
{
	static const endpoint_t services[] = {
		EP_PM, EP_VFS, EP_RS, EP_MEMORY, EP_SCHED, EP_TTY, EP_DS, EP_VM, EP_BOOTFS};
	static const char *const names[] = {
		"pm", "vfs", "rs", "memory", "sched", "tty", "ds", "vm", "ext2"};

	pm->init = adopt(pm, EP_INIT, INIT_PID, "init", 0);
	if (!pm->init) {
		diag_panic("no memory for init");
	}
	pm->init->pgid = pm->init->sid = INIT_PID;
	process_push_ids(pm->init);
	notice_ids(pm, pm->init);
	notice_sched_start(pm, pm->init->leader, NULL);
	for (size_t i = 0; i < AXO_ARRAY_LEN(services); i++) {
		struct process *process = adopt(pm, services[i], 0, names[i], 0);

		if (process) {
			process_push_ids(process);
		}
	}
}

static void service_new(struct pm *pm, const struct pm_service *request)
{
	struct thread *known = thread_by_ep(pm, request->ep);
	char label[sizeof(request->label) + 1];
	struct process *process;

	memcpy(label, request->label, sizeof(request->label));
	label[sizeof(request->label)] = '\0';
	if (known) {
		event_forget(pm, request->ep);
		/* One of the boot image, of which only RS knows whose it is, or another one now. */
		name_set(known->process->name, label);
		user_set(known->process, request->uid);
		process_push_ids(known->process);
		return;
	}
	process = adopt(pm, request->ep, 0, label, request->uid);
	if (process) {
		process_push_ids(process);
	} else {
		diag_printf("no room for service %s", label);
	}
}

static void service_gone(struct pm *pm, const struct pm_service *request)
{
	struct thread *thread = thread_by_ep(pm, request->ep);
	struct process *process = thread ? thread->process : NULL;

	event_forget(pm, request->ep);
	if (process && process->is_service) {
		int32_t tid = thread->tid, status = STATUS_KILLED(LSIGKILL);
		struct process *tracer = trace_thread_ends(thread, status);

		thread_free(pm, thread);
		process_free(pm, process);
		if (tracer) {
			wait_tell_tracer(pm, tracer, tid, status);
		}
	}
}

static void vfs_answered(struct pm *pm, const struct pm_vfs_reply *reply)
{
	struct thread *thread;

	switch (reply->op) {
	case VFS_PM_EXIT:
		exit_answered(pm, reply->ep, reply->seq);
		break;
	case VFS_PM_CANCEL:
		thread = thread_by_ep(pm, reply->ep);
		if (thread) {
			thread_cancel_answered(pm, thread, reply->seq);
		}
		break;
	case VFS_PM_UNMOUNT_ALL:
		reboot_unmounted(pm, reply->seq);
		break;
	default:
		break;
	}
}

/* SIGPIPE and its like: VFS answers the call that brings it about after this. */
static void signal_thread(struct pm *pm, const struct pm_signal_proc *request)
{
	struct thread *thread = thread_by_ep(pm, request->ep);

	if (thread && signal_is_valid(request->signo)) {
		struct linux_siginfo info = siginfo_user(request->signo, LSI_USER, thread->process);

		(void)signal_send(pm, thread->process, thread, &info, NULL);
	}
}

static void from_vfs(struct pm *pm, const struct message *m)
{
	switch (m->type) {
	case PM_VFS_REPLY:
		vfs_answered(pm, MSG((struct message *)m, pm_vfs_reply));
		break;
	case PM_VFS_EXEC_REPLY:
		exec_answered(pm, MSG((struct message *)m, pm_vfs_exec_reply));
		break;
	case PM_JOBCTL:
		session_job_control(pm, MSG((struct message *)m, pm_jobctl));
		break;
	case PM_KILL_PGRP:
		session_terminal_signal(pm, MSG((struct message *)m, pm_kill_pgrp));
		break;
	case PM_SIGNAL_PROC:
		signal_thread(pm, MSG((struct message *)m, pm_signal_proc));
		break;
	case PM_SIGMASK:
		sigcalls_temporary_mask(pm, MSG((struct message *)m, pm_sigmask));
		break;
	default:
		diag_printf("unknown message %#x of VFS", (unsigned)m->type);
		break;
	}
}

static void from_service(struct pm *pm, const struct message *m)
{
	struct thread *sender = thread_by_ep(pm, m->source);

	if (m->source == EP_VFS) {
		from_vfs(pm, m);
	} else if (m->source == EP_TTY && m->type == PM_TTY_SIGNAL) {
		session_terminal_signal(pm, MSG((struct message *)m, pm_kill_pgrp));
	} else if (m->source == EP_RS && m->type == PM_SERVICE_NEW) {
		service_new(pm, MSG((struct message *)m, pm_service));
	} else if (m->source == EP_RS && m->type == PM_SERVICE_GONE) {
		service_gone(pm, MSG((struct message *)m, pm_service));
	} else if (m->type == PM_GETPROC && sender && sender->process->is_service) {
		info_request(pm, m->source, MSG((struct message *)m, pm_getproc));
	} else if (m->type == PM_GETNAMES && sender && sender->process->is_service) {
		info_names(pm, m->source, MSG((struct message *)m, pm_getnames));
	} else if (m->type == PM_WATCH && sender && sender->process->is_service) {
		event_watch(pm, m->source, MSG((struct message *)m, pm_watch));
	} else if (m->type == PM_EVENT_DONE) {
		event_done(pm, m->source, MSG((struct message *)m, pm_event));
	} else {
		diag_printf("unknown message %#x of %d", (unsigned)m->type, m->source);
	}
}

void pm_handle(struct pm *pm, const struct message *m, uint32_t status)
{
	notice_flush(pm);
	if (IS_NOTIFY(m)) {
		if (m->source == EP_CLOCK) {
			timerq_run(pm);
		}
	} else if (IS_LINUX_CALL(m->type) && (status & IPC_STATUS_FROM_KERNEL)) {
		uint64_t arg[7];

		memcpy(arg, m->call.arg, sizeof(m->call.arg));
		arg[6] = m->call.sp;
		call_handle(pm, m->source, LINUX_CALL_NR(m->type), arg);
	} else if (status & IPC_STATUS_SENDREC) {
		/* The protocol has no synchronous requests: nobody shall wait for ever. */
		struct message reply = {0};

		ipc_reply(m->source, &reply, -EPERM);
	} else {
		from_service(pm, m);
	}
}

int pm_handle_ksig(struct pm *pm, const struct ksig *ksig)
{
	struct thread *thread = thread_by_ep(pm, ksig->endpoint);
	struct process *process;

	if (!thread) {
		return -ESRCH;
	}
	process = thread->process;
	if (ksig->signals & 1) {
		thread_call_ended(pm, thread);
	}
	if (process->is_service) {
		service_signalled(pm, thread, ksig);
		return 0;
	}
	for (int signo = 1; signo < LINUX_NSIG && process->state == PROCESS_ALIVE; signo++) {
		if (!(ksig->signals & (1ull << signo))) {
			continue;
		}
		/* Ended threads are gone when their process lives on. */
		thread = thread_by_ep(pm, ksig->endpoint);
		if (signo == ksig->fault_sig && thread) {
			signal_fault(pm, thread, ksig);
		} else {
			signal_send_kernel(pm, process, signo);
		}
	}
	return 0;
}
