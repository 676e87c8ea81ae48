/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/file.h"

#include <assert.h>
#include <stdlib.h>

#include "servers/vfs/lock.h"
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
	if (path) {
		file->path = *path;
		path_get(path);
	}
	return file;
}

void file_get(struct file *file)
{
	assert(file->refs > 0);
	file->refs++;
}

void file_put(struct file *file)
{
	assert(file->refs > 0);
	if (--file->refs > 0) {
		return;
	}
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
