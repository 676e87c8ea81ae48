/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file system whose process died and was replaced under the same endpoint. Its cached pages,
 * changed ones too, are in VM and its inodes' references are VFS's: the new process mounts the
 * volume over them, is told what VFS holds, and gets again what the old one did not answer.
 * Requests wait meanwhile; programs notice nothing but the time.
 *
 * Order: the new process answers nothing before FS_MOUNT, so what was queued for the old one is
 * lost or repeated, never answered wrongly.
 */
#include <errno.h>

#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "proto/rs.h"
#include "servers/vfs/call.h"
#include "servers/vfs/device.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/trans.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

/* A vnode of the superblock that the new process does not know yet, or NULL. */
static struct vnode *find_unbound(const struct superblock *sb)
{
	for (unsigned i = 0; i < VFS_VNODE_BUCKETS; i++) {
		list_for_each(node, &vfs->vnodes[i], struct vnode, hash)
		{
			if (node->sb == sb && node->recover_count != sb->recover_count) {
				return node;
			}
		}
	}
	return NULL;
}

/* One try: 0, -ERESTARTED (it died again), or why it cannot be. */
static int recover(struct superblock *sb)
{
	endpoint_t driver = sb->is_memory ? EP_NONE : device_blk_driver(sb->dev);
	struct fs_mount_rep rep;
	struct vnode *node;
	int r;

	sb->recover_count++;
	r = fs_mount(sb, driver, FS_MOUNT_RECOVER | (sb->is_readonly ? FS_MOUNT_RDONLY : 0),
		sb->data, &rep);
	while (r == 0 && (node = find_unbound(sb)) != NULL) {
		node->recover_count = sb->recover_count;
		vnode_get(node);
		r = fs_rebind(node);
		if (r < 0 && r != -ERESTARTED) {
			diag_printf("%s: inode %lu is lost: %d", sb->source,
				(unsigned long)node->ino, r);
			r = vnode_lose(node);
		}
		vnode_put(node);
	}
	return r < 0 ? r : fs_recovered(sb);
}

/* Worker: the superblock's address is the message's first word. */
static int64_t recover_worker(struct call *call)
{
	struct superblock *sb = (struct superblock *)call->m.u64[0];
	int r;

	do {
		r = recover(sb);
	} while (r == -ERESTARTED && !sb->is_dead);
	if (r < 0 && !sb->is_dead) {
		struct message m = {.type = RS_FS_STOP};

		diag_printf("%s: cannot be recovered: %d", sb->source, r);
		MSG(&m, rs_ep)->ep = sb->ep;
		(void)asyn_send(EP_RS, &m);
		superblock_dead(sb);
	}
	sb->is_recovering = false;
	waitq_wake_all(&sb->recover_wait);
	return 0;
}

void superblock_recovered(struct superblock *sb)
{
	struct message m = {0};
	bool was_recovering = sb->is_recovering;

	if (!sb->is_mounted) {
		/* It died as it was mounted: that is mount(2)'s error. */
		trans_fail(sb->ep, -EIO);
		return;
	}
	sb->is_recovering = true;
	trans_fail(sb->ep, -ERESTARTED);
	m.u64[0] = (uint64_t)(uintptr_t)sb;
	if (!was_recovering && call_start_worker(&m, NULL, recover_worker) < 0) {
		superblock_dead(sb);
		sb->is_recovering = false;
		waitq_wake_all(&sb->recover_wait);
	}
}

void superblock_dead(struct superblock *sb)
{
	sb->is_dead = true;
	trans_fail(sb->ep, -EIO);
}
