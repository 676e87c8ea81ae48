/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An epoll file has an item for each descriptor of interest. An item watches its file's queue; when
 * that tells of a change the item becomes hot. Waiting looks at hot items only: one that is not
 * ready becomes cold and watches again; one that is ready is reported, and stays hot unless it is
 * edge-triggered.
 *
 * Invariant: an item is hot, or it watches its file's queue (or both).
 */
#include "servers/vfs/epoll.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#include "lib/sys/kcall.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/poll.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/timer.h"
#include "servers/vfs/user.h"

#define EV_ET          (1u << 31)
#define EV_ONESHOT     (1u << 30)
#define EV_WAKEUP      (1u << 29)
#define EV_EXCLUSIVE   (1u << 28)
#define EV_MODES       (EV_ET | EV_ONESHOT | EV_WAKEUP | EV_EXCLUSIVE)
#define CTL_ADD        1
#define CTL_DEL        2
#define CTL_MOD        3
#define EVENTS_AT_ONCE 64
#define NEST_MAX       4

/* struct epoll_event of x86-64 */
struct event {
	uint32_t events;
	uint64_t data;
} __attribute__((packed));

struct epoll {
	struct list items, hot;
	struct waitq wait, poll_wait;
};

struct item {
	struct list link, hot; /* in the epoll file */
	struct list file_link; /* in file->epoll_items */
	struct epoll *epoll;
	struct file *file; /* not counted */
	int fd;
	struct event event;
	bool is_disabled; /* ONESHOT has been reported */
	bool is_polled;   /* in item_poll(), which may wait */
	bool is_dead;     /* freed meanwhile: item_poll() does the rest */
	struct waiter waiter;
};

static void item_heat(struct item *item)
{
	if (!list_is_linked(&item->hot)) {
		list_add_tail(&item->epoll->hot, &item->hot);
	}
	waitq_wake_all(&item->epoll->wait);
	waitq_wake_all(&item->epoll->poll_wait);
}

void epoll_notify(struct waiter *waiter)
{
	item_heat(container_of(waiter, struct item, waiter));
}

static void item_free(struct item *item)
{
	list_remove(&item->link);
	list_remove(&item->hot);
	list_remove(&item->file_link);
	waitq_leave(&item->waiter);
	if (item->is_polled) {
		item->is_dead = true;
	} else {
		free(item);
	}
}

/* What holds now; the item watches from here on if it did not. False: the item has gone meanwhile.
 */
static bool item_poll(struct call *call, struct item *item, unsigned *ready)
{
	bool is_watching = list_is_linked(&item->waiter.link);
	struct file *file = item->file;
	struct poll_table table;

	poll_table_init(&table, &item->waiter, 1);
	table.is_watch = true;
	item->is_polled = true;
	file_get(file);
	*ready = poll_file(call, file, item->event.events & ~EV_MODES, is_watching ? NULL : &table);
	file_put(file);
	item->is_polled = false;
	if (item->is_dead) {
		free(item);
		return false;
	}
	return true;
}

void epoll_forget_file(struct file *file)
{
	while (!list_is_empty(&file->epoll_items)) {
		item_free(list_first(&file->epoll_items, struct item, file_link));
	}
}

/* Whether a hot item is ready: what the epoll file itself tells a poller. */
static unsigned epoll_poll(
	struct call *call, struct file *file, unsigned events, struct poll_table *table)
{
	struct epoll *epoll = file->epoll;
	unsigned left = 0;

	(void)events;
	poll_table_enter(table, &epoll->poll_wait);
	list_for_each(item, &epoll->hot, struct item, hot)
	{
		left++;
	}
	while (left-- > 0 && !list_is_empty(&epoll->hot)) {
		struct item *item = list_first(&epoll->hot, struct item, hot);
		unsigned ready;

		list_remove(&item->hot);
		list_add_tail(&epoll->hot, &item->hot);
		if (!item->is_disabled && item_poll(call, item, &ready) && ready != 0) {
			return POLLIN | POLLRDNORM;
		}
		if (call->is_deferred) {
			return 0;
		}
	}
	return 0;
}

static void epoll_release(struct file *file)
{
	struct epoll *epoll = file->epoll;

	while (!list_is_empty(&epoll->items)) {
		item_free(list_first(&epoll->items, struct item, link));
	}
	free(epoll);
}

const struct file_ops file_ops_epoll = {
	.name = "epoll",
	.ignores_seek = true,
	.is_pollable = true,
	.poll = epoll_poll,
	.release = epoll_release,
};

static int64_t epoll_make(struct call *call, int flags)
{
	struct epoll *epoll;
	struct file *file;

	if (flags & ~O_CLOEXEC) {
		return -EINVAL;
	}
	epoll = calloc(1, sizeof(*epoll));
	if (!epoll) {
		return -ENOMEM;
	}
	file = file_new_internal(call->proc, 0600, "anon_inode:[eventpoll]", O_RDWR, FILE_EPOLL);
	if (!file) {
		free(epoll);
		return -ENOMEM;
	}
	list_init(&epoll->items);
	list_init(&epoll->hot);
	waitq_init(&epoll->wait);
	waitq_init(&epoll->poll_wait);
	file->epoll = epoll;
	return fd_add(call->proc, file, flags & O_CLOEXEC);
}

int64_t sys_epoll_create(struct call *call)
{
	return ARG_INT(call, 0) <= 0 ? -EINVAL : epoll_make(call, 0);
}

int64_t sys_epoll_create1(struct call *call)
{
	return epoll_make(call, ARG_INT(call, 0));
}

/* Whether `epoll` is watched, over others, by `inside`: a circle would never end. */
static bool leads_to(const struct epoll *inside, const struct epoll *epoll, int depth)
{
	if (inside == epoll || depth > NEST_MAX) {
		return true;
	}
	list_for_each(item, &inside->items, struct item, link)
	{
		if (item->file->kind == FILE_EPOLL &&
			leads_to(item->file->epoll, epoll, depth + 1)) {
			return true;
		}
	}
	return false;
}

static struct item *item_find(const struct epoll *epoll, const struct file *file, int fd)
{
	list_for_each(item, &epoll->items, struct item, link)
	{
		if (item->file == file && item->fd == fd) {
			return item;
		}
	}
	return NULL;
}

static int64_t item_add(struct epoll *epoll, struct file *file, int fd, const struct event *event)
{
	struct item *item;

	if (!file_ops(file)->is_pollable) {
		return -EPERM;
	}
	if (file->kind == FILE_EPOLL && leads_to(file->epoll, epoll, 0)) {
		return -ELOOP;
	}
	item = calloc(1, sizeof(*item));
	if (!item) {
		return -ENOMEM;
	}
	item->epoll = epoll;
	item->file = file;
	item->fd = fd;
	item->event = *event;
	list_init(&item->hot);
	list_init(&item->waiter.link);
	list_add_tail(&epoll->items, &item->link);
	list_add_tail(&file->epoll_items, &item->file_link);
	item_heat(item);
	return 0;
}

static int64_t control(
	struct epoll *epoll, int op, struct file *file, int fd, const struct event *event)
{
	struct item *item = item_find(epoll, file, fd);

	switch (op) {
	case CTL_ADD:
		return item ? -EEXIST : item_add(epoll, file, fd, event);
	case CTL_MOD:
		if (!item) {
			return -ENOENT;
		}
		item->event = *event;
		item->is_disabled = false;
		item_heat(item);
		return 0;
	case CTL_DEL:
		if (!item) {
			return -ENOENT;
		}
		item_free(item);
		return 0;
	default:
		return -EINVAL;
	}
}

int64_t sys_epoll_ctl(struct call *call)
{
	int op = ARG_INT(call, 1), fd = ARG_INT(call, 2);
	struct event event = {0, 0};
	struct file *file, *target;

	if (op != CTL_DEL && user_copy_in(call, &event, ARG(call, 3), sizeof(event)) < 0) {
		return -EFAULT;
	}
	file = fd_peek(call->proc, ARG_INT(call, 0));
	target = fd_peek(call->proc, fd);
	if (!file || !target) {
		return -EBADF;
	}
	if (file->kind != FILE_EPOLL || file == target) {
		return -EINVAL;
	}
	return control(file->epoll, op, target, fd, &event);
}

/* Look at the hot items once: how many events were stored. */
static int collect(struct call *call, struct epoll *epoll, struct event *out, int max)
{
	struct list seen;
	int count = 0;

	list_init(&seen);
	while (count < max && !list_is_empty(&epoll->hot)) {
		struct item *item = list_first(&epoll->hot, struct item, hot);
		unsigned ready = 0;

		/* Out of the list while being polled: a change from now on makes it hot anew. */
		list_remove(&item->hot);
		if (!item->is_disabled && !item_poll(call, item, &ready)) {
			continue;
		}
		if (call->is_deferred) {
			list_add_head(&epoll->hot, &item->hot);
			break;
		}
		if (ready == 0) {
			continue;
		}
		out[count].events = ready;
		out[count++].data = item->event.data;
		if (item->event.events & EV_ONESHOT) {
			item->is_disabled = true;
		} else if (!(item->event.events & EV_ET)) {
			list_remove(&item->hot);
			list_add_tail(&seen, &item->hot);
		}
	}
	list_splice_tail(&epoll->hot, &seen);
	return count;
}

static int64_t wait_events(struct call *call, struct file *file, struct event *out, int max,
	time_ns_t timeout_ns, const uint64_t *mask)
{
	struct timer timer = {.link = LIST_INIT(timer.link)};
	struct epoll *epoll = file->epoll;
	int count = collect(call, epoll, out, max);

	if (call->is_deferred) {
		return -EFAULT;
	}
	if (count != 0 || timeout_ns == 0) {
		return count;
	}
	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	if (mask) {
		poll_set_mask(call, *mask);
	}
	if (timeout_ns != POLL_FOREVER) {
		timer_start(&timer, poll_deadline(call, timeout_ns));
	}
	while (count == 0 && !timer.is_expired && !call->is_cancelled) {
		struct waiter waiter;

		waitq_enter(&epoll->wait, &waiter);
		count = collect(call, epoll, out, max);
		while (count == 0 && !waiter.woken && !timer.is_expired && !call->is_cancelled) {
			coro_wait();
		}
		waitq_leave(&waiter);
	}
	timer_stop(&timer);
	return count == 0 && call->is_cancelled ? -EINTR : count;
}

static int64_t epoll_wait_with(struct call *call, const uint64_t *mask)
{
	int max = ARG_INT(call, 2), timeout = ARG_INT(call, 3);
	struct file *file = fd_hold(call->proc, ARG_INT(call, 0));
	struct event events[EVENTS_AT_ONCE];
	int64_t r;

	if (!file) {
		return -EBADF;
	}
	if (max <= 0 || file->kind != FILE_EPOLL) {
		file_put(file);
		return -EINVAL;
	}
	r = wait_events(call, file, events, max < EVENTS_AT_ONCE ? max : EVENTS_AT_ONCE,
		timeout < 0 ? POLL_FOREVER : (time_ns_t)timeout * 1000000, mask);
	if (r > 0 && user_copy_out(call, ARG(call, 1), events, (size_t)r * sizeof(events[0])) < 0) {
		r = -EFAULT;
	}
	file_put(file);
	return r;
}

int64_t sys_epoll_wait(struct call *call)
{
	return epoll_wait_with(call, NULL);
}

int64_t sys_epoll_pwait(struct call *call)
{
	uint64_t mask;

	if (ARG(call, 4) == 0) {
		return epoll_wait_with(call, NULL);
	}
	if (ARG(call, 5) != sizeof(mask)) {
		return -EINVAL;
	}
	if (user_copy_in(call, &mask, ARG(call, 4), sizeof(mask)) < 0) {
		return -EFAULT;
	}
	return epoll_wait_with(call, &mask);
}
