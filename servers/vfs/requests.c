/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/requests.h"

#include <errno.h>

#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "proto/pm.h"
#include "proto/vm.h"
#include "servers/vfs/call.h"
#include "servers/vfs/device.h"
#include "servers/vfs/exec.h"
#include "servers/vfs/filesync.h"
#include "servers/vfs/info.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/trans.h"
#include "servers/vfs/tty.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vmfile.h"

/* The payload of a message that is not to be changed. */
#define REQ(m, s) ((const struct s *)(const void *)(m)->raw)

#define UNEXPECTED_MAX   10
#define RLIMIT_FSIZE_NR  1
#define RLIMIT_NOFILE_NR 7

static void pm_reply(int op, endpoint_t ep, uint32_t seq, int result)
{
	struct message m = {.type = PM_VFS_REPLY};
	struct pm_vfs_reply *reply = MSG(&m, pm_vfs_reply);

	reply->op = op;
	reply->ep = ep;
	reply->result = result;
	reply->seq = seq;
	(void)asyn_send(EP_PM, &m);
}

static void pm_exit(const struct vfs_pm_ep *req)
{
	struct thread *thread = thread_find(req->ep);

	if (thread) {
		if (req->flags & VFS_EXIT_LEADER) {
			tty_leader_exit(thread->proc);
		}
		proc_exit(thread);
	}
	pm_reply(VFS_PM_EXIT, req->ep, req->seq, 0);
}

static void pm_setids(const struct vfs_pm_setids *req)
{
	struct thread *thread = thread_find(req->ep);
	struct proc *proc;

	if (!thread) {
		return;
	}
	proc = thread->proc;
	if (req->sid != proc->sid) {
		proc->has_no_tty = false;
	}
	proc->pid = req->pid;
	proc->pgid = req->pgid;
	proc->sid = req->sid;
	proc->cred.uid = req->uid;
	proc->cred.euid = req->euid;
	proc->cred.suid = req->suid;
	proc->cred.fsuid = req->fsuid;
	proc->cred.gid = req->gid;
	proc->cred.egid = req->egid;
	proc->cred.sgid = req->sgid;
	proc->cred.fsgid = req->fsgid;
}

static void pm_groups(const struct vfs_pm_groups *req)
{
	struct thread *thread = thread_find(req->ep);

	if (!thread || req->count > VFS_GROUPS_MAX) {
		return;
	}
	thread->proc->cred.group_count = req->count;
	for (uint32_t i = 0; i < req->count; i++) {
		thread->proc->cred.groups[i] = req->groups[i];
	}
}

static void pm_rlimit(const struct vfs_pm_rlimit *req)
{
	struct thread *thread = thread_find(req->ep);

	if (!thread) {
		return;
	}
	if (req->which == RLIMIT_NOFILE_NR) {
		thread->proc->limit_nofile = req->cur;
		thread->proc->limit_nofile_max = req->max;
	} else if (req->which == RLIMIT_FSIZE_NR) {
		thread->proc->limit_fsize = req->cur;
	}
}

static void pm_cancel(const struct vfs_pm_ep *req)
{
	struct thread *thread = thread_find(req->ep);

	if (thread) {
		call_cancel(thread, req->seq);
	} else {
		pm_reply(VFS_PM_CANCEL, req->ep, req->seq, 0);
	}
}

static void pm_thread_exit(const struct vfs_pm_ep *req)
{
	struct thread *thread = thread_find(req->ep);

	if (thread) {
		thread_exit(thread);
	}
}

/* VFS_PM_SYNC and VFS_PM_UNMOUNT_ALL. */
static int64_t sync_worker(struct call *call)
{
	const struct vfs_pm_ep *req = REQ(&call->m, vfs_pm_ep);

	sync_all(call->m.type == VFS_PM_UNMOUNT_ALL);
	pm_reply(call->m.type, req->ep, req->seq, 0);
	return 0;
}

static void from_pm(const struct message *m)
{
	switch (m->type) {
	case VFS_PM_FORK:
		proc_fork(REQ(m, vfs_pm_fork));
		break;
	case VFS_PM_EXIT:
		pm_exit(REQ(m, vfs_pm_ep));
		break;
	case VFS_PM_THREAD_EXIT:
		pm_thread_exit(REQ(m, vfs_pm_ep));
		break;
	case VFS_PM_EXEC:
		exec_request(m);
		break;
	case VFS_PM_SETIDS:
		pm_setids(REQ(m, vfs_pm_setids));
		break;
	case VFS_PM_GROUPS:
		pm_groups(REQ(m, vfs_pm_groups));
		break;
	case VFS_PM_CANCEL:
		pm_cancel(REQ(m, vfs_pm_ep));
		break;
	case VFS_PM_JOBCTL_REPLY:
		(void)trans_answer(REQ(m, vfs_pm_jobctl_reply)->seq, m);
		break;
	case VFS_PM_SYNC:
	case VFS_PM_UNMOUNT_ALL:
		if (call_start_worker(m, NULL, sync_worker) < 0) {
			pm_reply(m->type, REQ(m, vfs_pm_ep)->ep, REQ(m, vfs_pm_ep)->seq, -ENOMEM);
		}
		break;
	case VFS_PM_RLIMIT:
		pm_rlimit(REQ(m, vfs_pm_rlimit));
		break;
	default:
		break;
	}
}

static void fs_recovered_by_rs(endpoint_t ep)
{
	struct superblock *sb = superblock_find_ep(ep);

	if (sb) {
		superblock_recovered(sb);
	}
}

static void from_rs(const struct message *m)
{
	switch (m->type) {
	case VFS_RS_MAPDRIVER:
		device_map(REQ(m, vfs_rs_mapdriver));
		break;
	case VFS_RS_FS_REPLY:
		(void)trans_answer(REQ(m, vfs_rs_fs_reply)->seq, m);
		break;
	case VFS_RS_DEAD:
		device_dead(REQ(m, vfs_rs_ep)->ep);
		break;
	case VFS_RS_RECOVERED:
		fs_recovered_by_rs(REQ(m, vfs_rs_ep)->ep);
		break;
	default:
		break;
	}
}

/* Answers of file systems, drivers and VM begin with the number of what they answer. */
static bool is_answer(const struct message *m)
{
	return (m->type >= FS_BASE_OP && m->type < PCI_BASE && (m->type & PROTO_REPLY)) ||
		m->type == (VM_MAKE_PRESENT | PROTO_REPLY);
}

/* Said for the first few only: who floods shall not slow the system down. */
static void note_unexpected(const struct message *m)
{
	if (vfs->unexpected_count++ < UNEXPECTED_MAX) {
		diag_printf("unexpected message %#x from %d", m->type, m->source);
	}
}

void request_handle(const struct message *m)
{
	if (is_answer(m)) {
		(void)trans_answer(m->u32[0], m);
	} else if (m->source == EP_PM) {
		from_pm(m);
	} else if (m->source == EP_RS) {
		from_rs(m);
	} else if (m->source == EP_VM && m->type == VFS_VM_REQUEST) {
		vmfile_request(m);
	} else if (m->type == VFS_CHR_READY) {
		chr_ready(m->source, REQ(m, vfs_chr_ready));
	} else if (m->type == VFS_GETINFO) {
		info_request(m);
	} else {
		note_unexpected(m);
	}
}
