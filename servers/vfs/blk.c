/* SPDX-License-Identifier: BSD-2-Clause */
/* Block devices as files: whole sectors go through a buffer of VFS; the driver sees only aligned
 * requests. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "lib/sys/grant.h"
#include "proto/blk.h"
#include "servers/vfs/call.h"
#include "servers/vfs/device.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/ioctl.h"
#include "servers/vfs/trans.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

#define SECTOR        512u
#define BLK_CHUNK     (64u * 1024)
#define RESTART_TRIES 1000 /* RS gives up before that, and says so */

/* Sends m to the driver of dev, again when it was restarted, and replaces it by the answer. */
static int blk_request(uint64_t dev, struct message *m)
{
	struct message answer;
	int r = -EIO;

	for (int i = 0; i < RESTART_TRIES; i++) {
		endpoint_t driver = device_blk_driver(dev);
		struct trans trans;

		if (driver == EP_NONE) {
			return -ENXIO;
		}
		trans_begin(&trans, driver, &answer);
		m->u32[0] = trans.seq;
		m->u32[1] = dev_minor(dev);
		trans_send(&trans, m);
		r = trans_wait(&trans);
		if (r != -ERESTARTED) {
			break;
		}
	}
	if (r < 0) {
		return r == -ERESTARTED ? -EIO : r;
	}
	*m = answer;
	return (int)trans_result(MSG(m, blk_rep)->result);
}

/* Sectors between the device and VFS's buffer: bytes done. */
static int64_t blk_sectors(uint64_t dev, int op, char *buf, uint64_t bytes, uint64_t pos)
{
	struct message m = {.type = op};
	struct blk_io_req *req = MSG(&m, blk_io_req);
	grant_t grant = grant_direct(
		device_blk_driver(dev), buf, bytes, op == BLK_READ ? GRANT_WRITE : GRANT_READ);
	int r;

	if (grant == GRANT_INVALID) {
		return -ENOMEM;
	}
	req->position = pos;
	req->grant = grant;
	req->count = 1;
	req->bytes = bytes;
	r = blk_request(dev, &m);
	(void)grant_revoke(grant);
	return r < 0 ? r : (int64_t)u64_min(MSG(&m, blk_rep)->value, bytes);
}

/* Bytes [pos, pos + bytes) within one chunk; writing reads partial sectors at the ends first. */
static int64_t blk_chunk(struct call *call, const struct blk_device *blk, bool is_write,
	const struct uio *uio, uint64_t at, uint64_t bytes, uint64_t pos, char *buf)
{
	uint64_t start = align_down(pos, SECTOR), len = align_up(pos + bytes, SECTOR) - start;
	int64_t r = 0;

	if (!is_write || start != pos || len != bytes) {
		r = blk_sectors(blk->dev, BLK_READ, buf, len, start);
		if (r < 0) {
			return r;
		}
	}
	if (!is_write) {
		if ((uint64_t)r <= pos - start) {
			return 0;
		}
		bytes = u64_min(bytes, (uint64_t)r - (pos - start));
		return uio_copy_out(call, uio, at, buf + (pos - start), bytes) < 0 ? -EFAULT
										   : (int64_t)bytes;
	}
	if (uio_copy_in(call, uio, at, buf + (pos - start), bytes) < 0) {
		return -EFAULT;
	}
	r = blk_sectors(blk->dev, BLK_WRITE, buf, len, start);
	return r < 0 ? r : (int64_t)bytes;
}

static int64_t blk_transfer(
	struct call *call, struct file *file, bool is_write, const struct uio *uio, uint64_t *pos)
{
	const struct blk_device *blk = file->blk;
	uint64_t done = 0, total = uio->total;
	int64_t r = 0;
	char *buf;

	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	if (*pos >= blk->bytes) {
		return is_write && total > 0 ? -ENOSPC : 0;
	}
	total = u64_min(total, blk->bytes - *pos);
	buf = malloc(BLK_CHUNK);
	if (!buf) {
		return -ENOMEM;
	}
	while (done < total) {
		uint64_t here = *pos + done;

		r = blk_chunk(call, blk, is_write, uio, done,
			u64_min(total - done, BLK_CHUNK - here % SECTOR), here, buf);
		if (r <= 0) {
			break;
		}
		done += (uint64_t)r;
	}
	free(buf);
	*pos += done;
	return done > 0 ? (int64_t)done : r;
}

static int64_t blk_read(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	return blk_transfer(call, file, false, uio, pos);
}

static int64_t blk_write(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	return blk_transfer(call, file, true, uio, pos);
}

static int64_t driver_ioctl(
	struct call *call, const struct blk_device *blk, unsigned request, uint64_t arg)
{
	struct ioctl_arg spec = ioctl_argument(request);
	struct message m = {.type = BLK_IOCTL};
	struct blk_ioctl_req *req = MSG(&m, blk_ioctl_req);
	char *buf = NULL;
	int64_t r = 0;

	req->request = request;
	req->grant = GRANT_INVALID;
	req->value = arg;
	if (spec.bytes > 0) {
		buf = calloc(1, spec.bytes);
		if (!buf) {
			return -ENOMEM;
		}
		if (spec.is_in) {
			r = user_copy_in(call, buf, arg, spec.bytes);
		}
		req->grant = grant_direct(
			device_blk_driver(blk->dev), buf, spec.bytes, GRANT_READ | GRANT_WRITE);
		req->bytes = spec.bytes;
	}
	if (r == 0) {
		grant_t grant = req->grant;

		r = blk_request(blk->dev, &m);
		if (grant != GRANT_INVALID) {
			(void)grant_revoke(grant);
		}
	}
	if (r >= 0 && spec.is_out && user_copy_out(call, arg, buf, spec.bytes) < 0) {
		r = -EFAULT;
	}
	free(buf);
	return r;
}

static int64_t put_number(struct call *call, vaddr_t to, uint64_t value, size_t bytes)
{
	return user_copy_out(call, to, &value, bytes);
}

static int64_t blk_ioctl(struct call *call, struct file *file, unsigned request, uint64_t arg)
{
	const struct blk_device *blk = file->blk;

	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	switch (request) {
	case BLKGETSIZE64:
		return put_number(call, arg, blk->bytes, 8);
	case BLKGETSIZE:
		return put_number(call, arg, blk->bytes / SECTOR, 8);
	case BLKSSZGET:
		return put_number(call, arg, SECTOR, 4);
	case BLKBSZGET:
		return put_number(call, arg, 4096, 4);
	case BLKROGET:
		return put_number(call, arg, blk->is_readonly, 4);
	case BLKFLSBUF:
		return 0;
	default:
		return driver_ioctl(call, blk, request, arg);
	}
}

static void blk_release(struct file *file)
{
	struct message m = {.type = BLK_CLOSE};
	struct blk_device *blk = file->blk;
	endpoint_t driver;

	if (!blk || --blk->refs > 0) {
		return;
	}
	driver = device_blk_driver(blk->dev);
	MSG(&m, blk_req)->seq = trans_unwaited_seq();
	MSG(&m, blk_req)->minor = dev_minor(blk->dev);
	if (driver != EP_NONE) {
		(void)asyn_send(driver, &m);
	}
	list_remove(&blk->link);
	free(blk);
}

int blk_open(struct call *call, struct file *file)
{
	struct message m = {.type = BLK_OPEN};
	uint64_t dev = file->path.node->rdev;
	struct blk_device *blk = NULL;
	int r;

	(void)call;
	MSG(&m, blk_req)->flags = file_is_writable(file);
	r = blk_request(dev, &m);
	if (r < 0) {
		return r;
	}
	if (file_is_writable(file) && (MSG(&m, blk_rep)->flags & BLK_FLAG_RDONLY)) {
		return -EROFS;
	}
	list_for_each(other, &vfs->blk_devices, struct blk_device, link)
	{
		if (other->dev == dev) {
			blk = other;
		}
	}
	if (!blk) {
		blk = calloc(1, sizeof(*blk));
		if (!blk) {
			return -ENOMEM;
		}
		blk->dev = dev;
		list_add_tail(&vfs->blk_devices, &blk->link);
	}
	blk->refs++;
	blk->bytes = MSG(&m, blk_rep)->value;
	blk->is_readonly = MSG(&m, blk_rep)->flags & BLK_FLAG_RDONLY;
	file->blk = blk;
	file->kind = FILE_BLK;
	return 0;
}

const struct file_ops file_ops_blk = {
	.name = "blk",
	.is_seekable = true,
	.waits_always = true,
	.read = blk_read,
	.write = blk_write,
	.ioctl = blk_ioctl,
	.release = blk_release,
};
