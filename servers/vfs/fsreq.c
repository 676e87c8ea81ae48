/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/fsreq.h"

#include <errno.h>
#include <string.h>

#include "abi/bootinfo.h"
#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "lib/sys/grant.h"
#include "servers/vfs/call.h"
#include "servers/vfs/mount.h"
#include "servers/vfs/trans.h"
#include "servers/vfs/vnode.h"

#define PEEKS_PENDING_MAX 16 /* messages that a file system has not taken yet */

/* Sends m (op and payload set, but for the number) and replaces it by the answer. -ERESTARTED: the
 * process is a new one, whether the old one did it is not known. */
static int fs_exchange(struct superblock *sb, struct message *m)
{
	struct trans trans;
	int op = m->type, r;

	if (sb->is_dead) {
		return -EIO;
	}
	if (sb->is_internal) {
		return -EOPNOTSUPP;
	}
	trans_begin(&trans, sb->ep, m);
	MSG(m, fs_req_head)->seq = trans.seq;
	trans_send(&trans, m);
	r = trans_wait(&trans);
	if (r < 0) {
		return r == -ENOMEM || r == -ERESTARTED ? r : -EIO;
	}
	if (m->type != (op | PROTO_REPLY)) {
		return -EIO;
	}
	r = MSG(m, fs_reply_head)->result;
	return r > 0 ? -EIO : (int)trans_result(r);
}

/* The same, again when the file system was replaced meanwhile: *is_repeat says so. */
static int fs_request_again(struct superblock *sb, struct message *m, bool *is_repeat)
{
	const struct message request = *m;
	int r;

	*is_repeat = false;
	for (;;) {
		while (sb->is_recovering) {
			waitq_wait(&sb->recover_wait);
		}
		r = fs_exchange(sb, m);
		if (r != -ERESTARTED) {
			return r;
		}
		*is_repeat = true;
		*m = request;
	}
}

int fs_request(struct superblock *sb, struct message *m)
{
	bool is_repeat;

	return fs_request_again(sb, m, &is_repeat);
}

void fs_putnode(struct superblock *sb, uint64_t ino, uint64_t count)
{
	struct message m = {.type = FS_PUTNODE};
	struct fs_putnode_req *req = MSG(&m, fs_putnode_req);

	if (sb->is_internal) {
		return;
	}
	req->head.seq = trans_unwaited_seq();
	req->head.ino = ino;
	req->count = count;
	(void)asyn_send(sb->ep, &m);
}

static int mount_request(int op, struct superblock *sb, endpoint_t driver, uint32_t flags,
	const char *data, struct message *m)
{
	struct fs_mount_req *req = MSG(m, fs_mount_req);
	grant_t grant = GRANT_INVALID;
	int r;

	m->type = op;
	req->dev = sb->dev;
	req->driver = driver;
	req->flags = flags;
	if (data && data[0] != '\0') {
		grant = grant_direct(sb->ep, data, strlen(data), GRANT_READ);
		req->data_len = (uint32_t)strlen(data);
	}
	req->data = grant;
	r = op == FS_MOUNT ? fs_exchange(sb, m) : fs_request(sb, m);
	if (grant != GRANT_INVALID) {
		(void)grant_revoke(grant);
	}
	return r;
}

int fs_mount(struct superblock *sb, endpoint_t driver, uint32_t flags, const char *data,
	struct fs_mount_rep *rep)
{
	struct message m = {0};
	int r = mount_request(FS_MOUNT, sb, driver, flags, data, &m);

	*rep = *MSG(&m, fs_mount_rep);
	return r;
}

int fs_rebind(struct vnode *node)
{
	struct message m = {.type = FS_REBIND};
	struct fs_putnode_req *req = MSG(&m, fs_putnode_req);
	int r;

	req->head.ino = node->ino;
	req->count = node->fs_refs;
	r = fs_exchange(node->sb, &m);
	if (r == 0) {
		vnode_update(node, &MSG(&m, fs_node_rep)->node);
	}
	return r;
}

int fs_recovered(struct superblock *sb)
{
	struct message m = {.type = FS_RECOVERED};

	return fs_exchange(sb, &m);
}

int fs_remount(struct superblock *sb, uint32_t flags)
{
	struct message m = {0};

	return mount_request(FS_REMOUNT, sb, EP_NONE, flags, NULL, &m);
}

int fs_unmount(struct superblock *sb)
{
	struct message m = {.type = FS_UNMOUNT};

	return fs_request(sb, &m);
}

int fs_new_driver(struct superblock *sb, endpoint_t driver)
{
	struct message m = {.type = FS_NEWDRIVER};

	MSG(&m, fs_newdriver_req)->driver = driver;
	return fs_request(sb, &m);
}

/* A name or text for the file system to read; -ENOMEM. */
static int grant_text(const struct superblock *sb, const char *text, size_t len, grant_t *grant)
{
	*grant = grant_direct(sb->ep, text, len, GRANT_READ);
	return *grant == GRANT_INVALID ? -ENOMEM : 0;
}

/* The node that an answer carries. */
static int reply_node(struct superblock *sb, const struct message *m, struct vnode **node)
{
	*node = vnode_from_reply(sb, &MSG(m, fs_node_rep)->node);
	return *node ? 0 : -ENOMEM;
}

static int name_request(
	int op, struct vnode *dir, const char *name, size_t len, struct message *m, bool *is_repeat)
{
	struct fs_name_req *req = MSG(m, fs_name_req);
	int r;

	m->type = op;
	req->head.ino = dir->ino;
	req->name = GRANT_INVALID;
	req->name_len = (uint32_t)len;
	if (len <= sizeof(req->short_name)) {
		memcpy(req->short_name, name, len);
		return fs_request_again(dir->sb, m, is_repeat);
	}
	r = grant_text(dir->sb, name, len, &req->name);
	if (r == 0) {
		grant_t grant = req->name;

		r = fs_request_again(dir->sb, m, is_repeat);
		(void)grant_revoke(grant);
	}
	return r;
}

int fs_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **node)
{
	struct message m = {0};
	bool is_repeat;
	int r = name_request(FS_LOOKUP, dir, name, len, &m, &is_repeat);

	return r < 0 ? r : reply_node(dir->sb, &m, node);
}

int fs_remove(int op, struct vnode *dir, const char *name, size_t len)
{
	struct message m = {0};
	bool is_repeat;
	int r = name_request(op, dir, name, len, &m, &is_repeat);

	/* The first time did it. */
	return r == -ENOENT && is_repeat ? 0 : r;
}

/* A request for a new name, the directory and name of which are given; *node is what it made. */
static int make_request(
	struct vnode *dir, const char *name, size_t len, struct message *m, struct vnode **node)
{
	bool is_repeat;
	int r = fs_request_again(dir->sb, m, &is_repeat);

	if (r == -EEXIST && is_repeat) {
		return fs_lookup(dir, name, len, node);
	}
	return r < 0 ? r : reply_node(dir->sb, m, node);
}

int fs_make(int op, struct vnode *dir, const char *name, size_t len, uint32_t mode, uint32_t uid,
	uint32_t gid, uint64_t rdev, struct vnode **node)
{
	struct message m = {.type = op};
	struct fs_create_req *req = MSG(&m, fs_create_req);
	grant_t grant;
	int r = grant_text(dir->sb, name, len, &grant);

	if (r < 0) {
		return r;
	}
	req->head.ino = dir->ino;
	req->name = grant;
	req->name_len = (uint32_t)len;
	req->mode = mode;
	req->uid = uid;
	req->gid = gid;
	req->rdev = rdev;
	r = make_request(dir, name, len, &m, node);
	(void)grant_revoke(grant);
	return r;
}

int fs_symlink(struct vnode *dir, const char *name, size_t len, const char *target, uint32_t uid,
	uint32_t gid, struct vnode **node)
{
	struct message m = {.type = FS_SYMLINK};
	struct fs_symlink_req *req = MSG(&m, fs_symlink_req);
	grant_t name_grant, target_grant;
	int r = grant_text(dir->sb, name, len, &name_grant);

	if (r < 0) {
		return r;
	}
	r = grant_text(dir->sb, target, strlen(target), &target_grant);
	if (r == 0) {
		req->head.ino = dir->ino;
		req->name = name_grant;
		req->name_len = (uint32_t)len;
		req->target = target_grant;
		req->target_len = (uint32_t)strlen(target);
		req->uid = uid;
		req->gid = gid;
		r = make_request(dir, name, len, &m, node);
		(void)grant_revoke(target_grant);
	}
	(void)grant_revoke(name_grant);
	return r;
}

int fs_link(struct vnode *dir, const char *name, size_t len, struct vnode *target)
{
	struct message m = {.type = FS_LINK};
	struct fs_link_req *req = MSG(&m, fs_link_req);
	bool is_repeat;
	grant_t grant;
	int r = grant_text(dir->sb, name, len, &grant);

	if (r < 0) {
		return r;
	}
	req->head.ino = dir->ino;
	req->name = grant;
	req->name_len = (uint32_t)len;
	req->target_ino = target->ino;
	r = fs_request_again(dir->sb, &m, &is_repeat);
	(void)grant_revoke(grant);
	return r == -EEXIST && is_repeat ? 0 : r;
}

/* A renaming that may have been done before: it is when the old name does not lead to the node any
 * more. */
static int rename_request(struct vnode *old_dir, const char *old_name, size_t old_len,
	const struct vnode *old_node, struct message *m)
{
	const struct message request = *m;
	struct superblock *sb = old_dir->sb;
	int r;

	while (sb->is_recovering) {
		waitq_wait(&sb->recover_wait);
	}
	r = fs_exchange(sb, m);
	while (r == -ERESTARTED) {
		struct vnode *now;

		r = fs_lookup(old_dir, old_name, old_len, &now);
		if (r == -ENOENT) {
			return 0;
		}
		if (r < 0) {
			return r;
		}
		vnode_put(now);
		if (now != old_node) {
			return 0;
		}
		*m = request;
		r = fs_exchange(sb, m);
	}
	return r;
}

int fs_rename(struct vnode *old_dir, const char *old_name, size_t old_len,
	const struct vnode *old_node, struct vnode *new_dir, const char *new_name, size_t new_len,
	uint32_t flags)
{
	struct message m = {.type = FS_RENAME};
	struct fs_rename_req *req = MSG(&m, fs_rename_req);
	grant_t old_grant, new_grant;
	int r = grant_text(old_dir->sb, old_name, old_len, &old_grant);

	if (r < 0) {
		return r;
	}
	r = grant_text(old_dir->sb, new_name, new_len, &new_grant);
	if (r == 0) {
		req->head.ino = old_dir->ino;
		req->new_dir = new_dir->ino;
		req->old_name = old_grant;
		req->old_len = (uint32_t)old_len;
		req->new_name = new_grant;
		req->new_len = (uint32_t)new_len;
		req->flags = flags;
		r = rename_request(old_dir, old_name, old_len, old_node, &m);
		(void)grant_revoke(new_grant);
	}
	(void)grant_revoke(old_grant);
	return r;
}

/* A transfer through a grant, which is revoked afterwards. */
static int io_request(int op, struct superblock *sb, uint64_t ino, grant_t grant, uint64_t bytes,
	uint64_t offset, struct fs_io_rep *rep)
{
	struct message m = {.type = op};
	struct fs_io_req *req = MSG(&m, fs_io_req);
	const struct call *call = call_current();
	int r;

	if (grant == GRANT_INVALID) {
		return -ENOMEM;
	}
	req->head.ino = ino;
	req->user = call && call->thread ? call->m.source : EP_NONE;
	req->grant = grant;
	req->offset = offset;
	req->len = bytes;
	r = fs_request(sb, &m);
	(void)grant_revoke(grant);
	*rep = *MSG(&m, fs_io_rep);
	if (r == 0 && rep->done > bytes) {
		return -EIO;
	}
	return r;
}

int64_t fs_readlink(struct vnode *node, char *buf, size_t size)
{
	struct fs_io_rep rep;
	grant_t grant = grant_direct(node->sb->ep, buf, size, GRANT_WRITE);
	int r = io_request(FS_READLINK, node->sb, node->ino, grant, size, 0, &rep);

	return r < 0 ? r : (int64_t)rep.done;
}

int fs_transfer(int op, struct vnode *node, endpoint_t ep, vaddr_t addr, uint64_t bytes,
	uint64_t offset, struct fs_io_rep *rep)
{
	uint32_t access = op == FS_WRITE ? GRANT_READ : GRANT_WRITE;
	grant_t grant;

	if (ep == EP_SELF) {
		grant = grant_direct(node->sb->ep, (void *)addr, bytes, access);
	} else if (!range_within(addr, bytes, 0, USER_END)) {
		return -EFAULT;
	} else {
		grant = grant_magic(node->sb->ep, ep, addr, bytes, access);
	}
	return io_request(op, node->sb, node->ino, grant, bytes, offset, rep);
}

/* The request for pages: no grant. */
static struct message cache_request(
	int op, const struct vnode *node, uint64_t offset, uint64_t bytes)
{
	struct message m = {.type = op};
	struct fs_io_req *req = MSG(&m, fs_io_req);

	req->head.ino = node->ino;
	req->grant = GRANT_INVALID;
	req->user = EP_NONE;
	req->offset = offset;
	req->len = bytes;
	return m;
}

int fs_cache(int op, struct vnode *node, uint64_t offset, uint64_t bytes, uint64_t *done)
{
	struct message m = cache_request(op, node, offset, bytes);
	int r = fs_request(node->sb, &m);

	*done = r < 0 ? 0 : u64_min(MSG(&m, fs_io_rep)->done, bytes);
	return r;
}

/* A request whose answer nobody waits for; lost when the file system dies. */
static void send_unwaited(const struct superblock *sb, struct message *m)
{
	if (!sb->is_dead && !sb->is_recovering && !sb->is_internal) {
		MSG(m, fs_req_head)->seq = trans_unwaited_seq();
		(void)asyn_send(sb->ep, m);
	}
}

/* A hint: left out when the file system is behind, for programs can ask for it without end. */
void fs_peek_later(struct vnode *node, uint64_t offset, uint64_t bytes)
{
	struct message m = cache_request(FS_PEEK, node, offset, bytes);

	if (asyn_pending(node->sb->ep) < PEEKS_PENDING_MAX) {
		send_unwaited(node->sb, &m);
	}
}

void fs_tell_read(struct vnode *node)
{
	struct message m = {.type = FS_SETATTR};
	struct fs_setattr_req *req = MSG(&m, fs_setattr_req);

	if (!node->is_read_told && !node->sb->is_readonly) {
		req->head.ino = node->ino;
		req->mask = FS_ATTR_ATIME_READ;
		send_unwaited(node->sb, &m);
		vnode_touch(node);
	}
	node->is_read_told = true;
}

int fs_truncate(struct vnode *node, uint64_t size)
{
	struct message m = {.type = FS_TRUNCATE};
	struct fs_truncate_req *req = MSG(&m, fs_truncate_req);
	int r;

	req->head.ino = node->ino;
	req->size = size;
	r = fs_request(node->sb, &m);
	vnode_touch(node);
	if (r == 0) {
		node->size = size;
	}
	return r;
}

/* VFS's own nodes have no times. */
static void internal_stat(const struct vnode *node, struct stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->st_dev = node->sb->dev;
	stat->st_ino = node->ino;
	stat->st_mode = node->mode;
	stat->st_nlink = node->nlink;
	stat->st_uid = node->uid;
	stat->st_gid = node->gid;
	stat->st_blksize = 4096;
}

static void internal_setattr(struct vnode *node, const struct fs_setattr_req *attributes)
{
	if (attributes->mask & FS_ATTR_MODE) {
		node->mode = (node->mode & S_IFMT) | (attributes->mode & 07777);
	}
	if (attributes->mask & FS_ATTR_UID) {
		node->uid = attributes->uid;
	}
	if (attributes->mask & FS_ATTR_GID) {
		node->gid = attributes->gid;
	}
}

int fs_stat(struct vnode *node, struct stat *stat)
{
	struct fs_io_rep rep;
	uint32_t changes = node->changes;
	grant_t grant;
	int r;

	if (node->is_stat_valid) {
		*stat = node->stat;
		return 0;
	}
	if (node->sb->is_internal) {
		internal_stat(node, stat);
		return 0;
	}
	memset(stat, 0, sizeof(*stat));
	grant = grant_direct(node->sb->ep, stat, sizeof(*stat), GRANT_WRITE);
	r = io_request(FS_STAT, node->sb, node->ino, grant, sizeof(*stat), 0, &rep);
	if (r < 0) {
		return r;
	}
	stat->st_dev = node->sb->dev;
	stat->st_ino = node->ino;
	if (changes == node->changes && !node->sb->is_nocache) {
		node->stat = *stat;
		node->size = (uint64_t)stat->st_size;
		node->is_stat_valid = true;
	}
	if (node->sb->is_nocache) {
		node->size = (uint64_t)stat->st_size;
		node->mode = stat->st_mode;
		node->uid = stat->st_uid;
		node->gid = stat->st_gid;
	}
	return 0;
}

int fs_setattr(struct vnode *node, const struct fs_setattr_req *attributes)
{
	struct message m = {.type = FS_SETATTR};
	struct fs_setattr_req *req = MSG(&m, fs_setattr_req);
	int r;

	if (node->sb->is_internal) {
		internal_setattr(node, attributes);
		return 0;
	}
	*req = *attributes;
	req->head.ino = node->ino;
	r = fs_request(node->sb, &m);
	if (r == 0) {
		vnode_update(node, &MSG(&m, fs_attr_rep)->node);
	}
	return r;
}

int fs_fsync(struct vnode *node)
{
	struct message m = {.type = FS_FSYNC};

	MSG(&m, fs_ino_req)->head.ino = node->ino;
	return fs_request(node->sb, &m);
}

int fs_sync(struct superblock *sb)
{
	struct message m = {.type = FS_SYNC};

	return fs_request(sb, &m);
}

int fs_statfs(struct superblock *sb, struct statfs *statfs)
{
	struct fs_io_rep rep;
	grant_t grant;

	memset(statfs, 0, sizeof(*statfs));
	grant = grant_direct(sb->ep, statfs, sizeof(*statfs), GRANT_WRITE);
	return io_request(FS_STATFS, sb, 0, grant, sizeof(*statfs), 0, &rep);
}
