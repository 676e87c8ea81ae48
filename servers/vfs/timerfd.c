/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/timerfd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "lib/sys/kcall.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/poll.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/timer.h"
#include "servers/vfs/user.h"

#define FLAG_ABSTIME       1
#define FLAG_CANCEL_ON_SET 2
#define NS_PER_S           1000000000ll

struct timerfd {
	struct timer timer;
	int clock;
	bool is_armed;
	time_ns_t interval_ns;
	uint64_t count; /* expirations not yet read */
	struct waitq read_wait, poll_wait;
};

void timerfd_expired(struct timer *timer)
{
	struct timerfd *tfd = container_of(timer, struct timerfd, timer);
	time_ns_t now = sys_monotonic_ns();

	tfd->count++;
	tfd->is_armed = tfd->interval_ns != 0;
	if (tfd->is_armed) {
		time_ns_t late = now > timer->at_ns ? now - timer->at_ns : 0;
		uint64_t missed = late / tfd->interval_ns;

		tfd->count += missed;
		timer_start_timerfd(timer, timer->at_ns + (missed + 1) * tfd->interval_ns);
	}
	waitq_wake_all(&tfd->read_wait);
	waitq_wake_all(&tfd->poll_wait);
}

static int64_t timerfd_read(
	struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	struct timerfd *tfd = file->timerfd;
	uint64_t value;

	(void)pos;
	if (uio->total < sizeof(value)) {
		return -EINVAL;
	}
	while (tfd->count == 0) {
		int r = file_wait(call, file, &tfd->read_wait);

		if (r < 0) {
			return r;
		}
	}
	value = tfd->count;
	tfd->count = 0;
	if (uio_copy_out(call, uio, 0, &value, sizeof(value)) < 0) {
		tfd->count += value;
		return -EFAULT;
	}
	return sizeof(value);
}

static unsigned timerfd_poll(
	struct call *call, struct file *file, unsigned events, struct poll_table *table)
{
	(void)call;
	(void)events;
	poll_table_enter(table, &file->timerfd->poll_wait);
	return file->timerfd->count > 0 ? POLLIN | POLLRDNORM : 0;
}

static void timerfd_release(struct file *file)
{
	timer_stop(&file->timerfd->timer);
	free(file->timerfd);
}

const struct file_ops file_ops_timerfd = {
	.name = "timerfd",
	.ignores_seek = true,
	.is_pollable = true,
	.read = timerfd_read,
	.poll = timerfd_poll,
	.release = timerfd_release,
};

int64_t sys_timerfd_create(struct call *call)
{
	int clock = ARG_INT(call, 0), flags = ARG_INT(call, 1);
	struct timerfd *tfd;
	struct file *file;

	if ((clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME) ||
		(flags & ~(O_CLOEXEC | O_NONBLOCK))) {
		return -EINVAL;
	}
	tfd = calloc(1, sizeof(*tfd));
	if (!tfd) {
		return -ENOMEM;
	}
	file = file_new_internal(call->proc, 0600, "anon_inode:[timerfd]",
		O_RDWR | (unsigned)(flags & O_NONBLOCK), FILE_TIMERFD);
	if (!file) {
		free(tfd);
		return -ENOMEM;
	}
	tfd->clock = clock;
	list_init(&tfd->timer.link);
	waitq_init(&tfd->read_wait);
	waitq_init(&tfd->poll_wait);
	file->timerfd = tfd;
	return fd_add(call->proc, file, flags & O_CLOEXEC);
}

static bool to_ns(const struct timespec *ts, time_ns_t *ns)
{
	if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= NS_PER_S) {
		return false;
	}
	*ns = ts->tv_sec > INT64_MAX / NS_PER_S - 1
		? INT64_MAX
		: (time_ns_t)ts->tv_sec * NS_PER_S + (time_ns_t)ts->tv_nsec;
	return true;
}

static struct timespec to_timespec(time_ns_t ns)
{
	return (struct timespec){
		.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

static struct itimerspec remaining(const struct timerfd *tfd)
{
	struct itimerspec its = {.it_interval = to_timespec(tfd->interval_ns)};
	time_ns_t now = sys_monotonic_ns();

	if (tfd->is_armed) {
		its.it_value = to_timespec(tfd->timer.at_ns > now ? tfd->timer.at_ns - now : 1);
	}
	return its;
}

/* When a timer of the given clock goes off on the monotonic clock. */
static time_ns_t deadline(const struct timerfd *tfd, time_ns_t value, bool is_absolute)
{
	time_ns_t now = sys_monotonic_ns(), from = now;

	if (is_absolute) {
		if (tfd->clock == CLOCK_REALTIME) {
			time_ns_t real = sys_realtime_ns();

			return value <= real ? now : now + (value - real);
		}
		return value;
	}
	return value > UINT64_MAX - from ? UINT64_MAX : from + value;
}

/* The timer file of a descriptor: NULL and *error. */
static struct timerfd *timer_of(struct call *call, int *error)
{
	struct file *file = fd_peek(call->proc, ARG_INT(call, 0));

	*error = !file ? -EBADF : -EINVAL;
	return file && file->kind == FILE_TIMERFD ? file->timerfd : NULL;
}

int64_t sys_timerfd_settime(struct call *call)
{
	int flags = ARG_INT(call, 1), error;
	struct itimerspec its, old;
	time_ns_t value, interval;
	struct timerfd *tfd;

	if (user_copy_in(call, &its, ARG(call, 2), sizeof(its)) < 0) {
		return -EFAULT;
	}
	if ((flags & ~(FLAG_ABSTIME | FLAG_CANCEL_ON_SET)) || !to_ns(&its.it_value, &value) ||
		!to_ns(&its.it_interval, &interval)) {
		return -EINVAL;
	}
	tfd = timer_of(call, &error);
	if (!tfd) {
		return error;
	}
	old = remaining(tfd);
	if (ARG(call, 3) != 0 && user_copy_out(call, ARG(call, 3), &old, sizeof(old)) < 0) {
		return -EFAULT;
	}
	/* The copy may have waited, and the file may be gone. */
	tfd = timer_of(call, &error);
	if (!tfd) {
		return error;
	}
	timer_stop(&tfd->timer);
	tfd->count = 0;
	tfd->interval_ns = interval;
	tfd->is_armed = value != 0;
	if (tfd->is_armed) {
		timer_start_timerfd(&tfd->timer, deadline(tfd, value, flags & FLAG_ABSTIME));
	}
	return 0;
}

int64_t sys_timerfd_gettime(struct call *call)
{
	int error;
	const struct timerfd *tfd = timer_of(call, &error);
	struct itimerspec its;

	if (!tfd) {
		return error;
	}
	its = remaining(tfd);
	return user_copy_out(call, ARG(call, 1), &its, sizeof(its));
}
