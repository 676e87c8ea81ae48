/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/info.h"

#include <errno.h>
#include <string.h>

#include "lib/sys/kcall.h"
#include "servers/pm/notice.h"
#include "servers/pm/pm.h"
#include "servers/pm/signal.h"
#include "servers/pm/usage.h"

static struct process *find(struct pm *pm, const struct pm_getproc *request)
{
	struct process *best = NULL;

	if (!request->next) {
		return process_by_pid(pm, request->pid);
	}
	pm_for_each_process(process, pm)
	{
		if (process->pid >= request->pid && (!best || process->pid < best->pid)) {
			best = process;
		}
	}
	return best;
}

/* As ps shows it: R runs, S sleeps (and can be woken), D does not, T stopped, Z ended. */
static char state_letter(const struct process *process)
{
	char letter = 'S';

	if (process->state != PROCESS_ALIVE) {
		return 'Z';
	}
	if (process->leader && process->leader->trace.stop != TRACE_RUNS) {
		return 't';
	}
	if (process->stopped) {
		return 'T';
	}
	process_for_each_thread(thread, process)
	{
		struct proc_info info;

		if (sys_getinfo(GETINFO_PROC, &info, sizeof(info), thread->ep) < 0) {
			continue;
		}
		if ((info.rts_flags & ~(uint32_t)RTS_NO_QUANTUM) == 0) {
			return 'R';
		}
		if (info.rts_flags & (RTS_PAGEFAULT | RTS_VMREQUEST) ||
			thread->wait.kind == WAIT_VFORK) {
			letter = 'D';
		}
	}
	return letter;
}

static void fill_signals(struct pm_proc_info *info, const struct process *process)
{
	info->shared_pending = process->pending.mask;
	if (process->leader) {
		info->sig_pending = process->leader->pending.mask;
		info->sig_blocked = process->leader->mask;
	}
	if (!process->sighand) {
		return;
	}
	for (int signo = 1; signo <= LINUX_NSIG; signo++) {
		uint64_t handler = process->sighand->action[signo].handler;

		if (handler == SIGNAL_IGNORE) {
			info->sig_ignored |= SIGNAL_BIT(signo);
		} else if (handler != SIGNAL_DEFAULT) {
			info->sig_caught |= SIGNAL_BIT(signo);
		}
	}
}

static void fill_threads(struct pm_proc_info *info, const struct process *process)
{
	uint32_t n = 0;

	process_for_each_thread(thread, process)
	{
		if (n < AXO_ARRAY_LEN(info->tids)) {
			info->tids[n] = thread->tid;
			info->eps[n] = thread->ep;
		}
		n++;
	}
	info->threads = (uint16_t)n;
}

static void fill(struct pm_proc_info *info, const struct process *process)
{
	const struct credentials *cred = &process->cred;
	struct usage usage = usage_full(process);

	info->pid = process->pid;
	info->ppid = process->parent ? process->parent->pid : 0;
	info->pgid = process->is_service ? 0 : process->pgid;
	info->sid = process->is_service ? 0 : process->sid;
	info->ep = process->leader ? process->leader->ep : EP_NONE;
	info->uid = cred->uid;
	info->euid = cred->euid;
	info->suid = cred->suid;
	info->fsuid = cred->fsuid;
	info->gid = cred->gid;
	info->egid = cred->egid;
	info->sgid = cred->sgid;
	info->fsgid = cred->fsgid;
	memcpy(info->name, process->name, sizeof(info->name));
	info->state = state_letter(process);
	info->is_service = process->is_service;
	info->nice = process->nice;
	info->exit_signal = process->exit_signal;
	info->exit_code = process->exit_status;
	info->user_ns = usage.time.user_ns;
	info->system_ns = usage.time.system_ns;
	info->child_user_ns = process->children_usage.time.user_ns;
	info->child_system_ns = process->children_usage.time.system_ns;
	info->start_ns = process->start_ns;
	info->minor_faults = usage.minor_faults;
	info->major_faults = usage.major_faults;
	info->child_minor_faults = process->children_usage.minor_faults;
	info->child_major_faults = process->children_usage.major_faults;
	info->ngroups = cred->group_count;
	memcpy(info->groups, cred->groups, sizeof(cred->groups));
	memcpy(info->rlimits, process->rlimit, sizeof(info->rlimits));
	info->dumpable = process->dumpable;
	if (process->leader && process->leader->trace.tracer) {
		info->tracer_pid = process->leader->trace.tracer->pid;
	}
	fill_signals(info, process);
	fill_threads(info, process);
}

void info_request(struct pm *pm, endpoint_t source, const struct pm_getproc *request)
{
	struct message m = {.type = PM_GETPROC | PROTO_REPLY};
	struct process *process = find(pm, request);
	struct pm_proc_info info;
	int r = -ESRCH;

	if (process) {
		memset(&info, 0, sizeof(info));
		fill(&info, process);
		r = sys_safecopyto(source, (grant_t)request->to, 0, &info, sizeof(info));
	}
	MSG(&m, pm_getproc_rep)->result = r < 0 ? r : 0;
	MSG(&m, pm_getproc_rep)->seq = request->seq;
	notice_send(pm, source, &m);
}

void info_names(struct pm *pm, endpoint_t source, const struct pm_getnames *request)
{
	struct message m = {.type = PM_GETNAMES | PROTO_REPLY};
	struct pm_names names = {.pid_max = PM_PID_MAX};
	int r;

	memcpy(names.host, pm->hostname, sizeof(names.host));
	memcpy(names.domain, pm->domainname, sizeof(names.domain));
	r = sys_safecopyto(source, request->to, 0, &names, sizeof(names));
	MSG(&m, pm_getproc_rep)->result = r < 0 ? r : 0;
	MSG(&m, pm_getproc_rep)->seq = request->seq;
	notice_send(pm, source, &m);
}
