/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/eventfd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/poll.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/user.h"

#define COUNT_MAX      (UINT64_MAX - 1)
#define FLAG_SEMAPHORE 1

struct eventfd {
	uint64_t count;
	bool is_semaphore;
	struct waitq read_wait, write_wait, poll_wait;
};

static int64_t eventfd_read(
	struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	struct eventfd *event = file->eventfd;
	uint64_t value;

	(void)pos;
	if (uio->total < sizeof(value)) {
		return -EINVAL;
	}
	while (event->count == 0) {
		int r = file_wait(call, file, &event->read_wait);

		if (r < 0) {
			return r;
		}
	}
	/* Taken before the copy, which may wait, and given back when it fails. */
	value = event->is_semaphore ? 1 : event->count;
	event->count -= value;
	if (uio_copy_out(call, uio, 0, &value, sizeof(value)) < 0) {
		event->count += value;
		return -EFAULT;
	}
	waitq_wake_all(&event->write_wait);
	waitq_wake_all(&event->poll_wait);
	return sizeof(value);
}

static int64_t eventfd_write(
	struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	struct eventfd *event = file->eventfd;
	uint64_t value;

	(void)pos;
	if (uio->total < sizeof(value)) {
		return -EINVAL;
	}
	if (uio_copy_in(call, uio, 0, &value, sizeof(value)) < 0) {
		return -EFAULT;
	}
	if (value == UINT64_MAX) {
		return -EINVAL;
	}
	while (value > COUNT_MAX - event->count) {
		int r = file_wait(call, file, &event->write_wait);

		if (r < 0) {
			return r;
		}
	}
	event->count += value;
	waitq_wake_all(&event->read_wait);
	waitq_wake_all(&event->poll_wait);
	return sizeof(value);
}

static unsigned eventfd_poll(
	struct call *call, struct file *file, unsigned events, struct poll_table *table)
{
	const struct eventfd *event = file->eventfd;

	(void)call;
	(void)events;
	poll_table_enter(table, &file->eventfd->poll_wait);
	return (event->count > 0 ? POLLIN | POLLRDNORM : 0) |
		(event->count < COUNT_MAX ? POLLOUT | POLLWRNORM : 0);
}

static void eventfd_release(struct file *file)
{
	free(file->eventfd);
}

const struct file_ops file_ops_eventfd = {
	.name = "eventfd",
	.ignores_seek = true,
	.is_pollable = true,
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
};

static int64_t eventfd_create(struct call *call, unsigned initial, int flags)
{
	struct eventfd *event;
	struct file *file;

	if (flags & ~(FLAG_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)) {
		return -EINVAL;
	}
	event = calloc(1, sizeof(*event));
	if (!event) {
		return -ENOMEM;
	}
	file = file_new_internal(call->proc, 0600, "anon_inode:[eventfd]",
		O_RDWR | (unsigned)(flags & O_NONBLOCK), FILE_EVENTFD);
	if (!file) {
		free(event);
		return -ENOMEM;
	}
	event->count = initial;
	event->is_semaphore = flags & FLAG_SEMAPHORE;
	waitq_init(&event->read_wait);
	waitq_init(&event->write_wait);
	waitq_init(&event->poll_wait);
	file->eventfd = event;
	return fd_add(call->proc, file, flags & O_CLOEXEC);
}

int64_t sys_eventfd(struct call *call)
{
	return eventfd_create(call, ARG_U32(call, 0), 0);
}

int64_t sys_eventfd2(struct call *call)
{
	return eventfd_create(call, ARG_U32(call, 0), ARG_INT(call, 1));
}
