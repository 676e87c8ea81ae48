/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/vfs.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/sys/ipc.h"
#include "lib/sys/sef.h"
#include "lib/undo/undo.h"
#include "servers/vfs/call.h"
#include "servers/vfs/epoll.h"
#include "servers/vfs/requests.h"
#include "servers/vfs/timer.h"
#include "servers/vfs/update.h"
#include "servers/vfs/vnode.h"

struct vfs *vfs UNDO_STATIC;

/* The file system of unnamed pipes: VFS's own, nowhere in the tree. */
static int pipe_fs_init(void)
{
	struct fs_node attributes = {.ino = 1, .mode = S_IFDIR | 0555, .nlink = 1};
	struct superblock *sb =
		superblock_new(EP_NONE, superblock_anonymous_dev(), "pipefs", "pipe");
	struct vnode *root;

	if (!sb) {
		return -ENOMEM;
	}
	sb->is_internal = true;
	sb->is_nocache = true;
	sb->is_memory = true;
	root = vnode_from_reply(sb, &attributes);
	if (!root) {
		return -ENOMEM;
	}
	vfs->next_pipe_ino = root->ino;
	vfs->pipe_mount = mount_new(sb, root, 0, "pipe");
	vnode_put(root);
	if (!vfs->pipe_mount) {
		return -ENOMEM;
	}
	mount_attach(vfs->pipe_mount, NULL);
	return 0;
}

/* All lists whose heads are in the state. */
static void each_list(void (*fn)(struct list *head, void *arg), void *arg)
{
	struct list *single[] = {&vfs->procs, &vfs->waiting_calls, &vfs->active_calls,
		&vfs->held_requests, &vfs->walks, &vfs->unused_vnodes, &vfs->negative_names,
		&vfs->superblocks, &vfs->mounts, &vfs->chr_devices, &vfs->blk_devices,
		&vfs->lock_waits, &vfs->ttys, &vfs->timers};

	for (unsigned i = 0; i < ARRAY_LEN(single); i++) {
		fn(single[i], arg);
	}
	for (unsigned i = 0; i < VFS_TRANS_BUCKETS; i++) {
		fn(&vfs->trans[i], arg);
	}
	for (unsigned i = 0; i < VFS_VNODE_BUCKETS; i++) {
		fn(&vfs->vnodes[i], arg);
	}
	for (unsigned i = 0; i < VFS_NAME_BUCKETS; i++) {
		fn(&vfs->names[i], arg);
	}
}

static void init_list(struct list *head, void *arg)
{
	list_init(head);
}

/* Nobody waits for them, nobody has them. */
static void init_locks(void)
{
	waitq_init(&vfs->root_wait);
	coro_mutex_init(&vfs->mount_lock);
	coro_mutex_init(&vfs->rename_lock);
}

int vfs_init(void)
{
	vfs = calloc(1, sizeof(*vfs));
	if (!vfs) {
		return -ENOMEM;
	}
	waitq_on_watch(epoll_notify);
	vfs->threads = calloc(EP_SLOT_MAX, sizeof(struct thread *));
	if (!vfs->threads) {
		return -ENOMEM;
	}
	each_list(init_list, NULL);
	init_locks();
	for (unsigned i = 0; i < VFS_MAJORS; i++) {
		vfs->chr_majors[i] = EP_NONE;
		vfs->blk_majors[i] = EP_NONE;
	}
	return pipe_fs_init();
}

#ifdef VFS_NEXT
/* The elements of the list whose head stands at the same place of the old state (arg). */
static void list_take_over(struct list *head, void *arg)
{
	size_t offset = (size_t)((char *)head - (char *)vfs);

	list_init(head);
	list_splice_tail(head, (struct list *)(void *)((char *)arg + offset));
}

/* Version 1 ends before `updated_from`. */
int vfs_upgrade(void **root, uint32_t from_version)
{
	struct vfs *old = *root;

	if (from_version != 1) {
		return -EPROTO;
	}
	vfs = calloc(1, sizeof(*vfs));
	if (!vfs) {
		return -ENOMEM;
	}
	memcpy(vfs, old, offsetof(struct vfs, updated_from));
	each_list(list_take_over, old);
	init_locks();
	vfs->updated_from = from_version;
	free(old);
	*root = vfs;
	return 0;
}
#endif

void vfs_handle(struct message *m, uint32_t status)
{
	undo_open(UNDO_MAIN_STACK, sef_served);
	if (IS_NOTIFY(m)) {
		if (m->source == EP_CLOCK) {
			timer_alarm(m->notify.timestamp_ns);
		}
	} else if (IS_LINUX_CALL(m->type)) {
		call_dispatch(m);
	} else {
		if (!update_holds(m)) {
			request_handle(m);
		}
		if (status & IPC_STATUS_SENDREC) {
			/* The protocol has no synchronous requests: nobody shall wait for ever. */
			struct message reply = {0};

			ipc_reply(m->source, &reply, -ENOSYS);
		}
	}
	vfs->is_redo_known = false;
	undo_commit();
	coro_run();
}
