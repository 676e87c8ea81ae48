/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include "servers/vfs/access.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

/* Takes over the reference of path. */
static int64_t enter(struct call *call, struct path *slot, struct path *path)
{
	int r = access_check_node(&call->proc->cred, path->node, ACCESS_EXEC);

	if (r < 0) {
		path_put(path);
		return r;
	}
	path_put(slot);
	*slot = *path;
	return 0;
}

int64_t sys_chdir(struct call *call)
{
	struct path path;
	int r = walk_user(call, AT_FDCWD, ARG(call, 0), WALK_FOLLOW | WALK_DIRECTORY, &path);

	return r < 0 ? r : enter(call, &call->proc->fs->cwd, &path);
}

int64_t sys_fchdir(struct call *call)
{
	struct file *file = fd_peek(call->proc, ARG_INT(call, 0));
	struct path path;

	if (!file) {
		return -EBADF;
	}
	if (!vnode_is_dir(file->path.node)) {
		return -ENOTDIR;
	}
	path = file->path;
	path_get(&path);
	return enter(call, &call->proc->fs->cwd, &path);
}

int64_t sys_chroot(struct call *call)
{
	struct path path;
	int r = walk_user(call, AT_FDCWD, ARG(call, 0), WALK_FOLLOW | WALK_DIRECTORY, &path);

	if (r < 0) {
		return r;
	}
	r = access_check_root(call);
	if (r < 0) {
		path_put(&path);
		return r;
	}
	return enter(call, &call->proc->fs->root, &path);
}

int64_t sys_getcwd(struct call *call)
{
	const struct fs_context *fs = call->proc->fs;
	char *text;
	int64_t r;

	if (!fs->cwd.node) {
		return call_may_wait(call) ? -ENOENT : call_defer(call);
	}
	text = malloc(PATH_MAX);
	if (!text) {
		return -ENOMEM;
	}
	r = path_text(&fs->cwd, &fs->root, false, text, PATH_MAX);
	if (r >= 0) {
		r++; /* the NUL counts */
		if ((uint64_t)r > ARG(call, 1)) {
			r = -ERANGE;
		} else if (user_copy_out(call, ARG(call, 0), text, (size_t)r) < 0) {
			r = -EFAULT;
		}
	}
	free(text);
	return r;
}

int64_t sys_umask(struct call *call)
{
	uint32_t old = call->proc->fs->umask;

	call->proc->fs->umask = ARG_U32(call, 0) & 0777;
	return old;
}
