/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/magic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/fs.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

bool magic_is_link(const struct vnode *node)
{
	return S_ISLNK(node->mode) && strcmp(node->sb->type, "proc") == 0 &&
		FS_MAGIC_KIND(node->rdev) != 0;
}

bool magic_is_place(const struct vnode *node)
{
	int kind = FS_MAGIC_KIND(node->rdev);

	return magic_is_link(node) && kind != FS_MAGIC_SELF && kind != FS_MAGIC_THREAD_SELF;
}

/* The place without a reference; no node: there is none. */
static struct path place_of(const struct proc *proc, const struct vnode *link)
{
	struct path none = {NULL, NULL};
	struct file *file;

	switch (FS_MAGIC_KIND(link->rdev)) {
	case FS_MAGIC_FD:
		file = fd_peek(proc, FS_MAGIC_NUMBER(link->rdev));
		return file ? file->path : none;
	case FS_MAGIC_CWD:
		return proc->fs->cwd;
	case FS_MAGIC_ROOT:
		return proc->fs->root;
	case FS_MAGIC_EXE:
		return proc->exe;
	default:
		return none;
	}
}

static int find_place(const struct cred *cred, const struct vnode *link, struct path *place)
{
	const struct proc *proc = proc_find(FS_MAGIC_PID(link->rdev));

	if (!proc) {
		return -ENOENT;
	}
	if (cred->euid != 0 && (cred->euid != proc->cred.euid || cred->euid != proc->cred.uid)) {
		return -EACCES;
	}
	*place = place_of(proc, link);
	return place->node ? 0 : -ENOENT;
}

int magic_place(
	struct call *call, const struct cred *cred, const struct vnode *link, struct path *place)
{
	int r = find_place(cred, link, place);

	(void)call;
	if (r == 0) {
		path_get(place);
	}
	return r;
}

int64_t magic_file_text(const struct path *path, const struct path *root, char *buf, size_t size)
{
	if (path->node->label) {
		return snprintf(buf, size, "%s", path->node->label);
	}
	if (path->node->sb->is_internal) {
		return snprintf(buf, size, "pipe:[%llu]", (unsigned long long)path->node->ino);
	}
	return path_text(path, root, true, buf, size);
}

int64_t magic_text(struct call *call, const struct vnode *link, char *buf, size_t size)
{
	struct path place;
	int r;

	switch (FS_MAGIC_KIND(link->rdev)) {
	case FS_MAGIC_SELF:
		return snprintf(buf, size, "%d", call->proc->pid);
	case FS_MAGIC_THREAD_SELF:
		return snprintf(buf, size, "%d/task/%d", call->proc->pid,
			call->thread ? call->thread->tid : call->proc->pid);
	default:
		break;
	}
	r = find_place(&call->proc->cred, link, &place);
	return r < 0 ? r : magic_file_text(&place, &call->proc->fs->root, buf, size);
}
