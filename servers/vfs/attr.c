/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/attr.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

#include "servers/vfs/access.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

/* What a change does with a place whose vnode is locked. */
typedef int change_fn(struct call *call, const struct path *path, const void *arg);

static int64_t change_place(
	struct call *call, struct path *path, change_fn *change, const void *arg)
{
	int r;

	coro_mutex_lock(&path->node->lock);
	r = mount_is_readonly(path->mount) ? -EROFS : change(call, path, arg);
	coro_mutex_unlock(&path->node->lock);
	path_put(path);
	return r;
}

static int64_t change_at(struct call *call, int dirfd, vaddr_t name, unsigned walk_flags,
	change_fn *change, const void *arg)
{
	struct path path;
	int r = walk_user(call, dirfd, name, walk_flags, &path);

	return r < 0 ? r : change_place(call, &path, change, arg);
}

static int64_t change_fd(struct call *call, int fd, change_fn *change, const void *arg)
{
	struct file *file = fd_hold(call->proc, fd);
	struct path path;

	if (!file) {
		return -EBADF;
	}
	path = file->path;
	path_get(&path);
	file_put(file);
	return change_place(call, &path, change, arg);
}

static int change_mode(struct call *call, const struct path *path, const void *arg)
{
	const struct cred *cred = &call->proc->cred;
	uint32_t mode = *(const uint32_t *)arg & 07777;
	struct fs_setattr_req attributes = {.mask = FS_ATTR_MODE};
	int r = access_check_owner(cred, path->node);

	if (r < 0) {
		return r;
	}
	if (S_ISLNK(path->node->mode)) {
		return -EOPNOTSUPP;
	}
	if (cred->fsuid != 0 && !cred_in_group(cred, path->node->gid) &&
		!vnode_is_dir(path->node)) {
		mode &= ~(uint32_t)S_ISGID;
	}
	attributes.mode = (path->node->mode & S_IFMT) | mode;
	return fs_setattr(path->node, &attributes);
}

int64_t sys_chmod(struct call *call)
{
	uint32_t mode = ARG_U32(call, 1);

	return change_at(call, AT_FDCWD, ARG(call, 0), WALK_FOLLOW, change_mode, &mode);
}

int64_t sys_fchmod(struct call *call)
{
	uint32_t mode = ARG_U32(call, 1);

	return change_fd(call, ARG_INT(call, 0), change_mode, &mode);
}

int64_t sys_fchmodat(struct call *call)
{
	uint32_t mode = ARG_U32(call, 2);

	return change_at(call, ARG_INT(call, 0), ARG(call, 1), WALK_FOLLOW, change_mode, &mode);
}

struct owner {
	uint32_t uid, gid; /* UINT32_MAX: as it is */
};

static int change_owner(struct call *call, const struct path *path, const void *arg)
{
	const struct owner *owner = arg;
	const struct cred *cred = &call->proc->cred;
	struct vnode *node = path->node;
	struct fs_setattr_req attributes = {.uid = owner->uid, .gid = owner->gid};
	uint32_t mode = node->mode;

	if (cred->fsuid != 0) {
		bool is_owner = cred->fsuid == node->uid;

		if ((owner->uid != UINT32_MAX && (!is_owner || owner->uid != node->uid)) ||
			(owner->gid != UINT32_MAX &&
				(!is_owner ||
					(owner->gid != node->gid &&
						!cred_in_group(cred, owner->gid))))) {
			return -EPERM;
		}
	}
	attributes.mask |= owner->uid != UINT32_MAX ? FS_ATTR_UID : 0;
	attributes.mask |= owner->gid != UINT32_MAX ? FS_ATTR_GID : 0;
	/* A program that changes hands runs as its new owner no more. */
	if (S_ISREG(mode) && attributes.mask != 0) {
		mode &= ~(uint32_t)S_ISUID;
		if (mode & S_IXGRP) {
			mode &= ~(uint32_t)S_ISGID;
		}
		if (mode != node->mode) {
			attributes.mask |= FS_ATTR_MODE;
			attributes.mode = mode;
		}
	}
	return attributes.mask == 0 ? 0 : fs_setattr(node, &attributes);
}

static int64_t chown_at(
	struct call *call, int dirfd, vaddr_t name, unsigned walk_flags, uint32_t uid, uint32_t gid)
{
	struct owner owner = {uid, gid};

	return change_at(call, dirfd, name, walk_flags, change_owner, &owner);
}

int64_t sys_chown(struct call *call)
{
	return chown_at(
		call, AT_FDCWD, ARG(call, 0), WALK_FOLLOW, ARG_U32(call, 1), ARG_U32(call, 2));
}

int64_t sys_lchown(struct call *call)
{
	return chown_at(call, AT_FDCWD, ARG(call, 0), 0, ARG_U32(call, 1), ARG_U32(call, 2));
}

int64_t sys_fchown(struct call *call)
{
	struct owner owner = {ARG_U32(call, 1), ARG_U32(call, 2)};

	return change_fd(call, ARG_INT(call, 0), change_owner, &owner);
}

int64_t sys_fchownat(struct call *call)
{
	int flags = ARG_INT(call, 4);
	unsigned walk_flags = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
		return -EINVAL;
	}
	walk_flags |= flags & AT_EMPTY_PATH ? WALK_EMPTY_PATH : 0;
	return chown_at(call, ARG_INT(call, 0), ARG(call, 1), walk_flags, ARG_U32(call, 2),
		ARG_U32(call, 3));
}

/* Times as utimensat has them. */
struct times {
	struct timespec at[2]; /* access, modification */
};

static int change_times(struct call *call, const struct path *path, const void *arg)
{
	const struct times *times = arg;
	const struct cred *cred = &call->proc->cred;
	struct fs_setattr_req attributes = {0};
	bool is_now = times->at[0].tv_nsec == UTIME_NOW && times->at[1].tv_nsec == UTIME_NOW;

	if (times->at[0].tv_nsec == UTIME_OMIT && times->at[1].tv_nsec == UTIME_OMIT) {
		return 0;
	}
	if (access_check_owner(cred, path->node) < 0) {
		if (!is_now) {
			return -EPERM;
		}
		if (access_check_node(cred, path->node, ACCESS_WRITE) < 0) {
			return -EACCES;
		}
	}
	if (times->at[0].tv_nsec == UTIME_NOW) {
		attributes.mask |= FS_ATTR_ATIME_NOW;
	} else if (times->at[0].tv_nsec != UTIME_OMIT) {
		attributes.mask |= FS_ATTR_ATIME;
		attributes.atime_ns = times->at[0].tv_sec * 1000000000 + times->at[0].tv_nsec;
	}
	if (times->at[1].tv_nsec == UTIME_NOW) {
		attributes.mask |= FS_ATTR_MTIME_NOW;
	} else if (times->at[1].tv_nsec != UTIME_OMIT) {
		attributes.mask |= FS_ATTR_MTIME;
		attributes.mtime_ns = times->at[1].tv_sec * 1000000000 + times->at[1].tv_nsec;
	}
	return fs_setattr(path->node, &attributes);
}

static const struct times times_now = {.at = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}}};

int64_t sys_utimensat(struct call *call)
{
	int flags = ARG_INT(call, 3);
	unsigned walk_flags = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct times times = times_now;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
		return -EINVAL;
	}
	if (ARG(call, 2) != 0 && user_copy_in(call, &times, ARG(call, 2), sizeof(times)) < 0) {
		return -EFAULT;
	}
	for (int i = 0; i < 2; i++) {
		long ns = times.at[i].tv_nsec;

		if (ns != UTIME_NOW && ns != UTIME_OMIT && (ns < 0 || ns >= 1000000000)) {
			return -EINVAL;
		}
	}
	if (ARG(call, 1) == 0) {
		if (flags) {
			return -EINVAL;
		}
		return change_fd(call, ARG_INT(call, 0), change_times, &times);
	}
	walk_flags |= flags & AT_EMPTY_PATH ? WALK_EMPTY_PATH : 0;
	return change_at(call, ARG_INT(call, 0), ARG(call, 1), walk_flags, change_times, &times);
}

int64_t sys_utime(struct call *call)
{
	struct utimbuf from;
	struct times times = times_now;

	if (ARG(call, 1) != 0) {
		if (user_copy_in(call, &from, ARG(call, 1), sizeof(from)) < 0) {
			return -EFAULT;
		}
		times.at[0] = (struct timespec){.tv_sec = from.actime};
		times.at[1] = (struct timespec){.tv_sec = from.modtime};
	}
	return change_at(call, AT_FDCWD, ARG(call, 0), WALK_FOLLOW, change_times, &times);
}

static int64_t utimes_at(struct call *call, int dirfd, vaddr_t name, vaddr_t from)
{
	struct timeval tv[2];
	struct times times = times_now;

	if (from != 0) {
		if (user_copy_in(call, tv, from, sizeof(tv)) < 0) {
			return -EFAULT;
		}
		for (int i = 0; i < 2; i++) {
			if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000) {
				return -EINVAL;
			}
			times.at[i].tv_sec = tv[i].tv_sec;
			times.at[i].tv_nsec = tv[i].tv_usec * 1000;
		}
	}
	return change_at(call, dirfd, name, WALK_FOLLOW, change_times, &times);
}

int64_t sys_utimes(struct call *call)
{
	return utimes_at(call, AT_FDCWD, ARG(call, 0), ARG(call, 1));
}

int64_t sys_futimesat(struct call *call)
{
	return utimes_at(call, ARG_INT(call, 0), ARG(call, 1), ARG(call, 2));
}

static int64_t xattr_at(struct call *call, unsigned walk_flags)
{
	struct path path;
	int r = walk_user(call, AT_FDCWD, ARG(call, 0), walk_flags, &path);

	if (r == 0) {
		path_put(&path);
		r = -EOPNOTSUPP;
	}
	return r;
}

int64_t sys_xattr_path(struct call *call)
{
	return xattr_at(call, WALK_FOLLOW);
}

int64_t sys_xattr_link(struct call *call)
{
	return xattr_at(call, 0);
}

int64_t sys_xattr_fd(struct call *call)
{
	return fd_peek(call->proc, ARG_INT(call, 0)) ? -EOPNOTSUPP : -EBADF;
}
