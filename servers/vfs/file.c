/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "servers/vfs/call.h"
#include "servers/vfs/epoll.h"
#include "servers/vfs/lock.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

static const struct file_ops file_ops_path = {.name = "path"};

static const struct file_ops *const kinds[FILE_KINDS] = {
	[FILE_PATH] = &file_ops_path,
	[FILE_REGULAR] = &file_ops_regular,
	[FILE_DIR] = &file_ops_dir,
	[FILE_PIPE] = &file_ops_pipe,
	[FILE_CHR] = &file_ops_chr,
	[FILE_TTY] = &file_ops_tty,
	[FILE_BLK] = &file_ops_blk,
	[FILE_NULL] = &file_ops_null,
	[FILE_ZERO] = &file_ops_zero,
	[FILE_FULL] = &file_ops_full,
	[FILE_EVENTFD] = &file_ops_eventfd,
	[FILE_EPOLL] = &file_ops_epoll,
	[FILE_TIMERFD] = &file_ops_timerfd,
};

const struct file_ops *file_ops(const struct file *file)
{
	return kinds[file->kind];
}

struct file *file_new(const struct path *path, unsigned flags, enum file_kind kind)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file) {
		return NULL;
	}
	file->refs = 1;
	file->flags = flags;
	file->kind = kind;
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
	unsigned flags, enum file_kind kind)
{
	struct fs_node attributes = {.ino = ++vfs->next_pipe_ino,
		.mode = mode,
		.uid = proc->cred.fsuid,
		.gid = proc->cred.fsgid,
		.nlink = 1};
	struct path path = {vfs->pipe_mount, vnode_from_reply(vfs->pipe_mount->sb, &attributes)};
	struct file *file;

	if (!path.node) {
		return NULL;
	}
	path.node->label = strdup(label);
	if (!path.node->label) {
		vnode_put(path.node);
		return NULL;
	}
	path.mount->refs++;
	file = file_new(&path, flags, kind);
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
	if (file_ops(file)->release) {
		file_ops(file)->release(file);
	}
	if (file->is_writer) {
		file->path.node->writers--;
	}
	path_put(&file->path);
	free(file);
}
