/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/vfs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/sys/ipc.h"
#include "servers/vfs/call.h"
#include "servers/vfs/epoll.h"
#include "servers/vfs/requests.h"
#include "servers/vfs/timer.h"
#include "servers/vfs/update.h"
#include "servers/vfs/vnode.h"

struct vfs *vfs;

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
	list_init(&vfs->procs);
	for (unsigned i = 0; i < VFS_TRANS_BUCKETS; i++) {
		list_init(&vfs->trans[i]);
	}
	list_init(&vfs->waiting_calls);
	list_init(&vfs->active_calls);
	list_init(&vfs->held_requests);
	list_init(&vfs->walks);
	for (unsigned i = 0; i < VFS_VNODE_BUCKETS; i++) {
		list_init(&vfs->vnodes[i]);
	}
	list_init(&vfs->unused_vnodes);
	for (unsigned i = 0; i < VFS_NAME_BUCKETS; i++) {
		list_init(&vfs->names[i]);
	}
	list_init(&vfs->negative_names);
	list_init(&vfs->superblocks);
	list_init(&vfs->mounts);
	waitq_init(&vfs->root_wait);
	coro_mutex_init(&vfs->mount_lock);
	coro_mutex_init(&vfs->rename_lock);
	for (unsigned i = 0; i < VFS_MAJORS; i++) {
		vfs->chr_majors[i] = EP_NONE;
		vfs->blk_majors[i] = EP_NONE;
	}
	list_init(&vfs->chr_devices);
	list_init(&vfs->blk_devices);
	list_init(&vfs->lock_waits);
	list_init(&vfs->ttys);
	list_init(&vfs->timers);
	return pipe_fs_init();
}

void vfs_handle(struct message *m, uint32_t status)
{
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
	coro_run();
}
