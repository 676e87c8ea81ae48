/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/rw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "abi/bootinfo.h"
#include "abi/errno.h"
#include "servers/vfs/call.h"
#include "servers/vfs/device.h"
#include "servers/vfs/dir.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/pipe.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vnode.h"

#define RW_MAX         0x7ffff000ull /* most that one call moves, as on Linux */
#define FILE_BYTES_MAX (1ll << 44)   /* no file is larger */
#define COPY_CHUNK     (64u * 1024)

enum direction { DIR_READ, DIR_WRITE };

/* Move bytes at *pos, or at the file's own position when pos is NULL. */
static int64_t move_bytes(struct call *call, struct file *file, enum direction direction,
	const struct uio *uio, uint64_t *pos)
{
	int64_t (*op)(struct call *, struct file *, const struct uio *, uint64_t *) =
		direction == DIR_READ ? file_ops(file)->read : file_ops(file)->write;
	uint64_t none = 0;
	int64_t r;

	if (!op) {
		return -EINVAL;
	}
	if (pos || !file_ops(file)->is_seekable) {
		return op(call, file, uio, pos ? pos : &none);
	}
	if (!call_may_wait(call)) {
		/* Reading at the end of a file needs no worker; nothing else moves the position
		 * without one. */
		return coro_mutex_is_locked(&file->pos_lock) ? call_defer(call)
							     : op(call, file, uio, &file->pos);
	}
	coro_mutex_lock(&file->pos_lock);
	r = op(call, file, uio, &file->pos);
	coro_mutex_unlock(&file->pos_lock);
	return r;
}

/* A write that can be put back in its middle goes on where it was. */
static int64_t write_on(struct call *call, struct file *file, struct uio *uio, uint64_t *pos)
{
	uint64_t whole = uio->total;
	int64_t r = 0;

	uio_skip(uio, u64_min(call->written, whole));
	if (uio->total > 0 || whole == 0) {
		r = move_bytes(call, file, DIR_WRITE, uio, pos);
	}
	if (r >= 0 && !call->is_deferred) {
		call->written += (uint64_t)r;
		if (call->written < whole && call_is_put_back(call) &&
			!(file->flags & O_NONBLOCK) &&
			(file->kind == FILE_PIPE || file->kind == FILE_TTY)) {
			return -ERESTARTSYS;
		}
	}
	if (r == -ERESTARTSYS && call_is_put_back(call)) {
		return r;
	}
	return call->written > 0 ? (int64_t)call->written : r;
}

static int64_t rw_file(struct call *call, struct file *file, enum direction direction,
	struct uio *uio, uint64_t *pos)
{
	int64_t r;

	if (direction == DIR_READ ? !file_is_readable(file) : !file_is_writable(file)) {
		return -EBADF;
	}
	if (pos && (int64_t)*pos < 0) {
		return -EINVAL;
	}
	if (pos && !file_ops(file)->is_seekable) {
		return -ESPIPE;
	}
	uio->total = u64_min(uio->total, RW_MAX);
	r = direction == DIR_READ ? move_bytes(call, file, direction, uio, pos)
				  : write_on(call, file, uio, pos);
	if (r >= 0 && !call->is_deferred) {
		if (direction == DIR_READ) {
			call->proc->read_bytes += (uint64_t)r;
			call->proc->read_calls++;
		} else {
			call->proc->write_bytes += (uint64_t)r;
			call->proc->write_calls++;
		}
	}
	return r;
}

/* One contiguous buffer. */
static int64_t rw_single(struct call *call, enum direction direction, uint64_t *pos)
{
	struct file *file = fd_hold(call->proc, ARG_INT(call, 0));
	vaddr_t addr = ARG(call, 1);
	uint64_t bytes = ARG(call, 2);
	struct uio uio;
	int64_t r;

	if (!file) {
		return -EBADF;
	}
	if ((int64_t)bytes < 0) {
		r = -EINVAL;
	} else if (!range_within(addr, u64_min(bytes, RW_MAX), 0, USER_END)) {
		r = -EFAULT;
	} else {
		uio_single(&uio, call->m.source, addr, u64_min(bytes, RW_MAX));
		r = rw_file(call, file, direction, &uio, pos);
	}
	file_put(file);
	return r;
}

static int64_t rw_vector(struct call *call, enum direction direction, uint64_t *pos)
{
	struct file *file = fd_hold(call->proc, ARG_INT(call, 0));
	struct uio uio;
	int64_t r;

	if (!file) {
		return -EBADF;
	}
	r = uio_import(call, &uio, ARG(call, 1), ARG(call, 2));
	if (r == 0) {
		r = rw_file(call, file, direction, &uio, pos);
	}
	uio_free(&uio);
	file_put(file);
	return r;
}

int64_t sys_read(struct call *call)
{
	return rw_single(call, DIR_READ, NULL);
}

int64_t sys_write(struct call *call)
{
	return rw_single(call, DIR_WRITE, NULL);
}

int64_t sys_pread64(struct call *call)
{
	uint64_t pos = ARG(call, 3);

	return rw_single(call, DIR_READ, &pos);
}

int64_t sys_pwrite64(struct call *call)
{
	uint64_t pos = ARG(call, 3);

	return rw_single(call, DIR_WRITE, &pos);
}

int64_t sys_readv(struct call *call)
{
	return rw_vector(call, DIR_READ, NULL);
}

int64_t sys_writev(struct call *call)
{
	return rw_vector(call, DIR_WRITE, NULL);
}

int64_t sys_preadv(struct call *call)
{
	uint64_t pos = ARG(call, 3);

	return rw_vector(call, DIR_READ, &pos);
}

int64_t sys_pwritev(struct call *call)
{
	uint64_t pos = ARG(call, 3);

	return rw_vector(call, DIR_WRITE, &pos);
}

/* The second versions: flags in the last argument, position -1 means the file's own. */
static int64_t rw_vector2(struct call *call, enum direction direction)
{
	uint64_t pos = ARG(call, 3);

	if (ARG(call, 5) != 0) {
		return -EOPNOTSUPP;
	}
	return rw_vector(call, direction, pos == UINT64_MAX ? NULL : &pos);
}

int64_t sys_preadv2(struct call *call)
{
	return rw_vector2(call, DIR_READ);
}

int64_t sys_pwritev2(struct call *call)
{
	return rw_vector2(call, DIR_WRITE);
}

/* Data and holes: the whole file counts as data, with one hole at its end. */
static int64_t seek_data(uint64_t size, int64_t offset, int whence)
{
	if (offset < 0 || (uint64_t)offset >= size) {
		return -ENXIO;
	}
	return whence == SEEK_DATA ? offset : (int64_t)size;
}

static int64_t seek_position(const struct file *file, int64_t offset, int whence)
{
	uint64_t size = file->kind == FILE_BLK ? file->blk->bytes : file->path.node->size;
	int64_t target;

	switch (whence) {
	case SEEK_SET:
		return offset < 0 ? -EINVAL : offset;
	case SEEK_CUR:
		return __builtin_add_overflow((int64_t)file->pos, offset, &target) ? -EOVERFLOW
			: target < 0                                               ? -EINVAL
										   : target;
	case SEEK_END:
		return __builtin_add_overflow((int64_t)size, offset, &target) ? -EOVERFLOW
			: target < 0                                          ? -EINVAL
									      : target;
	case SEEK_DATA:
	case SEEK_HOLE:
		return seek_data(size, offset, whence);
	default:
		return -EINVAL;
	}
}

static int64_t seek_target(const struct file *file, int64_t offset, int whence)
{
	int64_t target = seek_position(file, offset, whence);

	/* Directories have cookies for positions, devices what they like. */
	return target > FILE_BYTES_MAX && S_ISREG(file->path.node->mode) ? -EINVAL : target;
}

int64_t sys_lseek(struct call *call)
{
	struct file *file = fd_peek(call->proc, ARG_INT(call, 0));
	int64_t target;

	if (!file || (file->flags & O_PATH)) {
		return -EBADF;
	}
	if (file_ops(file)->ignores_seek) {
		return 0;
	}
	if (!file_ops(file)->is_seekable) {
		return -ESPIPE;
	}
	if (coro_mutex_is_locked(&file->pos_lock)) {
		if (!call_may_wait(call)) {
			return call_defer(call);
		}
		file_get(file);
		coro_mutex_lock(&file->pos_lock);
		coro_mutex_unlock(&file->pos_lock);
		target = seek_target(file, (int64_t)ARG(call, 1), ARG_INT(call, 2));
		if (target >= 0) {
			file->pos = (uint64_t)target;
		}
		file_put(file);
		return target;
	}
	target = seek_target(file, (int64_t)ARG(call, 1), ARG_INT(call, 2));
	if (target >= 0) {
		file->pos = (uint64_t)target;
	}
	return target;
}

int64_t rw_copy(struct call *call, struct file *in, uint64_t *in_pos, struct file *out,
	uint64_t *out_pos, uint64_t bytes)
{
	char *buf = malloc(COPY_CHUNK);
	uint64_t done = 0;
	int64_t r = 0;

	if (!buf) {
		return -ENOMEM;
	}
	while (done < bytes) {
		struct uio uio;
		uint64_t got, put = 0;

		uio_single(&uio, EP_SELF, (vaddr_t)buf, u64_min(bytes - done, COPY_CHUNK));
		r = move_bytes(call, in, DIR_READ, &uio, in_pos);
		if (r <= 0) {
			break;
		}
		got = (uint64_t)r;
		while (put < got) {
			uio_single(&uio, EP_SELF, (vaddr_t)buf + put, got - put);
			r = move_bytes(call, out, DIR_WRITE, &uio, out_pos);
			if (r <= 0) {
				break;
			}
			put += (uint64_t)r;
		}
		done += put;
		if (put < got) {
			/* What was read and not written goes back. */
			uint64_t *pos = in_pos ? in_pos : &in->pos;

			if (file_ops(in)->is_seekable) {
				*pos -= got - put;
			} else if (in->kind == FILE_PIPE) {
				pipe_unread(in->pipe, buf + put, got - put);
			}
			break;
		}
	}
	free(buf);
	return done > 0 ? (int64_t)done : r;
}

int64_t sys_sendfile(struct call *call)
{
	struct file *out = fd_hold(call->proc, ARG_INT(call, 0)),
		    *in = fd_hold(call->proc, ARG_INT(call, 1));
	vaddr_t offset = ARG(call, 2);
	uint64_t pos = 0, bytes = u64_min(ARG(call, 3), RW_MAX);
	int64_t r = 0;

	if (offset != 0 && user_copy_in(call, &pos, offset, sizeof(pos)) < 0) {
		r = -EFAULT;
	} else if (!in || !out || !file_is_readable(in) || !file_is_writable(out)) {
		r = -EBADF;
	} else if (in->kind == FILE_DIR || !file_ops(in)->read || !file_ops(out)->write ||
		(out->flags & O_APPEND)) {
		r = -EINVAL;
	} else if (!file_ops(in)->is_seekable) {
		r = offset ? -ESPIPE : -EINVAL;
	} else if ((int64_t)pos < 0) {
		r = -EINVAL;
	}
	if (r == 0) {
		r = rw_copy(call, in, offset ? &pos : NULL, out, NULL, bytes);
		if (r >= 0 && offset != 0 && user_copy_out(call, offset, &pos, sizeof(pos)) < 0) {
			r = -EFAULT;
		}
	}
	if (in) {
		file_put(in);
	}
	if (out) {
		file_put(out);
	}
	return r;
}

static int64_t copy_range(struct call *call, struct file *in, struct file *out)
{
	vaddr_t in_at = ARG(call, 1), out_at = ARG(call, 3);
	uint64_t in_pos = in->pos, out_pos = out->pos, bytes = u64_min(ARG(call, 4), RW_MAX);
	int64_t r;

	if (ARG(call, 5) != 0) {
		return -EINVAL;
	}
	if (!file_is_readable(in) || !file_is_writable(out) || (out->flags & O_APPEND)) {
		return -EBADF;
	}
	if (vnode_is_dir(in->path.node) || vnode_is_dir(out->path.node)) {
		return -EISDIR;
	}
	if (!S_ISREG(in->path.node->mode) || !S_ISREG(out->path.node->mode)) {
		return -EINVAL;
	}
	if (in->path.node->sb != out->path.node->sb) {
		return -EXDEV;
	}
	if ((in_at && user_copy_in(call, &in_pos, in_at, sizeof(in_pos)) < 0) ||
		(out_at && user_copy_in(call, &out_pos, out_at, sizeof(out_pos)) < 0)) {
		return -EFAULT;
	}
	if ((int64_t)in_pos < 0 || (int64_t)out_pos < 0 ||
		(in->path.node == out->path.node &&
			range_overlaps(in_pos, bytes, out_pos, bytes))) {
		return -EINVAL;
	}
	r = rw_copy(call, in, in_at ? &in_pos : NULL, out, out_at ? &out_pos : NULL, bytes);
	if (r > 0 &&
		((in_at && user_copy_out(call, in_at, &in_pos, sizeof(in_pos)) < 0) ||
			(out_at && user_copy_out(call, out_at, &out_pos, sizeof(out_pos)) < 0))) {
		return -EFAULT;
	}
	return r;
}

int64_t sys_copy_file_range(struct call *call)
{
	struct file *in = fd_hold(call->proc, ARG_INT(call, 0)),
		    *out = fd_hold(call->proc, ARG_INT(call, 2));
	int64_t r = in && out ? copy_range(call, in, out) : -EBADF;

	if (in) {
		file_put(in);
	}
	if (out) {
		file_put(out);
	}
	return r;
}
