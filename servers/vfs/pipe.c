/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariants: 1. head <= tail <= head + capacity; 2. pages that hold bytes between head and tail
 * are allocated;
 * 3. readers and writers count the open files of each side; the pipe lives as long as one of them.
 */
#include "servers/vfs/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "abi/errno.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/poll.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/signal.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

#define PAGE 4096u

struct pipe *pipe_of(struct vnode *node)
{
	struct pipe *pipe = node->pipe;

	if (pipe) {
		return pipe;
	}
	pipe = calloc(1, sizeof(*pipe));
	if (!pipe) {
		return NULL;
	}
	pipe->page_count = PIPE_PAGES_DEFAULT;
	pipe->pages = calloc(pipe->page_count, sizeof(*pipe->pages));
	if (!pipe->pages) {
		free(pipe);
		return NULL;
	}
	waitq_init(&pipe->read_wait);
	waitq_init(&pipe->write_wait);
	waitq_init(&pipe->open_wait);
	waitq_init(&pipe->poll_wait);
	pipe->node = node;
	node->pipe = pipe;
	return pipe;
}

static void pipe_free(struct pipe *pipe)
{
	pipe->node->pipe = NULL;
	for (unsigned i = 0; i < pipe->page_count; i++) {
		free(pipe->pages[i]);
	}
	free(pipe->pages);
	free(pipe->spare);
	free(pipe);
}

void pipe_attach(struct pipe *pipe, struct file *file)
{
	file->pipe = pipe;
	if (file_is_readable(file)) {
		pipe->readers++;
		pipe->opened_readers++;
	}
	if (file_is_writable(file)) {
		pipe->writers++;
		pipe->opened_writers++;
	}
	waitq_wake_all(&pipe->open_wait);
	waitq_wake_all(&pipe->poll_wait);
}

static void pipe_release(struct file *file)
{
	struct pipe *pipe = file->pipe;

	if (!pipe) {
		return;
	}
	if (file_is_readable(file)) {
		pipe->readers--;
	}
	if (file_is_writable(file)) {
		pipe->writers--;
	}
	waitq_wake_all(&pipe->read_wait);
	waitq_wake_all(&pipe->write_wait);
	waitq_wake_all(&pipe->poll_wait);
	if (pipe->readers == 0 && pipe->writers == 0 && list_is_empty(&pipe->open_wait.waiters)) {
		pipe_free(pipe);
	}
}

int pipe_open(struct call *call, struct file *file)
{
	struct pipe *pipe = pipe_of(file->path.node);
	unsigned *other, seen;
	bool reads = file_is_readable(file), writes = file_is_writable(file);
	int r = 0;

	if (!pipe) {
		return -ENOMEM;
	}
	if (file->path.node->sb->is_internal) {
		/* An unnamed pipe, by way of /proc: its ends are there, or have been. */
		pipe_attach(pipe, file);
		return 0;
	}
	if (writes && !reads && (file->flags & O_NONBLOCK) && pipe->readers == 0) {
		if (pipe->writers == 0) {
			pipe_free(pipe);
		}
		return -ENXIO;
	}
	pipe_attach(pipe, file);
	if ((reads && writes) || (file->flags & O_NONBLOCK)) {
		return 0;
	}
	/* An opener of the other side may have come and gone while this one slept: its count tells.
	 */
	other = reads ? &pipe->opened_writers : &pipe->opened_readers;
	if ((reads ? pipe->writers : pipe->readers) > 0) {
		return 0;
	}
	seen = *other;
	while (*other == seen && r == 0) {
		r = call_wait(call, &pipe->open_wait);
	}
	return r;
}

/* Copy between the ring at position `at` and a uio; pages for writing are there already. */
static int ring_copy(const struct pipe *pipe, uint64_t at, const struct uio *uio, uint64_t uio_at,
	uint64_t bytes, bool is_read)
{
	while (bytes > 0) {
		char *page = pipe->pages[at / PAGE % pipe->page_count];
		uint64_t offset = at % PAGE, len = u64_min(PAGE - offset, bytes);
		int r = is_read ? uio_try_copy_out(uio, uio_at, page + offset, len)
				: uio_try_copy_in(uio, uio_at, page + offset, len);

		if (r < 0) {
			return r;
		}
		at += len;
		uio_at += len;
		bytes -= len;
	}
	return 0;
}

/* Pages for [tail, tail + bytes): how many bytes there is memory for. */
static uint64_t ring_prepare(struct pipe *pipe, uint64_t bytes)
{
	for (uint64_t at = pipe->tail; at < pipe->tail + bytes; at = (at / PAGE + 1) * PAGE) {
		char **page = &pipe->pages[at / PAGE % pipe->page_count];

		if (!*page) {
			*page = pipe->spare ? pipe->spare : malloc(PAGE);
			pipe->spare = NULL;
		}
		if (!*page) {
			return at - pipe->tail;
		}
	}
	return bytes;
}

/* Bytes up to a new head have been read: pages before it are given back. */
static void ring_consume(struct pipe *pipe, uint64_t bytes)
{
	uint64_t head = pipe->head + bytes;
	uint64_t last = head == pipe->tail ? (head + PAGE - 1) / PAGE : head / PAGE;

	for (uint64_t n = pipe->head / PAGE; n < last; n++) {
		char **page = &pipe->pages[n % pipe->page_count];

		if (!pipe->spare) {
			pipe->spare = *page;
		} else {
			free(*page);
		}
		*page = NULL;
	}
	pipe->head = head;
	if (pipe->head == pipe->tail) {
		/* Empty: start at a page again, so that the next small write takes one page. */
		pipe->head = pipe->tail = (pipe->tail + PAGE - 1) / PAGE * PAGE;
	}
}

static int64_t pipe_read(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	struct pipe *pipe = file->pipe;
	uint64_t bytes;
	int r;

	(void)pos;
	if (uio->total == 0) {
		return 0;
	}
	for (;;) {
		bytes = u64_min(pipe_used(pipe), uio->total);
		if (bytes > 0) {
			if (ring_copy(pipe, pipe->head, uio, 0, bytes, true) == 0) {
				break;
			}
			if (!call_may_wait(call)) {
				return call_defer(call);
			}
			bytes = uio_make_present(uio, 0, bytes, true);
			if (bytes == 0) {
				return -EFAULT;
			}
			/* The ring may have changed while VM worked. */
			bytes = u64_min(pipe_used(pipe), bytes);
			if (bytes > 0 && ring_copy(pipe, pipe->head, uio, 0, bytes, true) == 0) {
				break;
			}
			continue;
		}
		if (pipe->writers == 0) {
			return 0;
		}
		r = file_wait(call, file, &pipe->read_wait);
		if (r < 0) {
			return r;
		}
	}
	ring_consume(pipe, bytes);
	waitq_wake_all(&pipe->write_wait);
	waitq_wake_all(&pipe->poll_wait);
	return (int64_t)bytes;
}

/* Bytes that may be written before the page being read is met again. */
uint64_t pipe_room(const struct pipe *pipe)
{
	return pipe->head / PAGE * PAGE + pipe_capacity(pipe) - pipe->tail;
}

/* How much may be written now of what is left: nothing when an atomic write does not fit as a
 * whole. */
static uint64_t write_room(const struct pipe *pipe, const struct uio *uio, uint64_t done)
{
	uint64_t room = pipe_room(pipe), left = uio->total - done;

	if (uio->total <= PIPE_BUF && room < left) {
		return 0;
	}
	return u64_min(room, left);
}

/* Bytes moved into the ring without waiting, or -EFAULT, -ENOMEM. */
static int64_t pipe_put(struct pipe *pipe, const struct uio *uio, uint64_t done, uint64_t bytes)
{
	bytes = ring_prepare(pipe, bytes);
	if (bytes == 0) {
		return -ENOMEM;
	}
	if (ring_copy(pipe, pipe->tail, uio, done, bytes, false) < 0) {
		return -EFAULT;
	}
	pipe->tail += bytes;
	waitq_wake_all(&pipe->read_wait);
	waitq_wake_all(&pipe->poll_wait);
	return (int64_t)bytes;
}

int pipe_wait_bytes(struct call *call, struct pipe *pipe, bool may_wait)
{
	while (pipe_used(pipe) == 0) {
		int r = may_wait ? 0 : -EAGAIN;

		if (pipe->writers == 0) {
			return 0;
		}
		if (r == 0) {
			r = call_wait(call, &pipe->read_wait);
		}
		if (r < 0) {
			return r;
		}
	}
	return 1;
}

int pipe_wait_room(struct call *call, struct pipe *pipe, bool may_wait)
{
	for (;;) {
		int r = may_wait ? 0 : -EAGAIN;

		if (pipe->readers == 0) {
			signal_thread(call, SIGPIPE);
			return -EPIPE;
		}
		if (pipe_room(pipe) > 0) {
			return 1;
		}
		if (r == 0) {
			r = call_wait(call, &pipe->write_wait);
		}
		if (r < 0) {
			return r;
		}
	}
}

int64_t pipe_duplicate(const struct pipe *from, struct pipe *to, uint64_t bytes)
{
	uint64_t done = 0;

	bytes = ring_prepare(to, u64_min(u64_min(bytes, pipe_used(from)), pipe_room(to)));
	while (done < bytes) {
		uint64_t at = from->head + done;
		uint64_t len = u64_min(PAGE - at % PAGE, bytes - done);
		struct uio uio;

		uio_single(&uio, EP_SELF,
			(vaddr_t)from->pages[at / PAGE % from->page_count] + at % PAGE, len);
		(void)ring_copy(to, to->tail, &uio, 0, len, false);
		to->tail += len;
		done += len;
	}
	waitq_wake_all(&to->read_wait);
	waitq_wake_all(&to->poll_wait);
	return done > 0 ? (int64_t)done : -ENOMEM;
}

static int64_t pipe_write_piece(
	struct call *call, struct file *file, const struct uio *uio, uint64_t done)
{
	struct pipe *pipe = file->pipe;
	uint64_t room, present;
	int64_t r;

	for (;;) {
		if (pipe->readers == 0) {
			return -EPIPE;
		}
		room = write_room(pipe, uio, done);
		if (room > 0) {
			r = pipe_put(pipe, uio, done, room);
			if (r != -EFAULT) {
				return r;
			}
			if (!call_may_wait(call)) {
				return call_defer(call);
			}
			present = uio_make_present(uio, done, room, false);
			if (present == room) {
				continue;
			}
			/* A write of up to PIPE_BUF is made whole or not at all. */
			room = u64_min(present, write_room(pipe, uio, done));
			if (present == 0 || uio->total <= PIPE_BUF) {
				return -EFAULT;
			}
			if (room > 0) {
				return pipe_put(pipe, uio, done, room);
			}
			continue;
		}
		r = file_wait(call, file, &pipe->write_wait);
		if (r < 0) {
			return r;
		}
	}
}

static int64_t pipe_write(
	struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	struct pipe *pipe = file->pipe;
	uint64_t done = 0;
	int64_t r = 0;

	(void)pos;
	if (uio->total == 0) {
		return 0;
	}
	if (!call_may_wait(call) && pipe->readers > 0 && !(file->flags & O_NONBLOCK) &&
		write_room(pipe, uio, 0) < uio->total) {
		return call_defer(call); /* it will have to wait: leave all of it to the worker */
	}
	while (done < uio->total) {
		r = pipe_write_piece(call, file, uio, done);
		if (r < 0) {
			break;
		}
		done += (uint64_t)r;
	}
	if (call->is_deferred) {
		return r;
	}
	if (r == -EPIPE && done == 0) {
		signal_thread(call, SIGPIPE);
	}
	return done > 0 ? (int64_t)done : r;
}

static unsigned pipe_poll(
	struct call *call, struct file *file, unsigned events, struct poll_table *table)
{
	struct pipe *pipe = file->pipe;
	unsigned ready = 0;

	(void)call;
	(void)events;
	poll_table_enter(table, &pipe->poll_wait);
	if (file_is_readable(file)) {
		ready |= pipe_used(pipe) > 0 ? POLLIN | POLLRDNORM : 0;
		ready |= pipe->writers == 0 && pipe->opened_writers > 0 ? POLLHUP : 0;
	}
	if (file_is_writable(file)) {
		ready |= pipe_room(pipe) >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0;
		ready |= pipe->readers == 0 ? POLLERR : 0;
	}
	return ready;
}

static int64_t pipe_ioctl(struct call *call, struct file *file, unsigned request, uint64_t arg)
{
	int used = (int)pipe_used(file->pipe);

	if (request == FIONREAD) {
		return user_copy_out(call, arg, &used, sizeof(used));
	}
	return -ENOTTY;
}

/* A ring of `count` pages, which hold what there is. */
static int resize(struct pipe *pipe, unsigned count)
{
	uint64_t used = pipe_used(pipe), at = 0;
	char **pages;

	pages = calloc(count, sizeof(*pages));
	if (!pages) {
		return -ENOMEM;
	}
	for (uint64_t n = 0; n * PAGE < used; n++) {
		pages[n] = malloc(PAGE);
		if (!pages[n]) {
			while (n > 0) {
				free(pages[--n]);
			}
			free(pages);
			return -ENOMEM;
		}
	}
	while (at < used) {
		uint64_t from = pipe->head + at;
		uint64_t len = u64_min(u64_min(PAGE - from % PAGE, PAGE - at % PAGE), used - at);

		memcpy(pages[at / PAGE] + at % PAGE,
			pipe->pages[from / PAGE % pipe->page_count] + from % PAGE, len);
		at += len;
	}
	for (unsigned i = 0; i < pipe->page_count; i++) {
		free(pipe->pages[i]);
	}
	free(pipe->pages);
	pipe->pages = pages;
	pipe->page_count = count;
	pipe->head = 0;
	pipe->tail = used;
	return 0;
}

int64_t pipe_set_size(struct pipe *pipe, uint64_t bytes)
{
	unsigned count = 1;
	int r;

	if (bytes > (uint64_t)PIPE_PAGES_MAX * PAGE) {
		return -EPERM;
	}
	while ((uint64_t)count * PAGE < bytes) {
		count *= 2;
	}
	if ((uint64_t)count * PAGE < pipe_used(pipe)) {
		return -EBUSY;
	}
	r = resize(pipe, count);
	if (r < 0) {
		return r;
	}
	waitq_wake_all(&pipe->write_wait);
	waitq_wake_all(&pipe->poll_wait);
	return (int64_t)pipe_capacity(pipe);
}

void pipe_unread(struct pipe *pipe, const char *from, uint64_t bytes)
{
	uint64_t at, page_first;

	/* Others may have filled it meanwhile; a page at each end may be shared. */
	while (pipe_used(pipe) + bytes + 2 * PAGE > pipe_capacity(pipe)) {
		if (resize(pipe, pipe->page_count * 2) < 0) {
			return;
		}
	}
	while (pipe->head < bytes) {
		pipe->head += pipe_capacity(pipe);
		pipe->tail += pipe_capacity(pipe);
	}
	page_first = (pipe->head - bytes) / PAGE;
	for (uint64_t n = page_first; n * PAGE < pipe->head; n++) {
		char **page = &pipe->pages[n % pipe->page_count];

		*page = *page ? *page : malloc(PAGE);
		if (!*page) {
			return;
		}
	}
	for (at = 0; at < bytes;) {
		uint64_t to = pipe->head - bytes + at, len = u64_min(PAGE - to % PAGE, bytes - at);

		memcpy(pipe->pages[to / PAGE % pipe->page_count] + to % PAGE, from + at, len);
		at += len;
	}
	pipe->head -= bytes;
	waitq_wake_all(&pipe->read_wait);
	waitq_wake_all(&pipe->poll_wait);
}

const struct file_ops file_ops_pipe = {
	.name = "pipe",
	.is_pollable = true,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
};
