/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation of inodes: which group, which bit. */
#include "fs/ext2/ialloc.h"

#include "lib/core/bitmap.h"

#include <errno.h>

/*
 * The group for a directory. Those in the root are spread, since each begins a family of its own;
 * others stay with their parent as long as its group has a fair share of free inodes and blocks.
 */
static uint32_t group_for_dir(struct ext2 *ext2, uint32_t parent)
{
	uint32_t start = ext2_inode_group(ext2, parent);
	uint32_t average_inodes = ext2->super.free_inodes_count / ext2->groups;
	uint32_t average_blocks = ext2->super.free_blocks_count / ext2->groups;
	uint32_t best = start;
	bool is_found = false;

	if (parent == EXT2_ROOT_INO) {
		ext2->last_dir_group = (ext2->last_dir_group + 1) % ext2->groups;
		start = ext2->last_dir_group;
	}
	for (uint32_t i = 0; i < ext2->groups; i++) {
		uint32_t group = (start + i) % ext2->groups;
		const struct ext2_group *desc = &ext2->group[group];

		if (desc->free_inodes_count == 0 || desc->free_inodes_count < average_inodes / 2 ||
			desc->free_blocks_count < average_blocks / 2) {
			continue;
		}
		if (parent != EXT2_ROOT_INO) {
			return group;
		}
		if (!is_found || desc->used_dirs_count < ext2->group[best].used_dirs_count) {
			best = group;
			is_found = true;
		}
	}
	return best;
}

/* Take an inode of one group. -ENOSPC: it has none. */
static int alloc_in_group(struct ext2 *ext2, uint32_t group, bool is_dir, uint32_t *ino)
{
	uint32_t size = ext2->super.inodes_per_group;
	struct ext2_group *desc = &ext2->group[group];
	struct fs_block bitmap;
	uint32_t first = 0, bit;
	uint64_t *map;
	int error;

	error = fs_cache_get_block(ext2->cache, desc->inode_bitmap, FS_BLOCK_READ, &bitmap);
	if (error != 0) {
		return error;
	}
	map = (uint64_t *)(void *)bitmap.data;
	if (group * size < ext2->first_inode - 1) {
		first = ext2->first_inode - 1 - group * size;
	}
	bit = (uint32_t)bitmap_next_clear(map, size, first);
	if (bit >= size) {
		fs_cache_put_block(ext2->cache, &bitmap);
		ext2_corrupt(ext2, "free inodes missing in group", group);
		ext2->super.free_inodes_count -= desc->free_inodes_count;
		desc->free_inodes_count = 0;
		ext2_touch_group(ext2, group);
		return -ENOSPC;
	}
	fs_cache_change(ext2->cache, &bitmap, &map[bit / 64], 8);
	bitmap_set(map, bit);
	fs_cache_put_block(ext2->cache, &bitmap);
	desc->free_inodes_count--;
	desc->used_dirs_count += is_dir;
	ext2->super.free_inodes_count--;
	ext2_touch_group(ext2, group);
	*ino = group * size + bit + 1;
	return 0;
}

int ext2_alloc_inode(struct ext2 *ext2, uint32_t parent, bool is_dir, uint32_t *ino)
{
	uint32_t start = is_dir ? group_for_dir(ext2, parent) : ext2_inode_group(ext2, parent);
	int error = -ENOSPC;

	for (uint32_t i = 0; i < ext2->groups; i++) {
		uint32_t group = (start + i) % ext2->groups;
		int result;

		if (ext2->group[group].free_inodes_count == 0) {
			continue;
		}
		result = alloc_in_group(ext2, group, is_dir, ino);
		if (result == 0) {
			return 0;
		}
		if (result != -ENOSPC) {
			error = result;
		}
	}
	return error;
}

int ext2_free_inode(struct ext2 *ext2, uint32_t ino, bool is_dir)
{
	uint32_t group = ext2_inode_group(ext2, ino);
	uint32_t bit = (ino - 1) % ext2->super.inodes_per_group;
	struct ext2_group *desc = &ext2->group[group];
	struct fs_block bitmap;
	uint64_t *map;
	int error;

	error = fs_cache_get_block(ext2->cache, desc->inode_bitmap, FS_BLOCK_READ, &bitmap);
	if (error != 0) {
		ext2_corrupt(ext2, "lost inode", ino);
		return error;
	}
	map = (uint64_t *)(void *)bitmap.data;
	if (ino < ext2->first_inode || !bitmap_test(map, bit)) {
		fs_cache_put_block(ext2->cache, &bitmap);
		return ext2_corrupt(ext2, "free of a free or reserved inode", ino);
	}
	fs_cache_change(ext2->cache, &bitmap, &map[bit / 64], 8);
	bitmap_clear(map, bit);
	fs_cache_put_block(ext2->cache, &bitmap);
	if (desc->free_inodes_count < ext2->super.inodes_per_group) {
		desc->free_inodes_count++;
		ext2->super.free_inodes_count++;
	}
	if (is_dir && desc->used_dirs_count > 0) {
		desc->used_dirs_count--;
	}
	ext2_touch_group(ext2, group);
	return 0;
}

int ext2_inode_in_use(struct ext2 *ext2, uint32_t ino)
{
	struct fs_block bitmap;
	int error, result;

	error = fs_cache_get_block(ext2->cache,
		ext2->group[ext2_inode_group(ext2, ino)].inode_bitmap, FS_BLOCK_READ, &bitmap);
	if (error != 0) {
		return error;
	}
	result = bitmap_test(
		(uint64_t *)(void *)bitmap.data, (ino - 1) % ext2->super.inodes_per_group);
	fs_cache_put_block(ext2->cache, &bitmap);
	return result;
}
