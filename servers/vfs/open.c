/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "servers/vfs/access.h"
#include "servers/vfs/call.h"
#include "servers/vfs/device.h"
#include "servers/vfs/dir.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/names.h"
#include "servers/vfs/pipe.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/regular.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

#define LINUX_O_LARGEFILE 0100000u
#define LINUX_O_TMPFILE   020000000u
#define CREATION_FLAGS    (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)
#define KNOWN_FLAGS                                                                               \
	(3u | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_DSYNC | O_ASYNC | \
		O_DIRECT | LINUX_O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | \
		O_SYNC | O_PATH | LINUX_O_TMPFILE)
#define CREATE_TRIES 16

uint32_t create_gid(const struct call *call, const struct vnode *dir)
{
	return dir->mode & S_ISGID ? dir->gid : call->proc->cred.fsgid;
}

/* What opening asks of the inode's permissions. */
static unsigned wanted_access(unsigned flags)
{
	unsigned want = 0;

	switch (flags & 3) {
	case O_RDONLY:
		want = ACCESS_READ;
		break;
	case O_WRONLY:
		want = ACCESS_WRITE;
		break;
	default:
		want = ACCESS_READ | ACCESS_WRITE;
		break;
	}
	return flags & O_TRUNC ? want | ACCESS_WRITE : want;
}

static int check_open(struct call *call, const struct path *path, unsigned flags)
{
	uint32_t type = vnode_type(path->node);
	unsigned want = wanted_access(flags);
	int r;

	if (type == S_IFLNK) {
		return -ELOOP;
	}
	if (type == S_IFSOCK) {
		return -ENXIO;
	}
	if (type == S_IFDIR && (want & ACCESS_WRITE)) {
		return -EISDIR;
	}
	if ((type == S_IFCHR || type == S_IFBLK) && (path->mount->flags & MS_NODEV)) {
		return -EACCES;
	}
	r = access_check(&call->proc->cred, path, want);
	if (r == 0 && (flags & O_NOATIME) &&
		access_check_owner(&call->proc->cred, path->node) < 0) {
		return -EPERM;
	}
	return r;
}

static int open_object(struct call *call, struct file *file)
{
	switch (vnode_type(file->path.node)) {
	case S_IFREG:
		file->kind = FILE_REGULAR;
		return 0;
	case S_IFDIR:
		file->kind = FILE_DIR;
		return 0;
	case S_IFIFO:
		file->kind = FILE_PIPE;
		return pipe_open(call, file);
	case S_IFCHR:
		if (chrmem_serves(file->path.node->rdev)) {
			chrmem_open(file);
			return 0;
		}
		return chr_open(call, file);
	case S_IFBLK:
		return blk_open(call, file);
	default:
		return -ENXIO;
	}
}

int open_place(struct call *call, const struct path *path, unsigned flags, struct file **result)
{
	unsigned kept = flags & ~(unsigned)CREATION_FLAGS;
	struct file *file =
		file_new(path, flags & O_PATH ? kept : kept | LINUX_O_LARGEFILE, FILE_PATH);
	int r = 0;

	if (!file) {
		return -ENOMEM;
	}
	if (!(flags & O_PATH)) {
		/* VFS's own openers give no O_CLOEXEC and the like; chr_open looks at O_NOCTTY. */
		file->flags |= flags & O_NOCTTY;
		r = open_object(call, file);
		file->flags &= ~(unsigned)O_NOCTTY;
		if (r == 0 && file_is_writable(file)) {
			file->is_writer = true;
			path->node->writers++;
		}
	}
	if (r == 0 && (flags & O_TRUNC) && S_ISREG(path->node->mode)) {
		r = regular_truncate(call, path->node, 0);
	}
	if (r < 0) {
		file_put(file);
		return r;
	}
	*result = file;
	return 0;
}

/* Make the regular file walk->name in walk->at; -EEXIST: somebody else was quicker. */
static int create(struct walk *walk, uint32_t mode, struct path *path)
{
	struct call *call = walk->call;
	const struct cred *cred = &call->proc->cred;
	struct vnode *dir = walk->at.node;
	int r;

	coro_mutex_lock(&dir->lock);
	r = walk_lookup_locked(dir, walk->name, walk->len, &path->node);
	if (r == 0) {
		vnode_put(path->node);
		r = -EEXIST;
	} else if (r == -ENOENT) {
		r = access_check_create(cred, &walk->at);
	}
	if (r == 0) {
		uint32_t gid = create_gid(call, dir);

		mode = (mode & 07777 & ~call->proc->fs->umask) | S_IFREG;
		if ((mode & S_ISGID) && cred->fsuid != 0 && !cred_in_group(cred, gid)) {
			mode &= ~(uint32_t)S_ISGID;
		}
		r = fs_make(FS_CREATE, dir, walk->name, walk->len, mode, cred->fsuid, gid, 0,
			&path->node);
	}
	if (r == 0) {
		name_enter(dir, walk->name, walk->len, path->node);
		vnode_touch(dir);
		path->mount = walk->at.mount;
		path->mount->refs++;
	} else if (r == -EEXIST) {
		name_forget(dir, walk->name, walk->len);
	}
	coro_mutex_unlock(&dir->lock);
	return r;
}

/* The place to be opened, made if it is not there and shall be. */
static int open_find(
	struct walk *walk, unsigned flags, uint32_t mode, struct path *path, bool *is_new)
{
	int r = walk_to_parent(walk);

	*is_new = false;
	for (int i = 0; i < CREATE_TRIES && r == 0; i++) {
		r = walk_last(walk, path);
		if (r == 0) {
			if ((flags & O_CREAT) && (flags & O_EXCL)) {
				path_put(path);
				return -EEXIST;
			}
			if ((flags & O_CREAT) && vnode_is_dir(path->node)) {
				path_put(path);
				return -EISDIR;
			}
			return 0;
		}
		if (r != -ENOENT || !(flags & O_CREAT) || walk->kind != WALK_NAME) {
			return r;
		}
		if (walk->has_slash) {
			return -EISDIR;
		}
		if (!call_may_wait(walk->call)) {
			return call_defer(walk->call);
		}
		r = create(walk, mode, path);
		if (r == 0) {
			*is_new = true;
			return 0;
		}
		if (r != -EEXIST || (flags & O_EXCL)) {
			return r;
		}
		r = 0;
	}
	return r < 0 ? r : -EEXIST;
}

/* Whether opening needs nobody but VFS: so it can be done in the main loop. */
static bool opens_at_once(const struct path *path, unsigned flags)
{
	const struct vnode *node = path->node;

	switch (vnode_type(node)) {
	case S_IFREG:
		return !(flags & O_TRUNC);
	case S_IFDIR:
		return true;
	case S_IFCHR:
		return chrmem_serves(node->rdev);
	default:
		return flags & O_PATH;
	}
}

static int open_walk(struct walk *walk, unsigned flags, uint32_t mode, struct file **file)
{
	struct path path;
	bool is_new;
	int r = open_find(walk, flags, mode, &path, &is_new);

	if (r < 0) {
		return r;
	}
	if (is_new) {
		flags &= ~(unsigned)O_TRUNC;
	} else if ((flags & O_DIRECTORY) && !vnode_is_dir(path.node)) {
		r = -ENOTDIR;
	} else if (!(flags & O_PATH)) {
		r = check_open(walk->call, &path, flags);
	}
	if (r == 0 && !call_may_wait(walk->call) && !opens_at_once(&path, flags)) {
		r = call_defer(walk->call);
	}
	if (r == 0) {
		r = open_place(walk->call, &path, flags, file);
	}
	path_put(&path);
	return r;
}

static int64_t open_at(struct call *call, int dirfd, vaddr_t name, unsigned flags, uint32_t mode)
{
	unsigned walk_flags = WALK_FOLLOW;
	struct proc *proc = call->proc;
	struct file *file = NULL;
	struct walk *walk;
	int fd, r = 0;

	flags &= KNOWN_FLAGS;
	if ((flags & LINUX_O_TMPFILE) && (flags & O_DIRECTORY)) {
		return -EOPNOTSUPP;
	}
	if (flags & O_PATH) {
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	}
	if ((flags & O_NOFOLLOW) || ((flags & O_CREAT) && (flags & O_EXCL))) {
		walk_flags = 0;
	}
	walk = walk_begin_user(call, dirfd, name, walk_flags, &r);
	if (!walk) {
		return r;
	}
	fd = fd_reserve(proc, 0);
	r = fd < 0 ? fd : open_walk(walk, flags, mode, &file);
	walk_end(walk);
	if (r < 0) {
		if (fd >= 0) {
			fd_cancel(proc, fd);
		}
		return r;
	}
	fd_install(proc, fd, file, flags & O_CLOEXEC);
	return fd;
}

int64_t sys_open(struct call *call)
{
	return open_at(call, AT_FDCWD, ARG(call, 0), ARG_U32(call, 1), ARG_U32(call, 2));
}

int64_t sys_openat(struct call *call)
{
	return open_at(call, ARG_INT(call, 0), ARG(call, 1), ARG_U32(call, 2), ARG_U32(call, 3));
}

/* openat2 without its resolve flags. */
int64_t sys_openat2(struct call *call)
{
	struct {
		uint64_t flags, mode, resolve;
	} how;

	if (ARG(call, 3) < sizeof(how)) {
		return -EINVAL;
	}
	if (ARG(call, 3) > sizeof(how)) {
		return -E2BIG;
	}
	if (user_copy_in(call, &how, ARG(call, 2), sizeof(how)) < 0) {
		return -EFAULT;
	}
	if (how.resolve != 0 || (how.flags & ~(uint64_t)KNOWN_FLAGS) || how.mode > 07777 ||
		(how.mode != 0 && !(how.flags & O_CREAT))) {
		return -EINVAL;
	}
	return open_at(
		call, ARG_INT(call, 0), ARG(call, 1), (unsigned)how.flags, (uint32_t)how.mode);
}

int64_t sys_creat(struct call *call)
{
	return open_at(
		call, AT_FDCWD, ARG(call, 0), O_CREAT | O_WRONLY | O_TRUNC, ARG_U32(call, 1));
}
