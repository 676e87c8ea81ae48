/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests about the device of a file system as a file (devnode.h). */
#include "lib/fs/dispatch.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "lib/core/util.h"

static int reply_node(const struct fs_mount *mount, struct fs_request *request)
{
	MSG(&request->out, fs_node_rep)->node = (struct fs_node){.ino = FS_NODE_DEVICE,
		.size = fs_device_size(mount->fs->device),
		.mode = S_IFREG | 0600,
		.nlink = 1};
	return 0;
}

static int on_read_write(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_io_req *req = MSG(&request->in, fs_io_req);
	struct fs_io_rep *reply = MSG(&request->out, fs_io_rep);
	bool is_write = request->op == FS_WRITE;
	struct fs_grant_data data;
	size_t done = 0;
	int error;

	if (is_write && !mount->fs->is_device_only) {
		return -EBUSY;
	}
	fs_grant_data_init(&data, request->client, req->grant);
	error = (is_write ? fs_device_write : fs_device_read)(
		mount->fs->device, req->offset, u64_min(req->len, INT_MAX), &data.data, &done);
	reply->done = done;
	reply->offset = req->offset + done;
	reply->size = fs_device_size(mount->fs->device);
	return error;
}

static int on_cache(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_io_req *req = MSG(&request->in, fs_io_req);
	bool is_write = request->op == FS_MKWRITE;
	size_t done = 0;
	int error;

	if (is_write && !mount->fs->is_device_only) {
		return -EBUSY;
	}
	error = (is_write ? fs_device_mkwrite : fs_device_peek)(
		mount->fs->device, req->offset, u64_min(req->len, INT_MAX), &done);
	MSG(&request->out, fs_io_rep)->done = done;
	return error;
}

bool fs_is_about_device(const struct fs_mount *mount, const struct fs_request *request)
{
	const struct fs_req_head *head =
		MSG((struct message *)(uintptr_t)&request->in, fs_req_head);

	if (mount->fs->device == NULL || head->ino != FS_NODE_DEVICE) {
		return false;
	}
	switch (request->op) {
	case FS_READ:
	case FS_WRITE:
	case FS_PEEK:
	case FS_MKWRITE:
	case FS_PUTNODE:
	case FS_REBIND:
	case FS_SETATTR:
	case FS_FSYNC:
		return true;
	default:
		return false;
	}
}

int fs_dispatch_device(struct fs_mount *mount, struct fs_request *request)
{
	switch (request->op) {
	case FS_READ:
	case FS_WRITE:
		return MSG(&request->in, fs_io_req)->offset > INT64_MAX
			? -EINVAL
			: on_read_write(mount, request);
	case FS_PEEK:
	case FS_MKWRITE:
		return MSG(&request->in, fs_io_req)->offset > INT64_MAX ? -EINVAL
									: on_cache(mount, request);
	case FS_PUTNODE:
		return 0; /* it is there as long as the file system */
	case FS_REBIND:
		return reply_node(mount, request);
	case FS_SETATTR:
		return -EPERM; /* its attributes are those of the node that names the device */
	default:
		return mount->fs->ops->sync(mount->fs);
	}
}
