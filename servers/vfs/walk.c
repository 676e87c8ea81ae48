/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariants: `at` and `root` hold references from begin to end; `rest` points into `text`; each
 * step either shortens the rest or replaces it by a link's target, at most LINKS_MAX times.
 */
#include "servers/vfs/walk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "servers/vfs/access.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/magic.h"
#include "servers/vfs/names.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

#define LINKS_MAX 40

int walk_lookup_locked(struct vnode *dir, const char *text, size_t len, struct vnode **node)
{
	struct name *name = name_find(dir, text, len);
	int r;

	if (name && !dir->sb->is_nocache) {
		if (!name->node) {
			return -ENOENT;
		}
		*node = name->node;
		vnode_get(*node);
		return 0;
	}
	if (dir->is_removed) {
		return -ENOENT;
	}
	r = fs_lookup(dir, text, len, node);
	if (r == 0) {
		name_enter(dir, text, len, *node);
	} else if (r == -ENOENT) {
		name_enter(dir, text, len, NULL);
	}
	vnode_trim();
	return r;
}

/* Whether a name can be looked up without asking the file system. */
static bool is_known(const struct vnode *dir, const char *text, size_t len)
{
	return !dir->sb->is_nocache && name_find(dir, text, len) != NULL;
}

int walk_lookup(struct vnode *dir, const char *text, size_t len, struct vnode **node)
{
	int r;

	if (is_known(dir, text, len)) {
		return walk_lookup_locked(dir, text, len, node);
	}
	coro_mutex_lock(&dir->lock);
	r = walk_lookup_locked(dir, text, len, node);
	coro_mutex_unlock(&dir->lock);
	return r;
}

/* Where the walk begins; the path is in walk->text already. */
static int walk_start(struct walk *walk, int dirfd)
{
	struct proc *proc = walk->call->proc;
	struct file *file;

	if (!vfs->root && !call_may_wait(walk->call)) {
		return call_defer(walk->call);
	}
	while (!vfs->root) {
		waitq_wait(&vfs->root_wait);
	}
	if (!proc->fs->root.node) {
		struct path top = {vfs->root, vfs->root->root};

		path_get(&top);
		path_get(&top);
		proc->fs->root = top;
		proc->fs->cwd = top;
		mount_cross_down(&proc->fs->root);
		mount_cross_down(&proc->fs->cwd);
	}
	walk->rest = walk->text;
	walk->root = proc->fs->root;
	path_get(&walk->root);
	if (walk->text[0] == '\0' && !(walk->flags & WALK_EMPTY_PATH)) {
		return -ENOENT;
	}
	if (walk->text[0] == '/') {
		walk->at = walk->root;
	} else if (dirfd == AT_FDCWD) {
		walk->at = proc->fs->cwd;
	} else {
		file = fd_peek(proc, dirfd);
		if (!file) {
			return -EBADF;
		}
		if (walk->text[0] != '\0' && !vnode_is_dir(file->path.node)) {
			return -ENOTDIR;
		}
		walk->at = file->path;
	}
	path_get(&walk->at);
	return 0;
}

static void walk_free(struct walk *walk)
{
	list_remove(&walk->link);
	if (vfs->spare_walk_count < VFS_SPARE_WALKS) {
		vfs->spare_walks[vfs->spare_walk_count++] = walk;
	} else {
		free(walk);
	}
}

void walk_free_spares(void)
{
	while (vfs->spare_walk_count > 0) {
		free(vfs->spare_walks[--vfs->spare_walk_count]);
	}
}

static struct walk *walk_new(struct call *call, unsigned flags)
{
	struct walk *walk = vfs->spare_walk_count > 0 ? vfs->spare_walks[--vfs->spare_walk_count]
						      : malloc(sizeof(*walk));

	if (!walk) {
		return NULL;
	}
	memset(walk, 0, offsetof(struct walk, text));
	list_add_tail(&vfs->walks, &walk->link);
	walk->call = call;
	walk->flags = flags;
	walk->cred = &call->proc->cred;
	if (flags & WALK_REAL_IDS) {
		walk->own_cred = malloc(sizeof(*walk->own_cred));
		if (!walk->own_cred) {
			walk_free(walk);
			return NULL;
		}
		*walk->own_cred = call->proc->cred;
		walk->own_cred->fsuid = walk->own_cred->uid;
		walk->own_cred->fsgid = walk->own_cred->gid;
		walk->cred = walk->own_cred;
	}
	return walk;
}

struct walk *walk_begin_user(struct call *call, int dirfd, vaddr_t path, unsigned flags, int *error)
{
	struct walk *walk = walk_new(call, flags);
	int64_t r;

	if (!walk) {
		*error = -ENOMEM;
		return NULL;
	}
	r = user_string(call, walk->text, path, PATH_MAX);
	if (r >= 0) {
		r = walk_start(walk, dirfd);
	}
	if (r < 0) {
		*error = (int)r;
		walk_end(walk);
		return NULL;
	}
	return walk;
}

struct walk *walk_begin(struct call *call, int dirfd, const char *path, unsigned flags, int *error)
{
	struct walk *walk = walk_new(call, flags);
	size_t len = strlen(path);
	int r = -ENAMETOOLONG;

	if (!walk) {
		*error = -ENOMEM;
		return NULL;
	}
	if (len < PATH_MAX) {
		memcpy(walk->text, path, len + 1);
		r = walk_start(walk, dirfd);
	}
	if (r < 0) {
		*error = r;
		walk_end(walk);
		return NULL;
	}
	return walk;
}

void walk_end(struct walk *walk)
{
	if (walk) {
		path_put(&walk->at);
		path_put(&walk->root);
		free(walk->own_cred);
		walk_free(walk);
	}
}

void walk_end_all(const struct call *call)
{
	list_for_each_safe(walk, &vfs->walks, struct walk, link)
	{
		if (walk->call == call) {
			walk_end(walk);
		}
	}
}

/* Up one directory, never beyond the process's root. */
static int step_up(struct walk *walk)
{
	struct path *at = &walk->at;
	struct vnode *parent;
	struct name *name;
	int r;

	for (;;) {
		if (path_equal(at, &walk->root)) {
			return 0;
		}
		if (at->node != at->mount->root) {
			break;
		}
		if (!mount_cross_up(at)) {
			return 0;
		}
	}
	name = name_of(at->node);
	if (name) {
		parent = name->dir;
		vnode_get(parent);
	} else if (!call_may_wait(walk->call)) {
		return call_defer(walk->call);
	} else {
		r = fs_lookup(at->node, "..", 2, &parent);
		if (r < 0) {
			return r;
		}
	}
	vnode_put(at->node);
	at->node = parent;
	mount_cross_down(at);
	return 0;
}

/* Replace the rest by a link's target and what followed the link. */
static int put_target(struct walk *walk, const char *target, const char *after)
{
	size_t target_len = strlen(target), after_len = strlen(after);

	if (target_len == 0) {
		return -ENOENT;
	}
	if (target_len + 1 + after_len >= sizeof(walk->text)) {
		return -ENAMETOOLONG;
	}
	memmove(walk->text + target_len, after, after_len + 1);
	memcpy(walk->text, target, target_len);
	walk->rest = walk->text;
	if (target[0] == '/') {
		path_put(&walk->at);
		walk->at = walk->root;
		path_get(&walk->at);
	}
	return 0;
}

/*
 * Follow the symbolic link `link` found in walk->at. 0: the rest has been replaced; 1: it was magic
 * and *link is where it leads.
 */
static int follow(struct walk *walk, struct path *link, const char *after)
{
	char *target;
	int64_t r;

	if (++walk->links > LINKS_MAX) {
		return -ELOOP;
	}
	if (magic_is_place(link->node)) {
		struct path place;

		r = magic_place(walk->call, walk->cred, link->node, &place);
		if (r < 0) {
			return (int)r;
		}
		path_put(link);
		*link = place;
		return 1;
	}
	if (link->node->link_text) {
		return put_target(walk, link->node->link_text, after);
	}
	target = malloc(PATH_MAX);
	if (!target) {
		return -ENOMEM;
	}
	r = walk_readlink(walk->call, link, target, PATH_MAX);
	if (r >= 0) {
		r = put_target(walk, target, after);
	}
	free(target);
	return r < 0 ? (int)r : 0;
}

/* The component walk->name in walk->at: *next gets a reference, behind mounts. */
static int lookup_component(struct walk *walk, struct path *next)
{
	int r;

	if (!call_may_wait(walk->call) && !is_known(walk->at.node, walk->name, walk->len)) {
		return call_defer(walk->call);
	}
	r = walk_lookup(walk->at.node, walk->name, walk->len, &next->node);
	if (r < 0) {
		return r;
	}
	next->mount = walk->at.mount;
	next->mount->refs++;
	mount_cross_down(next);
	return 0;
}

/* Over a component that is not the last; the rest after it begins at `after`. */
static int step_into(struct walk *walk, const char *after)
{
	struct path next;
	int r = lookup_component(walk, &next);

	if (r < 0) {
		return r;
	}
	walk->rest = (char *)(uintptr_t)after;
	if (S_ISLNK(next.node->mode)) {
		r = follow(walk, &next, after);
		if (r <= 0) {
			path_put(&next);
			return r;
		}
	}
	if (!vnode_is_dir(next.node)) {
		path_put(&next);
		return -ENOTDIR;
	}
	path_put(&walk->at);
	walk->at = next;
	return 0;
}

/* Takes the next component off the rest into walk->name; *after is where the rest goes on, with its
 * slashes. */
static int take_component(struct walk *walk, const char **after)
{
	const char *start = walk->rest;
	size_t len = strcspn(start, "/");

	if (len > NAME_MAX) {
		return -ENAMETOOLONG;
	}
	memcpy(walk->name, start, len);
	walk->name[len] = '\0';
	walk->len = len;
	*after = start + len;
	return 0;
}

static enum walk_last_kind kind_of(const char *name)
{
	if (strcmp(name, ".") == 0) {
		return WALK_DOT;
	}
	return strcmp(name, "..") == 0 ? WALK_DOTDOT : WALK_NAME;
}

int walk_to_parent(struct walk *walk)
{
	for (;;) {
		const char *after = "";
		int r;

		walk->rest += strspn(walk->rest, "/");
		if (walk->rest[0] == '\0') {
			walk->kind = WALK_ROOT;
			return 0;
		}
		if (!vnode_is_dir(walk->at.node)) {
			return -ENOTDIR;
		}
		r = access_check_node(walk->cred, walk->at.node, ACCESS_EXEC);
		if (r == 0) {
			r = take_component(walk, &after);
		}
		if (r < 0) {
			return r;
		}
		walk->kind = kind_of(walk->name);
		if (after[strspn(after, "/")] == '\0') {
			walk->has_slash = after[0] == '/';
			return 0;
		}
		if (walk->kind == WALK_NAME) {
			r = step_into(walk, after);
		} else {
			walk->rest = (char *)(uintptr_t)after;
			r = walk->kind == WALK_DOTDOT ? step_up(walk) : 0;
		}
		if (r < 0) {
			return r;
		}
	}
}

int walk_last(struct walk *walk, struct path *path)
{
	int r;

	for (;;) {
		if (walk->kind != WALK_NAME) {
			r = walk->kind == WALK_DOTDOT ? step_up(walk) : 0;
			if (r < 0) {
				return r;
			}
			*path = walk->at;
			path_get(path);
			break;
		}
		r = lookup_component(walk, path);
		if (r < 0) {
			return r;
		}
		if (!S_ISLNK(path->node->mode) ||
			!((walk->flags & WALK_FOLLOW) || walk->has_slash)) {
			break;
		}
		r = follow(walk, path, walk->has_slash ? "/" : "");
		if (r == 1) {
			break;
		}
		path_put(path);
		if (r == 0) {
			r = walk_to_parent(walk);
		}
		if (r < 0) {
			walk->kind = WALK_ROOT; /* an error in the link's target: nothing to be
						   created */
			return r;
		}
	}
	if (((walk->flags & WALK_DIRECTORY) || walk->has_slash) && !vnode_is_dir(path->node)) {
		path_put(path);
		return -ENOTDIR;
	}
	return 0;
}

static int walk_all(struct walk *walk, struct path *result)
{
	int r = walk_to_parent(walk);

	if (r == 0) {
		r = walk_last(walk, result);
	}
	walk_end(walk);
	return r;
}

int walk_user(struct call *call, int dirfd, vaddr_t path, unsigned flags, struct path *result)
{
	int r = 0;
	struct walk *walk = walk_begin_user(call, dirfd, path, flags, &r);

	return walk ? walk_all(walk, result) : r;
}

int walk_path(struct call *call, int dirfd, const char *path, unsigned flags, struct path *result)
{
	int r = 0;
	struct walk *walk = walk_begin(call, dirfd, path, flags, &r);

	return walk ? walk_all(walk, result) : r;
}

int64_t walk_readlink(struct call *call, const struct path *link, char *buf, size_t size)
{
	int64_t r;

	assert(S_ISLNK(link->node->mode));
	if (magic_is_link(link->node)) {
		return magic_text(call, link->node, buf, size);
	}
	if (link->node->link_text) {
		size_t len = u64_min(strlen(link->node->link_text), size - 1);

		memcpy(buf, link->node->link_text, len);
		buf[len] = '\0';
		return (int64_t)len;
	}
	if (!call_may_wait(call)) {
		return call_defer(call);
	}
	r = fs_readlink(link->node, buf, size - 1);
	if (r >= 0) {
		buf[r] = '\0';
		if (!link->node->sb->is_nocache && !link->node->link_text && (size_t)r < size - 1) {
			link->node->link_text = strdup(buf);
		}
	}
	return r;
}

/* Puts text before what stands at buf + *at. */
static bool prepend(char *buf, size_t *at, const char *text, size_t len)
{
	if (len > *at) {
		return false;
	}
	*at -= len;
	memcpy(buf + *at, text, len);
	return true;
}

int64_t path_text(
	const struct path *path, const struct path *root, bool mark_removed, char *buf, size_t size)
{
	struct path at = *path;
	size_t pos = size;
	bool is_ok = prepend(buf, &pos, "", 1), is_first = true;

	while (is_ok && !(root && path_equal(&at, root))) {
		struct name *name;

		if (at.node == at.mount->root) {
			if (!at.mount->parent) {
				if (root) {
					is_ok = prepend(buf, &pos, "(unreachable)", 13);
				}
				break;
			}
			at = (struct path){at.mount->parent, at.mount->mountpoint};
			continue;
		}
		name = name_of(at.node);
		if (!name || (name->is_removed && !mark_removed) ||
			(at.node->is_removed && !mark_removed)) {
			return -ENOENT;
		}
		if (is_first && name->is_removed) {
			is_ok = prepend(buf, &pos, " (deleted)", 10);
		}
		is_first = false;
		is_ok = is_ok && prepend(buf, &pos, name->text, name->len) &&
			prepend(buf, &pos, "/", 1);
		at.node = name->dir;
	}
	if (is_ok && pos == size - 1) {
		is_ok = prepend(buf, &pos, "/", 1);
	}
	if (!is_ok) {
		return -ENAMETOOLONG;
	}
	memmove(buf, buf + pos, size - pos);
	return (int64_t)(size - pos - 1);
}
