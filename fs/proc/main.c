/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The proc file system's server: VFS's requests (proto/fs.h), each in a coroutine of its own.
 * State: none that must survive: an inode number says everything.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "fs/proc/ask.h"
#include "fs/proc/tree.h"
#include "lib/coro/coro.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"

#define PROC_SUPER_MAGIC 0x9fa0
#define NAME_BYTES       256
#define DENTS_BYTES      4096

/* One request being served. */
struct request {
	struct message m;
};

static uint64_t mounted_dev;

static void answer(const struct message *request, struct message *reply, int result)
{
	struct fs_reply_head *head = MSG(reply, fs_reply_head);

	head->seq = MSG(request, fs_req_head)->seq;
	head->result = result;
	reply->type = request->type | PROTO_REPLY;
	(void)asyn_send(request->source, reply);
}

static int serve_mount(const struct message *m, struct message *reply)
{
	struct fs_mount_rep *rep = MSG(reply, fs_mount_rep);

	mounted_dev = MSG(m, fs_mount_req)->dev;
	rep->flags = FS_FLAG_NOCACHE | FS_FLAG_MEMORY;
	return tree_get(NODE_ROOT_INO, &rep->root);
}

static int serve_lookup(const struct message *m, struct message *reply)
{
	const struct fs_name_req *req = MSG(m, fs_name_req);
	char name[NAME_BYTES] = "";
	int r = 0;

	if (req->name_len == 0 || req->name_len >= NAME_BYTES) {
		return req->name_len ? -ENAMETOOLONG : -ENOENT;
	}
	if (req->name == GRANT_INVALID) {
		if (req->name_len > sizeof(req->short_name)) {
			return -EINVAL;
		}
		memcpy(name, req->short_name, req->name_len);
	} else {
		r = sys_safecopyfrom(m->source, req->name, 0, name, req->name_len);
	}
	return r < 0 ? r : tree_lookup(req->head.ino, name, &MSG(reply, fs_node_rep)->node);
}

static int serve_read(const struct message *m, struct message *reply)
{
	const struct fs_io_req *req = MSG(m, fs_io_req);
	struct node node = node_of(req->head.ino);
	node_text_fn *write = node_text(&node);
	struct text text = {.start = req->offset, .wanted = req->len, .reader = req->user};
	uint64_t len = 0, skip;
	int r;

	if (!write) {
		return node_is_directory(&node) ? -EISDIR : -EINVAL;
	}
	r = write(&text, &node);
	if (r == 0 && text.failed) {
		r = -ENOMEM;
	}
	skip = text.is_piece ? 0 : req->offset;
	if (r == 0 && skip < text.len) {
		len = text.len - skip < req->len ? text.len - skip : req->len;
		r = sys_safecopyto(m->source, req->grant, 0, text.bytes + skip, len);
	}
	text_free(&text);
	MSG(reply, fs_io_rep)->done = len;
	MSG(reply, fs_io_rep)->offset = req->offset + len;
	return r;
}

static int serve_stat(const struct message *m)
{
	const struct fs_io_req *req = MSG(m, fs_io_req);
	struct stat st = {0};
	struct fs_node attr;
	time_ns_t now = sys_realtime_ns();
	int r = tree_get(req->head.ino, &attr);

	if (r < 0) {
		return r;
	}
	st.st_dev = mounted_dev;
	st.st_ino = attr.ino;
	st.st_mode = attr.mode;
	st.st_nlink = attr.nlink;
	st.st_uid = attr.uid;
	st.st_gid = attr.gid;
	st.st_blksize = 1024;
	st.st_atim.tv_sec = st.st_mtim.tv_sec = st.st_ctim.tv_sec = (time_t)(now / 1000000000ul);
	st.st_atim.tv_nsec = st.st_mtim.tv_nsec = st.st_ctim.tv_nsec = (long)(now % 1000000000ul);
	return sys_safecopyto(
		m->source, req->grant, 0, &st, req->len < sizeof(st) ? req->len : sizeof(st));
}

static int serve_statfs(const struct message *m)
{
	const struct fs_io_req *req = MSG(m, fs_io_req);
	struct statfs st = {.f_type = PROC_SUPER_MAGIC,
		.f_bsize = 4096,
		.f_frsize = 4096,
		.f_namelen = NAME_BYTES - 1};

	return sys_safecopyto(
		m->source, req->grant, 0, &st, req->len < sizeof(st) ? req->len : sizeof(st));
}

struct dents {
	char bytes[DENTS_BYTES];
	size_t len, room;
	uint64_t next;
	bool full;
};

static bool dents_emit(void *arg, uint64_t ino, uint8_t type, const char *name, uint64_t next)
{
	struct dents *d = arg;
	size_t len = strlen(name) + 1;
	size_t size = (offsetof(struct dirent, d_name) + len + 7) & ~(size_t)7;
	struct dirent *entry = (void *)(d->bytes + d->len);

	if (d->len + size > d->room) {
		d->full = true;
		return false;
	}
	memset(entry, 0, size);
	entry->d_ino = ino;
	entry->d_off = (off_t)next;
	entry->d_reclen = (unsigned short)size;
	entry->d_type = type;
	memcpy(entry->d_name, name, len);
	d->len += size;
	d->next = next;
	return true;
}

static int serve_getdents(const struct message *m, struct message *reply)
{
	const struct fs_io_req *req = MSG(m, fs_io_req);
	struct dents *d = calloc(1, sizeof(*d));
	int r;

	if (!d) {
		return -ENOMEM;
	}
	d->room = req->len < sizeof(d->bytes) ? req->len : sizeof(d->bytes);
	d->next = req->offset;
	r = tree_list(req->head.ino, req->offset, dents_emit, d);
	if (r == 0 && d->len == 0 && d->full) {
		r = -EINVAL; /* not even one entry fits: getdents(2) */
	}
	if (r == 0 && d->len > 0) {
		r = sys_safecopyto(m->source, req->grant, 0, d->bytes, d->len);
	}
	MSG(reply, fs_io_rep)->done = d->len;
	MSG(reply, fs_io_rep)->offset = d->next;
	free(d);
	return r;
}

static int serve(const struct message *m, struct message *reply)
{
	switch (m->type) {
	case FS_MOUNT:
		return serve_mount(m, reply);
	case FS_LOOKUP:
		return serve_lookup(m, reply);
	case FS_REBIND:
		return tree_get(MSG(m, fs_req_head)->ino, &MSG(reply, fs_node_rep)->node);
	case FS_READ:
		return serve_read(m, reply);
	case FS_STAT:
		return serve_stat(m);
	case FS_STATFS:
		return serve_statfs(m);
	case FS_GETDENTS:
		return serve_getdents(m, reply);
	case FS_PUTNODE:
	case FS_RECOVERED:
	case FS_SYNC:
	case FS_FSYNC:
	case FS_UNMOUNT:
	case FS_REMOUNT:
		return 0;
	case FS_READLINK: /* all links are magic: VFS follows them itself */
		return -EINVAL;
	case FS_PEEK:
		return -ENOSYS;
	case FS_WRITE:
	case FS_TRUNCATE:
	case FS_SETATTR:
		return -EPERM;
	case FS_CREATE:
	case FS_MKDIR:
	case FS_MKNOD:
	case FS_SYMLINK:
	case FS_LINK:
	case FS_UNLINK:
	case FS_RMDIR:
	case FS_RENAME:
		return -EPERM;
	default:
		return -ENOSYS;
	}
}

static void request_run(void *arg)
{
	struct request *request = arg;
	struct message reply = {0};
	int r = serve(&request->m, &reply);

	answer(&request->m, &reply, r);
	free(request);
}

static void request_start(const struct message *m)
{
	struct request *request = malloc(sizeof(*request));
	struct message reply = {0};

	if (request) {
		request->m = *m;
		if (coro_start(request_run, request)) {
			return;
		}
	}
	free(request);
	answer(m, &reply, -ENOMEM);
}

int main(void)
{
	struct message m;
	uint32_t status;

	sef_start();
	for (;;) {
		if (sef_receive(EP_ANY, &m, &status) < 0) {
			continue;
		}
		if (IS_NOTIFY(&m)) {
			if (m.source == EP_CLOCK) {
				ask_tick();
			}
		} else if (m.source == EP_VFS && m.type >= FS_BASE_OP &&
			m.type < FS_BASE_OP + PROTO_REPLY) {
			request_start(&m);
		} else if (!ask_take_answer(&m)) {
			diag_printf("message of type %#x from %d", (unsigned)m.type, m.source);
		}
		coro_run();
	}
}
