/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/poll.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "lib/sys/kcall.h"
#include "proto/pm.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/timer.h"
#include "servers/vfs/user.h"

#define SELECT_MAX 4096u /* highest descriptor select can name, and then some */

void poll_table_init(struct poll_table *table, struct waiter *waiters, unsigned size)
{
	table->count = 0;
	table->size = size;
	table->waiters = waiters;
	table->is_watch = false;
}

void poll_table_enter(struct poll_table *table, struct waitq *queue)
{
	struct waiter *waiter;

	if (!table || table->count == table->size) {
		return;
	}
	waiter = &table->waiters[table->count++];
	if (table->is_watch) {
		waitq_watch(queue, waiter);
	} else {
		waitq_enter(queue, waiter);
	}
}

bool poll_table_is_woken(const struct poll_table *table)
{
	for (unsigned i = 0; i < table->count; i++) {
		if (table->waiters[i].woken) {
			return true;
		}
	}
	return false;
}

void poll_table_leave(struct poll_table *table)
{
	for (unsigned i = 0; i < table->count; i++) {
		waitq_leave(&table->waiters[i]);
	}
	table->count = 0;
}

unsigned poll_file(struct call *call, struct file *file, unsigned events, struct poll_table *table)
{
	unsigned ready = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

	if (file_ops(file)->is_pollable) {
		ready = file_ops(file)->poll(call, file, events, table);
	}
	return ready & (events | POLLERR | POLLHUP);
}

/* One poll in progress: the files are held for its time. */
struct poll_set {
	unsigned count;
	struct pollfd *fds;
	struct file **files; /* NULL: closed or negative */
	struct file *inline_files[16];
};

/* Look at all files: how many have something to tell; the first finding ends the wish to be told of
 * changes. */
static int poll_scan(struct call *call, struct poll_set *set, struct poll_table *table)
{
	int found = 0;

	for (unsigned i = 0; i < set->count; i++) {
		struct pollfd *fd = &set->fds[i];
		unsigned ready;

		fd->revents = 0;
		if (fd->fd < 0) {
			continue;
		}
		if (!set->files[i]) {
			fd->revents = POLLNVAL;
			found++;
			continue;
		}
		ready = poll_file(
			call, set->files[i], (unsigned short)fd->events, found ? NULL : table);
		if (call->is_deferred) {
			return -EFAULT;
		}
		fd->revents = (short)ready;
		found += ready != 0;
	}
	return found;
}

void poll_set_mask(struct call *call, uint64_t mask)
{
	struct message m = {.type = PM_SIGMASK};
	struct pm_sigmask *req = MSG(&m, pm_sigmask);

	/* A call that was put back has it still. */
	if (call->thread && !call->is_sigmask_set) {
		req->ep = call->m.source;
		req->set = 1;
		req->mask = mask;
		call->is_sigmask_set = true;
		(void)asyn_send(EP_PM, &m);
	}
}

time_ns_t poll_deadline(struct call *call, time_ns_t timeout_ns)
{
	if (timeout_ns == POLL_FOREVER) {
		return POLL_FOREVER;
	}
	if (call->deadline_ns == 0 &&
		!checked_add(sys_monotonic_ns(), timeout_ns, &call->deadline_ns)) {
		call->deadline_ns = POLL_FOREVER;
	}
	return call->deadline_ns;
}

/* Wait until something is found, the time has come, or the call is cancelled (-EINTR). */
static int poll_wait(
	struct call *call, struct poll_set *set, time_ns_t deadline_ns, const uint64_t *mask)
{
	struct waiter *waiters = malloc((set->count ? set->count : 1) * sizeof(*waiters));
	struct poll_table table;
	struct timer timer = {.link = LIST_INIT(timer.link)};
	int found;

	if (!waiters) {
		return -ENOMEM;
	}
	if (mask) {
		poll_set_mask(call, *mask);
	}
	if (deadline_ns != POLL_FOREVER) {
		timer_start(&timer, deadline_ns);
	}
	for (;;) {
		poll_table_init(&table, waiters, set->count);
		found = poll_scan(call, set, &table);
		while (found == 0 && !poll_table_is_woken(&table) && !timer.is_expired &&
			!call->is_cancelled) {
			coro_wait();
		}
		poll_table_leave(&table);
		if (found != 0) {
			break;
		}
		if (call->is_cancelled) {
			found = -EINTR;
			break;
		}
		if (timer.is_expired) {
			found = poll_scan(call, set, NULL);
			break;
		}
	}
	timer_stop(&timer);
	free(waiters);
	return found;
}

/* The whole of a poll: hold the files, look, wait. timeout_ns: POLL_FOREVER, or from now. */
static int poll_run(
	struct call *call, struct poll_set *set, time_ns_t timeout_ns, const uint64_t *mask)
{
	int found;

	set->files = set->inline_files;
	if (set->count > ARRAY_LEN(set->inline_files)) {
		set->files = malloc(set->count * sizeof(*set->files));
	}
	if (!set->files) {
		return -ENOMEM;
	}
	for (unsigned i = 0; i < set->count; i++) {
		set->files[i] = fd_hold(call->proc, set->fds[i].fd);
	}
	found = poll_scan(call, set, NULL);
	if (found == 0 && timeout_ns != 0) {
		if (!call_may_wait(call)) {
			found = call_defer(call);
		} else {
			found = poll_wait(call, set, poll_deadline(call, timeout_ns), mask);
		}
	}
	for (unsigned i = 0; i < set->count; i++) {
		if (set->files[i]) {
			file_put(set->files[i]);
		}
	}
	if (set->files != set->inline_files) {
		free(set->files);
	}
	return found;
}

/* poll and ppoll behind their time-outs. A wait that was cancelled starts anew when no handler ran.
 * is_last: nothing else is to be copied to the program. */
static int64_t poll_fds(struct call *call, vaddr_t fds, unsigned count, time_ns_t timeout_ns,
	const uint64_t *mask, bool is_last)
{
	struct pollfd inline_fds[16];
	struct poll_set set = {.count = count, .fds = inline_fds};
	int64_t r;

	if (count > call->proc->limit_nofile) {
		return -EINVAL;
	}
	if (count > ARRAY_LEN(inline_fds)) {
		set.fds = malloc(count * sizeof(*set.fds));
		if (!set.fds) {
			return -ENOMEM;
		}
	}
	r = user_copy_in(call, set.fds, fds, count * sizeof(*set.fds));
	if (r == 0) {
		r = poll_run(call, &set, timeout_ns, mask);
		if (r >= 0 && is_last) {
			r = user_answer(call, fds, set.fds, count * sizeof(*set.fds), r);
		} else if (r >= 0 &&
			user_copy_out(call, fds, set.fds, count * sizeof(*set.fds)) < 0) {
			r = -EFAULT;
		}
	}
	if (set.fds != inline_fds) {
		free(set.fds);
	}
	return r == -EINTR ? -ERESTARTNOHAND : r;
}

int64_t sys_poll(struct call *call)
{
	int timeout = ARG_INT(call, 2);

	return poll_fds(call, ARG(call, 0), ARG_U32(call, 1),
		timeout < 0 ? POLL_FOREVER : (time_ns_t)timeout * 1000000, NULL, true);
}

/* A time-out from the program's struct timespec; address 0: for ever. */
static int timeout_import(struct call *call, vaddr_t from, time_ns_t *timeout_ns)
{
	struct timespec ts;

	*timeout_ns = POLL_FOREVER;
	if (from == 0) {
		return 0;
	}
	if (user_copy_in(call, &ts, from, sizeof(ts)) < 0) {
		return -EFAULT;
	}
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= 1000000000) {
		return -EINVAL;
	}
	if (ts.tv_sec < INT64_MAX / 1000000000 - 1) {
		*timeout_ns = (time_ns_t)ts.tv_sec * 1000000000 + (time_ns_t)ts.tv_nsec;
	}
	return 0;
}

/* The time-out that the program gave is still needed. */
static bool is_begun_again(const struct call *call, int64_t result)
{
	return result == -ERESTARTNOHAND && call_is_put_back(call);
}

/* What is left of the time-out, which goes back to the program as Linux has it. */
static time_ns_t timeout_left(time_ns_t deadline_ns)
{
	time_ns_t now = sys_monotonic_ns();

	return now < deadline_ns ? deadline_ns - now : 0;
}

static void timeout_export(struct call *call, vaddr_t to, time_ns_t deadline_ns)
{
	time_ns_t left = timeout_left(deadline_ns);
	struct timespec ts;

	ts.tv_sec = (time_t)(left / 1000000000);
	ts.tv_nsec = (long)(left % 1000000000);
	(void)user_copy_out(call, to, &ts, sizeof(ts));
}

int64_t sys_ppoll(struct call *call)
{
	uint64_t mask;
	time_ns_t timeout, deadline = 0;
	int64_t r = timeout_import(call, ARG(call, 2), &timeout);

	if (r < 0) {
		return r;
	}
	if (ARG(call, 3) != 0) {
		if (ARG(call, 4) != sizeof(mask)) {
			return -EINVAL;
		}
		if (user_copy_in(call, &mask, ARG(call, 3), sizeof(mask)) < 0) {
			return -EFAULT;
		}
	}
	if (timeout != POLL_FOREVER && timeout != 0) {
		if (!call_may_wait(call)) {
			return call_defer(call);
		}
		deadline = poll_deadline(call, timeout);
	}
	r = poll_fds(call, ARG(call, 0), ARG_U32(call, 1), timeout, ARG(call, 3) ? &mask : NULL,
		deadline == 0);
	if (deadline != 0 && !is_begun_again(call, r)) {
		timeout_export(call, ARG(call, 2), deadline);
	}
	return r;
}

/* select as a poll: the three sets come in as bit maps and go out as such. */
struct select_sets {
	unsigned count; /* descriptors */
	uint64_t bits[3][SELECT_MAX / 64];
	vaddr_t addr[3];
};

static const unsigned select_events[3] = {POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM, POLLPRI};
static const unsigned select_results[3] = {
	POLLIN | POLLRDNORM | POLLHUP | POLLERR, POLLOUT | POLLWRNORM | POLLERR, POLLPRI};

static int select_import(struct call *call, struct select_sets *sets)
{
	size_t bytes = (sets->count + 63) / 64 * 8;

	for (int i = 0; i < 3; i++) {
		sets->addr[i] = ARG(call, 1 + i);
		if (sets->addr[i] != 0 &&
			user_copy_in(call, sets->bits[i], sets->addr[i], bytes) < 0) {
			return -EFAULT;
		}
	}
	return 0;
}

static bool select_has(const struct select_sets *sets, int which, unsigned fd)
{
	return sets->addr[which] != 0 && (sets->bits[which][fd / 64] >> (fd % 64) & 1);
}

/* The descriptors that are in a set, as poll wants them; -EBADF when one of them is not open. */
static int select_to_poll(struct call *call, const struct select_sets *sets, struct poll_set *set)
{
	set->count = 0;
	for (unsigned fd = 0; fd < sets->count; fd++) {
		unsigned events = 0;

		for (int i = 0; i < 3; i++) {
			events |= select_has(sets, i, fd) ? select_events[i] : 0;
		}
		if (events == 0) {
			continue;
		}
		if (!fd_peek(call->proc, (int)fd)) {
			return -EBADF;
		}
		set->fds[set->count++] = (struct pollfd){.fd = (int)fd, .events = (short)events};
	}
	return 0;
}

static int select_from_poll(const struct poll_set *set, struct select_sets *sets)
{
	uint64_t out[3][SELECT_MAX / 64];
	int count = 0;

	memset(out, 0, sizeof(out));
	for (unsigned n = 0; n < set->count; n++) {
		unsigned fd = (unsigned)set->fds[n].fd;

		for (int i = 0; i < 3; i++) {
			if (select_has(sets, i, fd) &&
				((unsigned)set->fds[n].revents & select_results[i])) {
				out[i][fd / 64] |= 1ull << (fd % 64);
				count++;
			}
		}
	}
	memcpy(sets->bits, out, sizeof(out));
	return count;
}

static int64_t select_run(
	struct call *call, struct select_sets *sets, time_ns_t timeout_ns, const uint64_t *mask)
{
	struct poll_set set = {
		.fds = malloc((sets->count ? sets->count : 1) * sizeof(struct pollfd))};
	size_t bytes = (sets->count + 63) / 64 * 8;
	int64_t r;

	if (!set.fds) {
		return -ENOMEM;
	}
	r = select_to_poll(call, sets, &set);
	if (r == 0) {
		r = poll_run(call, &set, timeout_ns, mask);
	}
	if (r >= 0) {
		r = select_from_poll(&set, sets);
		for (int i = 0; i < 3 && r >= 0; i++) {
			if (sets->addr[i] != 0 &&
				user_copy_out(call, sets->addr[i], sets->bits[i], bytes) < 0) {
				r = -EFAULT;
			}
		}
	}
	free(set.fds);
	return r == -EINTR ? -ERESTARTNOHAND : r;
}

static int64_t select_call(struct call *call, time_ns_t timeout_ns, const uint64_t *mask)
{
	struct select_sets *sets;
	int64_t r;

	if (ARG_INT(call, 0) < 0) {
		return -EINVAL;
	}
	sets = calloc(1, sizeof(*sets));
	if (!sets) {
		return -ENOMEM;
	}
	sets->count = ARG_U32(call, 0) < SELECT_MAX ? ARG_U32(call, 0) : SELECT_MAX;
	r = select_import(call, sets);
	if (r == 0) {
		r = select_run(call, sets, timeout_ns, mask);
	}
	free(sets);
	return r;
}

int64_t sys_select(struct call *call)
{
	struct timeval tv;
	time_ns_t timeout = POLL_FOREVER, deadline = 0, left;
	vaddr_t to = ARG(call, 4);
	int64_t r;

	if (to != 0) {
		if (user_copy_in(call, &tv, to, sizeof(tv)) < 0) {
			return -EFAULT;
		}
		if (tv.tv_sec < 0 || tv.tv_usec < 0) {
			return -EINVAL;
		}
		if (tv.tv_sec < INT64_MAX / 2000000000) {
			timeout = (time_ns_t)tv.tv_sec * 1000000000 + (time_ns_t)tv.tv_usec * 1000;
		}
		if (timeout != 0) {
			if (!call_may_wait(call)) {
				return call_defer(call);
			}
			deadline = poll_deadline(call, timeout);
		}
	}
	r = select_call(call, timeout, NULL);
	if (deadline != 0 && !is_begun_again(call, r)) {
		left = timeout_left(deadline);
		tv.tv_sec = (time_t)(left / 1000000000);
		tv.tv_usec = (suseconds_t)(left % 1000000000 / 1000);
		(void)user_copy_out(call, to, &tv, sizeof(tv));
	}
	return r;
}

int64_t sys_pselect6(struct call *call)
{
	struct {
		uint64_t mask, size;
	} sixth = {0, 0};
	uint64_t mask = 0;
	time_ns_t timeout, deadline = 0;
	int64_t r = timeout_import(call, ARG(call, 4), &timeout);

	if (r < 0) {
		return r;
	}
	if (ARG(call, 5) != 0) {
		if (user_copy_in(call, &sixth, ARG(call, 5), sizeof(sixth)) < 0) {
			return -EFAULT;
		}
		if (sixth.mask != 0 && sixth.size != sizeof(mask)) {
			return -EINVAL;
		}
		if (sixth.mask != 0 && user_copy_in(call, &mask, sixth.mask, sizeof(mask)) < 0) {
			return -EFAULT;
		}
	}
	if (timeout != POLL_FOREVER && timeout != 0) {
		if (!call_may_wait(call)) {
			return call_defer(call);
		}
		deadline = poll_deadline(call, timeout);
	}
	r = select_call(call, timeout, sixth.mask ? &mask : NULL);
	if (deadline != 0 && !is_begun_again(call, r)) {
		timeout_export(call, ARG(call, 4), deadline);
	}
	return r;
}
