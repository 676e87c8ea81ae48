/* SPDX-License-Identifier: BSD-2-Clause */
/* What a mount repairs after a crash. */
#include "fs/ext2/check.h"

#include "lib/core/bitmap.h"

static int count_free(struct ext2 *ext2, uint32_t block, uint32_t bits, uint32_t *count)
{
	struct fs_block bitmap;
	int error = fs_cache_get_block(ext2->cache, block, FS_BLOCK_READ, &bitmap);

	if (error != 0) {
		return error;
	}
	*count = bits - (uint32_t)bitmap_count((uint64_t *)(void *)bitmap.data, bits);
	fs_cache_put_block(ext2->cache, &bitmap);
	return 0;
}

int ext2_recount(struct ext2 *ext2)
{
	ext2->super.free_blocks_count = 0;
	ext2->super.free_inodes_count = 0;
	for (uint32_t group = 0; group < ext2->groups; group++) {
		struct ext2_group *desc = &ext2->group[group];
		uint32_t blocks, inodes;
		int error;

		error = count_free(ext2, desc->block_bitmap, ext2_group_blocks(ext2, group),
				   &blocks);
		if (error == 0) {
			error = count_free(ext2, desc->inode_bitmap, ext2->super.inodes_per_group,
					   &inodes);
		}
		if (error != 0) {
			return error;
		}
		desc->free_blocks_count = (uint16_t)blocks;
		desc->free_inodes_count = (uint16_t)inodes;
		ext2_touch_group(ext2, group);
		ext2->super.free_blocks_count += blocks;
		ext2->super.free_inodes_count += inodes;
	}
	return 0;
}
