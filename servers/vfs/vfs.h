/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual file system server's state. Everything that must survive stands here or hangs from
 * it, on the heap.
 *
 * State: the whole memory outlives a crash (crash.c); the heap outlives a live update to another
 * binary (update.c), so nothing in it points to code, to constants or to static data.
 */
#pragma once

#include "abi/endpoint.h"
#include "abi/message.h"
#include "lib/coro/coro.h"
#include "servers/vfs/call.h"
#include "servers/vfs/mount.h"
#include "servers/vfs/window.h"

struct thread;
struct proc;
struct vm_file;
struct walk;

#define VFS_TRANS_BUCKETS 256
#define VFS_VNODE_BUCKETS 1024
#define VFS_NAME_BUCKETS  2048
#define VFS_UNUSED_MAX    2048 /* unused vnodes kept */
#define VFS_NEGATIVE_MAX  1024 /* negative names kept */
#define VFS_WORKERS_MAX   1500 /* programs' calls in workers; others may go beyond */
#define VFS_SPARE_WALKS   8
#define VFS_MAJORS        512

struct vfs {
	/* proc.c */
	struct thread **threads; /* by slot of the endpoint; EP_SLOT_MAX of them */
	struct list procs;

	/* trans.c */
	struct list trans[VFS_TRANS_BUCKETS];
	uint32_t next_seq;

	/* call.c */
	struct list waiting_calls; /* for a worker */
	struct list active_calls;  /* in workers */
	struct call fast_call;     /* the one that is tried in the main loop; no handler: none */
	bool is_redo_known; /* after a crash: the next message may be of a call in progress */
	unsigned workers;

	/* update.c */
	bool is_resting;           /* before a live update: no call of a program is begun */
	struct list held_requests; /* of PM and VM, for afterwards */

	/* vnode.c, names.c */
	struct list vnodes[VFS_VNODE_BUCKETS];
	struct list unused_vnodes; /* oldest first */
	unsigned unused_count;
	struct list names[VFS_NAME_BUCKETS];
	struct list negative_names; /* oldest first */
	unsigned negative_count;
	unsigned name_count;

	/* mount.c */
	struct list superblocks;
	struct list mounts;
	struct mount *pipe_mount; /* VFS's own file system of unnamed pipes */
	uint64_t next_pipe_ino;
	struct mount *memfd_mount; /* memfd.c: hidden; NULL until the first such file */
	uint64_t next_memfd;
	struct superblock *lost; /* dead: inodes that their file system has lost; NULL: none yet */
	struct mount *root; /* the top of the tree; NULL until the boot file system is mounted */
	struct waitq root_wait;
	struct coro_mutex mount_lock;  /* changes of the tree */
	struct coro_mutex rename_lock; /* renames of directories */
	int32_t next_mount_id;
	uint32_t next_anonymous_minor;

	/* device.c: who serves which major number, EP_NONE: nobody */
	endpoint_t chr_majors[VFS_MAJORS], blk_majors[VFS_MAJORS];
	struct list chr_devices;
	struct list blk_devices;

	/* requests.c */
	unsigned unexpected_count;

	/* lock.c: who waits for whom */
	struct list lock_waits;

	/* tty.c */
	struct list ttys;

	/* timer.c */
	struct list timers; /* earliest first */
	uint64_t alarm_ns;  /* what the kernel's alarm is set to; 0: none */

	/* walk.c: memory of walks that have ended, so that the next need not ask VM for it */
	struct list walks; /* in progress */
	struct walk *spare_walks[VFS_SPARE_WALKS];
	unsigned spare_walk_count;

	/* datapath.c: VM's cached pages as VFS sees them */
	struct window window;
	bool is_window_refused; /* VM has no cache for VFS */

	/* vmfile.c */
	struct vm_file **vm_files;
	unsigned vm_file_count;

	/* random.c */
	uint64_t random_state[4];
	bool is_random_seeded; /* by the random device */

#ifdef VFS_NEXT
	/* vfs.c: the state of a version to come, which tests update to */
	uint32_t updated_from;
#endif
};

/* The version of all that hangs from the state: raised with each change of one of its structures. A
 * newer version's vfs_upgrade() brings older state to it. */
#ifdef VFS_NEXT
#ifndef VFS_STATE_VERSION /* a test forgets to raise it */
#define VFS_STATE_VERSION 2
#endif
int vfs_upgrade(void **root, uint32_t from_version);
#else
#define VFS_STATE_VERSION 1
#define vfs_upgrade       NULL
#endif

extern struct vfs *vfs;

/* A new state: lists empty, tables allocated. -ENOMEM. */
int vfs_init(void);
/* One message from the main loop: handled or handed to a worker. */
void vfs_handle(struct message *m, uint32_t status);
