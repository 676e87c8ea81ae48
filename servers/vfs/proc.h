/* SPDX-License-Identifier: BSD-2-Clause */
/* What VFS knows of processes and threads; PM tells it (proto/vfs.h). */
#pragma once

#include "lib/coro/coro.h"
#include "proto/vfs.h"
#include "servers/vfs/mount.h"

struct call;
struct fd_table;

struct cred {
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	uint32_t group_count;
	uint32_t groups[VFS_GROUPS_MAX];
};

/* Root, working directory and umask: shared by CLONE_FS. */
struct fs_context {
	unsigned refs;
	struct path root, cwd; /* no node: the root file system is not there yet */
	uint32_t umask;
};

struct proc {
	struct list link;
	struct list threads;
	unsigned refs; /* 1 while it lives, 1 for each call in progress */
	int32_t pid, pgid, sid;
	bool is_exiting;
	bool has_no_tty; /* gave its controlling terminal up (TIOCNOTTY) */
	struct cred cred;
	struct fd_table *fds;
	struct fs_context *fs;
	struct path exe; /* may have no node */
	uint64_t limit_nofile, limit_nofile_max, limit_fsize;
	vaddr_t arg_start, arg_end, env_start, env_end;
	uint64_t read_bytes, write_bytes, read_calls, write_calls;
};

struct thread {
	struct list link; /* in proc->threads */
	endpoint_t ep;
	int32_t tid;
	struct proc *proc;
	struct call *call; /* in progress */
	bool is_cancel_asked;
	uint32_t cancel_seq;
};

struct thread *thread_find(endpoint_t ep);
struct proc *proc_find(int32_t pid);
void proc_unref(struct proc *proc);

/* The first process, without parent. */
void proc_create_init(endpoint_t ep);
void proc_fork(const struct vfs_pm_fork *req);
/* All of a process's files are closed; calls in progress get no answer. */
void proc_exit(struct thread *thread);
void thread_exit(struct thread *thread);
/* Before exec: the only thread left, and a descriptor table and directories of its own. -ENOMEM. */
int proc_unshare_files(struct proc *proc);

/* Whether gid is the file-system group or among the supplementary ones. */
bool cred_in_group(const struct cred *cred, uint32_t gid);

void fs_context_unref(struct fs_context *fs);
