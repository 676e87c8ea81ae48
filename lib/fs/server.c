/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame of a file-system process: its main loop, and mounting. The operations stand in
 * dispatch.c. */
#include "lib/fs/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/fs/blkdev.h"
#include "lib/fs/dispatch.h"
#include "lib/fs/vmmemory.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "lib/sys/vm.h"

/* Dirty data is written at the latest so long after it came. */
#define WRITE_BACK_NS 5000000000ull

#define MOUNT_VERSION 1 /* of struct fs_mount */

static struct fs_server {
	const struct fs_type *type;
	struct fs_blkdev blkdev;
	struct fs_vm_memory memory;
	struct fs_mount mount;
	bool has_device;
	bool is_alarm_set;
	bool has_now; /* `now` is this request's time */
	struct fs_time now;
} server;

static struct fs_time server_now(void)
{
	if (!server.has_now) {
		server.now = fs_time_from_ns((int64_t)sys_realtime_ns());
		server.has_now = true;
	}
	return server.now;
}

__attribute__((format(printf, 1, 2))) static void server_log(const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	diag_printf("%s", line);
}

/* Answer: as a message of its own, since VFS does not wait in a call. */
static void answer(struct fs_request *request, int result)
{
	struct fs_reply_head *head = MSG(&request->out, fs_reply_head);
	int error;

	request->out.type = request->op | PROTO_REPLY;
	head->seq = MSG(&request->in, fs_req_head)->seq;
	head->result = result;
	error = asyn_send(request->client, &request->out);
	if (error != 0) {
		diag_printf("%s: answer to %d lost: %d", server.type->name, request->client, error);
	}
}

static uint64_t total_pages(void)
{
	struct vm_stats stats = {0};

	return vm_info(VM_INFO_STATS, EP_SELF, &stats, sizeof(stats), NULL) < 0 ? 0 : stats.total;
}

static int copy_options(const struct fs_request *request, char *options, size_t size)
{
	const struct fs_mount_req *req = (const struct fs_mount_req *)(const void *)request->in.raw;

	options[0] = '\0';
	if (req->data == GRANT_INVALID || req->data_len == 0) {
		return 0;
	}
	if (req->data_len >= size) {
		return -EINVAL;
	}
	options[req->data_len] = '\0';
	return sys_safecopyfrom(request->client, req->data, 0, options, req->data_len);
}

static int server_mount(const struct fs_request *request)
{
	const struct fs_mount_req *req = (const struct fs_mount_req *)(const void *)request->in.raw;
	char options[256];
	struct fs_mount_args args = {.memory = &server.memory.memory,
		.total_pages = total_pages(),
		.read_only = req->flags & FS_MOUNT_RDONLY,
		.is_recovery = req->flags & FS_MOUNT_RECOVER,
		.options = options,
		.now = server_now,
		.log = server_log};
	int error;

	if (server.mount.fs != NULL) {
		/* Its memory has outlived a restart. */
		return args.is_recovery ? 0 : -EBUSY;
	}
	fs_vm_memory_init(&server.memory, req->dev);
	error = copy_options(request, options, sizeof(options));
	if (error != 0) {
		return error;
	}
	if (server.type->needs_device) {
		error = fs_blkdev_open(&server.blkdev, req->driver, minor(req->dev));
		if (error != 0) {
			return error;
		}
		args.device = &server.blkdev.device;
	}
	error = server.type->mount(&args, &server.mount.fs);
	if (error != 0) {
		server.mount.fs = NULL;
		if (args.device != NULL) {
			bdev_close(&server.blkdev.bdev);
		}
		return error;
	}
	server.has_device = args.device != NULL;
	server.mount.dev = req->dev;
	server.mount.flags = server.type->flags;
	return 0;
}

static int server_unmount(void)
{
	struct fs *fs = server.mount.fs;

	server.mount.fs = NULL;
	fs->ops->unmount(fs);
	if (server.has_device) {
		bdev_close(&server.blkdev.bdev);
		server.has_device = false;
	}
	return 0;
}

static int server_new_driver(const struct fs_request *request)
{
	const struct fs_newdriver_req *req =
		(const struct fs_newdriver_req *)(const void *)request->in.raw;

	return server.has_device ? bdev_set_driver(&server.blkdev.bdev, req->driver) : 0;
}

static int serve(struct fs_request *request)
{
	if (request->op == FS_MOUNT) {
		int error = server_mount(request);

		return error != 0 ? error : fs_dispatch_root(&server.mount, request);
	}
	switch (request->op) {
	case FS_UNMOUNT:
		return server_unmount();
	case FS_NEWDRIVER:
		return server_new_driver(request);
	default:
		return fs_dispatch(&server.mount, request);
	}
}

/* The alarm is set as long as anything is dirty, also when it could not be written the last time.
 */
static void arm(void)
{
	struct fs *fs = server.mount.fs;

	if (fs != NULL && !server.is_alarm_set && fs->ops->is_dirty != NULL &&
		fs->ops->is_dirty(fs)) {
		server.is_alarm_set = sys_setalarm(sys_monotonic_ns() + WRITE_BACK_NS) >= 0;
	}
}

/* Between requests: what must not pile up is written now, the rest when the alarm comes. */
static void settle(void)
{
	struct fs *fs = server.mount.fs;

	if (fs == NULL) {
		return;
	}
	if (fs->ops->idle != NULL) {
		fs->ops->idle(fs);
	}
	arm();
}

static void write_back(void)
{
	struct fs *fs = server.mount.fs;

	if (fs != NULL && fs->ops->is_dirty != NULL && fs->ops->is_dirty(fs)) {
		(void)fs->ops->sync(fs);
	}
}

static void on_notify(endpoint_t source)
{
	if (source == EP_CLOCK) {
		server.is_alarm_set = false;
		write_back();
		arm();
	} else if (source == EP_VM) {
		/* Memory is short: VM waits for clean pages. */
		write_back();
		(void)ipc_notify(EP_VM);
		arm();
	}
}

/* All memory came over. VFS sends again what is not answered. */
static int on_restart(const struct sef_info *info)
{
	struct fs *fs = server.mount.fs;

	(void)info;
	server.is_alarm_set = false;
	if (fs != NULL && fs->ops->restarted != NULL) {
		fs->ops->restarted(fs);
	}
	return 0;
}

/* Another version goes on with the mount. */
static int on_update(const struct sef_info *info)
{
	const struct fs_mount_args args = {
		.memory = &server.memory.memory, .now = server_now, .log = server_log};

	fs_vm_memory_init(&server.memory, server.mount.dev);
	server.mount.fs = server.mount.fs != NULL ? server.type->resume(&args) : NULL;
	return on_restart(info);
}

int fs_server_main(const struct fs_type *type)
{
	server.type = type;
	if (type->resume != NULL) {
		sef_on_init_type(SEF_INIT_LU, on_update);
		sef_state("fs.mount", &server.mount, sizeof(server.mount), MOUNT_VERSION, NULL);
	}
	if (type->flags & FS_FLAG_MEMORY) {
		sef_keep_memory();
		sef_on_init_type(SEF_INIT_RESTART, on_restart);
	}
	sef_start();
	for (;;) {
		static struct fs_request request;
		int result;

		memset(&request.out, 0, sizeof(request.out));
		if (sef_receive(EP_ANY, &request.in, NULL) != 0) {
			continue;
		}
		server.has_now = false;
		if (IS_NOTIFY(&request.in)) {
			on_notify(request.in.source);
			continue;
		}
		request.client = request.in.source;
		request.op = request.in.type;
		if (request.client != EP_VFS) {
			ipc_reply(request.client, &request.in, -EPERM);
			continue;
		}
		if (server.mount.fs == NULL && request.op != FS_MOUNT) {
			/* For the process before this one: VFS sends it again after the mount. */
			continue;
		}
		result = serve(&request);
		answer(&request, result);
		settle();
	}
}
