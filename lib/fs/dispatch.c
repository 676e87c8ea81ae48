/* SPDX-License-Identifier: BSD-2-Clause */
/* From a message of proto/fs.h to an operation of lib/fs/ops.h and back. */
#include "lib/fs/dispatch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "lib/core/util.h"
#include "lib/sys/kcall.h"

/* Directory records gathered before they are copied out; also the longest link text. */
#define BUFFER_BYTES (16 * 1024)
/* struct linux_dirent64: inode, offset, record length, type, name with NUL. */
#define DIRENT_HEADER 19

typedef int handler_fn(struct fs_mount *mount, struct fs_request *request);

static int reply_node(struct fs_request *request, const struct fs_attr *attr)
{
	fs_fill_node(&MSG(&request->out, fs_node_rep)->node, attr);
	return 0;
}

int fs_dispatch_root(struct fs_mount *mount, struct fs_request *request)
{
	struct fs_mount_rep *reply = MSG(&request->out, fs_mount_rep);
	struct fs_attr attr;
	int error = mount->fs->ops->get(mount->fs, mount->fs->root, &attr);

	if (error != 0) {
		return error;
	}
	fs_fill_node(&reply->root, &attr);
	reply->flags = mount->flags | (mount->fs->read_only ? FS_FLAG_RDONLY : 0);
	return 0;
}

/* The name of a fs_name_req; short ones travel in the message. */
static int get_name(const struct fs_request *request, char *buf, struct fs_name *name)
{
	const struct fs_name_req *req = MSG((struct message *)(uintptr_t)&request->in, fs_name_req);

	if (req->name == GRANT_INVALID && req->name_len <= sizeof(req->short_name)) {
		if (req->name_len == 0) {
			return -ENOENT;
		}
		memcpy(buf, req->short_name, req->name_len);
		if (memchr(buf, '/', req->name_len) != NULL ||
			memchr(buf, 0, req->name_len) != NULL) {
			return -EINVAL;
		}
		name->text = buf;
		name->len = req->name_len;
		return 0;
	}
	return fs_request_name(request->client, req->name, req->name_len, buf, name);
}

static int on_lookup(struct fs_mount *mount, struct fs_request *request)
{
	char buf[FS_NAME_MAX + 1];
	struct fs_name name;
	struct fs_attr attr;
	int error = get_name(request, buf, &name);

	if (error == 0) {
		error = mount->fs->ops->lookup(
			mount->fs, MSG(&request->in, fs_req_head)->ino, name, &attr);
	}
	return error != 0 ? error : reply_node(request, &attr);
}

static int on_putnode(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_putnode_req *req = MSG(&request->in, fs_putnode_req);

	return mount->fs->ops->put(mount->fs, req->head.ino, req->count);
}

/* The three that make nodes differ in which types they may make. */
static bool may_make(int op, uint32_t mode)
{
	switch (op) {
	case FS_CREATE:
		return S_ISREG(mode);
	case FS_MKDIR:
		return S_ISDIR(mode);
	default:
		return S_ISREG(mode) || S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode) ||
			S_ISSOCK(mode);
	}
}

static int on_create(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_create_req *req = MSG(&request->in, fs_create_req);
	struct fs_new what = {.mode = req->mode, .uid = req->uid, .gid = req->gid};
	char buf[FS_NAME_MAX + 1];
	struct fs_name name;
	struct fs_attr attr;
	int error;

	if ((what.mode & S_IFMT) == 0) {
		what.mode |= request->op == FS_MKDIR ? S_IFDIR : S_IFREG;
	}
	if (!may_make(request->op, what.mode)) {
		return -EINVAL;
	}
	if (request->op == FS_MKNOD) {
		what.major = major(req->rdev);
		what.minor = minor(req->rdev);
	}
	error = fs_request_name(request->client, req->name, req->name_len, buf, &name);
	if (error == 0 && fs_name_is_dots(&name)) {
		error = -EEXIST;
	}
	if (error == 0) {
		error = mount->fs->ops->create(mount->fs, req->head.ino, name, &what, &attr);
	}
	return error != 0 ? error : reply_node(request, &attr);
}

static int on_symlink(struct fs_mount *mount, struct fs_request *request)
{
	static char target[PATH_MAX];
	const struct fs_symlink_req *req = MSG(&request->in, fs_symlink_req);
	struct fs_new what = {.mode = S_IFLNK | 0777, .uid = req->uid, .gid = req->gid};
	char buf[FS_NAME_MAX + 1];
	struct fs_name name;
	struct fs_attr attr;
	int error = fs_request_name(request->client, req->name, req->name_len, buf, &name);

	if (error == 0 && fs_name_is_dots(&name)) {
		error = -EEXIST;
	}
	if (error == 0 && req->target_len >= sizeof(target)) {
		error = -ENAMETOOLONG;
	}
	if (error == 0 && req->target_len > 0) {
		error = sys_safecopyfrom(request->client, req->target, 0, target, req->target_len);
	}
	if (error == 0) {
		error = mount->fs->ops->symlink(
			mount->fs, req->head.ino, name, &what, target, req->target_len, &attr);
	}
	return error != 0 ? error : reply_node(request, &attr);
}

static int on_link(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_link_req *req = MSG(&request->in, fs_link_req);
	char buf[FS_NAME_MAX + 1];
	struct fs_name name;
	int error = fs_request_name(request->client, req->name, req->name_len, buf, &name);

	if (error == 0 && fs_name_is_dots(&name)) {
		error = -EEXIST;
	}
	return error != 0 ? error
			  : mount->fs->ops->link(mount->fs, req->target_ino, req->head.ino, name);
}

static int on_unlink(struct fs_mount *mount, struct fs_request *request)
{
	uint64_t dir = MSG(&request->in, fs_req_head)->ino;
	char buf[FS_NAME_MAX + 1];
	struct fs_name name;
	int error = get_name(request, buf, &name);

	if (error != 0) {
		return error;
	}
	if (request->op == FS_UNLINK) {
		return fs_name_is_dots(&name) ? -EISDIR
					      : mount->fs->ops->unlink(mount->fs, dir, name);
	}
	if (fs_name_is_dots(&name)) {
		return name.len == 1 ? -EINVAL : -ENOTEMPTY;
	}
	return mount->fs->ops->rmdir(mount->fs, dir, name);
}

static int on_rename(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_rename_req *req = MSG(&request->in, fs_rename_req);
	char old_buf[FS_NAME_MAX + 1], new_buf[FS_NAME_MAX + 1];
	struct fs_name old_name, new_name;
	int error;

	if (req->flags & ~(uint32_t)(FS_RENAME_NOREPLACE | FS_RENAME_EXCHANGE) ||
		req->flags == (FS_RENAME_NOREPLACE | FS_RENAME_EXCHANGE)) {
		return -EINVAL;
	}
	error = fs_request_name(request->client, req->old_name, req->old_len, old_buf, &old_name);
	if (error == 0) {
		error = fs_request_name(
			request->client, req->new_name, req->new_len, new_buf, &new_name);
	}
	if (error == 0 && (fs_name_is_dots(&old_name) || fs_name_is_dots(&new_name))) {
		error = -EBUSY;
	}
	return error != 0 ? error
			  : mount->fs->ops->rename(mount->fs, req->head.ino, old_name, req->new_dir,
				    new_name, req->flags);
}

static int on_readlink(struct fs_mount *mount, struct fs_request *request)
{
	static char target[PATH_MAX];
	const struct fs_io_req *req = MSG(&request->in, fs_io_req);
	size_t len;
	int error = mount->fs->ops->readlink(
		mount->fs, req->head.ino, target, u64_min(sizeof(target), req->len), &len);

	if (error == 0 && len > 0) {
		error = sys_safecopyto(request->client, req->grant, 0, target, len);
	}
	MSG(&request->out, fs_io_rep)->done = error == 0 ? len : 0;
	return error;
}

static int on_read_write(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_io_req *req = MSG(&request->in, fs_io_req);
	struct fs_io_rep *reply = MSG(&request->out, fs_io_rep);
	const struct fs_ops *ops = mount->fs->ops;
	struct fs_grant_data data;
	struct fs_attr attr;
	size_t done = 0;
	int error;

	if (req->offset > INT64_MAX) {
		return -EINVAL;
	}
	fs_grant_data_init(&data, request->client, req->grant);
	error = (request->op == FS_READ ? ops->read : ops->write)(mount->fs, req->head.ino,
		req->offset, u64_min(req->len, INT_MAX), &data.data, &done);
	reply->done = done;
	reply->offset = req->offset + done;
	if (request->op == FS_WRITE && ops->get_attr(mount->fs, req->head.ino, &attr) == 0) {
		reply->size = attr.size;
	}
	return error;
}

static int on_cache(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_io_req *req = MSG(&request->in, fs_io_req);
	const struct fs_ops *ops = mount->fs->ops;
	size_t done = 0;
	int error;

	if (req->offset > INT64_MAX) {
		return -EINVAL;
	}
	if ((request->op == FS_PEEK ? ops->peek : ops->mkwrite) == NULL) {
		return -ENOSYS;
	}
	error = (request->op == FS_PEEK ? ops->peek : ops->mkwrite)(
		mount->fs, req->head.ino, req->offset, u64_min(req->len, INT_MAX), &done);
	MSG(&request->out, fs_io_rep)->done = done;
	return error;
}

static int on_rebind(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_putnode_req *req = MSG(&request->in, fs_putnode_req);
	struct fs_attr attr;
	int error = mount->fs->ops->rebind == NULL
		? -ENOSYS
		: mount->fs->ops->rebind(mount->fs, req->head.ino, req->count, &attr);

	return error != 0 ? error : reply_node(request, &attr);
}

static int on_recovered(struct fs_mount *mount, struct fs_request *request)
{
	(void)request;
	return mount->fs->ops->recovered == NULL ? 0 : mount->fs->ops->recovered(mount->fs);
}

static int on_truncate(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_truncate_req *req = MSG(&request->in, fs_truncate_req);

	if (req->size > INT64_MAX) {
		return -EINVAL;
	}
	return mount->fs->ops->truncate(mount->fs, req->head.ino, req->size);
}

static int on_allocate(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_allocate_req *req = MSG(&request->in, fs_allocate_req);
	const struct fs_ops *ops = mount->fs->ops;
	struct fs_attr attr;
	uint64_t end;
	int error;

	if (req->len == 0 || !checked_add(req->offset, req->len, &end) || end > INT64_MAX) {
		return -EINVAL;
	}
	if (ops->allocate == NULL) {
		return -EOPNOTSUPP;
	}
	error = ops->allocate(mount->fs, req->head.ino, req->mode, req->offset, req->len);
	if (error == 0) {
		error = ops->get_attr(mount->fs, req->head.ino, &attr);
	}
	return error != 0 ? error : reply_node(request, &attr);
}

static int on_stat(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_io_req *req = MSG(&request->in, fs_io_req);
	struct fs_attr attr;
	struct stat st;
	int error = mount->fs->ops->get_attr(mount->fs, req->head.ino, &attr);

	if (error != 0) {
		return error;
	}
	memset(&st, 0, sizeof(st));
	st.st_dev = mount->dev;
	st.st_ino = attr.ino;
	st.st_nlink = attr.nlink;
	st.st_mode = attr.mode;
	st.st_uid = attr.uid;
	st.st_gid = attr.gid;
	st.st_rdev = makedev(attr.major, attr.minor);
	st.st_size = (off_t)attr.size;
	st.st_blksize = attr.block_size;
	st.st_blocks = (blkcnt_t)attr.blocks;
	st.st_atim = (struct timespec){.tv_sec = attr.atime.sec, .tv_nsec = attr.atime.nsec};
	st.st_mtim = (struct timespec){.tv_sec = attr.mtime.sec, .tv_nsec = attr.mtime.nsec};
	st.st_ctim = (struct timespec){.tv_sec = attr.ctime.sec, .tv_nsec = attr.ctime.nsec};
	MSG(&request->out, fs_io_rep)->done = u64_min(sizeof(st), req->len);
	return sys_safecopyto(request->client, req->grant, 0, &st, u64_min(sizeof(st), req->len));
}

static int on_setattr(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_setattr_req *req = MSG(&request->in, fs_setattr_req);
	struct fs_time now = mount->fs->now();
	struct fs_attr attr = {.mode = req->mode, .uid = req->uid, .gid = req->gid};
	unsigned set =
		req->mask & (FS_SET_MODE | FS_SET_UID | FS_SET_GID | FS_SET_ATIME | FS_SET_MTIME);
	int error;

	attr.atime = fs_time_from_ns(req->atime_ns);
	attr.mtime = fs_time_from_ns(req->mtime_ns);
	if (req->mask == FS_ATTR_ATIME_READ) {
		set = FS_SET_READ;
	}
	if (req->mask & FS_ATTR_ATIME_NOW) {
		set |= FS_SET_ATIME;
		attr.atime = now;
	}
	if (req->mask & FS_ATTR_MTIME_NOW) {
		set |= FS_SET_MTIME;
		attr.mtime = now;
	}
	error = mount->fs->ops->set_attr(mount->fs, req->head.ino, set, &attr);
	if (error == 0) {
		error = mount->fs->ops->get_attr(mount->fs, req->head.ino, &attr);
	}
	return error != 0 ? error : reply_node(request, &attr);
}

_Static_assert((int)FS_SET_MODE == FS_ATTR_MODE && (int)FS_SET_UID == FS_ATTR_UID &&
		(int)FS_SET_GID == FS_ATTR_GID && (int)FS_SET_ATIME == FS_ATTR_ATIME &&
		(int)FS_SET_MTIME == FS_ATTR_MTIME && (int)FS_SET_READ == FS_ATTR_ATIME_READ,
	"attribute masks are the protocol's");

/* Directory records on their way out. */
struct records {
	uint8_t *buf;
	size_t size;
	size_t used;
	uint64_t next;
	bool is_full;
};

static bool put_record(void *ctx, const struct fs_entry *entry)
{
	struct records *records = ctx;
	uint16_t len = (uint16_t)align_up(DIRENT_HEADER + entry->name.len + 1, 8);
	uint8_t *record = records->buf + records->used;

	if (records->size - records->used < len) {
		records->is_full = true;
		return false;
	}
	memset(record, 0, len);
	memcpy(record, &entry->ino, 8);
	memcpy(record + 8, &entry->next, 8);
	memcpy(record + 16, &len, 2);
	record[18] = entry->type;
	memcpy(record + DIRENT_HEADER, entry->name.text, entry->name.len);
	records->used += len;
	records->next = entry->next;
	return true;
}

static int on_getdents(struct fs_mount *mount, struct fs_request *request)
{
	static uint8_t buf[BUFFER_BYTES];
	const struct fs_io_req *req = MSG(&request->in, fs_io_req);
	struct fs_io_rep *reply = MSG(&request->out, fs_io_rep);
	struct records records = {
		.buf = buf, .size = u64_min(sizeof(buf), req->len), .next = req->offset};
	int error = mount->fs->ops->readdir(
		mount->fs, req->head.ino, req->offset, put_record, &records);

	if (records.used == 0) {
		return error == 0 && records.is_full ? -EINVAL : error;
	}
	error = sys_safecopyto(request->client, req->grant, 0, buf, records.used);
	if (error == 0) {
		reply->done = records.used;
		reply->offset = records.next;
	}
	return error;
}

static int on_sync(struct fs_mount *mount, struct fs_request *request)
{
	(void)request;
	return mount->fs->ops->sync(mount->fs);
}

static int on_fsync(struct fs_mount *mount, struct fs_request *request)
{
	return mount->fs->ops->fsync(mount->fs, MSG(&request->in, fs_req_head)->ino, false);
}

static int on_statfs(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_io_req *req = MSG(&request->in, fs_io_req);
	struct fs_stat stat = {0};
	struct statfs out;
	int error = mount->fs->ops->statfs(mount->fs, &stat);

	if (error != 0) {
		return error;
	}
	memset(&out, 0, sizeof(out));
	out.f_type = stat.magic;
	out.f_bsize = stat.block_size;
	out.f_frsize = stat.block_size;
	out.f_blocks = stat.blocks;
	out.f_bfree = stat.blocks_free;
	out.f_bavail = stat.blocks_available;
	out.f_files = stat.nodes;
	out.f_ffree = stat.nodes_free;
	out.f_namelen = FS_NAME_MAX;
	memcpy(&out.f_fsid, &mount->dev, u64_min(sizeof(out.f_fsid), sizeof(mount->dev)));
	out.f_flags = mount->fs->read_only ? 1 : 0; /* ST_RDONLY */
	MSG(&request->out, fs_io_rep)->done = u64_min(sizeof(out), req->len);
	return sys_safecopyto(request->client, req->grant, 0, &out, u64_min(sizeof(out), req->len));
}

static int on_remount(struct fs_mount *mount, struct fs_request *request)
{
	const struct fs_mount_req *req = MSG(&request->in, fs_mount_req);

	return mount->fs->ops->remount(mount->fs, req->flags & FS_MOUNT_RDONLY);
}

static handler_fn *const handlers[] = {
	[FS_LOOKUP - FS_BASE_OP] = on_lookup,
	[FS_PUTNODE - FS_BASE_OP] = on_putnode,
	[FS_CREATE - FS_BASE_OP] = on_create,
	[FS_MKDIR - FS_BASE_OP] = on_create,
	[FS_MKNOD - FS_BASE_OP] = on_create,
	[FS_SYMLINK - FS_BASE_OP] = on_symlink,
	[FS_LINK - FS_BASE_OP] = on_link,
	[FS_UNLINK - FS_BASE_OP] = on_unlink,
	[FS_RMDIR - FS_BASE_OP] = on_unlink,
	[FS_RENAME - FS_BASE_OP] = on_rename,
	[FS_READLINK - FS_BASE_OP] = on_readlink,
	[FS_READ - FS_BASE_OP] = on_read_write,
	[FS_WRITE - FS_BASE_OP] = on_read_write,
	[FS_TRUNCATE - FS_BASE_OP] = on_truncate,
	[FS_PEEK - FS_BASE_OP] = on_cache,
	[FS_MKWRITE - FS_BASE_OP] = on_cache,
	[FS_REBIND - FS_BASE_OP] = on_rebind,
	[FS_RECOVERED - FS_BASE_OP] = on_recovered,
	[FS_ALLOCATE - FS_BASE_OP] = on_allocate,
	[FS_STAT - FS_BASE_OP] = on_stat,
	[FS_SETATTR - FS_BASE_OP] = on_setattr,
	[FS_GETDENTS - FS_BASE_OP] = on_getdents,
	[FS_SYNC - FS_BASE_OP] = on_sync,
	[FS_FSYNC - FS_BASE_OP] = on_fsync,
	[FS_STATFS - FS_BASE_OP] = on_statfs,
	[FS_REMOUNT - FS_BASE_OP] = on_remount,
};

int fs_dispatch(struct fs_mount *mount, struct fs_request *request)
{
	uint32_t index = (uint32_t)request->op - FS_BASE_OP;

	if (fs_is_about_device(mount, request)) {
		return fs_dispatch_device(mount, request);
	}
	if (index >= ARRAY_LEN(handlers) || handlers[index] == NULL ||
		(mount->fs->is_device_only && request->op != FS_SYNC &&
			request->op != FS_RECOVERED && request->op != FS_REMOUNT)) {
		return -ENOSYS;
	}
	return handlers[index](mount, request);
}
