/* SPDX-License-Identifier: BSD-2-Clause */
/* Block devices as files: their bytes are in the page cache (blkcache.c). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "lib/sys/grant.h"
#include "proto/blk.h"
#include "servers/vfs/access.h"
#include "servers/vfs/blkcache.h"
#include "servers/vfs/call.h"
#include "servers/vfs/device.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/ioctl.h"
#include "servers/vfs/regular.h"
#include "servers/vfs/trans.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

#define SECTOR        512u
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

/* O_DIRECT: whole sectors only, as on Linux. */
static bool is_misaligned(const struct file *file, const struct uio *uio, uint64_t pos)
{
	return (file->flags & O_DIRECT) && (pos % SECTOR != 0 || uio->total % SECTOR != 0);
}

static int64_t blk_read(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	struct blk_device *blk = file->blk;
	struct vnode *node;
	int64_t r;

	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	if (is_misaligned(file, uio, *pos)) {
		return -EINVAL;
	}
	if (*pos >= blk->bytes || uio->total == 0) {
		return 0;
	}
	r = blkcache_get(blk, &node);
	if (r == 0) {
		r = regular_read_device(call, file, node, uio, pos);
		vnode_put(node);
	}
	return r;
}

static int64_t blk_write(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	struct blk_device *blk = file->blk;
	struct vnode *node;
	int64_t r;

	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	if (is_misaligned(file, uio, *pos)) {
		return -EINVAL;
	}
	if (*pos >= blk->bytes || uio->total == 0) {
		return uio->total > 0 ? -ENOSPC : 0;
	}
	r = blkcache_get(blk, &node);
	if (r < 0) {
		return r;
	}
	r = regular_write_device(node, uio, u64_min(uio->total, blk->bytes - *pos), pos);
	if (r > 0 && (file->flags & (O_DSYNC | O_DIRECT))) {
		int error = fs_fsync(node);

		r = error < 0 ? error : r;
	}
	vnode_put(node);
	return r;
}

int blk_fsync(const struct file *file)
{
	struct vnode *node = blkcache_peek(file->blk);
	int r;

	if (!node) {
		return 0;
	}
	vnode_get(node);
	r = fs_fsync(node);
	vnode_put(node);
	return r;
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
	struct blk_device *blk = file->blk;
	int64_t r;

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
		r = access_check_root(call);
		if (r == 0) {
			r = blk_fsync(file);
		}
		if (r == 0) {
			r = blkcache_end(blk);
		}
		return r == -EBUSY ? 0 : r; /* what is in use stays, as on Linux */
	case MIOCRAMSIZE:
		/* The contents go. */
		r = blkcache_end(blk);
		return r < 0 ? r : driver_ioctl(call, blk, request, arg);
	default:
		return driver_ioctl(call, blk, request, arg);
	}
}

static void blk_unref(struct blk_device *blk, bool is_writer)
{
	struct message m = {.type = BLK_CLOSE};
	endpoint_t driver = device_blk_driver(blk->dev);

	blk->writers -= is_writer;
	if (--blk->refs > 0) {
		return;
	}
	MSG(&m, blk_req)->seq = trans_unwaited_seq();
	MSG(&m, blk_req)->minor = dev_minor(blk->dev);
	if (driver != EP_NONE) {
		(void)asyn_send(driver, &m);
	}
	blkcache_unused(blk->dev);
}

static void blk_release(struct file *file)
{
	if (file->blk) {
		blk_unref(file->blk, file_is_writable(file));
	}
}

/* A file system other than the device's own cache has it. */
static bool is_mounted(uint64_t dev)
{
	const struct superblock *sb = superblock_find_dev(dev);
	const struct blk_device *blk = blkcache_find(dev);

	return sb && !(blk && blk->own == sb);
}

static int driver_open(struct blk_device *blk, bool is_writer)
{
	struct message m = {.type = BLK_OPEN};
	int r;

	MSG(&m, blk_req)->flags = is_writer;
	r = blk_request(blk->dev, &m);
	if (r < 0) {
		return r;
	}
	blk->bytes = MSG(&m, blk_rep)->value;
	blk->is_readonly = MSG(&m, blk_rep)->flags & BLK_FLAG_RDONLY;
	return is_writer && blk->is_readonly ? -EROFS : 0;
}

/* One user more. -EBUSY: a writer, and a file system is mounted. */
static int use(uint64_t dev, bool is_writer, struct blk_device **result)
{
	struct blk_device *blk = blkcache_find(dev);

	if (is_writer && is_mounted(dev)) {
		return -EBUSY;
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
	blk->writers += is_writer;
	*result = blk;
	return 0;
}

int blk_open(struct call *call, struct file *file)
{
	bool is_writer = file_is_writable(file);
	struct blk_device *blk;
	int r;

	(void)call;
	/* A writer must not come while a file system, or the device's own cache, is half mounted:
	 * mount has looked for writers already. */
	if (is_writer) {
		coro_mutex_lock(&vfs->mount_lock);
	}
	r = use(file->path.node->rdev, is_writer, &blk);
	if (is_writer) {
		coro_mutex_unlock(&vfs->mount_lock);
	}
	if (r < 0) {
		return r;
	}
	r = driver_open(blk, is_writer);
	if (r < 0) {
		blk_unref(blk, is_writer);
		return r;
	}
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
