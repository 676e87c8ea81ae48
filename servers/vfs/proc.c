/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/proc.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/tty.h"
#include "servers/vfs/vfs.h"

#define NOFILE_SOFT 1024
#define NOFILE_HARD 4096

struct thread *thread_find(endpoint_t ep)
{
	struct thread *thread;

	if (ep < 0 || EP_SLOT(ep) >= EP_SLOT_MAX) {
		return NULL;
	}
	thread = vfs->threads[EP_SLOT(ep)];
	return thread && thread->ep == ep ? thread : NULL;
}

struct proc *proc_find(int32_t pid)
{
	list_for_each(proc, &vfs->procs, struct proc, link)
	{
		if (proc->pid == pid && !proc->is_exiting) {
			return proc;
		}
	}
	return NULL;
}

static struct fs_context *fs_context_copy(const struct fs_context *from)
{
	struct fs_context *fs = calloc(1, sizeof(*fs));

	if (!fs) {
		return NULL;
	}
	fs->refs = 1;
	fs->umask = 022;
	if (from) {
		fs->root = from->root;
		fs->cwd = from->cwd;
		fs->umask = from->umask;
		path_get(&fs->root);
		path_get(&fs->cwd);
	}
	return fs;
}

void fs_context_unref(struct fs_context *fs)
{
	if (fs && --fs->refs == 0) {
		path_put(&fs->root);
		path_put(&fs->cwd);
		free(fs);
	}
}

void proc_unref(struct proc *proc)
{
	assert(proc->refs > 0);
	if (--proc->refs > 0) {
		return;
	}
	list_remove(&proc->link);
	fd_table_unref(proc->fds);
	fs_context_unref(proc->fs);
	path_put(&proc->exe);
	free(proc);
}

static struct thread *thread_new(struct proc *proc, endpoint_t ep)
{
	struct thread *thread;
	struct proc_ids ids = {0};

	if (ep < 0 || EP_SLOT(ep) >= EP_SLOT_MAX) {
		return NULL;
	}
	thread = calloc(1, sizeof(*thread));
	if (!thread) {
		return NULL;
	}
	thread->ep = ep;
	thread->proc = proc;
	thread->tid = sys_getinfo(GETINFO_IDS, &ids, sizeof(ids), ep) >= 0 && ids.tid > 0
		? ids.tid
		: proc->pid;
	list_add_tail(&proc->threads, &thread->link);
	vfs->threads[EP_SLOT(ep)] = thread;
	return thread;
}

static void thread_free(struct thread *thread)
{
	call_forget(thread);
	vfs->threads[EP_SLOT(thread->ep)] = NULL;
	list_remove(&thread->link);
	free(thread);
}

static struct proc *proc_new(int32_t pid)
{
	struct proc *proc = calloc(1, sizeof(*proc));

	if (!proc) {
		return NULL;
	}
	list_init(&proc->threads);
	proc->refs = 1;
	proc->pid = pid;
	proc->limit_nofile = NOFILE_SOFT;
	proc->limit_nofile_max = NOFILE_HARD;
	proc->limit_fsize = UINT64_MAX;
	list_add_tail(&vfs->procs, &proc->link);
	return proc;
}

void proc_create_init(endpoint_t ep)
{
	struct proc *proc = proc_new(1);

	if (!proc) {
		diag_panic("no memory for the first process");
	}
	proc->pgid = 1;
	proc->sid = 1;
	proc->fds = fd_table_new();
	proc->fs = fs_context_copy(NULL);
	if (!proc->fds || !proc->fs || !thread_new(proc, ep)) {
		diag_panic("no memory for the first process");
	}
}

static struct proc *proc_copy(const struct proc *parent, int32_t pid, uint32_t flags)
{
	struct proc *proc = proc_new(pid);

	if (!proc) {
		return NULL;
	}
	proc->pgid = parent->pgid;
	proc->sid = parent->sid;
	proc->has_no_tty = parent->has_no_tty;
	proc->cred = parent->cred;
	proc->exe = parent->exe;
	path_get(&proc->exe);
	proc->limit_nofile = parent->limit_nofile;
	proc->limit_nofile_max = parent->limit_nofile_max;
	proc->limit_fsize = parent->limit_fsize;
	proc->arg_start = parent->arg_start;
	proc->arg_end = parent->arg_end;
	proc->env_start = parent->env_start;
	proc->env_end = parent->env_end;
	if (flags & VFS_FORK_FILES) {
		proc->fds = parent->fds;
		proc->fds->refs++;
	} else {
		proc->fds = fd_table_copy(parent->fds);
	}
	if (flags & VFS_FORK_FS) {
		proc->fs = parent->fs;
		proc->fs->refs++;
	} else {
		proc->fs = fs_context_copy(parent->fs);
	}
	if (!proc->fds || !proc->fs) {
		proc_unref(proc);
		return NULL;
	}
	return proc;
}

void proc_fork(const struct vfs_pm_fork *req)
{
	struct thread *parent = thread_find(req->parent), *thread;
	struct proc *proc;

	if (!parent || thread_find(req->child)) {
		return;
	}
	if (req->flags & VFS_FORK_THREAD) {
		(void)thread_new(parent->proc, req->child);
		return;
	}
	proc = proc_copy(parent->proc, req->pid, req->flags);
	if (!proc) {
		diag_printf("no memory for process %d: it will have no files", req->pid);
		return;
	}
	thread = thread_new(proc, req->child);
	if (!thread) {
		proc_unref(proc);
	}
}

void thread_exit(struct thread *thread)
{
	thread_free(thread);
}

void proc_exit(struct thread *thread)
{
	struct proc *proc = thread->proc;

	proc->is_exiting = true;
	list_for_each_safe(other, &proc->threads, struct thread, link)
	{
		thread_free(other);
	}
	if (proc->fds->refs == 1) {
		fd_table_close_all(proc->fds);
	} else {
		/* A table shared with others goes on without this process. */
		struct fd_table *own = fd_table_new();

		if (own) {
			fd_table_unref(proc->fds);
			proc->fds = own;
		}
	}
	path_put(&proc->exe);
	proc_unref(proc);
}

int proc_unshare_files(struct proc *proc)
{
	if (proc->fds->refs > 1) {
		struct fd_table *table = fd_table_copy(proc->fds);

		if (!table) {
			return -ENOMEM;
		}
		fd_table_unref(proc->fds);
		proc->fds = table;
	}
	return 0;
}
