/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/regular.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "servers/vfs/call.h"
#include "servers/vfs/datapath.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/memfd.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/signal.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vnode.h"

#define FILE_CHUNK (256u * 1024) /* one request to a file system, so that others get their turn */

/* Up to FILE_CHUNK bytes of one piece of memory; what the file system cannot reach is brought in
 * and tried again. */
static int64_t transfer_piece(int op, struct vnode *node, endpoint_t ep, vaddr_t addr,
	uint64_t bytes, uint64_t pos, uint64_t *size)
{
	struct fs_io_rep rep;
	int r = fs_transfer(op, node, ep, addr, bytes, pos, &rep);

	if (r == -EFAULT && ep != EP_SELF) {
		bytes = user_present_prefix(ep, addr, bytes, op == FS_READ);
		if (bytes == 0) {
			return -EFAULT;
		}
		r = fs_transfer(op, node, ep, addr, bytes, pos, &rep);
	}
	if (r < 0) {
		return r;
	}
	*size = rep.size;
	return (int64_t)rep.done;
}

/* Bytes [done, total) of the memory; how many of all are done then. */
static int64_t transfer(int op, struct vnode *node, const struct uio *uio, uint64_t done,
	uint64_t total, uint64_t *pos)
{
	int64_t r = 0;

	while (done < total) {
		uint64_t len, size = 0;
		vaddr_t addr = uio_piece(uio, done, &len);

		len = u64_min(u64_min(len, total - done), FILE_CHUNK);
		r = transfer_piece(op, node, uio->ep, addr, len, *pos, &size);
		if (r <= 0) {
			break;
		}
		if (op == FS_WRITE && *pos + (uint64_t)r > node->size) {
			node->size = u64_max(*pos + (uint64_t)r, size);
		}
		*pos += (uint64_t)r;
		done += (uint64_t)r;
		if (op == FS_READ && (uint64_t)r < len && *pos >= node->size) {
			break;
		}
	}
	return done > 0 ? (int64_t)done : r;
}

/* What is not cached, from byte `done` of the memory on. */
static int64_t read_rest(struct vnode *node, const struct uio *uio, uint64_t done, uint64_t *pos)
{
	int64_t r = transfer(FS_READ, node, uio, done, uio->total, pos);

	vnode_touch(node);
	node->is_read_told = true;
	return r;
}

static int64_t read_cached(
	struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	struct vnode *node = file->path.node;
	int64_t r = datapath_read(call, node, &file->readahead, uio, uio->total, *pos);
	bool is_all;

	if (r < 0) {
		return r;
	}
	is_all = (uint64_t)r == uio->total || *pos + (uint64_t)r >= node->size;
	if (!is_all && !call_may_wait(call)) {
		return call_defer(call);
	}
	*pos += (uint64_t)r;
	if (r > 0 && !(file->path.mount->flags & MS_NOATIME) && !(file->flags & O_NOATIME)) {
		fs_tell_read(node);
	}
	return is_all ? r : read_rest(node, uio, (uint64_t)r, pos);
}

int64_t regular_read(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	struct vnode *node = file->path.node;

	if (uio->total == 0) {
		return 0;
	}
	if (*pos >= node->size && !node->sb->is_nocache) {
		return 0;
	}
	if (datapath_serves(node)) {
		return read_cached(call, file, uio, pos);
	}
	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	return read_rest(node, uio, 0, pos);
}

int64_t regular_read_device(struct call *call, struct file *file, struct vnode *device,
	const struct uio *uio, uint64_t *pos)
{
	int64_t r = 0;

	if (datapath_serves(device)) {
		r = datapath_read(call, device, &file->readahead, uio, uio->total, *pos);
	}
	if (r < 0) {
		return r;
	}
	*pos += (uint64_t)r;
	return (uint64_t)r == uio->total || *pos >= device->size
		? r
		: transfer(FS_READ, device, uio, (uint64_t)r, uio->total, pos);
}

int64_t regular_write_device(
	struct vnode *device, const struct uio *uio, uint64_t bytes, uint64_t *pos)
{
	int64_t r;

	coro_mutex_lock(&device->lock);
	r = transfer(FS_WRITE, device, uio, 0, bytes, pos);
	coro_mutex_unlock(&device->lock);
	return r;
}

/* For VFS itself: in a worker, not by an open file. */
static int64_t read_whole(struct vnode *node, const struct uio *uio, uint64_t pos)
{
	struct readahead none = {.next = UINT64_MAX - 1};
	int64_t r = 0;

	if (datapath_serves(node)) {
		r = datapath_read(NULL, node, &none, uio, uio->total, pos);
	}
	if (r < 0 || (uint64_t)r == uio->total || (r > 0 && pos + (uint64_t)r >= node->size)) {
		return r;
	}
	pos += (uint64_t)r;
	return transfer(FS_READ, node, uio, (uint64_t)r, uio->total, &pos);
}

int64_t regular_read_buffer(struct vnode *node, void *buf, size_t bytes, uint64_t offset)
{
	struct uio uio;

	uio_single(&uio, EP_SELF, (vaddr_t)buf, bytes);
	return read_whole(node, &uio, offset);
}

int regular_load(struct vnode *node, endpoint_t ep, vaddr_t addr, uint64_t bytes, uint64_t pos)
{
	struct uio uio;
	int64_t r;

	if (bytes == 0) {
		return 0;
	}
	uio_single(&uio, ep, addr, bytes);
	r = read_whole(node, &uio, pos);
	return r < 0 ? (int)r : (uint64_t)r < bytes ? -ENOEXEC : 0;
}

void regular_drop_setid(struct call *call, struct vnode *node)
{
	uint32_t drop = node->mode & S_ISUID;

	if ((node->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)) {
		drop |= S_ISGID;
	}
	if (drop && call->proc && call->proc->cred.fsuid != 0) {
		struct fs_setattr_req attributes = {
			.mask = FS_ATTR_MODE, .mode = node->mode & ~drop};

		(void)fs_setattr(node, &attributes);
	}
}

/* What the limit on file sizes leaves of a write: or -EFBIG, with the signal. */
static int64_t limit_write(struct call *call, uint64_t pos, uint64_t bytes)
{
	uint64_t limit = u64_min(call->proc->limit_fsize, INT64_MAX);

	if (bytes == 0 || range_within(pos, bytes, 0, limit)) {
		return (int64_t)bytes;
	}
	if (pos >= limit) {
		if (limit < INT64_MAX) {
			signal_thread(call, SIGXFSZ);
		}
		return -EFBIG;
	}
	return (int64_t)(limit - pos);
}

static int64_t write_locked(
	struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	struct vnode *node = file->path.node;
	uint64_t start;
	int64_t r;

	if (file->flags & O_APPEND) {
		*pos = node->size;
	}
	start = *pos;
	r = limit_write(call, start, uio->total);
	if (r > 0) {
		r = memfd_limit_write(node, start, (uint64_t)r);
	}
	if (r <= 0) {
		return r;
	}
	regular_drop_setid(call, node);
	r = transfer(FS_WRITE, node, uio, 0, (uint64_t)r, pos);
	vnode_touch(node);
	if (r > 0 && (file->flags & O_DSYNC)) {
		int error = fs_fsync(node);

		r = error < 0 ? error : r;
	}
	return r;
}

int64_t regular_write(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	struct vnode *node = file->path.node;
	int64_t r;

	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	coro_mutex_lock(&node->lock);
	r = write_locked(call, file, uio, pos);
	coro_mutex_unlock(&node->lock);
	return r;
}

int regular_truncate(struct call *call, struct vnode *node, uint64_t size)
{
	int r;

	if (size > node->size && limit_write(call, size - 1, 1) < 0) {
		return -EFBIG;
	}
	coro_mutex_lock(&node->lock);
	r = memfd_check_size(node, size);
	if (r == 0) {
		regular_drop_setid(call, node);
		r = fs_truncate(node, size);
	}
	coro_mutex_unlock(&node->lock);
	return r;
}

static int allocate(struct vnode *node, uint32_t mode, uint64_t offset, uint64_t len)
{
	struct message m = {.type = FS_ALLOCATE};
	int r;

	*MSG(&m, fs_allocate_req) = (struct fs_allocate_req){
		.head.ino = node->ino, .mode = mode, .offset = offset, .len = len};
	r = fs_request(node->sb, &m);
	if (r == 0) {
		vnode_update(node, &MSG(&m, fs_attr_rep)->node);
	}
	return r == -ENOSYS ? -EOPNOTSUPP : r;
}

int regular_allocate(
	struct call *call, struct vnode *node, uint32_t mode, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;
	bool grows = !(mode & FS_ALLOCATE_KEEP_SIZE) && end > node->size;
	int r = 0;

	if (grows && limit_write(call, end - 1, 1) < 0) {
		return -EFBIG;
	}
	coro_mutex_lock(&node->lock);
	if (mode & FS_ALLOCATE_PUNCH_HOLE) {
		r = memfd_is_write_sealed(node) ? -EPERM : 0;
	} else {
		/* Space behind the end is growth for a seal, whatever the size will be. */
		r = memfd_check_size(node, u64_max(end, node->size));
	}
	if (r == 0) {
		regular_drop_setid(call, node);
		r = allocate(node, mode, offset, len);
	}
	coro_mutex_unlock(&node->lock);
	return r;
}

const struct file_ops file_ops_regular = {
	.name = "regular",
	.is_seekable = true,
	.read = regular_read,
	.write = regular_write,
};
