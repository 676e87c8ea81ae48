/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/notice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "proto/sched.h"
#include "proto/vfs.h"
#include "servers/pm/pm.h"

static void backlog_add(struct pm *pm, endpoint_t dst, const struct message *m)
{
	struct backlog_entry *entry = malloc(sizeof(*entry));

	if (!entry) {
		diag_panic("no memory for a message to %d", dst);
	}
	entry->dst = dst;
	entry->message = *m;
	list_add_tail(&pm->backlog, &entry->link);
	pm->backlog_len++;
}

void notice_send(struct pm *pm, endpoint_t dst, const struct message *m)
{
	if (!list_is_empty(&pm->backlog) || asyn_send(dst, m) == -ENOMEM) {
		backlog_add(pm, dst, m);
	}
}

void notice_flush(struct pm *pm)
{
	while (!list_is_empty(&pm->backlog)) {
		struct backlog_entry *entry = list_first(&pm->backlog, struct backlog_entry, link);

		if (asyn_send(entry->dst, &entry->message) == -ENOMEM) {
			return;
		}
		list_remove(&entry->link);
		pm->backlog_len--;
		free(entry);
	}
}

uint32_t notice_next_seq(struct pm *pm)
{
	if (++pm->seq == 0) {
		pm->seq = 1;
	}
	return pm->seq;
}

void notice_fork(
	struct pm *pm, const struct thread *parent, const struct thread *child, uint32_t flags)
{
	struct message m = {.type = VFS_PM_FORK};

	MSG(&m, vfs_pm_fork)->parent = parent->ep;
	MSG(&m, vfs_pm_fork)->child = child->ep;
	MSG(&m, vfs_pm_fork)->pid = child->process->pid;
	MSG(&m, vfs_pm_fork)->flags = flags;
	notice_send(pm, EP_VFS, &m);
}

static void vfs_send_ep(struct pm *pm, int32_t type, endpoint_t ep, uint32_t seq, uint32_t flags)
{
	struct message m = {.type = type};

	MSG(&m, vfs_pm_ep)->ep = ep;
	MSG(&m, vfs_pm_ep)->seq = seq;
	MSG(&m, vfs_pm_ep)->flags = flags;
	notice_send(pm, EP_VFS, &m);
}

void notice_thread_exit(struct pm *pm, const struct thread *thread)
{
	vfs_send_ep(pm, VFS_PM_THREAD_EXIT, thread->ep, 0, 0);
}

void notice_exit(struct pm *pm, struct process *process)
{
	process->exit_seq = notice_next_seq(pm);
	vfs_send_ep(pm, VFS_PM_EXIT, process->leader->ep, process->exit_seq,
		process->pid == process->sid ? VFS_EXIT_LEADER : 0);
}

void notice_cancel(struct pm *pm, struct thread *thread)
{
	thread->cancel_seq = notice_next_seq(pm);
	vfs_send_ep(pm, VFS_PM_CANCEL, thread->ep, thread->cancel_seq, 0);
}

void notice_ids(struct pm *pm, const struct process *process)
{
	const struct credentials *cred = &process->cred;
	struct message m = {.type = VFS_PM_SETIDS};
	struct vfs_pm_setids *ids = MSG(&m, vfs_pm_setids);

	ids->ep = process->leader->ep;
	ids->pid = process->pid;
	ids->pgid = process->pgid;
	ids->sid = process->sid;
	ids->uid = cred->uid;
	ids->euid = cred->euid;
	ids->suid = cred->suid;
	ids->fsuid = cred->fsuid;
	ids->gid = cred->gid;
	ids->egid = cred->egid;
	ids->sgid = cred->sgid;
	ids->fsgid = cred->fsgid;
	notice_send(pm, EP_VFS, &m);
}

void notice_groups(struct pm *pm, const struct process *process)
{
	struct message m = {.type = VFS_PM_GROUPS};
	struct vfs_pm_groups *groups = MSG(&m, vfs_pm_groups);

	groups->ep = process->leader->ep;
	groups->count = process->cred.group_count;
	memcpy(groups->groups, process->cred.groups, sizeof(groups->groups));
	notice_send(pm, EP_VFS, &m);
}

void notice_jobctl_reply(struct pm *pm, endpoint_t ep, int32_t result, uint32_t seq)
{
	struct message m = {.type = VFS_PM_JOBCTL_REPLY};

	MSG(&m, vfs_pm_jobctl_reply)->ep = ep;
	MSG(&m, vfs_pm_jobctl_reply)->result = result;
	MSG(&m, vfs_pm_jobctl_reply)->seq = seq;
	notice_send(pm, EP_VFS, &m);
}

void notice_rlimit(struct pm *pm, const struct process *process, int which)
{
	struct message m = {.type = VFS_PM_RLIMIT};

	MSG(&m, vfs_pm_rlimit)->ep = process->leader->ep;
	MSG(&m, vfs_pm_rlimit)->which = which;
	MSG(&m, vfs_pm_rlimit)->cur = process->rlimit[which][0];
	MSG(&m, vfs_pm_rlimit)->max = process->rlimit[which][1];
	notice_send(pm, EP_VFS, &m);
}

void notice_sched_start(struct pm *pm, const struct thread *thread, const struct thread *parent)
{
	struct message m = {.type = SCHED_START};

	MSG(&m, sched_start)->ep = thread->ep;
	MSG(&m, sched_start)->parent = parent ? parent->ep : EP_NONE;
	MSG(&m, sched_start)->priority = SCHED_PRIO_USER;
	MSG(&m, sched_start)->nice = thread->process->nice;
	notice_send(pm, EP_SCHED, &m);
}

void notice_sched_nice(struct pm *pm, const struct process *process)
{
	process_for_each_thread(thread, process)
	{
		struct message m = {.type = SCHED_NICE};

		MSG(&m, sched_nice)->ep = thread->ep;
		MSG(&m, sched_nice)->nice = process->nice;
		notice_send(pm, EP_SCHED, &m);
	}
}
