/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/entries.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "servers/vfs/access.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/names.h"
#include "servers/vfs/open.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

/* What is to be made under a new name. */
struct new_entry {
	int op; /* FS_MKDIR, FS_MKNOD, FS_CREATE, FS_SYMLINK, FS_LINK */
	uint32_t mode;
	uint64_t rdev;
	const char *target; /* symbolic link */
	struct path link;   /* hard link */
};

static int make_in(struct walk *walk, const struct new_entry *entry, struct vnode **node)
{
	const struct cred *cred = &walk->call->proc->cred;
	struct vnode *dir = walk->at.node;
	uint32_t gid = create_gid(walk->call, dir);
	uint32_t mode = entry->mode;
	int r;

	switch (entry->op) {
	case FS_SYMLINK:
		return fs_symlink(
			dir, walk->name, walk->len, entry->target, cred->fsuid, gid, node);
	case FS_LINK:
		r = fs_link(dir, walk->name, walk->len, entry->link.node);
		if (r == 0) {
			*node = entry->link.node;
			vnode_get(*node);
			(*node)->nlink++;
			vnode_touch(*node);
		}
		return r;
	case FS_MKDIR:
		/* What is below a set-group-id directory is so, too. */
		mode |= dir->mode & S_ISGID;
		__attribute__((fallthrough));
	default:
		return fs_make(entry->op, dir, walk->name, walk->len, mode, cred->fsuid, gid,
			entry->rdev, node);
	}
}

/* Make an entry at the end of a walk; the directory's lock is held. */
static int make_locked(struct walk *walk, const struct new_entry *entry)
{
	struct vnode *dir = walk->at.node, *node;
	int r = walk_lookup_locked(dir, walk->name, walk->len, &node);

	if (r == 0) {
		vnode_put(node);
		return -EEXIST;
	}
	if (r != -ENOENT) {
		return r;
	}
	if (walk->has_slash && entry->op != FS_MKDIR) {
		return -ENOENT;
	}
	r = access_check_create(&walk->call->proc->cred, &walk->at);
	if (r < 0) {
		return r;
	}
	if (entry->op == FS_MKNOD && (S_ISCHR(entry->mode) || S_ISBLK(entry->mode)) &&
		walk->call->proc->cred.euid != 0) {
		return -EPERM;
	}
	if (entry->op == FS_LINK && entry->link.mount != walk->at.mount) {
		return -EXDEV;
	}
	r = make_in(walk, entry, &node);
	if (r < 0) {
		name_forget(dir, walk->name, walk->len);
		return r;
	}
	name_enter(dir, walk->name, walk->len, node);
	vnode_put(node);
	if (entry->op == FS_MKDIR) {
		dir->nlink++;
	}
	vnode_touch(dir);
	return 0;
}

static int64_t make_at(struct call *call, int dirfd, vaddr_t name, const struct new_entry *entry)
{
	int r = 0;
	struct walk *walk = walk_begin_user(call, dirfd, name, 0, &r);

	if (!walk) {
		return r;
	}
	r = walk_to_parent(walk);
	if (r == 0 && walk->kind != WALK_NAME) {
		r = -EEXIST;
	}
	if (r == 0) {
		coro_mutex_lock(&walk->at.node->lock);
		r = make_locked(walk, entry);
		coro_mutex_unlock(&walk->at.node->lock);
	}
	walk_end(walk);
	return r;
}

static int64_t mkdir_at(struct call *call, int dirfd, vaddr_t name, uint32_t mode)
{
	struct new_entry entry = {.op = FS_MKDIR};

	entry.mode = (mode & 01777 & ~call->proc->fs->umask) | S_IFDIR;
	return make_at(call, dirfd, name, &entry);
}

int64_t sys_mkdir(struct call *call)
{
	return mkdir_at(call, AT_FDCWD, ARG(call, 0), ARG_U32(call, 1));
}

int64_t sys_mkdirat(struct call *call)
{
	return mkdir_at(call, ARG_INT(call, 0), ARG(call, 1), ARG_U32(call, 2));
}

static int64_t mknod_at(struct call *call, int dirfd, vaddr_t name, uint32_t mode, uint64_t dev)
{
	struct new_entry entry = {.op = FS_MKNOD};

	if ((mode & S_IFMT) == 0) {
		mode |= S_IFREG;
	}
	switch (mode & S_IFMT) {
	case S_IFREG:
		entry.op = FS_CREATE;
		break;
	case S_IFCHR:
	case S_IFBLK:
		entry.rdev = dev & 0xffffffff;
		break;
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	entry.mode = (mode & S_IFMT) | (mode & 07777 & ~call->proc->fs->umask);
	return make_at(call, dirfd, name, &entry);
}

int64_t sys_mknod(struct call *call)
{
	return mknod_at(call, AT_FDCWD, ARG(call, 0), ARG_U32(call, 1), ARG(call, 2));
}

int64_t sys_mknodat(struct call *call)
{
	return mknod_at(call, ARG_INT(call, 0), ARG(call, 1), ARG_U32(call, 2), ARG(call, 3));
}

static int64_t symlink_at(struct call *call, vaddr_t target, int dirfd, vaddr_t name)
{
	char *text = malloc(PATH_MAX);
	struct new_entry entry = {.op = FS_SYMLINK, .target = text};
	int64_t r;

	if (!text) {
		return -ENOMEM;
	}
	r = user_string(call, text, target, PATH_MAX);
	if (r == 0) {
		r = -ENOENT;
	} else if (r > 0) {
		r = make_at(call, dirfd, name, &entry);
	}
	free(text);
	return r;
}

int64_t sys_symlink(struct call *call)
{
	return symlink_at(call, ARG(call, 0), AT_FDCWD, ARG(call, 1));
}

int64_t sys_symlinkat(struct call *call)
{
	return symlink_at(call, ARG(call, 0), ARG_INT(call, 1), ARG(call, 2));
}

static int64_t link_at(
	struct call *call, int old_fd, vaddr_t old_name, int new_fd, vaddr_t new_name, int flags)
{
	struct new_entry entry = {.op = FS_LINK};
	unsigned walk_flags = flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;
	int64_t r;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) {
		return -EINVAL;
	}
	if (flags & AT_EMPTY_PATH) {
		walk_flags |= WALK_EMPTY_PATH;
	}
	r = walk_user(call, old_fd, old_name, walk_flags, &entry.link);
	if (r < 0) {
		return r;
	}
	if (vnode_is_dir(entry.link.node)) {
		r = -EPERM;
	} else if (entry.link.node->nlink == 0) {
		r = -ENOENT;
	} else {
		r = make_at(call, new_fd, new_name, &entry);
	}
	path_put(&entry.link);
	return r;
}

int64_t sys_link(struct call *call)
{
	return link_at(call, AT_FDCWD, ARG(call, 0), AT_FDCWD, ARG(call, 1), 0);
}

int64_t sys_linkat(struct call *call)
{
	return link_at(call, ARG_INT(call, 0), ARG(call, 1), ARG_INT(call, 2), ARG(call, 3),
		ARG_INT(call, 4));
}

/* A name is gone from the file system: what VFS knows follows. */
static void entry_gone(struct vnode *dir, const char *name, size_t len, struct vnode *node)
{
	if (vnode_is_dir(node)) {
		name_forget_children(node);
		node->is_removed = true;
		node->nlink = 0;
		dir->nlink -= dir->nlink > 0;
	} else {
		node->nlink -= node->nlink > 0;
	}
	name_removed(dir, name, len);
	vnode_touch(node);
	vnode_touch(dir);
}

static int remove_locked(struct walk *walk, bool is_dir, struct vnode *node)
{
	struct vnode *dir = walk->at.node;
	int r = access_check_remove(&walk->call->proc->cred, &walk->at, node);

	if (r < 0) {
		return r;
	}
	if (is_dir && !vnode_is_dir(node)) {
		return -ENOTDIR;
	}
	if (!is_dir && vnode_is_dir(node)) {
		return -EISDIR;
	}
	if (!is_dir && walk->has_slash) {
		return -ENOTDIR;
	}
	if (node->mounts_here > 0) {
		return -EBUSY;
	}
	r = fs_remove(is_dir ? FS_RMDIR : FS_UNLINK, dir, walk->name, walk->len);
	if (r == 0) {
		entry_gone(dir, walk->name, walk->len, node);
	}
	return r;
}

static int64_t remove_at(struct call *call, int dirfd, vaddr_t name, bool is_dir)
{
	int r = 0;
	struct walk *walk = walk_begin_user(call, dirfd, name, 0, &r);
	struct vnode *node, *dir;

	if (!walk) {
		return r;
	}
	r = walk_to_parent(walk);
	if (r == 0 && walk->kind != WALK_NAME) {
		r = !is_dir                         ? -EISDIR
			: walk->kind == WALK_DOT    ? -EINVAL
			: walk->kind == WALK_DOTDOT ? -ENOTEMPTY
						    : -EBUSY;
	}
	if (r == 0) {
		dir = walk->at.node;
		coro_mutex_lock(&dir->lock);
		r = walk_lookup_locked(dir, walk->name, walk->len, &node);
		if (r == 0) {
			r = remove_locked(walk, is_dir, node);
			vnode_put(node);
		}
		coro_mutex_unlock(&dir->lock);
	}
	walk_end(walk);
	return r;
}

int64_t sys_unlink(struct call *call)
{
	return remove_at(call, AT_FDCWD, ARG(call, 0), false);
}

int64_t sys_rmdir(struct call *call)
{
	return remove_at(call, AT_FDCWD, ARG(call, 0), true);
}

int64_t sys_unlinkat(struct call *call)
{
	if (ARG_INT(call, 2) & ~AT_REMOVEDIR) {
		return -EINVAL;
	}
	return remove_at(call, ARG_INT(call, 0), ARG(call, 1), ARG_INT(call, 2) & AT_REMOVEDIR);
}
