/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a node: links, orphans, deletion. */
#include "fs/ext2/delete.h"

#include "fs/ext2/balloc.h"
#include "fs/ext2/bmap.h"
#include "fs/ext2/ialloc.h"

#include <errno.h>
#include <string.h>

static bool has_orphan_list(const struct ext2 *ext2)
{
	return ext2->super.revision >= EXT2_REV_DYNAMIC;
}

static void orphan_add(struct ext2 *ext2, struct ext2_node *node)
{
	if (list_is_linked(&node->orphan_link) || !has_orphan_list(ext2)) {
		return;
	}
	node->raw.dtime = ext2->super.last_orphan;
	ext2->super.last_orphan = node->ino;
	ext2->orphans_dirty = true;
	list_add_head(&ext2->orphans, &node->orphan_link);
	ext2_node_dirty(ext2, node);
}

static void orphan_remove(struct ext2 *ext2, struct ext2_node *node)
{
	if (!list_is_linked(&node->orphan_link)) {
		return;
	}
	if (node->orphan_link.prev == &ext2->orphans) {
		ext2->super.last_orphan = node->raw.dtime;
		ext2->orphans_dirty = true;
	} else {
		struct ext2_node *younger =
			list_entry(node->orphan_link.prev, struct ext2_node, orphan_link);

		younger->raw.dtime = node->raw.dtime;
		ext2_node_dirty(ext2, younger);
	}
	list_remove(&node->orphan_link);
}

void ext2_node_drop_links(struct ext2 *ext2, struct ext2_node *node, unsigned count)
{
	node->raw.links_count -= (uint16_t)u64_min(count, node->raw.links_count);
	ext2_node_touch(ext2, node, EXT2_CTIME);
	if (node->raw.links_count == 0) {
		orphan_add(ext2, node);
	}
}

/* One user less of the block of extended attributes. */
static void drop_xattrs(struct ext2 *ext2, struct ext2_node *node)
{
	struct ext2_xattr_header *header;
	struct fs_block block;
	uint32_t number = node->raw.file_acl;

	if (number == 0) {
		return;
	}
	node->raw.file_acl = 0;
	if (!ext2_block_is_data(ext2, number) ||
		fs_cache_get_block(ext2->cache, number, FS_BLOCK_READ, &block) != 0) {
		ext2_corrupt(ext2, "extended attributes of inode", node->ino);
		return;
	}
	header = (struct ext2_xattr_header *)(void *)block.data;
	if (header->magic != EXT2_XATTR_MAGIC) {
		ext2_corrupt(ext2, "extended attributes of inode", node->ino);
	} else if (header->refcount > 1) {
		fs_cache_change(ext2->cache, &block, header, sizeof(*header));
		header->refcount--;
	} else {
		ext2_free_blocks(ext2, number, 1, NULL);
		fs_cache_forget(ext2->cache, number);
	}
	fs_cache_put_block(ext2->cache, &block);
}

void ext2_node_delete(struct ext2 *ext2, struct ext2_node *node)
{
	orphan_remove(ext2, node);
	(void)fs_cache_drop(ext2->cache, node->ino, 0, ext2_pages_end(node, node->size), false);
	if (ext2_has_blocks(ext2, node)) {
		ext2_free_tail(ext2, node, 0);
	}
	drop_xattrs(ext2, node);
	node->size = 0;
	node->raw.blocks = 0;
	node->raw.dtime = (uint32_t)ext2->fs.now().sec;
	ext2_node_dirty(ext2, node);
	ext2_free_inode(ext2, node->ino, ext2_is_dir(node));
}

int ext2_orphans_adopt(struct ext2 *ext2)
{
	uint32_t ino = has_orphan_list(ext2) ? ext2->super.last_orphan : 0;

	while (ino != 0) {
		struct ext2_node *node = NULL;
		int error = -EINVAL;

		if (ino >= ext2->first_inode && ext2_node_find(ext2, ino) == NULL) {
			error = ext2_node_load(ext2, ino, true, &node);
		}
		if (error != 0) {
			return ext2_corrupt(ext2, "orphan list at inode", ino);
		}
		node->refs = 0;
		list_add_tail(&ext2->orphans, &node->orphan_link);
		ino = node->raw.dtime;
	}
	return 0;
}

void ext2_orphans_recover(struct ext2 *ext2)
{
	uint32_t ino = has_orphan_list(ext2) ? ext2->super.last_orphan : 0;
	uint32_t count = 0;

	while (ino != 0) {
		struct ext2_node *node;
		int error = -EINVAL;

		if (ino >= ext2->first_inode && ino <= ext2->super.inodes_count &&
			ext2_inode_in_use(ext2, ino) == 1) {
			error = ext2_node_load(ext2, ino, true, &node);
		}
		if (error != 0) {
			ext2_corrupt(ext2, "orphan list at inode", ino);
			break;
		}
		ino = node->raw.dtime;
		count++;
		ext2_node_put(ext2, node, 1);
	}
	if (ext2->super.revision >= EXT2_REV_DYNAMIC && ext2->super.last_orphan != 0) {
		ext2->super.last_orphan = 0;
		ext2->super_dirty = true;
		ext2->fs.log("ext2: %u unlinked inodes of the last mount freed\n", count);
	}
}
