/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariants: 1. each name is in its directory's children; in the hash unless removed; in its
 * node's aliases when it has a node, in vfs->negative_names when it has none; 2. it holds one
 * reference on its directory.
 */
#include "servers/vfs/names.h"

#include <stdlib.h>
#include <string.h>

#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

static struct list *bucket(const struct vnode *dir, const char *text, size_t len)
{
	uint64_t hash = 1469598103934665603ull ^ (uint64_t)(uintptr_t)dir;

	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ (uint8_t)text[i]) * 1099511628211ull;
	}
	return &vfs->names[hash_u64(hash) % VFS_NAME_BUCKETS];
}

struct name *name_find(const struct vnode *dir, const char *text, size_t len)
{
	list_for_each(name, bucket(dir, text, len), struct name, hash)
	{
		if (name->dir == dir && name->len == len && memcmp(name->text, text, len) == 0) {
			return name;
		}
	}
	return NULL;
}

static void name_unlink(struct name *name)
{
	list_remove(&name->hash);
	list_remove(&name->alias);
	list_remove(&name->sibling);
	if (list_is_linked(&name->lru)) {
		list_remove(&name->lru);
		vfs->negative_count--;
	}
}

static void name_free(struct name *name)
{
	struct vnode *dir = name->dir;

	name_unlink(name);
	free(name);
	vfs->name_count--;
	vnode_put(dir);
}

void name_enter(struct vnode *dir, const char *text, size_t len, struct vnode *node)
{
	struct name *name = name_find(dir, text, len);

	if (name && name->node == node) {
		return;
	}
	if (name) {
		name_free(name);
	}
	if (node && vnode_is_dir(node)) {
		name_forget_node(node); /* a directory has one name */
	}
	if (len > UINT8_MAX || (!node && dir->sb->is_nocache)) {
		return;
	}
	name = malloc(sizeof(*name) + len);
	if (!name) {
		return;
	}
	list_init(&name->alias);
	list_init(&name->lru);
	name->dir = dir;
	name->node = node;
	name->is_removed = false;
	name->len = (uint8_t)len;
	memcpy(name->text, text, len);
	vnode_get(dir);
	list_add_head(bucket(dir, text, len), &name->hash);
	list_add_head(&dir->children, &name->sibling);
	vfs->name_count++;
	if (node) {
		list_add_head(&node->aliases, &name->alias);
	} else {
		list_add_tail(&vfs->negative_names, &name->lru);
		vfs->negative_count++;
	}
}

void name_forget(struct vnode *dir, const char *text, size_t len)
{
	struct name *name = name_find(dir, text, len);

	if (name) {
		name_free(name);
	}
}

void name_removed(struct vnode *dir, const char *text, size_t len)
{
	struct name *name = name_find(dir, text, len);

	if (name && name->node && name->node->refs > 0 && name->alias.next == name->alias.prev) {
		/* The only name of something in use. */
		list_remove(&name->hash);
		name->is_removed = true;
	} else if (name) {
		name_free(name);
	}
}

void name_forget_node(struct vnode *node)
{
	while (!list_is_empty(&node->aliases)) {
		name_free(list_first(&node->aliases, struct name, alias));
	}
}

void name_forget_children(struct vnode *dir)
{
	list_for_each_safe(name, &dir->children, struct name, sibling)
	{
		if (!name->node) {
			name_free(name);
		}
	}
}

void name_trim(unsigned keep)
{
	while (vfs->negative_count > keep) {
		name_free(list_first(&vfs->negative_names, struct name, lru));
	}
}

void name_flush(const struct superblock *sb)
{
	list_for_each_safe(name, &vfs->negative_names, struct name, lru)
	{
		if (name->dir->sb == sb) {
			name_free(name);
		}
	}
}

struct name *name_of(const struct vnode *node)
{
	if (list_is_empty(&node->aliases)) {
		return NULL;
	}
	return list_first(&node->aliases, struct name, alias);
}

bool name_is_below(const struct vnode *node, const struct vnode *dir)
{
	while (node != dir) {
		const struct name *name = name_of(node);

		if (!name) {
			return false;
		}
		node = name->dir;
	}
	return true;
}
