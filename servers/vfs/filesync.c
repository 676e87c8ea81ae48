/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/filesync.h"

#include <errno.h>
#include <fcntl.h>

#include "servers/vfs/access.h"
#include "servers/vfs/call.h"
#include "servers/vfs/datapath.h"
#include "servers/vfs/device.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/pipe.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/regular.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

#define ADVICE_WILLNEED 3
#define PREFETCH_MAX    (2u << 20) /* bytes that one call brings in */

static int check_truncate(const struct vnode *node, int64_t size)
{
	if (size < 0) {
		return -EINVAL;
	}
	if (vnode_is_dir(node)) {
		return -EISDIR;
	}
	return S_ISREG(node->mode) ? 0 : -EINVAL;
}

int64_t sys_truncate(struct call *call)
{
	int64_t size = (int64_t)ARG(call, 1);
	struct path path;
	int r = walk_user(call, AT_FDCWD, ARG(call, 0), WALK_FOLLOW, &path);

	if (r < 0) {
		return r;
	}
	r = check_truncate(path.node, size);
	if (r == 0) {
		r = access_check(&call->proc->cred, &path, ACCESS_WRITE);
	}
	if (r == 0) {
		r = regular_truncate(call, path.node, (uint64_t)size);
	}
	path_put(&path);
	return r;
}

int64_t sys_ftruncate(struct call *call)
{
	int64_t size = (int64_t)ARG(call, 1);
	struct file *file = fd_hold(call->proc, ARG_INT(call, 0));
	int r;

	if (!file) {
		return -EBADF;
	}
	r = check_truncate(file->path.node, size);
	if (r == -EISDIR || (r == 0 && !file_is_writable(file))) {
		r = -EINVAL;
	}
	if (r == 0) {
		r = regular_truncate(call, file->path.node, (uint64_t)size);
	}
	file_put(file);
	return r;
}

/* What Linux checks before it asks the file system, in its order. */
static int check_allocate(const struct file *file, int mode, int64_t offset, int64_t len)
{
	const struct vnode *node = file->path.node;
	int64_t end;

	if (offset < 0 || len <= 0) {
		return -EINVAL;
	}
	if ((mode & ~(FS_ALLOCATE_KEEP_SIZE | FS_ALLOCATE_PUNCH_HOLE)) ||
		mode == FS_ALLOCATE_PUNCH_HOLE) {
		return -EOPNOTSUPP;
	}
	if (!file_is_writable(file)) {
		return -EBADF;
	}
	if (file->kind == FILE_PIPE) {
		return -ESPIPE;
	}
	if (S_ISBLK(node->mode)) {
		return -EOPNOTSUPP;
	}
	if (!S_ISREG(node->mode)) {
		return -ENODEV;
	}
	return __builtin_add_overflow(offset, len, &end) ? -EFBIG : 0;
}

int64_t sys_fallocate(struct call *call)
{
	struct file *file = fd_hold(call->proc, ARG_INT(call, 0));
	int64_t offset = (int64_t)ARG(call, 2), len = (int64_t)ARG(call, 3);
	int mode = ARG_INT(call, 1), r;

	if (!file) {
		return -EBADF;
	}
	r = check_allocate(file, mode, offset, len);
	if (r == 0) {
		r = regular_allocate(
			call, file->path.node, (uint32_t)mode, (uint64_t)offset, (uint64_t)len);
	}
	file_put(file);
	return r;
}

/* Ask for pages that will be read soon; nobody waits for them. */
static void prefetch(struct vnode *node, uint64_t offset, uint64_t bytes)
{
	if (datapath_serves(node) && offset < node->size) {
		bytes = u64_min(u64_min(bytes, node->size - offset), PREFETCH_MAX);
		fs_peek_later(node, AXO_PAGE_DOWN(offset), bytes + (offset & AXO_PAGE_MASK));
	}
}

int64_t sys_fadvise64(struct call *call)
{
	const struct file *file = fd_peek(call->proc, ARG_INT(call, 0));
	uint64_t bytes = ARG(call, 2);
	unsigned advice = ARG_U32(call, 3);

	if (!file || (file->flags & O_PATH)) {
		return -EBADF;
	}
	if (file->kind == FILE_PIPE) {
		return -ESPIPE;
	}
	if (advice > 5 || (int64_t)bytes < 0) {
		return -EINVAL;
	}
	if (advice == ADVICE_WILLNEED) {
		prefetch(file->path.node, ARG(call, 1), bytes == 0 ? UINT64_MAX : bytes);
	}
	return 0;
}

int64_t sys_readahead(struct call *call)
{
	const struct file *file = fd_peek(call->proc, ARG_INT(call, 0));

	if (!file || !file_is_readable(file)) {
		return -EBADF;
	}
	if (!S_ISREG(file->path.node->mode)) {
		return -EINVAL;
	}
	prefetch(file->path.node, ARG(call, 1), ARG(call, 2));
	return 0;
}

int64_t sys_fsync(struct call *call)
{
	struct file *file = fd_hold(call->proc, ARG_INT(call, 0));
	int r = -EINVAL;

	if (!file) {
		return -EBADF;
	}
	if (S_ISREG(file->path.node->mode) || vnode_is_dir(file->path.node)) {
		r = fs_fsync(file->path.node);
		r = r == -ENOSYS ? 0 : r;
	} else if (S_ISBLK(file->path.node->mode)) {
		r = blk_fsync(file);
	}
	file_put(file);
	return r;
}

int64_t sys_sync_file_range(struct call *call)
{
	const struct file *file = fd_peek(call->proc, ARG_INT(call, 0));

	if (!file || (file->flags & O_PATH)) {
		return -EBADF;
	}
	if (file->kind == FILE_PIPE) {
		return -ESPIPE;
	}
	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	return sys_fsync(call);
}

void sync_all(bool is_final)
{
	bool is_again = true;

	/* The list may change while a file system works: go by position. */
	for (unsigned done = 0; is_again; done++) {
		unsigned n = 0;

		is_again = false;
		list_for_each(sb, &vfs->superblocks, struct superblock, link)
		{
			if (n++ < done) {
				continue;
			}
			is_again = true;
			if (!sb->is_internal && !sb->is_memory) {
				(void)fs_sync(sb);
				if (is_final && fs_remount(sb, FS_MOUNT_RDONLY) == 0) {
					sb->is_readonly = true;
				}
			}
			break;
		}
	}
}

int64_t sys_sync(struct call *call)
{
	(void)call;
	sync_all(false);
	return 0;
}

int64_t sys_syncfs(struct call *call)
{
	struct file *file = fd_hold(call->proc, ARG_INT(call, 0));
	int r = 0;

	if (!file) {
		return -EBADF;
	}
	if (!file->path.node->sb->is_internal) {
		r = fs_sync(file->path.node->sb);
	}
	file_put(file);
	return r == -ENOSYS ? 0 : r;
}
