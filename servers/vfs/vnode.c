/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariants: 1. (sb, ino) is unique; 2. refs 0 exactly when in vfs->unused_vnodes; 3. a vnode
 * whose inode has no names left, or whose file system changes by itself, is given back as soon as
 * refs is 0.
 */
#include "servers/vfs/vnode.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "servers/vfs/fsreq.h"
#include "servers/vfs/lock.h"
#include "servers/vfs/memfd.h"
#include "servers/vfs/names.h"
#include "servers/vfs/vfs.h"

static struct list *bucket(const struct superblock *sb, uint64_t ino)
{
	return &vfs->vnodes[hash_u64(ino ^ (uint64_t)(uintptr_t)sb) % VFS_VNODE_BUCKETS];
}

struct vnode *vnode_find(const struct superblock *sb, uint64_t ino)
{
	list_for_each(node, bucket(sb, ino), struct vnode, hash)
	{
		if (node->ino == ino && node->sb == sb) {
			return node;
		}
	}
	return NULL;
}

void vnode_update(struct vnode *node, const struct fs_node *attributes)
{
	node->size = attributes->size;
	node->mode = attributes->mode;
	node->uid = attributes->uid;
	node->gid = attributes->gid;
	node->nlink = attributes->nlink;
	node->rdev = attributes->rdev;
	vnode_touch(node);
}

struct vnode *vnode_from_reply(struct superblock *sb, const struct fs_node *attributes)
{
	struct vnode *node = vnode_find(sb, attributes->ino);

	if (node) {
		vnode_get(node);
		node->fs_refs++;
		vnode_update(node, attributes);
		return node;
	}
	node = calloc(1, sizeof(*node));
	if (!node) {
		fs_putnode(sb, attributes->ino, 1);
		return NULL;
	}
	list_init(&node->unused);
	list_init(&node->aliases);
	list_init(&node->children);
	list_init(&node->locks);
	waitq_init(&node->lock_wait);
	coro_mutex_init(&node->lock);
	node->sb = sb;
	node->ino = attributes->ino;
	node->fs_refs = 1;
	node->refs = 1;
	vnode_update(node, attributes);
	list_add_head(bucket(sb, node->ino), &node->hash);
	return node;
}

void vnode_get(struct vnode *node)
{
	if (node->refs++ == 0) {
		list_remove(&node->unused);
		vfs->unused_count--;
	}
}

/* Give an unused vnode back to its file system. */
static void vnode_free(struct vnode *node)
{
	assert(node->refs == 0 && !node->pipe);
	lock_forget_node(node);
	if (list_is_linked(&node->unused)) {
		list_remove(&node->unused);
		vfs->unused_count--;
	}
	list_remove(&node->hash);
	if (!node->sb->is_dead) {
		fs_putnode(node->sb, node->ino, node->fs_refs);
	}
	/* Last: it may free the directories above in turn. */
	name_forget_node(node);
	assert(list_is_empty(&node->children));
	free(node->link_text);
	free(node->label);
	memfd_free(node->memfd);
	free(node);
}

void vnode_put(struct vnode *node)
{
	assert(node->refs > 0);
	if (--node->refs > 0) {
		return;
	}
	list_add_tail(&vfs->unused_vnodes, &node->unused);
	vfs->unused_count++;
	if (node->nlink == 0 || node->is_removed || node->sb->is_nocache || node->sb->is_dead) {
		vnode_free(node);
	}
}

int vnode_lose(struct vnode *node)
{
	if (!vfs->lost) {
		vfs->lost = superblock_new(EP_NONE, superblock_anonymous_dev(), "lost", "lost");
		if (!vfs->lost) {
			return -ENOMEM;
		}
		vfs->lost->is_dead = true;
	}
	name_forget_node(node);
	list_remove(&node->hash);
	node->sb = vfs->lost;
	node->fs_refs = 0;
	list_add_head(bucket(node->sb, node->ino), &node->hash);
	vnode_touch(node);
	return 0;
}

void vnode_trim(void)
{
	name_trim(VFS_NEGATIVE_MAX);
	while (vfs->unused_count > VFS_UNUSED_MAX) {
		vnode_free(list_first(&vfs->unused_vnodes, struct vnode, unused));
	}
}

unsigned vnode_flush(struct superblock *sb)
{
	unsigned left = 0;
	bool is_again = true;

	name_flush(sb);
	while (is_again) {
		is_again = false;
		list_for_each(node, &vfs->unused_vnodes, struct vnode, unused)
		{
			if (node->sb == sb) {
				vnode_free(node);
				is_again = true;
				break;
			}
		}
	}
	for (unsigned i = 0; i < VFS_VNODE_BUCKETS; i++) {
		list_for_each(node, &vfs->vnodes[i], struct vnode, hash)
		{
			left += node->sb == sb;
		}
	}
	return left;
}
