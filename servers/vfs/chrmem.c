/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /dev/null, /dev/zero and /dev/full: devices without state, which VFS serves itself, so that each
 * read and write is one round trip. The rest of major 1 is the memory driver's.
 */
#include <errno.h>

#include "servers/vfs/call.h"
#include "servers/vfs/device.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vnode.h"

#define MINOR_NULL 3
#define MINOR_ZERO 5
#define MINOR_FULL 7
#define FAST_MAX   (256u * 1024) /* bytes cleared in the main loop */

bool chrmem_serves(uint64_t dev)
{
	uint32_t minor = dev_minor(dev);

	return dev_major(dev) == 1 &&
		(minor == MINOR_NULL || minor == MINOR_ZERO || minor == MINOR_FULL);
}

static int64_t null_read(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	return 0;
}

static int64_t null_write(
	struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	return (int64_t)uio->total;
}

static int64_t zero_read(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	uint64_t done = 0;

	if (uio->total > FAST_MAX && !call_may_wait(call)) {
		return call_defer(call);
	}
	while (done < uio->total) {
		uint64_t len;
		vaddr_t addr = uio_piece(uio, done, &len);

		len = u64_min(u64_min(len, uio->total - done), FAST_MAX);
		if (user_clear_call(call, uio->ep, addr, len) < 0) {
			if (call->is_deferred) {
				return -EFAULT;
			}
			len = user_present_prefix(uio->ep, addr, len, true);
			return len > 0 && user_clear(uio->ep, addr, len) == 0
				? (int64_t)(done + len)
				: done > 0 ? (int64_t)done
					   : -EFAULT;
		}
		done += len;
	}
	return (int64_t)done;
}

static int64_t full_write(
	struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	return uio->total ? -ENOSPC : 0;
}

const struct file_ops file_ops_null = {.name = "null",
	.is_seekable = true,
	.ignores_seek = true,
	.read = null_read,
	.write = null_write};
const struct file_ops file_ops_zero = {.name = "zero",
	.is_seekable = true,
	.ignores_seek = true,
	.read = zero_read,
	.write = null_write};
const struct file_ops file_ops_full = {.name = "full",
	.is_seekable = true,
	.ignores_seek = true,
	.read = zero_read,
	.write = full_write};

void chrmem_open(struct file *file)
{
	switch (dev_minor(file->path.node->rdev)) {
	case MINOR_NULL:
		file->kind = FILE_NULL;
		break;
	case MINOR_ZERO:
		file->kind = FILE_ZERO;
		break;
	default:
		file->kind = FILE_FULL;
		break;
	}
}
