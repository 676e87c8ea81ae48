/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/vmfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/core/util.h"
#include "lib/sys/asyn.h"
#include "proto/vm.h"
#include "servers/vfs/blkcache.h"
#include "servers/vfs/call.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/memfd.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

struct vm_file {
	struct path path;
	struct vnode *pages; /* whose pages they are: path.node, of a block device blkcache.h's;
				counted */
	bool is_shared_writable;
	uint64_t refs; /* VM's, and one for each request in progress */
};

#define VM_FILES_FIRST 64

static struct vm_file *file_of(int handle)
{
	if (handle < 0 || (unsigned)handle >= vfs->vm_file_count) {
		return NULL;
	}
	return vfs->vm_files[handle];
}

const struct path *vmfile_path(int handle)
{
	const struct vm_file *file = file_of(handle);

	return file ? &file->path : NULL;
}

static int handle_take(void)
{
	struct vm_file **files;
	unsigned count, i = 0;

	while (i < vfs->vm_file_count && vfs->vm_files[i]) {
		i++;
	}
	if (i < vfs->vm_file_count) {
		return (int)i;
	}
	count = vfs->vm_file_count ? vfs->vm_file_count * 2 : VM_FILES_FIRST;
	files = realloc(vfs->vm_files, count * sizeof(struct vm_file *));
	if (!files) {
		return -ENOMEM;
	}
	memset(&files[vfs->vm_file_count], 0,
		(count - vfs->vm_file_count) * sizeof(struct vm_file *));
	vfs->vm_files = files;
	vfs->vm_file_count = count;
	return (int)i;
}

bool vmfile_is_shared_writable(const struct vnode *node)
{
	for (unsigned i = 0; i < vfs->vm_file_count; i++) {
		if (vfs->vm_files[i] && vfs->vm_files[i]->pages == node &&
			vfs->vm_files[i]->is_shared_writable) {
			return true;
		}
	}
	return false;
}

static int handle_for(const struct path *path, struct vnode *pages, bool is_shared_writable)
{
	struct vm_file *file;
	int handle;

	/* One handle for a file: VM's references on it add up. */
	for (unsigned i = 0; i < vfs->vm_file_count; i++) {
		if (vfs->vm_files[i] && path_equal(&vfs->vm_files[i]->path, path) &&
			vfs->vm_files[i]->pages == pages &&
			vfs->vm_files[i]->is_shared_writable == is_shared_writable) {
			vfs->vm_files[i]->refs++;
			return (int)i;
		}
	}
	handle = handle_take();
	if (handle < 0) {
		return handle;
	}
	file = calloc(1, sizeof(*file));
	if (!file) {
		return -ENOMEM;
	}
	file->path = *path;
	path_get(path);
	file->pages = pages;
	vnode_get(pages);
	file->refs = 1;
	file->is_shared_writable = is_shared_writable;
	vfs->vm_files[handle] = file;
	return handle;
}

int vmfile_new(const struct path *path, bool is_shared_writable)
{
	return handle_for(path, path->node, is_shared_writable);
}

void vmfile_unref(int handle)
{
	struct vm_file *file = file_of(handle);

	if (file && --file->refs == 0) {
		bool is_device = S_ISBLK(file->path.node->mode);
		uint64_t dev = file->path.node->rdev;

		vfs->vm_files[handle] = NULL;
		vnode_put(file->pages);
		path_put(&file->path);
		free(file);
		if (is_device) {
			blkcache_unused(dev);
		}
	}
}

static void reply(const struct vm_vfs_reply *answer)
{
	struct message m = {.type = VM_VFS_REPLY};

	*MSG(&m, vm_vfs_reply) = *answer;
	(void)asyn_send(EP_VM, &m);
}

/* The file's pages may be mapped. */
static int make_handle(const struct vfs_vm_request *req, const struct file *file,
	struct vnode *pages, struct vm_vfs_reply *answer)
{
	answer->mode |= memfd_is_write_sealed(pages) ? 8 : 0;
	/* The request carries mmap's flags. */
	answer->file = handle_for(&file->path, pages,
		(req->offset & MAP_SHARED) && file_is_writable(file) && !(answer->mode & 8));
	if (answer->file < 0) {
		return -ENOMEM;
	}
	answer->dev = pages->sb->dev;
	answer->ino = pages->ino;
	answer->size = pages->size;
	return 0;
}

/* -EAGAIN: a block device, whose pages a worker must see to. */
static int look_up(const struct vfs_vm_request *req, struct vm_vfs_reply *answer)
{
	struct thread *thread = thread_find(req->ep);
	const struct file *file = thread ? fd_peek(thread->proc, req->fd) : NULL;
	const struct vnode *node;

	answer->file = -1;
	if (!file || file->kind == FILE_PATH) {
		return -EBADF;
	}
	node = file->path.node;
	answer->mode = (file_is_readable(file) ? 1 : 0) | (file_is_writable(file) ? 2 : 0);
	if (S_ISCHR(node->mode) && node->rdev == dev_make(1, 5)) {
		answer->mode |= 4;
		return 0;
	}
	if (S_ISBLK(node->mode) && file->kind == FILE_BLK) {
		return -EAGAIN;
	}
	if (!S_ISREG(node->mode) || !node->sb->has_peek) {
		return -ENODEV;
	}
	return make_handle(req, file, file->path.node, answer);
}

/* mmap of a block device. */
static int64_t look_up_device(struct call *call)
{
	const struct vfs_vm_request *req = MSG(&call->m, vfs_vm_request);
	struct vm_vfs_reply answer = {.id = req->id, .file = -1};
	struct thread *thread = thread_find(req->ep);
	struct file *file = thread ? fd_hold(thread->proc, req->fd) : NULL;
	struct vnode *pages;
	uint64_t done;

	answer.result = file && file->kind == FILE_BLK ? blkcache_get(file->blk, &pages) : -EBADF;
	if (answer.result == 0) {
		/* Blocks smaller than pages cannot be mapped. */
		answer.result = fs_cache(FS_PEEK, pages, 0, 0, &done) == -ENOSYS ? -ENODEV : 0;
		answer.mode = (file_is_readable(file) ? 1 : 0) | (file_is_writable(file) ? 2 : 0);
		if (answer.result == 0) {
			answer.result = make_handle(req, file, pages, &answer);
		}
		vnode_put(pages);
	}
	if (file) {
		file_put(file);
	}
	reply(&answer);
	return 0;
}

/* Pages into the cache, made writable there, or written back. */
static int64_t cache_work(struct call *call)
{
	const struct vfs_vm_request *req = MSG(&call->m, vfs_vm_request);
	struct vm_vfs_reply answer = {.id = req->id, .file = req->file};
	struct vnode *node = file_of(req->file)->pages;

	switch (req->what) {
	case VFS_VM_PEEK:
		answer.result = fs_cache(FS_PEEK, node, req->offset, req->len, &answer.size);
		break;
	case VFS_VM_MKWRITE:
		answer.result = fs_cache(FS_MKWRITE, node, req->offset, req->len, &answer.size);
		vnode_touch(node);
		break;
	default:
		answer.result = fs_fsync(node);
		break;
	}
	reply(&answer);
	vmfile_unref(req->file);
	return 0;
}

/* A request that waits, in a worker with a reference on the file. */
static void start_worker(const struct message *m, struct vm_file *file)
{
	const struct vfs_vm_request *req = MSG((struct message *)(uintptr_t)m, vfs_vm_request);
	struct vm_vfs_reply answer = {.id = req->id, .file = req->file, .result = -EBADF};

	if (file) {
		file->refs++;
		answer.result = call_start_worker(m, NULL, cache_work);
		if (answer.result < 0) {
			file->refs--;
		}
	}
	if (answer.result < 0) {
		reply(&answer);
	}
}

void vmfile_request(const struct message *m)
{
	const struct vfs_vm_request *req = MSG((struct message *)(uintptr_t)m, vfs_vm_request);
	struct vm_vfs_reply answer = {.id = req->id, .file = req->file};
	struct vm_file *file = file_of(req->file);

	switch (req->what) {
	case VFS_VM_LOOKUP:
		answer.result = look_up(req, &answer);
		if (answer.result == -EAGAIN) {
			answer.result = call_start_worker(m, NULL, look_up_device);
			if (answer.result == 0) {
				break;
			}
		}
		reply(&answer);
		break;
	case VFS_VM_PEEK:
	case VFS_VM_MKWRITE:
	case VFS_VM_SYNC:
		start_worker(m, file);
		break;
	case VFS_VM_DROP:
		vmfile_unref(req->file);
		break;
	default:
		break;
	}
}
