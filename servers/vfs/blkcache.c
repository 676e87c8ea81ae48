/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariants: 1. blk->node is of the superblock that caches the device's pages, or NULL; 2. that is
 * blk->own exactly when no file system is mounted on the device; 3. both change under
 * vfs->mount_lock only.
 */
#include "servers/vfs/blkcache.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/sys/diag.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/mountcalls.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

struct blk_device *blkcache_find(uint64_t dev)
{
	list_for_each(blk, &vfs->blk_devices, struct blk_device, link)
	{
		if (blk->dev == dev) {
			return blk;
		}
	}
	return NULL;
}

struct vnode *blkcache_peek(const struct blk_device *blk)
{
	return blk->node && !blk->node->sb->is_dead ? blk->node : NULL;
}

/* The process of its own ends; what it could not write is lost, as it is told. */
static void end_own(struct blk_device *blk)
{
	struct superblock *sb = blk->own;
	int r;

	if (!sb) {
		return;
	}
	blk->own = NULL;
	(void)vnode_flush(sb);
	r = sb->is_dead ? 0 : fs_unmount(sb);
	if (r < 0) {
		diag_printf("%s: not all could be written back: %d", sb->source, r);
	}
	superblock_free(sb);
}

/* No pages any more. -EBUSY: somebody uses them. */
static int let_go(struct blk_device *blk)
{
	struct vnode *node = blk->node;

	if (node && node->refs > 1 && !node->sb->is_dead) {
		return -EBUSY;
	}
	blk->node = NULL;
	if (node) {
		vnode_put(node);
	}
	end_own(blk);
	return 0;
}

static int start(struct blk_device *blk)
{
	const struct fs_node attributes = {
		.ino = 0, .size = blk->bytes, .mode = S_IFREG | 0600, .nlink = 1};
	struct superblock *sb;
	int r = let_go(blk);

	if (r < 0) {
		return r;
	}
	sb = superblock_find_dev(blk->dev);
	if (sb) {
		blk->node = vnode_from_reply(sb, &attributes);
		return blk->node ? 0 : -ENOMEM;
	}
	r = mount_block_cache(blk->dev, &blk->node);
	if (r == 0) {
		blk->own = blk->node->sb;
	}
	return r;
}

int blkcache_get(struct blk_device *blk, struct vnode **node)
{
	int r = 0;

	if (!blkcache_peek(blk)) {
		coro_mutex_lock(&vfs->mount_lock);
		r = blkcache_peek(blk) ? 0 : start(blk);
		coro_mutex_unlock(&vfs->mount_lock);
	}
	if (r == 0) {
		*node = blk->node;
		vnode_get(*node);
	}
	return r;
}

int blkcache_end(struct blk_device *blk)
{
	int r = 0;

	coro_mutex_lock(&vfs->mount_lock);
	if (blk->own) {
		r = fs_sync(blk->own);
		r = r < 0 ? r : let_go(blk);
	}
	coro_mutex_unlock(&vfs->mount_lock);
	return r;
}

int blkcache_make_way(uint64_t dev)
{
	struct blk_device *blk = blkcache_find(dev);

	if (!blk) {
		return 0;
	}
	return blk->writers > 0 ? -EBUSY : let_go(blk);
}

int blkcache_leave(const struct superblock *sb)
{
	struct blk_device *blk = blkcache_find(sb->dev);

	return blk && blk->node && blk->node->sb == sb ? let_go(blk) : 0;
}

static int64_t end_worker(struct call *call)
{
	struct blk_device *blk;

	coro_mutex_lock(&vfs->mount_lock);
	blk = blkcache_find(call->m.u64[0]);
	if (blk && blk->refs == 0 && let_go(blk) == 0 && blk->refs == 0) {
		list_remove(&blk->link);
		free(blk);
	}
	coro_mutex_unlock(&vfs->mount_lock);
	return 0;
}

void blkcache_unused(uint64_t dev)
{
	const struct blk_device *blk = blkcache_find(dev);
	struct message m = {0};

	if (!blk || blk->refs > 0) {
		return;
	}
	m.u64[0] = dev;
	/* Without memory for it the device stays as it is until it is used again. */
	(void)call_start_worker(&m, NULL, end_worker);
}
