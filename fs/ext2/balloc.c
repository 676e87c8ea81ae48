/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation of blocks: one bitmap a group, searched from a goal on. */
#include "fs/ext2/balloc.h"

#include "lib/core/bitmap.h"

#include <errno.h>
#include <string.h>

/* How far beyond the goal a single free block is taken before a wholly free byte is looked for. */
#define NEAR_BITS 64

uint32_t ext2_group_blocks(const struct ext2 *ext2, uint32_t group)
{
	uint32_t left = ext2->super.blocks_count - ext2_group_first(ext2, group);

	return left < ext2->super.blocks_per_group ? left : ext2->super.blocks_per_group;
}

static bool is_power_of(uint32_t number, uint32_t base)
{
	while (number % base == 0) {
		number /= base;
	}
	return number == 1;
}

bool ext2_group_has_super(const struct ext2 *ext2, uint32_t group)
{
	if (!(ext2->super.feature_ro_compat & EXT2_RO_COMPAT_SPARSE_SUPER) || group <= 1) {
		return true;
	}
	return is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

bool ext2_block_is_data(const struct ext2 *ext2, uint64_t block)
{
	const struct ext2_group *desc;
	uint32_t group;

	if (block < ext2->super.first_data_block || block >= ext2->super.blocks_count) {
		return false;
	}
	group = ext2_block_group(ext2, (uint32_t)block);
	desc = &ext2->group[group];
	if (block == desc->block_bitmap || block == desc->inode_bitmap ||
		(block >= desc->inode_table &&
			block - desc->inode_table < ext2->inode_table_blocks)) {
		return false;
	}
	return block - ext2_group_first(ext2, group) >= 1 + ext2->group_table_blocks ||
		!ext2_group_has_super(ext2, group);
}

/* A free bit at or after `from`, near it or where a whole byte is free, else anywhere; `size` when
 * none. */
static uint32_t find_free(const uint64_t *map, uint32_t size, uint32_t from)
{
	uint32_t bit = (uint32_t)bitmap_next_clear(map, size, from);

	if (bit < size && bit - from < NEAR_BITS) {
		return bit;
	}
	for (uint32_t byte = from / 8 + 1; byte < size / 8; byte++) {
		if (((const uint8_t *)map)[byte] == 0) {
			return byte * 8;
		}
	}
	return bit < size ? bit : (uint32_t)bitmap_next_clear(map, size, 0);
}

/* Try one group, from bit `from` on. -ENOSPC: it is full. */
static int alloc_in_group(struct ext2 *ext2, uint32_t group, uint32_t from, uint32_t *block)
{
	uint32_t size = ext2_group_blocks(ext2, group);
	struct ext2_group *desc = &ext2->group[group];
	struct fs_block bitmap;
	uint32_t bit;
	int error;

	error = fs_cache_get_block(ext2->cache, desc->block_bitmap, FS_BLOCK_READ, &bitmap);
	if (error != 0) {
		return error;
	}
	error = -ENOSPC;
	for (;;) {
		bit = find_free((uint64_t *)(void *)bitmap.data, size, from);
		if (bit >= size) {
			ext2_corrupt(ext2, "free blocks missing in group", group);
			ext2->super.free_blocks_count -= desc->free_blocks_count;
			desc->free_blocks_count = 0;
			ext2_touch_group(ext2, group);
			break;
		}
		fs_cache_change(ext2->cache, &bitmap, bitmap.data + bit / 64 * 8, 8);
		bitmap_set((uint64_t *)(void *)bitmap.data, bit);
		desc->free_blocks_count--;
		ext2->super.free_blocks_count--;
		ext2_touch_group(ext2, group);
		*block = ext2_group_first(ext2, group) + bit;
		if (ext2_block_is_data(ext2, *block)) {
			error = 0;
			break;
		}
		ext2_corrupt(ext2, "metadata marked free, block", *block);
		if (desc->free_blocks_count == 0) {
			break;
		}
	}
	fs_cache_put_block(ext2->cache, &bitmap);
	return error;
}

int ext2_alloc_block(struct ext2 *ext2, uint32_t goal, uint32_t *block)
{
	uint32_t first_group, from;
	int error = -ENOSPC;

	if (ext2->super.free_blocks_count == 0) {
		return -ENOSPC;
	}
	if (goal < ext2->super.first_data_block || goal >= ext2->super.blocks_count) {
		goal = ext2->super.first_data_block;
	}
	first_group = ext2_block_group(ext2, goal);
	from = goal - ext2_group_first(ext2, first_group);
	for (uint32_t i = 0; i < ext2->groups; i++) {
		uint32_t group = (first_group + i) % ext2->groups;

		if (ext2->group[group].free_blocks_count > 0) {
			int result = alloc_in_group(ext2, group, i == 0 ? from : 0, block);

			if (result == 0) {
				return 0;
			}
			if (result != -ENOSPC) {
				error = result;
			}
		}
	}
	return error;
}

/* Free part of one group. */
static int free_in_group(struct ext2 *ext2, uint32_t first, uint32_t count, uint32_t *freed)
{
	uint32_t group = ext2_block_group(ext2, first);
	struct ext2_group *desc = &ext2->group[group];
	struct fs_block bitmap;
	uint64_t *map;
	uint32_t word;
	int error;

	error = fs_cache_get_block(ext2->cache, desc->block_bitmap, FS_BLOCK_READ, &bitmap);
	if (error != 0) {
		ext2_corrupt(ext2, "blocks lost in group", group);
		return error;
	}
	map = (uint64_t *)(void *)bitmap.data;
	word = (first - ext2_group_first(ext2, group)) / 64;
	fs_cache_change(ext2->cache, &bitmap, &map[word],
		((first + count - 1 - ext2_group_first(ext2, group)) / 64 + 1 - word) * 8);
	for (uint32_t block = first; block < first + count; block++) {
		uint32_t bit = block - ext2_group_first(ext2, group);

		if (!ext2_block_is_data(ext2, block) || !bitmap_test(map, bit)) {
			error = ext2_corrupt(ext2, "free of a free or metadata block", block);
			continue;
		}
		bitmap_clear(map, bit);
		if (desc->free_blocks_count < ext2_group_blocks(ext2, group)) {
			desc->free_blocks_count++;
			ext2->super.free_blocks_count++;
		}
		*freed += 1;
	}
	fs_cache_put_block(ext2->cache, &bitmap);
	ext2_touch_group(ext2, group);
	return error;
}

int ext2_free_blocks(struct ext2 *ext2, uint32_t first, uint32_t count, uint32_t *freed)
{
	uint32_t ignored = 0;
	int error = 0;

	if (freed == NULL) {
		freed = &ignored;
	}
	while (count > 0) {
		uint32_t group, here;
		int result;

		if (first < ext2->super.first_data_block || first >= ext2->super.blocks_count) {
			return ext2_corrupt(ext2, "free of a block outside the device", first);
		}
		group = ext2_block_group(ext2, first);
		here = ext2_group_first(ext2, group) + ext2_group_blocks(ext2, group) - first;
		here = here < count ? here : count;
		result = free_in_group(ext2, first, here, freed);
		if (error == 0) {
			error = result;
		}
		first += here;
		count -= here;
	}
	return error;
}

int ext2_free_run_add(struct ext2 *ext2, struct ext2_free_run *run, uint32_t block)
{
	int error = 0;

	if (run->count > 0 && block == run->first + run->count) {
		run->count++;
		return 0;
	}
	if (run->count > 0 && block + 1 == run->first) {
		run->first--;
		run->count++;
		return 0;
	}
	error = ext2_free_run_end(ext2, run);
	run->first = block;
	run->count = 1;
	return error;
}

int ext2_free_run_end(struct ext2 *ext2, struct ext2_free_run *run)
{
	int error = 0;

	if (run->count > 0) {
		error = ext2_free_blocks(ext2, run->first, run->count, NULL);
	}
	run->count = 0;
	return error;
}
