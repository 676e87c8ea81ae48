/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/mountcalls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "lib/sys/asyn.h"
#include "proto/rs.h"
#include "servers/vfs/access.h"
#include "servers/vfs/blkcache.h"
#include "servers/vfs/call.h"
#include "servers/vfs/device.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/names.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/trans.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

#define TEXT_MAX 4096
#define MOUNT_FLAGS \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)
#define PROPAGATION  (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define UMOUNT_FLAGS (1 | 2 | 4 | 8)

/* The arguments, copied in. */
struct mount_args {
	char source[TEXT_MAX], type[TEXT_MAX], data[TEXT_MAX];
	uint64_t flags;
};

/* Linux's names of types and the templates that RS knows. */
static const struct {
	const char *name, *fs;
	bool has_device;
} fs_types[] = {
	{"ext2", "ext2", true},
	{"tmpfs", "tmp", false},
	{"proc", "proc", false},
};

static int import_text(struct call *call, char *to, vaddr_t from)
{
	int64_t r;

	to[0] = '\0';
	if (from == 0) {
		return 0;
	}
	r = user_string(call, to, from, TEXT_MAX);
	return r == -ENAMETOOLONG ? -EINVAL : r < 0 ? (int)r : 0;
}

/* A process of a file-system type from RS. */
static int start_fs(const char *type, const char *source, endpoint_t *ep)
{
	struct message m = {.type = RS_FS_START}, answer;
	struct rs_fs_start *req = MSG(&m, rs_fs_start);
	const char *base = strrchr(source, '/');
	struct trans trans;
	int r;

	trans_begin(&trans, EP_RS, &answer);
	req->seq = trans.seq;
	snprintf(req->type, sizeof(req->type), "%s", type);
	if (base && base[1] != '\0') {
		snprintf(req->label, sizeof(req->label), "%.8s.%.14s", type, base + 1);
	} else {
		snprintf(req->label, sizeof(req->label), "%.8s.%d", type, vfs->next_mount_id + 1);
	}
	trans_send(&trans, &m);
	r = trans_wait(&trans);
	if (r < 0) {
		return -EIO;
	}
	*ep = MSG(&answer, vfs_rs_fs_reply)->ep;
	return MSG(&answer, vfs_rs_fs_reply)->result;
}

/* The block device that a source names. */
static int source_device(struct call *call, const char *source, uint64_t *dev)
{
	struct path path;
	int r = walk_path(call, AT_FDCWD, source, WALK_FOLLOW, &path);

	if (r < 0) {
		return r;
	}
	if (!S_ISBLK(path.node->mode)) {
		r = -ENOTBLK;
	} else if (path.mount->flags & MS_NODEV) {
		r = -EACCES;
	} else {
		*dev = path.node->rdev;
	}
	path_put(&path);
	return r;
}

/* A new superblock with its process; *root is its root. */
static int new_superblock(const char *name, const char *fs, const struct mount_args *args,
	uint64_t dev, endpoint_t driver, struct vnode **root)
{
	struct superblock *sb;
	endpoint_t ep;
	int r = start_fs(fs, args->source, &ep);

	if (r < 0) {
		return r;
	}
	sb = superblock_new(ep, dev, name, args->source);
	if (!sb) {
		struct message m = {.type = RS_FS_STOP};

		MSG(&m, rs_ep)->ep = ep;
		(void)asyn_send(EP_RS, &m);
		return -ENOMEM;
	}
	r = superblock_start(
		sb, driver, args->flags & MS_RDONLY ? FS_MOUNT_RDONLY : 0, args->data, root);
	if (r < 0) {
		superblock_free(sb);
	}
	return r;
}

int mount_hidden_tmp(struct vnode **root)
{
	struct mount_args *args = calloc(1, sizeof(*args));
	int r;

	if (!args) {
		return -ENOMEM;
	}
	memcpy(args->source, "memfd", sizeof("memfd"));
	r = new_superblock("tmpfs", "tmp", args, superblock_anonymous_dev(), EP_NONE, root);
	free(args);
	return r;
}

int mount_block_cache(uint64_t dev, struct vnode **node)
{
	struct mount_args *args;
	int r;

	if (device_blk_driver(dev) == EP_NONE) {
		return -ENXIO;
	}
	args = calloc(1, sizeof(*args));
	if (!args) {
		return -ENOMEM;
	}
	snprintf(args->source, sizeof(args->source), "dev%u.%u", dev_major(dev), dev_minor(dev));
	r = new_superblock("block", "block", args, dev, device_blk_driver(dev), node);
	free(args);
	return r;
}

static int find_or_start(struct call *call, const struct mount_args *args, struct vnode **root)
{
	for (unsigned i = 0; i < ARRAY_LEN(fs_types); i++) {
		endpoint_t driver = EP_NONE;
		struct superblock *sb;
		uint64_t dev = 0;
		int r;

		if (strcmp(args->type, fs_types[i].name) != 0) {
			continue;
		}
		if (!fs_types[i].has_device) {
			return new_superblock(fs_types[i].name, fs_types[i].fs, args,
				superblock_anonymous_dev(), driver, root);
		}
		r = source_device(call, args->source, &dev);
		if (r < 0) {
			return r;
		}
		driver = device_blk_driver(dev);
		if (driver == EP_NONE) {
			return -ENXIO;
		}
		sb = superblock_find_dev(dev);
		if (!sb || sb->mounts == 0) {
			r = blkcache_make_way(dev);
			if (r < 0) {
				return r;
			}
			sb = superblock_find_dev(dev);
		}
		if (sb) {
			/* One volume, one process: it is shown once more. */
			list_for_each(mount, &vfs->mounts, struct mount, link)
			{
				if (mount->sb == sb && !name_of(mount->root)) {
					*root = mount->root;
					vnode_get(*root);
					return 0;
				}
			}
			return -EBUSY;
		}
		return new_superblock(fs_types[i].name, fs_types[i].fs, args, dev, driver, root);
	}
	return -ENODEV;
}

/* Show root at a place; takes over the reference of root. */
static int attach(struct vnode *root, uint64_t flags, const char *source, const struct path *place)
{
	struct mount *mount;
	int r = 0;

	if (vnode_is_dir(root) != vnode_is_dir(place->node)) {
		r = -ENOTDIR;
	} else if (place->node->is_removed) {
		r = -ENOENT;
	} else {
		mount = mount_new(root->sb, root, flags, source);
		if (mount) {
			mount_attach(mount, place);
		} else {
			r = -ENOMEM;
		}
	}
	vnode_put(root);
	return r;
}

static int mount_fresh(struct call *call, const struct mount_args *args, const struct path *place)
{
	struct vnode *root;
	int r;

	if (args->type[0] == '\0') {
		return -EINVAL;
	}
	if (!vnode_is_dir(place->node)) {
		return -ENOTDIR;
	}
	r = find_or_start(call, args, &root);
	if (r == 0) {
		struct superblock *sb = root->sb;

		r = attach(root, args->flags & MOUNT_FLAGS,
			args->source[0] ? args->source : args->type, place);
		if (r < 0 && sb->mounts == 0) {
			(void)fs_unmount(sb);
			superblock_free(sb);
		}
	}
	return r;
}

static int mount_bind(struct call *call, const struct mount_args *args, const struct path *place)
{
	struct path source;
	int r = walk_path(call, AT_FDCWD, args->source, WALK_FOLLOW, &source);

	if (r < 0) {
		return r;
	}
	if (source.node->sb->is_internal) {
		r = -EINVAL;
	} else {
		vnode_get(source.node);
		r = attach(source.node, source.mount->flags, source.mount->source, place);
	}
	path_put(&source);
	return r;
}

static bool is_mount_root(const struct path *path)
{
	return path->node == path->mount->root;
}

/* Whether `mount` is `top` or hangs below it. */
static bool is_mount_below(const struct mount *mount, const struct mount *top)
{
	while (mount && mount != top) {
		mount = mount->parent;
	}
	return mount != NULL;
}

static int mount_remount(const struct mount_args *args, const struct path *place)
{
	struct mount *mount = place->mount;
	bool wants_readonly = args->flags & MS_RDONLY;
	int r = 0;

	if (!is_mount_root(place)) {
		return -EINVAL;
	}
	if (!(args->flags & MS_BIND) && wants_readonly != mount_is_readonly(mount) &&
		!mount->sb->is_internal) {
		if (wants_readonly) {
			for (unsigned i = 0; i < VFS_VNODE_BUCKETS; i++) {
				list_for_each(node, &vfs->vnodes[i], struct vnode, hash)
				{
					if (node->sb == mount->sb && node->writers > 0 &&
						S_ISREG(node->mode)) {
						return -EBUSY;
					}
				}
			}
		}
		r = fs_remount(mount->sb, wants_readonly ? FS_MOUNT_RDONLY : 0);
		if (r == 0) {
			mount->sb->is_readonly = wants_readonly;
		}
	}
	if (r == 0) {
		mount->flags = args->flags & MOUNT_FLAGS;
	}
	return r;
}

static int mount_move(struct call *call, const struct mount_args *args, const struct path *place)
{
	struct path source;
	int r = walk_path(call, AT_FDCWD, args->source, WALK_FOLLOW, &source);

	if (r < 0) {
		return r;
	}
	if (!is_mount_root(&source) || source.mount == vfs->root) {
		r = -EINVAL;
	} else if (is_mount_below(place->mount, source.mount)) {
		r = -ELOOP;
	} else if (vnode_is_dir(source.node) != vnode_is_dir(place->node)) {
		r = -ENOTDIR;
	} else {
		mount_detach(source.mount);
		mount_attach(source.mount, place);
	}
	path_put(&source);
	return r;
}

static int64_t mount_with(struct call *call, struct mount_args *args)
{
	struct path place;
	int r = import_text(call, args->source, ARG(call, 0));

	if (r == 0) {
		r = import_text(call, args->type, ARG(call, 2));
	}
	/* The last argument is read as text where it is text. */
	if (r == 0 && !(args->flags & (MS_BIND | MS_MOVE | PROPAGATION))) {
		r = import_text(call, args->data, ARG(call, 4));
	}
	if (r == 0) {
		r = walk_user(call, AT_FDCWD, ARG(call, 1), WALK_FOLLOW, &place);
	}
	if (r < 0) {
		return r;
	}
	if (args->flags & MS_REMOUNT) {
		r = mount_remount(args, &place);
	} else if (args->flags & MS_BIND) {
		r = mount_bind(call, args, &place);
	} else if (args->flags & PROPAGATION) {
		r = is_mount_root(&place) ? 0 : -EINVAL;
	} else if (args->flags & MS_MOVE) {
		r = mount_move(call, args, &place);
	} else {
		r = mount_fresh(call, args, &place);
	}
	path_put(&place);
	return r;
}

int64_t sys_mount(struct call *call)
{
	struct mount_args *args;
	int64_t r = access_check_root(call);

	if (r < 0) {
		return r;
	}
	args = malloc(sizeof(*args));
	if (!args) {
		return -ENOMEM;
	}
	args->flags = ARG(call, 3);
	args->data[0] = '\0';
	if ((args->flags & MS_MGC_MSK) == MS_MGC_VAL) {
		args->flags &= ~(uint64_t)MS_MGC_MSK;
	}
	coro_mutex_lock(&vfs->mount_lock);
	r = mount_with(call, args);
	coro_mutex_unlock(&vfs->mount_lock);
	free(args);
	return r;
}

static bool has_children(const struct mount *mount)
{
	list_for_each(other, &vfs->mounts, struct mount, link)
	{
		if (other->parent == mount) {
			return true;
		}
	}
	return false;
}

/* Take it and all below out of the tree; each ends with its last use. */
static void detach_tree(struct mount *top)
{
	struct mount *leaf;

	do {
		leaf = NULL;
		list_for_each(mount, &vfs->mounts, struct mount, link)
		{
			if (mount->is_attached && is_mount_below(mount, top) &&
				!has_children(mount)) {
				leaf = mount;
				break;
			}
		}
		if (leaf) {
			mount_detach(leaf);
			if (leaf->refs == 0) {
				mount_destroy(leaf);
			}
		}
	} while (leaf && leaf != top);
}

static int64_t unmount(struct call *call, int flags)
{
	struct mount *mount;
	struct path path;
	int r = walk_user(call, AT_FDCWD, ARG(call, 0), flags & 8 ? 0 : WALK_FOLLOW, &path);
	bool is_root;

	if (r < 0) {
		return r;
	}
	mount_cross_down(&path);
	mount = path.mount;
	is_root = is_mount_root(&path);
	path_put(&path);
	if (!is_root) {
		return -EINVAL;
	}
	if (mount == vfs->root) {
		return -EBUSY;
	}
	if (flags & MNT_DETACH) {
		detach_tree(mount);
		return 0;
	}
	if (mount->sb->mounts == 1 && blkcache_leave(mount->sb) < 0) {
		return -EBUSY;
	}
	/* Names that VFS only remembers are no use: a mount's references are those of open files
	 * and directories. */
	if (mount->refs > 0 || has_children(mount)) {
		return -EBUSY;
	}
	mount_detach(mount);
	mount_destroy(mount);
	return 0;
}

int64_t sys_umount2(struct call *call)
{
	int flags = ARG_INT(call, 1);
	int64_t r = access_check_root(call);

	if (r < 0) {
		return r;
	}
	if (flags & ~UMOUNT_FLAGS) {
		return -EINVAL;
	}
	coro_mutex_lock(&vfs->mount_lock);
	r = unmount(call, flags);
	coro_mutex_unlock(&vfs->mount_lock);
	return r;
}

/* Processes whose root or working directory is the old root get the new one. */
static void move_roots(const struct path *from, const struct path *to)
{
	list_for_each(proc, &vfs->procs, struct proc, link)
	{
		struct path *places[2] = {&proc->fs->root, &proc->fs->cwd};

		for (int i = 0; i < 2; i++) {
			if (places[i]->node && path_equal(places[i], from)) {
				path_get(to);
				path_put(places[i]);
				*places[i] = *to;
			}
		}
	}
}

static int pivot(const struct path *root, const struct path *new_root, const struct path *put_old)
{
	struct path above = {root->mount->parent, root->mount->mountpoint};
	struct mount *old_mount = root->mount, *new_mount = new_root->mount;

	if (!vnode_is_dir(new_root->node) || !vnode_is_dir(put_old->node)) {
		return -ENOTDIR;
	}
	if (!is_mount_root(root) || !is_mount_root(new_root) || !new_mount->parent) {
		return -EINVAL;
	}
	if (new_mount == old_mount || put_old->mount == old_mount) {
		return -EBUSY;
	}
	/* put_old must lie at or below the new root. */
	if (!is_mount_below(put_old->mount, new_mount)) {
		return -EINVAL;
	}
	if (above.node) {
		path_get(&above);
	}
	mount_detach(new_mount);
	mount_detach(old_mount);
	mount_attach(new_mount, above.node ? &above : NULL);
	mount_attach(old_mount, put_old);
	if (vfs->root == old_mount) {
		vfs->root = new_mount;
	}
	path_put(&above);
	move_roots(root, new_root);
	return 0;
}

int64_t sys_pivot_root(struct call *call)
{
	struct path new_root = {NULL, NULL}, put_old = {NULL, NULL}, root;
	int64_t r = access_check_root(call);

	if (r < 0) {
		return r;
	}
	coro_mutex_lock(&vfs->mount_lock);
	r = walk_user(call, AT_FDCWD, ARG(call, 0), WALK_FOLLOW | WALK_DIRECTORY, &new_root);
	if (r == 0) {
		r = walk_user(call, AT_FDCWD, ARG(call, 1), WALK_FOLLOW | WALK_DIRECTORY, &put_old);
	}
	if (r == 0) {
		root = call->proc->fs->root;
		path_get(&root);
		r = pivot(&root, &new_root, &put_old);
		path_put(&root);
	}
	path_put(&new_root);
	path_put(&put_old);
	coro_mutex_unlock(&vfs->mount_lock);
	return r;
}
