/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#include "servers/vfs/call.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

#define AT_STATX_SYNC_MASK 0x6000
#define PIPEFS_MAGIC       0x50495045
#define STATFS_VALID       0x20
#define STATFS_RDONLY      1
#define STATFS_NOSUID      2
#define STATFS_NODEV       4
#define STATFS_NOEXEC      8

/* statx(2)'s answer. */
struct statx_time {
	int64_t sec;
	uint32_t nsec;
	int32_t pad;
};
struct statx_answer {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad;
	uint64_t ino, size, blocks, attributes_mask;
	struct statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id;
	uint64_t spare[13];
};
_Static_assert(sizeof(struct statx_answer) == 256, "statx");
#define STATX_BASIC 0x7ffu
#define STATX_MNT   0x1000u

/* The attributes; in the main loop it defers when VFS does not know them. */
static int get_stat(struct call *call, struct vnode *node, struct stat *stat)
{
	if (!call_may_wait(call) && !node->is_stat_valid && !node->sb->is_internal) {
		return call_defer(call);
	}
	return fs_stat(node, stat);
}

static int64_t put_stat(struct call *call, struct vnode *node, vaddr_t to)
{
	struct stat stat;
	int r = get_stat(call, node, &stat);

	return r < 0 ? r : user_answer(call, to, &stat, sizeof(stat), 0);
}

static unsigned walk_flags_of(int at_flags)
{
	unsigned flags = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;

	return at_flags & AT_EMPTY_PATH ? flags | WALK_EMPTY_PATH : flags;
}

static int64_t stat_at(struct call *call, int dirfd, vaddr_t name, int at_flags, vaddr_t to)
{
	struct path path;
	int64_t r;

	if (at_flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT)) {
		return -EINVAL;
	}
	r = walk_user(call, dirfd, name, walk_flags_of(at_flags), &path);
	if (r == 0) {
		r = put_stat(call, path.node, to);
		path_put(&path);
	}
	return r;
}

int64_t sys_stat(struct call *call)
{
	return stat_at(call, AT_FDCWD, ARG(call, 0), 0, ARG(call, 1));
}

int64_t sys_lstat(struct call *call)
{
	return stat_at(call, AT_FDCWD, ARG(call, 0), AT_SYMLINK_NOFOLLOW, ARG(call, 1));
}

static int64_t stat_fd(struct call *call, int fd, vaddr_t to)
{
	struct file *file = fd_hold_any(call->proc, fd);
	int64_t r;

	if (!file) {
		return -EBADF;
	}
	r = put_stat(call, file->path.node, to);
	file_put(file);
	return r;
}

int64_t sys_fstat(struct call *call)
{
	return stat_fd(call, ARG_INT(call, 0), ARG(call, 1));
}

int64_t sys_newfstatat(struct call *call)
{
	int flags = ARG_INT(call, 3);
	char first;

	/* glibc's fstat: an empty path and a descriptor. */
	if ((flags & AT_EMPTY_PATH) && ARG_INT(call, 0) >= 0) {
		if (user_copy_in(call, &first, ARG(call, 1), 1) < 0) {
			return -EFAULT;
		}
		if (first == '\0') {
			return stat_fd(call, ARG_INT(call, 0), ARG(call, 2));
		}
	}
	return stat_at(call, ARG_INT(call, 0), ARG(call, 1), flags, ARG(call, 2));
}

static struct statx_time statx_time(struct timespec ts)
{
	return (struct statx_time){.sec = ts.tv_sec, .nsec = (uint32_t)ts.tv_nsec};
}

int64_t sys_statx(struct call *call)
{
	int at_flags = ARG_INT(call, 2);
	struct statx_answer answer = {.mask = STATX_BASIC | STATX_MNT};
	struct stat stat;
	struct path path;
	int64_t r;

	if ((at_flags &
		    ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
			    AT_STATX_SYNC_MASK)) ||
		(ARG_U32(call, 3) & 0x80000000u)) {
		return -EINVAL;
	}
	r = walk_user(call, ARG_INT(call, 0), ARG(call, 1), walk_flags_of(at_flags), &path);
	if (r < 0) {
		return r;
	}
	r = get_stat(call, path.node, &stat);
	answer.mnt_id = (uint64_t)path.mount->id;
	path_put(&path);
	if (r < 0) {
		return r;
	}
	answer.blksize = (uint32_t)stat.st_blksize;
	answer.nlink = (uint32_t)stat.st_nlink;
	answer.uid = stat.st_uid;
	answer.gid = stat.st_gid;
	answer.mode = (uint16_t)stat.st_mode;
	answer.ino = stat.st_ino;
	answer.size = (uint64_t)stat.st_size;
	answer.blocks = (uint64_t)stat.st_blocks;
	answer.atime = statx_time(stat.st_atim);
	answer.mtime = statx_time(stat.st_mtim);
	answer.ctime = statx_time(stat.st_ctim);
	answer.rdev_major = dev_major(stat.st_rdev);
	answer.rdev_minor = dev_minor(stat.st_rdev);
	answer.dev_major = dev_major(stat.st_dev);
	answer.dev_minor = dev_minor(stat.st_dev);
	return user_answer(call, ARG(call, 4), &answer, sizeof(answer), 0);
}

static int64_t put_statfs(struct call *call, const struct path *path, vaddr_t to)
{
	struct statfs statfs;
	uint64_t flags = path->mount->flags;
	int r = 0;

	if (path->mount->sb->is_internal) {
		memset(&statfs, 0, sizeof(statfs));
		statfs.f_type = PIPEFS_MAGIC;
		statfs.f_bsize = 4096;
		statfs.f_namelen = NAME_MAX;
	} else {
		r = fs_statfs(path->mount->sb, &statfs);
	}
	if (r < 0) {
		return r;
	}
	statfs.f_flags = STATFS_VALID;
	statfs.f_flags |= mount_is_readonly(path->mount) ? STATFS_RDONLY : 0;
	statfs.f_flags |= flags & MS_NOSUID ? STATFS_NOSUID : 0;
	statfs.f_flags |= flags & MS_NODEV ? STATFS_NODEV : 0;
	statfs.f_flags |= flags & MS_NOEXEC ? STATFS_NOEXEC : 0;
	return user_copy_out(call, to, &statfs, sizeof(statfs));
}

int64_t sys_statfs(struct call *call)
{
	struct path path;
	int64_t r = walk_user(call, AT_FDCWD, ARG(call, 0), WALK_FOLLOW, &path);

	if (r == 0) {
		r = put_statfs(call, &path, ARG(call, 1));
		path_put(&path);
	}
	return r;
}

int64_t sys_fstatfs(struct call *call)
{
	struct file *file = fd_hold_any(call->proc, ARG_INT(call, 0));
	int64_t r;

	if (!file) {
		return -EBADF;
	}
	r = put_statfs(call, &file->path, ARG(call, 1));
	file_put(file);
	return r;
}

int64_t sys_ustat(struct call *call)
{
	struct {
		int32_t tfree;
		int32_t pad;
		uint64_t tinode;
		char names[16];
	} answer = {0};
	struct superblock *sb = superblock_find_dev(ARG_U32(call, 0));
	struct statfs statfs;
	int r;

	if (!sb || sb->is_internal) {
		return -EINVAL;
	}
	r = fs_statfs(sb, &statfs);
	if (r < 0) {
		return r;
	}
	answer.tfree = (int32_t)statfs.f_bfree;
	answer.tinode = statfs.f_ffree;
	return user_copy_out(call, ARG(call, 1), &answer, sizeof(answer));
}

static int64_t readlink_at(struct call *call, int dirfd, vaddr_t name, vaddr_t to, int size)
{
	struct path path;
	char *text;
	int64_t r;

	if (size <= 0) {
		return -EINVAL;
	}
	r = walk_user(call, dirfd, name, WALK_EMPTY_PATH, &path);
	if (r < 0) {
		return r;
	}
	text = malloc(PATH_MAX);
	if (!S_ISLNK(path.node->mode)) {
		r = -EINVAL;
	} else if (!text) {
		r = -ENOMEM;
	} else {
		r = walk_readlink(call, &path, text, PATH_MAX);
	}
	path_put(&path);
	if (r >= 0) {
		r = r < size ? r : size;
		if (user_copy_out(call, to, text, (size_t)r) < 0) {
			r = -EFAULT;
		}
	}
	free(text);
	return r;
}

int64_t sys_readlink(struct call *call)
{
	return readlink_at(call, AT_FDCWD, ARG(call, 0), ARG(call, 1), ARG_INT(call, 2));
}

int64_t sys_readlinkat(struct call *call)
{
	return readlink_at(call, ARG_INT(call, 0), ARG(call, 1), ARG(call, 2), ARG_INT(call, 3));
}
