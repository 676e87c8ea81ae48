/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Character devices. A driver gets a magic grant to the program's buffer; terminals, where a read
 * may wait for hours and must lose nothing, go through a small buffer of VFS.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

#include "abi/bootinfo.h"
#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "lib/sys/grant.h"
#include "proto/chr.h"
#include "servers/vfs/call.h"
#include "servers/vfs/device.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/ioctl.h"
#include "servers/vfs/poll.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/trans.h"
#include "servers/vfs/tty.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

#define TTY_CHUNK     4096u
#define CHR_CHUNK     (256u * 1024)
#define RESTART_TRIES 1000 /* RS gives up before that, and says so */

/* Sends m to the driver of dev and waits for the answer; a cancelled call ends the request at the
 * driver first (not a poll, which drivers answer at once: what it tells must not be lost). */
static int64_t chr_request(struct call *call, uint64_t dev, struct message *m)
{
	endpoint_t driver = device_chr_driver(dev);
	struct message answer, cancel = {.type = CHR_CANCEL};
	struct trans trans;
	int r;

	if (driver == EP_NONE) {
		return -EIO;
	}
	trans_begin(&trans, driver, &answer);
	m->u32[0] = trans.seq;
	m->u32[1] = dev_major(dev);
	m->u32[2] = dev_minor(dev);
	trans_send(&trans, m);
	r = m->type == CHR_POLL ? trans_wait(&trans) : trans_wait_call(&trans, call);
	if (r == -EINTR && !trans.is_done) {
		MSG(&cancel, chr_cancel_req)->seq = trans.seq;
		MSG(&cancel, chr_cancel_req)->major = dev_major(dev);
		MSG(&cancel, chr_cancel_req)->minor = dev_minor(dev);
		(void)asyn_send(driver, &cancel);
		r = trans_wait(&trans);
	} else if (r == -ERESTARTED) {
		/* It may have reached the new instance: it must not take what the repetition shall
		 * get. */
		MSG(&cancel, chr_cancel_req)->seq = trans.seq;
		MSG(&cancel, chr_cancel_req)->major = dev_major(dev);
		MSG(&cancel, chr_cancel_req)->minor = dev_minor(dev);
		(void)asyn_send(driver, &cancel);
	}
	return r < 0 ? r : trans_result(MSG(&answer, chr_rep)->result);
}

static int64_t open_request(struct call *call, uint64_t dev, unsigned flags)
{
	int64_t r;

	for (int i = 0; i < RESTART_TRIES; i++) {
		struct message m = {.type = CHR_OPEN};

		MSG(&m, chr_req)->flags = flags;
		MSG(&m, chr_req)->user = call->m.source;
		r = chr_request(call, dev, &m);
		if (r != -ERESTARTED) {
			return r;
		}
	}
	return -EIO;
}

/* A request that is repeated when the driver was restarted meanwhile. */
static int64_t chr_request_again(
	struct call *call, const struct file *file, const struct message *request)
{
	int64_t r;

	for (int i = 0; i < RESTART_TRIES; i++) {
		struct message m = *request;

		r = chr_request(call, file->chr->dev, &m);
		if (r != -ERESTARTED) {
			return r;
		}
	}
	return -EIO;
}

/* One transfer through a grant, which is revoked afterwards. */
static int64_t chr_io(struct call *call, const struct file *file, int op, grant_t grant,
	uint64_t bytes, uint64_t pos)
{
	struct message m = {.type = op};
	struct chr_io_req *req = MSG(&m, chr_io_req);
	int64_t r;

	if (grant == GRANT_INVALID) {
		return -ENOMEM;
	}
	req->flags = file->flags & O_NONBLOCK;
	req->grant = grant;
	req->bytes = bytes;
	req->position = pos;
	req->user = call->m.source;
	r = chr_request_again(call, file, &m);
	(void)grant_revoke(grant);
	if (r > (int64_t)bytes) {
		return -EIO;
	}
	return r == -EINTR && call->is_cancelled ? -ERESTARTSYS : r;
}

/* Up to CHR_CHUNK bytes of one piece between the device and the program's memory. */
static int64_t chr_piece(struct call *call, const struct file *file, int op, endpoint_t ep,
	vaddr_t addr, uint64_t bytes, uint64_t pos)
{
	endpoint_t driver = device_chr_driver(file->chr->dev);
	uint32_t access = op == CHR_WRITE ? GRANT_READ : GRANT_WRITE;
	int64_t r = -EFAULT;

	if (ep != EP_SELF && !range_within(addr, bytes, 0, USER_END)) {
		return -EFAULT;
	}
	for (int i = 0; i < 2 && r == -EFAULT; i++) {
		if (i > 0 && ep != EP_SELF) {
			bytes = user_present_prefix(ep, addr, bytes, op == CHR_READ);
			if (bytes == 0) {
				return -EFAULT;
			}
		}
		r = chr_io(call, file, op,
			ep == EP_SELF ? grant_direct(driver, (void *)addr, bytes, access)
				      : grant_magic(driver, ep, addr, bytes, access),
			bytes, pos);
	}
	return r;
}

static int64_t chr_transfer(
	struct call *call, struct file *file, int op, const struct uio *uio, uint64_t *pos)
{
	uint64_t done = 0;
	int64_t r = 0;

	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	if (uio->total == 0) {
		return 0;
	}
	while (done < uio->total) {
		uint64_t len;
		vaddr_t addr = uio_piece(uio, done, &len);

		len = u64_min(len, CHR_CHUNK);
		r = chr_piece(call, file, op, uio->ep, addr, len, *pos + done);
		if (r <= 0) {
			break;
		}
		done += (uint64_t)r;
		if ((uint64_t)r < len) {
			break;
		}
	}
	*pos += done;
	return done > 0 ? (int64_t)done : r;
}

static int64_t chr_read(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	return chr_transfer(call, file, CHR_READ, uio, pos);
}

static int64_t chr_write(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	return chr_transfer(call, file, CHR_WRITE, uio, pos);
}

static int64_t tty_read(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	uint64_t bytes = u64_min(uio->total, TTY_CHUNK);
	char *buf;
	int64_t r;

	(void)pos;
	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	if (bytes == 0) {
		return 0;
	}
	r = tty_check_read(call, file->chr->dev);
	if (r < 0) {
		return r;
	}
	buf = malloc(bytes);
	if (!buf) {
		return -ENOMEM;
	}
	r = chr_io(call, file, CHR_READ,
		grant_direct(device_chr_driver(file->chr->dev), buf, bytes, GRANT_WRITE), bytes, 0);
	if (r > 0 && uio_copy_out(call, uio, 0, buf, (size_t)r) < 0) {
		r = -EFAULT;
	}
	free(buf);
	return r;
}

static int64_t tty_write_all(struct call *call, struct file *file, const struct uio *uio, char *buf)
{
	uint64_t done = 0;
	int64_t r = 0;

	while (done < uio->total) {
		uint64_t bytes = u64_min(uio->total - done, TTY_CHUNK);

		if (uio_copy_in(call, uio, done, buf, bytes) < 0) {
			r = -EFAULT;
			break;
		}
		r = chr_io(call, file, CHR_WRITE,
			grant_direct(device_chr_driver(file->chr->dev), buf, bytes, GRANT_READ),
			bytes, 0);
		if (r <= 0) {
			break;
		}
		done += (uint64_t)r;
		if ((uint64_t)r < bytes && ((file->flags & O_NONBLOCK) || call->is_cancelled)) {
			break;
		}
	}
	return done > 0 ? (int64_t)done : r;
}

static int64_t tty_write(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	char *buf;
	int64_t r;

	(void)pos;
	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	r = tty_check_write(call, file->chr->dev);
	if (r < 0 || uio->total == 0) {
		return r;
	}
	buf = malloc(u64_min(uio->total, TTY_CHUNK));
	if (!buf) {
		return -ENOMEM;
	}
	r = tty_write_all(call, file, uio, buf);
	free(buf);
	return r;
}

static unsigned chr_poll(
	struct call *call, struct file *file, unsigned events, struct poll_table *table)
{
	struct message m = {.type = CHR_POLL};
	int64_t r;

	if (!call_may_wait(call)) {
		(void)call_defer(call);
		return 0;
	}
	poll_table_enter(table, &file->chr->poll_wait);
	MSG(&m, chr_poll_req)->events = events;
	MSG(&m, chr_poll_req)->watch = table != NULL;
	r = chr_request_again(call, file, &m);
	if (r == -ENOSYS || r == -ENOTTY) {
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	}
	return r < 0 ? POLLERR : (unsigned)r;
}

void chr_ready(endpoint_t from, const struct vfs_chr_ready *ready)
{
	uint64_t dev = dev_make(ready->major, ready->minor);

	if (device_chr_driver(dev) != from) {
		return;
	}
	list_for_each(chr, &vfs->chr_devices, struct chr_device, link)
	{
		if (chr->dev == dev) {
			waitq_wake_all(&chr->poll_wait);
		}
	}
}

/* To the driver, with a copy of the argument when the request has one of known size. */
static int64_t driver_ioctl(struct call *call, struct file *file, unsigned request, uint64_t arg)
{
	struct ioctl_arg spec = ioctl_argument(request);
	struct message m = {.type = CHR_IOCTL};
	struct chr_ioctl_req *req = MSG(&m, chr_ioctl_req);
	char *buf;
	int64_t r = 0;

	if (spec.bytes == 0) {
		req->request = request;
		req->grant = GRANT_INVALID;
		req->value = arg;
		req->user = call->m.source;
		return chr_request_again(call, file, &m);
	}
	buf = calloc(1, spec.bytes);
	if (!buf) {
		return -ENOMEM;
	}
	if (spec.is_in) {
		r = user_copy_in(call, buf, arg, spec.bytes);
	}
	if (r == 0) {
		grant_t grant = grant_direct(device_chr_driver(file->chr->dev), buf, spec.bytes,
			GRANT_READ | GRANT_WRITE);

		req->request = request;
		req->grant = grant;
		req->bytes = spec.bytes;
		req->value = arg;
		req->user = call->m.source;
		r = chr_request_again(call, file, &m);
		(void)grant_revoke(grant);
		if (r == -EINTR && call->is_cancelled) {
			r = -ERESTARTSYS;
		}
	}
	if (r >= 0 && spec.is_out && user_copy_out(call, arg, buf, spec.bytes) < 0) {
		r = -EFAULT;
	}
	free(buf);
	return r;
}

static int64_t chr_ioctl(struct call *call, struct file *file, unsigned request, uint64_t arg)
{
	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	return driver_ioctl(call, file, request, arg);
}

static int64_t tty_file_ioctl(struct call *call, struct file *file, unsigned request, uint64_t arg)
{
	bool is_done = false;
	int64_t r;

	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	r = tty_ioctl(call, file, request, arg, &is_done);
	if (is_done || r < 0) {
		return r;
	}
	r = driver_ioctl(call, file, request, arg);
	if (r >= 0) {
		tty_ioctl_done(call, file, request, arg);
	}
	return r;
}

static struct chr_device *chr_device_get(uint64_t dev)
{
	struct chr_device *chr;

	list_for_each(other, &vfs->chr_devices, struct chr_device, link)
	{
		if (other->dev == dev) {
			other->refs++;
			return other;
		}
	}
	chr = calloc(1, sizeof(*chr));
	if (chr) {
		chr->dev = dev;
		chr->refs = 1;
		waitq_init(&chr->poll_wait);
		list_init(&chr->files);
		list_add_tail(&vfs->chr_devices, &chr->link);
	}
	return chr;
}

static void chr_device_put(struct chr_device *chr)
{
	if (--chr->refs == 0) {
		list_remove(&chr->link);
		free(chr);
	}
}

static void chr_release(struct file *file)
{
	struct message m = {.type = CHR_CLOSE};
	struct chr_req *req = MSG(&m, chr_req);
	endpoint_t driver;

	if (!file->chr) {
		return;
	}
	list_remove(&file->object_link);
	driver = device_chr_driver(file->chr->dev);
	req->seq = trans_unwaited_seq();
	req->major = dev_major(file->chr->dev);
	req->minor = dev_minor(file->chr->dev);
	req->flags = file->flags;
	if (driver != EP_NONE) {
		(void)asyn_send(driver, &m);
	}
	chr_device_put(file->chr);
}

int chr_open(struct call *call, struct file *file)
{
	uint64_t dev = file->path.node->rdev;
	struct chr_device *chr;
	int64_t r;

	if (dev == dev_make(5, 0)) {
		const struct tty *tty = tty_of(call->proc);

		if (!tty) {
			return -ENXIO;
		}
		dev = tty->dev;
	}
	if (device_chr_driver(dev) == EP_NONE) {
		return -ENXIO;
	}
	r = open_request(call, dev, file->flags);
	if (r < 0) {
		return r == -EINTR && call->is_cancelled ? -ERESTARTSYS : (int)r;
	}
	chr = chr_device_get(dev);
	if (!chr) {
		return -ENOMEM;
	}
	file->chr = chr;
	list_add_tail(&chr->files, &file->object_link);
	file->kind = tty_is_terminal(dev) ? FILE_TTY : FILE_CHR;
	if (tty_is_terminal(dev) && file->path.node->rdev != dev_make(5, 0)) {
		tty_opened(call->proc, dev, file->flags);
	}
	return 0;
}

int64_t chr_reopen(struct call *call)
{
	uint32_t major = call->m.u32[0];

	/* Sent without waiting, so that they stand before whatever else goes to the driver. */
	list_for_each(chr, &vfs->chr_devices, struct chr_device, link)
	{
		if (dev_major(chr->dev) != major) {
			continue;
		}
		list_for_each(file, &chr->files, struct file, object_link)
		{
			struct message m = {.type = CHR_OPEN};
			struct chr_req *req = MSG(&m, chr_req);

			req->seq = trans_unwaited_seq();
			req->major = major;
			req->minor = dev_minor(chr->dev);
			req->flags = file->flags | O_NOCTTY;
			req->user = EP_NONE;
			(void)asyn_send(device_chr_driver(chr->dev), &m);
		}
		waitq_wake_all(&chr->poll_wait); /* the watch is lost as well */
	}
	tty_restore(major);
	return 0;
}

const struct file_ops file_ops_chr = {
	.name = "chr",
	.is_seekable = true,
	.is_pollable = true,
	.waits_always = true,
	.read = chr_read,
	.write = chr_write,
	.poll = chr_poll,
	.ioctl = chr_ioctl,
	.release = chr_release,
};

const struct file_ops file_ops_tty = {
	.name = "tty",
	.is_pollable = true,
	.waits_always = true,
	.read = tty_read,
	.write = tty_write,
	.poll = chr_poll,
	.ioctl = tty_file_ioctl,
	.release = chr_release,
};
