/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/test/fake_fs.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/sys/kcall.h"
#include "proto/fs.h"
#include "servers/vfs/test/fake_cache.h"

#define INODES_MAX  256
#define ENTRIES_MAX 1024

struct inode {
	bool is_used;
	uint32_t mode, uid, gid, nlink;
	uint64_t rdev, refs, size;
	char *data;
};

struct entry {
	uint64_t dir, ino; /* dir 0: free */
	char name[256];
};

static struct inode inodes[INODES_MAX];
static struct entry entries[ENTRIES_MAX];
static unsigned counts[64];
static bool has_peek;
static int die_op; /* the next request of this kind is the last one; 0: none */
static bool die_done, is_dead;

#define ROOT_INO 2

void fake_fs_free(void)
{
	for (int i = 0; i < INODES_MAX; i++) {
		free(inodes[i].data);
	}
	memset(inodes, 0, sizeof(inodes));
	memset(entries, 0, sizeof(entries));
	memset(counts, 0, sizeof(counts));
	has_peek = is_dead = false;
	die_op = 0;
}

void fake_fs_reset(void)
{
	fake_fs_free();
	inodes[ROOT_INO] = (struct inode){.is_used = true, .mode = S_IFDIR | 0755, .nlink = 2};
}

uint64_t fake_fs_references(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < INODES_MAX; i++) {
		sum += inodes[i].refs;
	}
	return sum;
}

unsigned fake_fs_inodes(void)
{
	unsigned n = 0;

	for (int i = 0; i < INODES_MAX; i++) {
		n += inodes[i].is_used;
	}
	return n;
}

unsigned fake_fs_count(int op)
{
	return counts[op - FS_BASE_OP];
}

void fake_fs_set_peek(void)
{
	has_peek = true;
}

static bool loses_unnamed;

void fake_fs_lose_unnamed(void)
{
	loses_unnamed = true;
}

void fake_fs_die_at(int op, bool is_done)
{
	die_op = op;
	die_done = is_done;
}

static void release_if_unused(uint64_t ino)
{
	if (inodes[ino].nlink == 0 && inodes[ino].refs == 0) {
		free(inodes[ino].data);
		memset(&inodes[ino], 0, sizeof(inodes[ino]));
	}
}

static struct entry *find(uint64_t dir, const char *name)
{
	for (int i = 0; i < ENTRIES_MAX; i++) {
		if (entries[i].dir == dir && strcmp(entries[i].name, name) == 0) {
			return &entries[i];
		}
	}
	return NULL;
}

static bool is_empty(uint64_t dir)
{
	for (int i = 0; i < ENTRIES_MAX; i++) {
		if (entries[i].dir == dir) {
			return false;
		}
	}
	return true;
}

static void add_entry(uint64_t dir, const char *name, uint64_t ino)
{
	for (int i = 0; i < ENTRIES_MAX; i++) {
		if (entries[i].dir == 0) {
			entries[i].dir = dir;
			entries[i].ino = ino;
			assert(strlen(name) < sizeof(entries[i].name));
			memcpy(entries[i].name, name, strlen(name) + 1);
			return;
		}
	}
	assert(!"directory full");
}

static uint64_t new_inode(uint32_t mode, uint32_t uid, uint32_t gid)
{
	for (uint64_t i = ROOT_INO + 1; i < INODES_MAX; i++) {
		if (!inodes[i].is_used) {
			inodes[i] = (struct inode){.is_used = true,
				.mode = mode,
				.uid = uid,
				.gid = gid,
				.nlink = S_ISDIR(mode) ? 2 : 1};
			return i;
		}
	}
	assert(!"no inodes");
	return 0;
}

static struct fs_node node_of(uint64_t ino)
{
	const struct inode *n = &inodes[ino];

	return (struct fs_node){.ino = ino,
		.size = n->size,
		.mode = n->mode,
		.uid = n->uid,
		.gid = n->gid,
		.nlink = n->nlink,
		.rdev = n->rdev};
}

static void text_in(grant_t grant, uint32_t len, char *to)
{
	assert(len < 4096);
	assert(sys_safecopyfrom(EP_VFS, grant, 0, to, len) == 0);
	to[len] = '\0';
}

static int make(uint64_t dir, const char *name, uint32_t mode, uint32_t uid, uint32_t gid,
	uint64_t rdev, struct fs_node *out)
{
	uint64_t ino;

	if (find(dir, name)) {
		return -EEXIST;
	}
	ino = new_inode(mode, uid, gid);
	inodes[ino].rdev = rdev;
	inodes[ino].refs = 1;
	inodes[dir].nlink += S_ISDIR(mode);
	add_entry(dir, name, ino);
	*out = node_of(ino);
	return 0;
}

static int remove_name(uint64_t dir, const char *name, bool is_dir)
{
	struct entry *e = find(dir, name);
	uint64_t ino;

	if (!e) {
		return -ENOENT;
	}
	ino = e->ino;
	if (is_dir != S_ISDIR(inodes[ino].mode)) {
		return is_dir ? -ENOTDIR : -EISDIR;
	}
	if (is_dir && !is_empty(ino)) {
		return -ENOTEMPTY;
	}
	e->dir = 0;
	inodes[ino].nlink -= is_dir ? 2 : 1;
	inodes[dir].nlink -= is_dir;
	release_if_unused(ino);
	return 0;
}

static int rename_name(const struct fs_rename_req *req, const char *old_name, const char *new_name)
{
	struct entry *from = find(req->head.ino, old_name), *to = find(req->new_dir, new_name);
	uint64_t ino;

	if (!from) {
		return -ENOENT;
	}
	if (req->flags & 2) {
		ino = from->ino;
		from->ino = to->ino;
		to->ino = ino;
		return 0;
	}
	if (to) {
		int r = remove_name(req->new_dir, new_name, S_ISDIR(inodes[to->ino].mode));

		if (r < 0) {
			return r;
		}
	}
	ino = from->ino;
	from->dir = 0;
	add_entry(req->new_dir, new_name, ino);
	return 0;
}

static int io(const struct message *m, struct fs_io_rep *rep)
{
	const struct fs_io_req *req = MSG((struct message *)(uintptr_t)m, fs_io_req);
	struct inode *n = &inodes[req->head.ino];
	uint64_t len = req->len;
	struct stat st = {0};
	int r = 0;

	switch (m->type) {
	case FS_READ:
	case FS_READLINK:
		len = req->offset >= n->size          ? 0
			: len < n->size - req->offset ? len
						      : n->size - req->offset;
		if (len > 0) {
			r = sys_safecopyto(EP_VFS, req->grant, 0, n->data + req->offset, len);
		}
		break;
	case FS_WRITE:
		if (req->offset + len > n->size) {
			n->data = realloc(n->data, req->offset + len);
			memset(n->data + n->size, 0, req->offset + len - n->size);
			n->size = req->offset + len;
		}
		r = sys_safecopyfrom(EP_VFS, req->grant, 0, n->data + req->offset, len);
		break;
	case FS_STAT:
		st.st_ino = req->head.ino;
		st.st_mode = n->mode;
		st.st_nlink = n->nlink;
		st.st_uid = n->uid;
		st.st_gid = n->gid;
		st.st_size = (off_t)n->size;
		r = sys_safecopyto(EP_VFS, req->grant, 0, &st, sizeof(st));
		break;
	default:
		r = -ENOSYS;
		break;
	}
	rep->done = r == 0 ? len : 0;
	rep->size = n->size;
	return r;
}

static int setattr(const struct fs_setattr_req *req, struct fs_node *node)
{
	struct inode *n = &inodes[req->head.ino];

	if (req->mask & FS_ATTR_MODE) {
		n->mode = (n->mode & S_IFMT) | (req->mode & 07777);
	}
	if (req->mask & FS_ATTR_UID) {
		n->uid = req->uid;
	}
	if (req->mask & FS_ATTR_GID) {
		n->gid = req->gid;
	}
	*node = node_of(req->head.ino);
	return 0;
}

static void name_of_request(const struct fs_name_req *req, char *name)
{
	if (req->name == GRANT_INVALID) {
		memcpy(name, req->short_name, req->name_len);
		name[req->name_len] = '\0';
	} else {
		text_in(req->name, req->name_len, name);
	}
}

static int lookup(const struct fs_name_req *req, const char *name, struct fs_node *node)
{
	struct entry *e = find(req->head.ino, name);

	if (!S_ISDIR(inodes[req->head.ino].mode)) {
		return -ENOTDIR;
	}
	if (!e) {
		return -ENOENT;
	}
	inodes[e->ino].refs++;
	*node = node_of(e->ino);
	return 0;
}

static int symlink_make(const struct fs_symlink_req *req, struct fs_node *node)
{
	char name[4096], target[4096];
	int r;

	text_in(req->name, req->name_len, name);
	text_in(req->target, req->target_len, target);
	r = make(req->head.ino, name, S_IFLNK | 0777, req->uid, req->gid, 0, node);
	if (r == 0) {
		inodes[node->ino].data = strdup(target);
		inodes[node->ino].size = node->size = req->target_len;
	}
	return r;
}

static int serve_names(const struct message *m, struct fs_node *node)
{
	struct message *mm = (struct message *)(uintptr_t)m;
	char name[4096], other[4096];

	switch (m->type) {
	case FS_LOOKUP:
		name_of_request(MSG(mm, fs_name_req), name);
		return lookup(MSG(mm, fs_name_req), name, node);
	case FS_UNLINK:
	case FS_RMDIR:
		name_of_request(MSG(mm, fs_name_req), name);
		return remove_name(MSG(mm, fs_name_req)->head.ino, name, m->type == FS_RMDIR);
	case FS_CREATE:
	case FS_MKDIR:
	case FS_MKNOD:
		text_in(MSG(mm, fs_create_req)->name, MSG(mm, fs_create_req)->name_len, name);
		return make(MSG(mm, fs_create_req)->head.ino, name, MSG(mm, fs_create_req)->mode,
			MSG(mm, fs_create_req)->uid, MSG(mm, fs_create_req)->gid,
			MSG(mm, fs_create_req)->rdev, node);
	case FS_SYMLINK:
		return symlink_make(MSG(mm, fs_symlink_req), node);
	case FS_LINK:
		text_in(MSG(mm, fs_link_req)->name, MSG(mm, fs_link_req)->name_len, name);
		add_entry(MSG(mm, fs_link_req)->head.ino, name, MSG(mm, fs_link_req)->target_ino);
		inodes[MSG(mm, fs_link_req)->target_ino].nlink++;
		return 0;
	case FS_RENAME:
		text_in(MSG(mm, fs_rename_req)->old_name, MSG(mm, fs_rename_req)->old_len, name);
		text_in(MSG(mm, fs_rename_req)->new_name, MSG(mm, fs_rename_req)->new_len, other);
		return rename_name(MSG(mm, fs_rename_req), name, other);
	default:
		return -ENOSYS;
	}
}

/* A new process mounts the volume: what it knows of references it is told again. */
static void recover(void)
{
	is_dead = false;
	for (int i = 0; i < INODES_MAX; i++) {
		inodes[i].refs = 0;
	}
}

static void recovered(void)
{
	for (uint64_t i = ROOT_INO + 1; i < INODES_MAX; i++) {
		release_if_unused(i);
	}
}

/* Pages of a file into VM's cache. */
static void peek(const struct fs_io_req *req, struct fs_io_rep *rep)
{
	const struct inode *inode = &inodes[req->head.ino];
	uint64_t end = req->offset + req->len < inode->size ? req->offset + req->len : inode->size;

	for (uint64_t at = AXO_PAGE_DOWN(req->offset); at < end; at += AXO_PAGE_SIZE) {
		uint64_t len = inode->size - at < AXO_PAGE_SIZE ? inode->size - at : AXO_PAGE_SIZE;

		fake_cache_put(req->head.ino, at / AXO_PAGE_SIZE, inode->data + at, len);
	}
	rep->done = end > req->offset ? end - req->offset : 0;
}

static int serve(const struct message *m, struct message *reply);

bool fake_fs_serve(const struct message *m, struct message *reply)
{
	bool is_last = m->type == die_op;
	int r;

	counts[m->type - FS_BASE_OP]++;
	if (m->type == FS_MOUNT &&
		(MSG((struct message *)(uintptr_t)m, fs_mount_req)->flags & FS_MOUNT_RECOVER)) {
		recover();
	}
	if (is_dead) {
		return false;
	}
	is_dead = is_last;
	if (is_last) {
		die_op = 0;
		if (!die_done) {
			return false;
		}
	}
	memset(reply, 0, sizeof(*reply));
	r = serve(m, reply);
	reply->source = EP_BOOTFS;
	reply->type = m->type | PROTO_REPLY;
	MSG(reply, fs_reply_head)->seq = MSG((struct message *)(uintptr_t)m, fs_req_head)->seq;
	MSG(reply, fs_reply_head)->result = r;
	return !is_last;
}

static int serve(const struct message *m, struct message *reply)
{
	struct message *mm = (struct message *)(uintptr_t)m;
	struct fs_node node = {0};
	uint64_t ino = MSG(mm, fs_req_head)->ino;
	int r;

	switch (m->type) {
	case FS_MOUNT:
		inodes[ROOT_INO].refs++;
		MSG(reply, fs_mount_rep)->root = node_of(ROOT_INO);
		MSG(reply, fs_mount_rep)->flags = has_peek ? FS_FLAG_PEEK : 0;
		r = 0;
		break;
	case FS_REBIND:
		if (loses_unnamed && inodes[ino].nlink == 0) {
			inodes[ino].refs = 0;
			release_if_unused(ino);
			loses_unnamed = false;
			return -EIO;
		}
		inodes[ino].refs = MSG(mm, fs_putnode_req)->count;
		MSG(reply, fs_node_rep)->node = node_of(ino);
		r = 0;
		break;
	case FS_RECOVERED:
		recovered();
		r = 0;
		break;
	case FS_PEEK:
	case FS_MKWRITE:
		peek(MSG(mm, fs_io_req), MSG(reply, fs_io_rep));
		r = 0;
		break;
	case FS_PUTNODE:
		assert(inodes[ino].refs >= MSG(mm, fs_putnode_req)->count);
		inodes[ino].refs -= MSG(mm, fs_putnode_req)->count;
		release_if_unused(ino);
		r = 0;
		break;
	case FS_READ:
	case FS_WRITE:
	case FS_READLINK:
	case FS_STAT:
		r = io(m, MSG(reply, fs_io_rep));
		if (m->type == FS_WRITE) {
			fake_cache_forget(ino);
		}
		break;
	case FS_TRUNCATE:
		inodes[ino].data = realloc(inodes[ino].data, MSG(mm, fs_truncate_req)->size + 1);
		inodes[ino].size = MSG(mm, fs_truncate_req)->size;
		fake_cache_forget(ino);
		r = 0;
		break;
	case FS_SETATTR:
		r = setattr(MSG(mm, fs_setattr_req), &node);
		MSG(reply, fs_attr_rep)->node = node;
		break;
	default:
		r = serve_names(m, &node);
		MSG(reply, fs_node_rep)->node = node;
		break;
	}
	return r;
}
