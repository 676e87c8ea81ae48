/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariants: 1. an attached mount has a parent unless it is vfs->root; 2. mountpoint->mounts_here
 * counts the attached mounts that cover it (in whatever parent); 3. a superblock's `mounts` counts
 * its mounts, attached or not.
 */
#include "servers/vfs/mount.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "lib/sys/asyn.h"
#include "abi/errno.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "proto/rs.h"
#include "proto/vm.h"
#include "servers/vfs/blkcache.h"
#include "servers/vfs/call.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/trans.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

void path_get(const struct path *path)
{
	if (path->node) {
		vnode_get(path->node);
		path->mount->refs++;
	}
}

/* The last use of a mount that was taken out of the tree (MNT_DETACH) ends it. */
static int64_t destroy_worker(struct call *call)
{
	coro_mutex_lock(&vfs->mount_lock);
	/* Looked for, because the request may be done twice. */
	list_for_each(mount, &vfs->mounts, struct mount, link)
	{
		if ((uint64_t)(uintptr_t)mount == call->m.u64[0]) {
			mount_destroy(mount);
			break;
		}
	}
	coro_mutex_unlock(&vfs->mount_lock);
	return 0;
}

static void mount_unref(struct mount *mount)
{
	struct message m = {0};

	assert(mount->refs > 0);
	if (--mount->refs > 0 || mount->is_attached) {
		return;
	}
	m.u64[0] = (uint64_t)(uintptr_t)mount;
	if (call_start_worker(&m, NULL, destroy_worker) < 0) {
		diag_printf("no memory to unmount a detached file system");
	}
}

void path_put(struct path *path)
{
	struct mount *mount = path->mount;

	if (path->node) {
		vnode_put(path->node);
		path->node = NULL;
		path->mount = NULL;
		mount_unref(mount);
	}
}

struct mount *mount_at(const struct path *path)
{
	if (path->node->mounts_here == 0) {
		return NULL;
	}
	list_for_each(mount, &vfs->mounts, struct mount, link)
	{
		if (mount->parent == path->mount && mount->mountpoint == path->node) {
			return mount;
		}
	}
	return NULL;
}

void mount_cross_down(struct path *path)
{
	struct mount *mount;

	while ((mount = mount_at(path)) != NULL) {
		struct path below = {mount, mount->root};

		path_get(&below);
		path_put(path);
		*path = below;
	}
}

bool mount_cross_up(struct path *path)
{
	struct path above = {path->mount->parent, path->mount->mountpoint};

	if (!above.mount) {
		return false;
	}
	path_get(&above);
	path_put(path);
	*path = above;
	return true;
}

bool mount_is_readonly(const struct mount *mount)
{
	return (mount->flags & MS_RDONLY) || mount->sb->is_readonly;
}

struct mount *mount_new(
	struct superblock *sb, struct vnode *root, uint64_t flags, const char *source)
{
	struct mount *mount = calloc(1, sizeof(*mount));

	if (!mount) {
		return NULL;
	}
	mount->sb = sb;
	mount->root = root;
	vnode_get(root);
	mount->flags = flags;
	mount->id = ++vfs->next_mount_id;
	(void)snprintf(mount->source, sizeof(mount->source), "%s", source);
	sb->mounts++;
	list_add_tail(&vfs->mounts, &mount->link);
	return mount;
}

void mount_attach(struct mount *mount, const struct path *place)
{
	mount->is_attached = true;
	mount->parent = place ? place->mount : NULL;
	mount->mountpoint = place ? place->node : NULL;
	if (place) {
		vnode_get(place->node);
		place->node->mounts_here++;
	}
}

void mount_detach(struct mount *mount)
{
	struct vnode *place = mount->mountpoint;

	mount->is_attached = false;
	mount->parent = NULL;
	mount->mountpoint = NULL;
	if (place) {
		place->mounts_here--;
		vnode_put(place);
	}
}

void mount_destroy(struct mount *mount)
{
	struct superblock *sb = mount->sb;

	assert(!mount->is_attached);
	list_remove(&mount->link);
	vnode_put(mount->root);
	free(mount);
	if (--sb->mounts == 0) {
		int r;

		(void)blkcache_leave(sb);
		(void)vnode_flush(sb);
		r = fs_unmount(sb);
		if (r < 0) {
			diag_printf("%s: unmount failed: %d", sb->source, r);
		}
		superblock_free(sb);
	}
}

uint64_t superblock_anonymous_dev(void)
{
	return dev_make(0, ++vfs->next_anonymous_minor);
}

struct superblock *superblock_new(endpoint_t ep, uint64_t dev, const char *type, const char *source)
{
	struct superblock *sb = calloc(1, sizeof(*sb));

	if (!sb) {
		return NULL;
	}
	sb->ep = ep;
	sb->dev = dev;
	(void)snprintf(sb->type, sizeof(sb->type), "%s", type);
	(void)snprintf(sb->source, sizeof(sb->source), "%s", source);
	waitq_init(&sb->recover_wait);
	list_add_tail(&vfs->superblocks, &sb->link);
	return sb;
}

struct superblock *superblock_find_dev(uint64_t dev)
{
	list_for_each(sb, &vfs->superblocks, struct superblock, link)
	{
		if (sb->dev == dev && !sb->is_dead) {
			return sb;
		}
	}
	return NULL;
}

struct superblock *superblock_find_ep(endpoint_t ep)
{
	list_for_each(sb, &vfs->superblocks, struct superblock, link)
	{
		if (sb->ep == ep) {
			return sb;
		}
	}
	return NULL;
}

/* VM learns whose cache the pages of the device are, or that they may go. */
static int cache_bind(int op, const struct superblock *sb)
{
	struct message m = {.type = op};
	struct vm_cache_bind_req *req = MSG(&m, vm_cache_bind_req);

	req->dev = sb->dev;
	req->ep = sb->ep;
	return ipc_call(EP_VM, &m);
}

/* What a file system that died has left in VM is nothing for the next one on the device. */
static void unbind_dead(uint64_t dev)
{
	list_for_each(sb, &vfs->superblocks, struct superblock, link)
	{
		if (sb->dev == dev && sb->is_dead && sb->is_bound) {
			sb->is_bound = sb->has_peek = false;
			(void)cache_bind(VM_CACHE_UNBIND, sb);
		}
	}
}

/* The volume is no longer used: RS may let its process go. */
void superblock_free(struct superblock *sb)
{
	struct message m = {.type = RS_FS_STOP};

	MSG(&m, rs_ep)->ep = sb->ep;
	if (!sb->is_dead) {
		(void)asyn_send(EP_RS, &m);
	}
	/* Whoever still holds one of its vnodes (none does after a clean unmount) keeps the memory.
	 */
	sb->is_dead = true;
	list_remove(&sb->link);
	if (sb->is_bound) {
		(void)cache_bind(VM_CACHE_UNBIND, sb);
	}
	if (vnode_flush(sb) == 0) {
		free(sb->data);
		free(sb);
	}
}

int superblock_start(struct superblock *sb, endpoint_t driver, uint32_t fs_flags, const char *data,
	struct vnode **root)
{
	struct fs_mount_rep rep;
	int r;

	if (data && data[0] != '\0') {
		sb->data = strdup(data);
		if (!sb->data) {
			return -ENOMEM;
		}
	}
	unbind_dead(sb->dev);
	/* A file system without files of its own (proc) has no use for it, and does not need it. */
	sb->is_bound = cache_bind(VM_CACHE_BIND, sb) == 0;
	r = fs_mount(sb, driver, fs_flags, data, &rep);
	if (r < 0) {
		return r == -ERESTARTED ? -EIO : r;
	}
	sb->is_mounted = true;
	sb->is_readonly = rep.flags & FS_FLAG_RDONLY;
	sb->is_nocache = rep.flags & FS_FLAG_NOCACHE;
	sb->is_memory = rep.flags & FS_FLAG_MEMORY;
	sb->has_peek = sb->is_bound && (rep.flags & FS_FLAG_PEEK);
	*root = vnode_from_reply(sb, &rep.root);
	return *root ? 0 : -ENOMEM;
}

int64_t mount_boot_root(struct call *call)
{
	struct superblock *sb = superblock_new(EP_BOOTFS, dev_make(1, 0), "ext2", "/dev/ram0");
	struct vnode *root;
	int r = sb ? superblock_start(sb, EP_MEMORY, FS_MOUNT_ROOT, NULL, &root) : -ENOMEM;

	if (r < 0) {
		diag_panic("cannot mount the boot ramdisk: %d", r);
	}
	vfs->root = mount_new(sb, root, sb->is_readonly ? MS_RDONLY : 0, sb->source);
	if (!vfs->root) {
		diag_panic("no memory for the root mount");
	}
	vnode_put(root);
	mount_attach(vfs->root, NULL);
	waitq_wake_all(&vfs->root_wait);
	(void)call;
	return 0;
}
