/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "servers/vfs/call.h"
#include "servers/vfs/epoll.h"
#include "servers/vfs/lock.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

const struct file_ops file_ops_path = {.name = "path"};

struct file *file_new(const struct path *path, unsigned flags, const struct file_ops *ops)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file) {
		return NULL;
	}
	file->refs = 1;
	file->flags = flags;
	file->ops = ops;
	coro_mutex_init(&file->pos_lock);
	list_init(&file->object_link);
	list_init(&file->epoll_items);
	if (path) {
		file->path = *path;
		path_get(path);
	}
	return file;
}

struct file *file_new_internal(const struct proc *proc, uint32_t mode, const char *label,
	unsigned flags, const struct file_ops *ops)
{
	struct fs_node attributes = {.ino = ++vfs.next_pipe_ino,
		.mode = mode,
		.uid = proc->cred.fsuid,
		.gid = proc->cred.fsgid,
		.nlink = 1};
	struct path path = {vfs.pipe_mount, vnode_from_reply(vfs.pipe_mount->sb, &attributes)};
	struct file *file;

	if (!path.node) {
		return NULL;
	}
	path.node->label = label;
	path.mount->refs++;
	file = file_new(&path, flags, ops);
	path_put(&path);
	return file;
}

void file_get(struct file *file)
{
	assert(file->refs > 0);
	file->refs++;
}

void file_hold(struct file *file)
{
	struct call *call = call_current();

	file_get(file);
	if (call && call->held_count < CALL_HELD_MAX) {
		call->held[call->held_count++] = file;
	}
}

int file_wait(struct call *call, const struct file *file, struct waitq *queue)
{
	if (file->flags & O_NONBLOCK) {
		return -EAGAIN;
	}
	return call_may_wait(call) ? call_wait(call, queue) : call_defer(call);
}

static void forget_hold(const struct file *file)
{
	struct call *call = call_current();

	for (unsigned i = call ? call->held_count : 0; i-- > 0;) {
		if (call->held[i] == file) {
			call->held[i] = call->held[--call->held_count];
			break;
		}
	}
}

void file_put(struct file *file)
{
	assert(file->refs > 0);
	forget_hold(file);
	if (--file->refs > 0) {
		return;
	}
	epoll_forget_file(file);
	if (file->has_flock) {
		lock_release_flock(file);
	}
	if (file->ops->release) {
		file->ops->release(file);
	}
	if (file->is_writer) {
		file->path.node->writers--;
	}
	path_put(&file->path);
	free(file);
}
