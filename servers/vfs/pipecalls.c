/* SPDX-License-Identifier: BSD-2-Clause */
/* pipe(2): unnamed pipes. */
#include <errno.h>
#include <fcntl.h>

#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/pipe.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

/* A new inode of VFS's own file system of pipes. */
static struct vnode *pipe_node(const struct cred *cred)
{
	struct fs_node attributes = {.ino = ++vfs->next_pipe_ino,
		.mode = S_IFIFO | 0600,
		.uid = cred->fsuid,
		.gid = cred->fsgid,
		.nlink = 1};

	return vnode_from_reply(vfs->pipe_mount->sb, &attributes);
}

static struct file *pipe_end(struct pipe *pipe, const struct path *path, unsigned flags)
{
	struct file *file = file_new(path, flags, FILE_PIPE);

	if (file) {
		pipe_attach(pipe, file);
	}
	return file;
}

static int64_t pipe_create(struct call *call, vaddr_t to, int flags)
{
	struct path path = {vfs->pipe_mount, NULL};
	struct file *ends[2] = {NULL, NULL};
	struct proc *proc = call->proc;
	int fds[2];
	int r;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) {
		return -EINVAL;
	}
	path.node = pipe_node(&proc->cred);
	if (!path.node) {
		return -ENOMEM;
	}
	path.mount->refs++;
	if (pipe_of(path.node)) {
		ends[0] =
			pipe_end(path.node->pipe, &path, O_RDONLY | (unsigned)(flags & O_NONBLOCK));
		ends[1] = ends[0] ? pipe_end(path.node->pipe, &path,
					    O_WRONLY | (unsigned)(flags & O_NONBLOCK))
				  : NULL;
	}
	path_put(&path);
	if (!ends[1]) {
		if (ends[0]) {
			file_put(ends[0]);
		}
		return -ENOMEM;
	}
	fds[0] = fd_reserve(proc, 0);
	fds[1] = fds[0] < 0 ? fds[0] : fd_reserve(proc, 0);
	r = fds[1] < 0 ? fds[1] : user_copy_out(call, to, fds, sizeof(fds));
	if (r < 0) {
		if (fds[1] >= 0) {
			fd_cancel(proc, fds[1]);
		}
		if (fds[0] >= 0) {
			fd_cancel(proc, fds[0]);
		}
		file_put(ends[0]);
		file_put(ends[1]);
		return r;
	}
	fd_install(proc, fds[0], ends[0], flags & O_CLOEXEC);
	fd_install(proc, fds[1], ends[1], flags & O_CLOEXEC);
	return 0;
}

int64_t sys_pipe(struct call *call)
{
	return pipe_create(call, ARG(call, 0), 0);
}

int64_t sys_pipe2(struct call *call)
{
	return pipe_create(call, ARG(call, 0), ARG_INT(call, 1));
}
