/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/fcntl.h"

#include <errno.h>
#include <fcntl.h>

#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/lock.h"
#include "servers/vfs/memfd.h"
#include "servers/vfs/pipe.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/user.h"

#define LINUX_F_GETLK         5
#define LINUX_F_SETLK         6
#define LINUX_F_SETLKW        7
#define LINUX_F_SETOWN        8
#define LINUX_F_GETOWN        9
#define LINUX_F_SETSIG        10
#define LINUX_F_GETSIG        11
#define LINUX_F_SETOWN_EX     15
#define LINUX_F_GETOWN_EX     16
#define LINUX_F_OFD_GETLK     36
#define LINUX_F_OFD_SETLK     37
#define LINUX_F_OFD_SETLKW    38
#define LINUX_F_SETLEASE      1024
#define LINUX_F_GETLEASE      1025
#define LINUX_F_DUPFD_CLOEXEC 1030
#define LINUX_F_SETPIPE_SZ    1031
#define LINUX_F_GETPIPE_SZ    1032
#define LINUX_F_ADD_SEALS     1033
#define LINUX_F_GET_SEALS     1034
#define SETTABLE_FLAGS        (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

struct owner_ex {
	int32_t type, pid;
};

static int64_t set_flags(struct file *file, unsigned flags)
{
	file->flags = (file->flags & ~(unsigned)SETTABLE_FLAGS) | (flags & SETTABLE_FLAGS);
	return 0;
}

static int64_t owner_ex(struct call *call, struct file *file, bool is_set, vaddr_t arg)
{
	struct owner_ex owner = {1, file->owner_pid};

	if (!is_set) {
		if (file->owner_pid < 0) {
			owner = (struct owner_ex){2, -file->owner_pid};
		}
		return user_copy_out(call, arg, &owner, sizeof(owner));
	}
	if (user_copy_in(call, &owner, arg, sizeof(owner)) < 0) {
		return -EFAULT;
	}
	if (owner.type < 0 || owner.type > 2) {
		return -EINVAL;
	}
	file->owner_pid = owner.type == 2 ? -owner.pid : owner.pid;
	return 0;
}

static int64_t pipe_size(struct file *file, bool is_set, uint64_t arg)
{
	if (file->kind != FILE_PIPE) {
		return -EBADF;
	}
	return is_set ? pipe_set_size(file->pipe, (uint32_t)arg)
		      : (int64_t)pipe_capacity(file->pipe);
}

/* What works on an O_PATH descriptor too. */
static bool is_for_descriptor(int cmd)
{
	return cmd == F_DUPFD || cmd == LINUX_F_DUPFD_CLOEXEC || cmd == F_GETFD || cmd == F_SETFD ||
		cmd == F_GETFL;
}

static int64_t fcntl_file(struct call *call, struct file *file, int fd, int cmd, uint64_t arg)
{
	struct fd_entry *entry = &call->proc->fds->entries[fd];

	switch (cmd) {
	case F_DUPFD:
	case LINUX_F_DUPFD_CLOEXEC:
		return fd_dup_from(call->proc, file, (uint32_t)arg, cmd == LINUX_F_DUPFD_CLOEXEC);
	case F_GETFD:
		return entry->is_cloexec ? FD_CLOEXEC : 0;
	case F_SETFD:
		entry->is_cloexec = arg & FD_CLOEXEC;
		return 0;
	case F_GETFL:
		return file->flags;
	case F_SETFL:
		return set_flags(file, (unsigned)arg);
	case LINUX_F_GETLK:
	case LINUX_F_SETLK:
	case LINUX_F_SETLKW:
	case LINUX_F_OFD_GETLK:
	case LINUX_F_OFD_SETLK:
	case LINUX_F_OFD_SETLKW:
		return lock_fcntl(call, file, cmd, arg);
	case LINUX_F_SETOWN:
		file->owner_pid = (int32_t)arg;
		return 0;
	case LINUX_F_GETOWN:
		return file->owner_pid;
	case LINUX_F_SETSIG:
		if (arg > 64) {
			return -EINVAL;
		}
		file->owner_sig = (int32_t)arg;
		return 0;
	case LINUX_F_GETSIG:
		return file->owner_sig;
	case LINUX_F_SETOWN_EX:
	case LINUX_F_GETOWN_EX:
		return owner_ex(call, file, cmd == LINUX_F_SETOWN_EX, arg);
	case LINUX_F_GETLEASE:
		return F_UNLCK;
	case LINUX_F_ADD_SEALS:
		return memfd_add_seals(file, (unsigned)arg);
	case LINUX_F_GET_SEALS:
		return memfd_get_seals(file);
	case LINUX_F_SETPIPE_SZ:
	case LINUX_F_GETPIPE_SZ:
		return pipe_size(file, cmd == LINUX_F_SETPIPE_SZ, arg);
	default:
		return -EINVAL;
	}
}

int64_t sys_fcntl(struct call *call)
{
	int fd = ARG_INT(call, 0), cmd = ARG_INT(call, 1);
	struct file *file = fd_hold_any(call->proc, fd);
	int64_t r = -EBADF;

	if (!file) {
		return -EBADF;
	}
	if (!(file->flags & O_PATH) || is_for_descriptor(cmd)) {
		r = fcntl_file(call, file, fd, cmd, ARG(call, 2));
	}
	file_put(file);
	return r;
}
