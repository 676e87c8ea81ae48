/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/access.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "servers/vfs/call.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

bool cred_in_group(const struct cred *cred, uint32_t gid)
{
	if (cred->fsgid == gid) {
		return true;
	}
	for (uint32_t i = 0; i < cred->group_count; i++) {
		if (cred->groups[i] == gid) {
			return true;
		}
	}
	return false;
}

int access_check_node(const struct cred *cred, const struct vnode *node, unsigned want)
{
	unsigned granted;

	if (cred->fsuid == 0) {
		/* Root may do all, but execute only what somebody may execute. */
		if ((want & ACCESS_EXEC) && !vnode_is_dir(node) && !(node->mode & 0111)) {
			return -EACCES;
		}
		return 0;
	}
	if (node->uid == cred->fsuid) {
		granted = node->mode >> 6;
	} else if (cred_in_group(cred, node->gid)) {
		granted = node->mode >> 3;
	} else {
		granted = node->mode;
	}
	return (want & ~granted & 7) ? -EACCES : 0;
}

int access_check(const struct cred *cred, const struct path *path, unsigned want)
{
	uint32_t type = vnode_type(path->node);

	if ((want & ACCESS_WRITE) && mount_is_readonly(path->mount) &&
		(type == S_IFREG || type == S_IFDIR || type == S_IFLNK)) {
		return -EROFS;
	}
	if ((want & ACCESS_EXEC) && type == S_IFREG && (path->mount->flags & MS_NOEXEC)) {
		return -EACCES;
	}
	return access_check_node(cred, path->node, want);
}

int access_check_owner(const struct cred *cred, const struct vnode *node)
{
	return cred->fsuid == 0 || cred->fsuid == node->uid ? 0 : -EPERM;
}

int access_check_remove(const struct cred *cred, const struct path *dir, const struct vnode *node)
{
	int r = access_check(cred, dir, ACCESS_WRITE | ACCESS_EXEC);

	if (r < 0) {
		return r;
	}
	if ((dir->node->mode & S_ISVTX) && cred->fsuid != 0 && cred->fsuid != node->uid &&
		cred->fsuid != dir->node->uid) {
		return -EPERM;
	}
	return 0;
}

int access_check_create(const struct cred *cred, const struct path *dir)
{
	if (dir->node->is_removed) {
		return -ENOENT;
	}
	return access_check(cred, dir, ACCESS_WRITE | ACCESS_EXEC);
}

int access_check_root(const struct call *call)
{
	return call->proc->cred.euid == 0 ? 0 : -EPERM;
}

static int64_t access_at(struct call *call, int dirfd, vaddr_t path, int mode, int flags)
{
	unsigned walk_flags = WALK_REAL_IDS;
	struct cred cred = call->proc->cred;
	struct path place;
	int r;

	if ((mode & ~7) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))) {
		return -EINVAL;
	}
	if (flags & AT_EACCESS) {
		walk_flags = 0;
	} else {
		cred.fsuid = cred.uid;
		cred.fsgid = cred.gid;
	}
	if (!(flags & AT_SYMLINK_NOFOLLOW)) {
		walk_flags |= WALK_FOLLOW;
	}
	if (flags & AT_EMPTY_PATH) {
		walk_flags |= WALK_EMPTY_PATH;
	}
	r = walk_user(call, dirfd, path, walk_flags, &place);
	if (r < 0) {
		return r;
	}
	r = access_check(&cred, &place, (unsigned)mode);
	path_put(&place);
	return r;
}

int64_t sys_access(struct call *call)
{
	return access_at(call, AT_FDCWD, ARG(call, 0), ARG_INT(call, 1), 0);
}

int64_t sys_faccessat(struct call *call)
{
	return access_at(call, ARG_INT(call, 0), ARG(call, 1), ARG_INT(call, 2), 0);
}

int64_t sys_faccessat2(struct call *call)
{
	return access_at(call, ARG_INT(call, 0), ARG(call, 1), ARG_INT(call, 2), ARG_INT(call, 3));
}
