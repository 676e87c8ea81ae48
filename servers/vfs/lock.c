/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariants: 1. locks of one owner and kind on one file do not overlap; 2. locks of different
 * owners overlap only if both are shared; 3. a flock lock covers [0, end of all]; the two kinds do
 * not see each other.
 */
#include "servers/vfs/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "abi/errno.h"
#include "servers/vfs/call.h"
#include "servers/vfs/dir.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

#define END_OF_ALL INT64_MAX

enum lock_kind { LOCK_RANGE, LOCK_FLOCK };

struct file_lock {
	struct list link; /* in vnode->locks */
	enum lock_kind kind;
	const void *owner; /* descriptor table, or open file */
	int32_t pid;
	bool is_exclusive;
	int64_t start, last; /* bytes, inclusive */
};

/* What is asked for. */
struct lock_request {
	enum lock_kind kind;
	const void *owner;
	int32_t pid;
	int type; /* F_RDLCK, F_WRLCK, F_UNLCK */
	int64_t start, last;
};

/* fcntl's struct flock. */
struct flock_arg {
	int16_t type, whence;
	int32_t pad;
	int64_t start, len;
	int32_t pid, pad2;
};

static struct file_lock *find_conflict(struct vnode *node, const struct lock_request *req)
{
	if (req->type == F_UNLCK) {
		return NULL;
	}
	list_for_each(lock, &node->locks, struct file_lock, link)
	{
		if (lock->kind == req->kind && lock->owner != req->owner &&
			lock->start <= req->last && lock->last >= req->start &&
			(lock->is_exclusive || req->type == F_WRLCK)) {
			return lock;
		}
	}
	return NULL;
}

static struct file_lock *lock_new(
	struct vnode *node, const struct lock_request *req, bool is_exclusive)
{
	struct file_lock *lock = calloc(1, sizeof(*lock));

	if (lock) {
		lock->kind = req->kind;
		lock->owner = req->owner;
		lock->pid = req->pid;
		lock->is_exclusive = is_exclusive;
		lock->start = req->start;
		lock->last = req->last;
		list_add_tail(&node->locks, &lock->link);
	}
	return lock;
}

static void lock_free(struct file_lock *lock)
{
	list_remove(&lock->link);
	free(lock);
}

/* Take the range out of the owner's locks; splitting one may need memory, which is got first. */
static int cut_own(struct vnode *node, const struct lock_request *req)
{
	list_for_each_safe(lock, &node->locks, struct file_lock, link)
	{
		if (lock->kind != req->kind || lock->owner != req->owner ||
			lock->start > req->last || lock->last < req->start) {
			continue;
		}
		if (lock->start < req->start && lock->last > req->last) {
			struct lock_request rest = *req;

			rest.start = req->last + 1;
			rest.last = lock->last;
			if (!lock_new(node, &rest, lock->is_exclusive)) {
				return -ENOLCK;
			}
			lock->last = req->start - 1;
			break; /* it covered all of the range */
		}
		if (lock->start < req->start) {
			lock->last = req->start - 1;
		} else if (lock->last > req->last) {
			lock->start = req->last + 1;
		} else {
			lock_free(lock);
		}
	}
	return 0;
}

/* Join neighbours of the same owner and mode. */
static void join_own(struct vnode *node, struct file_lock *added)
{
	list_for_each_safe(lock, &node->locks, struct file_lock, link)
	{
		if (lock == added || lock->kind != added->kind || lock->owner != added->owner ||
			lock->is_exclusive != added->is_exclusive) {
			continue;
		}
		if (lock->last != END_OF_ALL && lock->last + 1 == added->start) {
			added->start = lock->start;
			lock_free(lock);
		} else if (added->last != END_OF_ALL && added->last + 1 == lock->start) {
			added->last = lock->last;
			lock_free(lock);
		}
	}
}

/* Set without conflict. */
static int apply(struct vnode *node, const struct lock_request *req)
{
	struct file_lock *lock = NULL;
	int r;

	if (req->type != F_UNLCK) {
		/* Made first and entered last, so that nothing is lost when memory is short. */
		lock = lock_new(node, req, req->type == F_WRLCK);
		if (!lock) {
			return -ENOLCK;
		}
		list_remove(&lock->link);
	}
	r = cut_own(node, req);
	if (r < 0) {
		free(lock);
		return r;
	}
	if (lock) {
		list_add_tail(&node->locks, &lock->link);
		if (req->kind == LOCK_RANGE) {
			join_own(node, lock);
		}
	}
	waitq_wake_all(&node->lock_wait);
	return 0;
}

/* Owners that wait: so that a circle of waiting is refused. */
struct lock_wait {
	struct list link;
	const void *owner, *holder;
};

/* Whether `holder` waits, over others, for `owner`. */
static bool would_deadlock(const void *owner, const void *holder, int depth)
{
	if (holder == owner) {
		return true;
	}
	list_for_each(wait, &vfs->lock_waits, struct lock_wait, link)
	{
		if (wait->owner == holder && depth > 0 &&
			would_deadlock(owner, wait->holder, depth - 1)) {
			return true;
		}
	}
	return false;
}

static int wait_for(struct call *call, struct vnode *node, const struct lock_request *req,
	const struct file_lock *conflict)
{
	struct lock_wait wait = {.owner = req->owner, .holder = conflict->owner};
	int r;

	if (req->kind == LOCK_RANGE && would_deadlock(req->owner, conflict->owner, 16)) {
		return -EDEADLK;
	}
	list_add_tail(&vfs->lock_waits, &wait.link);
	r = call_wait(call, &node->lock_wait);
	list_remove(&wait.link);
	return r;
}

static int64_t set_lock(
	struct call *call, struct vnode *node, const struct lock_request *req, bool may_wait)
{
	struct file_lock *conflict;

	while ((conflict = find_conflict(node, req)) != NULL) {
		int r;

		if (!may_wait) {
			return -EAGAIN;
		}
		if (!call_may_wait(call)) {
			return call_defer(call);
		}
		r = wait_for(call, node, req, conflict);
		if (r < 0) {
			return r;
		}
	}
	return apply(node, req);
}

/* The bytes that a struct flock names. */
static int range_of(const struct file *file, const struct flock_arg *arg, struct lock_request *req)
{
	int64_t base, start, last;

	switch (arg->whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = (int64_t)file->pos;
		break;
	case SEEK_END:
		base = (int64_t)file->path.node->size;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, arg->start, &start)) {
		return -EOVERFLOW;
	}
	if (start < 0) {
		return -EINVAL;
	}
	if (arg->len == 0) {
		last = END_OF_ALL;
	} else if (arg->len > 0) {
		if (__builtin_add_overflow(start, arg->len - 1, &last)) {
			return -EOVERFLOW;
		}
	} else {
		last = start - 1;
		start += arg->len;
		if (start < 0) {
			return -EINVAL;
		}
	}
	req->start = start;
	req->last = last;
	return 0;
}

static int64_t get_lock(struct call *call, struct vnode *node, struct lock_request *req,
	struct flock_arg *arg, vaddr_t to)
{
	const struct file_lock *conflict = find_conflict(node, req);

	if (!conflict) {
		arg->type = F_UNLCK;
	} else {
		arg->type = conflict->is_exclusive ? F_WRLCK : F_RDLCK;
		arg->whence = SEEK_SET;
		arg->start = conflict->start;
		arg->len = conflict->last == END_OF_ALL ? 0 : conflict->last - conflict->start + 1;
		arg->pid = conflict->pid;
	}
	return user_copy_out(call, to, arg, sizeof(*arg));
}

int64_t lock_fcntl(struct call *call, struct file *file, int cmd, uint64_t to)
{
	bool is_ofd = cmd >= 36, is_get = cmd == 5 || cmd == 36, may_wait = cmd == 7 || cmd == 38;
	struct lock_request req = {.kind = LOCK_RANGE};
	struct flock_arg arg;
	int r;

	if (user_copy_in(call, &arg, to, sizeof(arg)) < 0) {
		return -EFAULT;
	}
	if (arg.type != F_RDLCK && arg.type != F_WRLCK &&
		(arg.type != F_UNLCK || (is_get && is_ofd))) {
		return -EINVAL;
	}
	if (is_ofd && arg.pid != 0) {
		return -EINVAL;
	}
	req.owner = is_ofd ? (const void *)file : (const void *)call->proc->fds;
	req.pid = is_ofd ? -1 : call->proc->pid;
	req.type = arg.type;
	r = range_of(file, &arg, &req);
	if (r < 0) {
		return r;
	}
	if (is_get) {
		return get_lock(call, file->path.node, &req, &arg, to);
	}
	if ((arg.type == F_RDLCK && !file_is_readable(file)) ||
		(arg.type == F_WRLCK && !file_is_writable(file))) {
		return -EBADF;
	}
	if (is_ofd) {
		file->has_flock = true;
	}
	return set_lock(call, file->path.node, &req, may_wait);
}

int64_t sys_flock(struct call *call)
{
	struct file *file = fd_hold(call->proc, ARG_INT(call, 0));
	struct lock_request req = {
		.kind = LOCK_FLOCK, .owner = file, .start = 0, .last = END_OF_ALL};
	int op = ARG_INT(call, 1);
	int64_t r = 0;

	if (!file) {
		return -EBADF;
	}
	switch (op & ~LOCK_NB) {
	case LOCK_SH:
		req.type = F_RDLCK;
		break;
	case LOCK_EX:
		req.type = F_WRLCK;
		break;
	case LOCK_UN:
		req.type = F_UNLCK;
		break;
	default:
		r = -EINVAL;
		break;
	}
	if (r == 0) {
		req.pid = call->proc->pid;
		file->has_flock = true;
		r = set_lock(call, file->path.node, &req, !(op & LOCK_NB));
	}
	file_put(file);
	return r;
}

static void release_owner(struct vnode *node, const void *owner)
{
	bool is_changed = false;

	list_for_each_safe(lock, &node->locks, struct file_lock, link)
	{
		if (lock->owner == owner) {
			lock_free(lock);
			is_changed = true;
		}
	}
	if (is_changed) {
		waitq_wake_all(&node->lock_wait);
	}
}

void lock_close_posix(struct file *file, const struct fd_table *owner)
{
	if (!list_is_empty(&file->path.node->locks)) {
		release_owner(file->path.node, owner);
	}
}

void lock_release_flock(struct file *file)
{
	release_owner(file->path.node, file);
}

void lock_forget_node(struct vnode *node)
{
	while (!list_is_empty(&node->locks)) {
		lock_free(list_first(&node->locks, struct file_lock, link));
	}
}
