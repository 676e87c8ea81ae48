/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name cache: (directory, name) -> vnode, or the knowledge that there is none. A name keeps its
 * directory in memory; a vnode that goes takes its names with it, so from each vnode in use a chain
 * of names leads to the root.
 */
#pragma once

#include "lib/core/list.h"
#include "abi/types.h"

struct superblock;
struct vnode;

struct name {
	struct list hash;
	struct list alias;   /* in node->aliases */
	struct list sibling; /* in dir->children */
	struct list lru;     /* negative names: in vfs->negative_names */
	struct vnode *dir;   /* counted */
	struct vnode *node;  /* not counted; NULL: there is no such name */
	bool is_removed;     /* unlinked while in use: kept for its text only */
	uint8_t len;
	char text[];
};

/* The cached name, or NULL: not known. */
struct name *name_find(const struct vnode *dir, const char *text, size_t len);
/* Remember that a name leads to node (NULL: nowhere), both used by the caller. Replaces what was
   known. Failing for want of memory is harmless. */
void name_enter(struct vnode *dir, const char *text, size_t len, struct vnode *node);
/* The name is gone from its directory; a vnode in use keeps the text. */
void name_removed(struct vnode *dir, const char *text, size_t len);
/* Forget what is known of one name, of all names of a vnode, of all negative names below a
 * directory. */
void name_forget(struct vnode *dir, const char *text, size_t len);
void name_forget_node(struct vnode *node);
void name_forget_children(struct vnode *dir);
void name_trim(unsigned keep);
void name_flush(const struct superblock *sb);

/* A name of a vnode that is still linked, or if there is none, a removed one; NULL: none known. */
struct name *name_of(const struct vnode *node);
/* Whether `node` is `dir` or lies below it. */
bool name_is_below(const struct vnode *node, const struct vnode *dir);
