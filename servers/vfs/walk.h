/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk along a path. In the main loop it defers where a name is not cached. A walk goes to the
 * directory of the last component (walk_to_parent), then, if wanted, over the last component
 * (walk_last).
 */
#pragma once

#include <limits.h>

#include "servers/vfs/mount.h"

struct call;
struct cred;

#define WALK_FOLLOW     1u /* a symbolic link as last component is followed */
#define WALK_DIRECTORY  2u /* the result must be a directory */
#define WALK_EMPTY_PATH 4u /* AT_EMPTY_PATH: "" means dirfd itself */
#define WALK_REAL_IDS   8u /* rights of the real ids (access) */

enum walk_last_kind { WALK_NAME, WALK_DOT, WALK_DOTDOT, WALK_ROOT };

struct walk {
	struct list link; /* in vfs->walks */
	struct call *call;
	const struct cred *cred;
	struct cred *own_cred; /* allocated */
	unsigned flags;
	struct path root; /* the process's */
	struct path at;   /* how far it has come */
	unsigned links;   /* symbolic links followed */
	enum walk_last_kind kind;
	bool has_slash;          /* the last component ends in '/' */
	size_t len;              /* of name */
	char name[NAME_MAX + 1]; /* the last component */
	char *rest;              /* in text: what is still to be walked */
	char text[2 * PATH_MAX];
};

/* Allocated for a path in the caller's memory or in VFS's. dirfd as in openat(2). NULL and *error
 * otherwise. */
struct walk *walk_begin_user(
	struct call *call, int dirfd, vaddr_t path, unsigned flags, int *error);
struct walk *walk_begin(struct call *call, int dirfd, const char *path, unsigned flags, int *error);
void walk_end(struct walk *walk);
/* All of a call that will not go on. */
void walk_end_all(const struct call *call);

/* Memory kept for the next walk is freed. */
void walk_free_spares(void);

/* Go to the directory of the last component: walk->at, walk->kind and walk->name are set. */
int walk_to_parent(struct walk *walk);
/*
 * Go over the last component: *path gets a reference. -ENOENT with kind WALK_NAME: the name may be
 * created in walk->at (walk->name, behind symbolic links that were followed).
 */
int walk_last(struct walk *walk, struct path *path);

/* All in one: the place a path names, with a reference. */
int walk_user(struct call *call, int dirfd, vaddr_t path, unsigned flags, struct path *result);
int walk_path(struct call *call, int dirfd, const char *path, unsigned flags, struct path *result);

/* The target of a symbolic link, magic ones included, into buf of size bytes with NUL: length or
 * error. */
int64_t walk_readlink(struct call *call, const struct path *link, char *buf, size_t size);

/* One name in a directory, through the cache; the directory's lock must not be held (walk_lookup)
 * or be held (_locked). */
int walk_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **node);
int walk_lookup_locked(struct vnode *dir, const char *name, size_t len, struct vnode **node);

/* The name of a place as seen from `root` (NULL: the real one) into the buffer: length without NUL;
   -ENAMETOOLONG, -ENOENT (removed). `mark_removed`: add " (deleted)" instead. "(unreachable)" goes
   before what is not below root. */
int64_t path_text(const struct path *path, const struct path *root, bool mark_removed, char *buf,
	size_t size);
