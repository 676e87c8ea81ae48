/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/splice.h"

#include <errno.h>
#include <fcntl.h>

#include "servers/vfs/call.h"
#include "servers/vfs/dir.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/pipe.h"
#include "servers/vfs/rw.h"
#include "servers/vfs/user.h"

#define FLAG_NONBLOCK 2u
#define FLAGS_KNOWN   15u
#define SPLICE_MAX    0x7ffff000ull

/* One end: its file, whether it is a pipe, and where the caller keeps the position (0: the file's
 * own). */
struct end {
	struct file *file;
	bool is_pipe, may_wait;
	vaddr_t offset;
	uint64_t pos;
};

static int end_open(struct call *call, struct end *end, int fd, vaddr_t offset, unsigned flags)
{
	end->file = fd_hold(call->proc, fd);
	if (!end->file) {
		return -EBADF;
	}
	end->is_pipe = end->file->kind == FILE_PIPE;
	end->may_wait = !(flags & FLAG_NONBLOCK) && !(end->file->flags & O_NONBLOCK);
	end->offset = offset;
	if (offset == 0) {
		return 0;
	}
	if (end->is_pipe) {
		return -ESPIPE;
	}
	if (user_copy_in(call, &end->pos, offset, sizeof(end->pos)) < 0) {
		return -EFAULT;
	}
	return !file_ops(end->file)->is_seekable || (int64_t)end->pos < 0 ? -EINVAL : 0;
}

static void end_close(struct end *end)
{
	if (end->file) {
		file_put(end->file);
	}
}

static int check(const struct end *in, const struct end *out)
{
	if (!file_is_readable(in->file) || !file_is_writable(out->file)) {
		return -EBADF;
	}
	if ((!in->is_pipe && !out->is_pipe) ||
		(in->is_pipe && out->is_pipe && in->file->pipe == out->file->pipe)) {
		return -EINVAL;
	}
	if (!in->is_pipe &&
		(!file_ops(in->file)->is_seekable || !file_ops(in->file)->read ||
			in->file->kind == FILE_DIR)) {
		return -EINVAL;
	}
	return !file_ops(out->file)->write || (out->file->flags & O_APPEND) ? -EINVAL : 0;
}

/* How much can go now, after waiting for both ends: 0 at the end of a pipe. */
static int64_t wait_ends(
	struct call *call, const struct end *in, const struct end *out, uint64_t bytes)
{
	int r;

	do {
		r = in->is_pipe ? pipe_wait_bytes(call, in->file->pipe, in->may_wait) : 1;
		if (r > 0 && out->is_pipe) {
			r = pipe_wait_room(call, out->file->pipe, out->may_wait);
		}
		/* Somebody else may have read while this one waited for room. */
	} while (r > 0 && in->is_pipe && pipe_used(in->file->pipe) == 0);
	if (r <= 0) {
		return r;
	}
	bytes = out->is_pipe ? u64_min(bytes, pipe_room(out->file->pipe)) : bytes;
	return (int64_t)(in->is_pipe ? u64_min(bytes, pipe_used(in->file->pipe)) : bytes);
}

static int64_t move_ends(struct call *call, struct end *in, struct end *out, uint64_t bytes)
{
	int64_t r = wait_ends(call, in, out, u64_min(bytes, SPLICE_MAX));

	if (r <= 0) {
		return r;
	}
	r = rw_copy(call, in->file, in->offset ? &in->pos : NULL, out->file,
		out->offset ? &out->pos : NULL, (uint64_t)r);
	if (r > 0 &&
		((in->offset && user_copy_out(call, in->offset, &in->pos, sizeof(in->pos)) < 0) ||
			(out->offset &&
				user_copy_out(call, out->offset, &out->pos, sizeof(out->pos)) <
					0))) {
		return -EFAULT;
	}
	return r;
}

int64_t sys_splice(struct call *call)
{
	struct end in = {.file = NULL}, out = {.file = NULL};
	unsigned flags = ARG_U32(call, 5);
	int64_t r;

	if (flags & ~FLAGS_KNOWN) {
		return -EINVAL;
	}
	if (ARG(call, 4) == 0) {
		return 0;
	}
	r = end_open(call, &in, ARG_INT(call, 0), ARG(call, 1), flags);
	if (r == 0) {
		r = end_open(call, &out, ARG_INT(call, 2), ARG(call, 3), flags);
	}
	if (r == 0) {
		r = check(&in, &out);
	}
	if (r == 0) {
		r = move_ends(call, &in, &out, ARG(call, 4));
	}
	end_close(&in);
	end_close(&out);
	return r;
}

int64_t sys_tee(struct call *call)
{
	struct end in = {.file = NULL}, out = {.file = NULL};
	unsigned flags = ARG_U32(call, 3);
	int64_t r;

	if (flags & ~FLAGS_KNOWN) {
		return -EINVAL;
	}
	if (ARG(call, 2) == 0) {
		return 0;
	}
	r = end_open(call, &in, ARG_INT(call, 0), 0, flags);
	if (r == 0) {
		r = end_open(call, &out, ARG_INT(call, 1), 0, flags);
	}
	if (r == 0) {
		r = check(&in, &out);
	}
	if (r == 0 && !(in.is_pipe && out.is_pipe)) {
		r = -EINVAL;
	}
	if (r == 0) {
		r = wait_ends(call, &in, &out, ARG(call, 2));
		r = r > 0 ? pipe_duplicate(in.file->pipe, out.file->pipe, (uint64_t)r) : r;
	}
	end_close(&in);
	end_close(&out);
	return r;
}
