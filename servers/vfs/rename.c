/* SPDX-License-Identifier: BSD-2-Clause */
/* rename(2) and its later forms. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "servers/vfs/access.h"
#include "servers/vfs/call.h"
#include "servers/vfs/entries.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/names.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

#define NOREPLACE 1u
#define EXCHANGE  2u
#define WHITEOUT  4u

struct rename {
	struct walk *from, *to;
	struct vnode *old_node, *new_node; /* new_node may be NULL */
	unsigned flags;
};

/* Both names looked up, both directories locked: may it be done? */
static int check_kinds(const struct rename *rn)
{
	bool is_dir = vnode_is_dir(rn->old_node);

	if (!is_dir && (rn->from->has_slash || (rn->to->has_slash && !rn->new_node))) {
		return -ENOTDIR;
	}
	if (is_dir && name_is_below(rn->to->at.node, rn->old_node)) {
		return -EINVAL;
	}
	if (!rn->new_node) {
		return rn->flags & EXCHANGE ? -ENOENT : 0;
	}
	if (rn->flags & NOREPLACE) {
		return -EEXIST;
	}
	if (rn->flags & EXCHANGE) {
		return vnode_is_dir(rn->new_node) && name_is_below(rn->from->at.node, rn->new_node)
			? -EINVAL
			: 0;
	}
	if (is_dir && !vnode_is_dir(rn->new_node)) {
		return -ENOTDIR;
	}
	if (!is_dir && vnode_is_dir(rn->new_node)) {
		return -EISDIR;
	}
	/* Onto a directory above the one that moves: it is not empty. */
	return vnode_is_dir(rn->new_node) && name_is_below(rn->from->at.node, rn->new_node)
		? -ENOTEMPTY
		: 0;
}

static int check_rights(const struct rename *rn)
{
	const struct cred *cred = &rn->from->call->proc->cred;
	int r = access_check_remove(cred, &rn->from->at, rn->old_node);

	if (r == 0) {
		r = rn->new_node ? access_check_remove(cred, &rn->to->at, rn->new_node)
				 : access_check_create(cred, &rn->to->at);
	}
	/* A directory that gets another parent has its ".." rewritten. */
	if (r == 0 && vnode_is_dir(rn->old_node) && rn->from->at.node != rn->to->at.node) {
		r = access_check_node(cred, rn->old_node, ACCESS_WRITE);
	}
	if (r == 0 &&
		(rn->old_node->mounts_here > 0 ||
			(rn->new_node && rn->new_node->mounts_here > 0))) {
		r = -EBUSY;
	}
	return r;
}

/* The file system has done it: names and counts follow. */
static void rename_done(const struct rename *rn)
{
	struct walk *from = rn->from, *to = rn->to;
	struct vnode *old_dir = from->at.node, *new_dir = to->at.node;
	bool is_dir = vnode_is_dir(rn->old_node);

	if (rn->flags & EXCHANGE) {
		name_forget(old_dir, from->name, from->len);
		name_forget(new_dir, to->name, to->len);
		name_enter(old_dir, from->name, from->len, rn->new_node);
		name_enter(new_dir, to->name, to->len, rn->old_node);
		vnode_touch(rn->new_node);
	} else {
		if (rn->new_node) {
			rn->new_node->nlink -= rn->new_node->nlink > 0;
			if (vnode_is_dir(rn->new_node)) {
				name_forget_children(rn->new_node);
				rn->new_node->is_removed = true;
				rn->new_node->nlink = 0;
				new_dir->nlink -= new_dir->nlink > 0;
			}
			vnode_touch(rn->new_node);
			name_removed(new_dir, to->name, to->len);
		}
		name_forget(old_dir, from->name, from->len);
		name_enter(old_dir, from->name, from->len, NULL);
		name_enter(new_dir, to->name, to->len, rn->old_node);
		if (is_dir && old_dir != new_dir) {
			old_dir->nlink -= old_dir->nlink > 0;
			new_dir->nlink++;
		}
	}
	vnode_touch(rn->old_node);
	vnode_touch(old_dir);
	vnode_touch(new_dir);
}

static int rename_nodes(struct rename *rn)
{
	struct walk *from = rn->from, *to = rn->to;
	int r = check_kinds(rn);

	if (r == 0) {
		r = check_rights(rn);
	}
	if (r < 0 || rn->old_node == rn->new_node) {
		return r;
	}
	r = fs_rename(from->at.node, from->name, from->len, rn->old_node, to->at.node, to->name,
		to->len, rn->flags);
	if (r == 0) {
		rename_done(rn);
	} else {
		name_forget(to->at.node, to->name, to->len);
	}
	return r;
}

/* Directories locked: look both names up. */
static int rename_locked(struct rename *rn)
{
	int r = walk_lookup_locked(rn->from->at.node, rn->from->name, rn->from->len, &rn->old_node);

	if (r < 0) {
		return r;
	}
	rn->new_node = NULL;
	r = walk_lookup_locked(rn->to->at.node, rn->to->name, rn->to->len, &rn->new_node);
	if (r == 0 || r == -ENOENT) {
		r = rename_nodes(rn);
	}
	if (rn->new_node) {
		vnode_put(rn->new_node);
	}
	vnode_put(rn->old_node);
	return r;
}

static int rename_walks(struct rename *rn)
{
	struct vnode *a = rn->from->at.node, *b = rn->to->at.node;
	int r;

	if (rn->from->kind != WALK_NAME || rn->to->kind != WALK_NAME) {
		return -EBUSY;
	}
	if (rn->from->at.mount != rn->to->at.mount) {
		return -EXDEV;
	}
	/* One rename at a time: so nobody waits in a circle for directories' locks. */
	coro_mutex_lock(&vfs->rename_lock);
	coro_mutex_lock(&a->lock);
	if (a != b) {
		coro_mutex_lock(&b->lock);
	}
	r = rename_locked(rn);
	if (a != b) {
		coro_mutex_unlock(&b->lock);
	}
	coro_mutex_unlock(&a->lock);
	coro_mutex_unlock(&vfs->rename_lock);
	return r;
}

static int64_t rename_at(struct call *call, int old_fd, vaddr_t old_name, int new_fd,
	vaddr_t new_name, unsigned flags)
{
	struct rename rn = {.flags = flags};
	int r = 0;

	if ((flags & ~(NOREPLACE | EXCHANGE)) ||
		(flags & (NOREPLACE | EXCHANGE)) == (NOREPLACE | EXCHANGE)) {
		return -EINVAL;
	}
	rn.from = walk_begin_user(call, old_fd, old_name, 0, &r);
	if (rn.from) {
		rn.to = walk_begin_user(call, new_fd, new_name, 0, &r);
	}
	if (rn.from && rn.to) {
		r = walk_to_parent(rn.from);
		if (r == 0) {
			r = walk_to_parent(rn.to);
		}
		if (r == 0) {
			r = rename_walks(&rn);
		}
	}
	walk_end(rn.from);
	walk_end(rn.to);
	return r;
}

int64_t sys_rename(struct call *call)
{
	return rename_at(call, AT_FDCWD, ARG(call, 0), AT_FDCWD, ARG(call, 1), 0);
}

int64_t sys_renameat(struct call *call)
{
	return rename_at(call, ARG_INT(call, 0), ARG(call, 1), ARG_INT(call, 2), ARG(call, 3), 0);
}

int64_t sys_renameat2(struct call *call)
{
	return rename_at(call, ARG_INT(call, 0), ARG(call, 1), ARG_INT(call, 2), ARG(call, 3),
		ARG_U32(call, 4));
}
