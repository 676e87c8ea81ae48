/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "lib/core/util.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vnode.h"

#define IOCTL_BYTES_MAX 4096u

/* Terminal requests from before the numbers told sizes. */
static const struct {
	unsigned request;
	struct ioctl_arg arg;
} old_requests[] = {
	{TCGETS, {36, false, true}},
	{TCSETS, {36, true, false}},
	{TCSETSW, {36, true, false}},
	{TCSETSF, {36, true, false}},
	{TIOCGWINSZ, {8, false, true}},
	{TIOCSWINSZ, {8, true, false}},
	{TIOCOUTQ, {4, false, true}},
	{FIONREAD, {4, false, true}},
	{TIOCMGET, {4, false, true}},
	{TIOCMBIS, {4, true, false}},
	{TIOCMBIC, {4, true, false}},
	{TIOCMSET, {4, true, false}},
	{TIOCSTI, {1, true, false}},
	{TIOCGSOFTCAR, {4, false, true}},
	{TIOCSSOFTCAR, {4, true, false}},
	{TIOCGETD, {4, false, true}},
	{TIOCSETD, {4, true, false}},
	{TIOCPKT, {4, true, false}},
	{TCGETA, {18, false, true}},
	{TCSETA, {18, true, false}},
	{TCSETAW, {18, true, false}},
	{TCSETAF, {18, true, false}},
};

struct ioctl_arg ioctl_argument(unsigned request)
{
	struct ioctl_arg none = {0, false, false}, arg;

	for (unsigned i = 0; i < ARRAY_LEN(old_requests); i++) {
		if (old_requests[i].request == request) {
			return old_requests[i].arg;
		}
	}
	arg.bytes = request >> 16 & 0x3fff;
	arg.is_in = request >> 30 & 1;  /* _IOC_WRITE: user to kernel */
	arg.is_out = request >> 31 & 1; /* _IOC_READ */
	if ((!arg.is_in && !arg.is_out) || arg.bytes > IOCTL_BYTES_MAX) {
		return none;
	}
	return arg;
}

static int64_t set_flag(struct call *call, struct file *file, unsigned flag, vaddr_t arg)
{
	int on;

	if (user_copy_in(call, &on, arg, sizeof(on)) < 0) {
		return -EFAULT;
	}
	file->flags = on ? file->flags | flag : file->flags & ~flag;
	return 0;
}

static int64_t regular_ioctl(struct call *call, struct file *file, unsigned request, vaddr_t arg)
{
	int left;

	if (request != FIONREAD || !S_ISREG(file->path.node->mode)) {
		return -ENOTTY;
	}
	left = file->path.node->size > file->pos
		? (int)u64_min(file->path.node->size - file->pos, INT32_MAX)
		: 0;
	return user_copy_out(call, arg, &left, sizeof(left));
}

int64_t sys_ioctl(struct call *call)
{
	struct file *file = fd_hold(call->proc, ARG_INT(call, 0));
	unsigned request = ARG_U32(call, 1);
	int64_t r;

	if (!file) {
		return -EBADF;
	}
	switch (request) {
	case FIOCLEX:
	case FIONCLEX:
		call->proc->fds->entries[ARG_INT(call, 0)].is_cloexec = request == FIOCLEX;
		r = 0;
		break;
	case FIONBIO:
		r = set_flag(call, file, O_NONBLOCK, ARG(call, 2));
		break;
	case FIOASYNC:
		r = set_flag(call, file, O_ASYNC, ARG(call, 2));
		break;
	default:
		if (file_ops(file)->ioctl) {
			r = file_ops(file)->ioctl(call, file, request, ARG(call, 2));
		} else {
			r = regular_ioctl(call, file, request, ARG(call, 2));
		}
		break;
	}
	file_put(file);
	return r;
}
