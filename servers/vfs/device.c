/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/device.h"

#include "abi/errno.h"
#include "lib/core/util.h"
#include "servers/vfs/call.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/trans.h"
#include "servers/vfs/vfs.h"

#include <errno.h>

endpoint_t device_chr_driver(uint64_t dev)
{
	uint32_t major = dev_major(dev);

	return major < VFS_MAJORS ? vfs->chr_majors[major] : EP_NONE;
}

endpoint_t device_blk_driver(uint64_t dev)
{
	uint32_t major = dev_major(dev);

	return major < VFS_MAJORS ? vfs->blk_majors[major] : EP_NONE;
}

/* File systems on a block driver learn its new endpoint. */
static int64_t tell_file_systems(struct call *call)
{
	uint32_t major = call->m.u32[0];
	bool is_again = true;

	for (uint64_t done = 0; is_again; done++) {
		uint64_t n = 0;

		is_again = false;
		list_for_each(sb, &vfs->superblocks, struct superblock, link)
		{
			if (n++ == done) {
				is_again = true;
				if (!sb->is_memory && !sb->is_internal &&
					dev_major(sb->dev) == major) {
					(void)fs_new_driver(sb, device_blk_driver(sb->dev));
				}
				break;
			}
		}
	}
	return 0;
}

void device_map(const struct vfs_rs_mapdriver *req)
{
	endpoint_t *table = req->kind == VFS_MAJOR_BLK ? vfs->blk_majors : vfs->chr_majors;
	uint32_t count = (uint32_t)u64_min(req->count, ARRAY_LEN(req->majors));

	if (req->restarted) {
		/* The reopening comes first, then what was in flight is asked again. */
		for (uint32_t i = 0; i < count && req->kind == VFS_MAJOR_CHR; i++) {
			struct message m = {0};

			m.u32[0] = req->majors[i];
			(void)call_start_worker(&m, NULL, chr_reopen);
		}
		trans_fail(req->ep, -ERESTARTED);
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t major = req->majors[i];
		endpoint_t old;

		if (major >= VFS_MAJORS) {
			continue;
		}
		old = table[major];
		table[major] = req->ep;
		if (old != EP_NONE && old != req->ep) {
			trans_fail(old, req->ep == EP_NONE ? -EIO : -ERESTARTED);
		}
		if (req->kind == VFS_MAJOR_BLK && old != req->ep && old != EP_NONE &&
			req->ep != EP_NONE) {
			struct message m = {0};

			m.u32[0] = major;
			(void)call_start_worker(&m, NULL, tell_file_systems);
		}
	}
}

void device_dead(endpoint_t ep)
{
	struct superblock *sb = superblock_find_ep(ep);

	if (sb) {
		superblock_dead(sb);
	}
	for (unsigned i = 0; i < VFS_MAJORS; i++) {
		if (vfs->chr_majors[i] == ep) {
			vfs->chr_majors[i] = EP_NONE;
		}
		if (vfs->blk_majors[i] == ep) {
			vfs->blk_majors[i] = EP_NONE;
		}
	}
	trans_fail(ep, -EIO);
}
