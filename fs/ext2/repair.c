/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a file system consistent after a crash: inodes, block maps, bitmaps and counts. */
#include "fs/ext2/repair.h"

#include "fs/ext2/bmap.h"
#include "lib/core/bitmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Inode-table blocks that are read ahead together. */
#define TABLE_READ_AHEAD 32

/* Whether a pointer may be kept: it leads to a block that nobody else has. */
static bool is_claimable(const struct ext2_repair *repair, uint32_t block)
{
	return ext2_block_is_data(repair->ext2, block) &&
		!bitmap_test(repair->blocks, block - repair->ext2->super.first_data_block);
}

static void claim(struct ext2_repair *repair, uint32_t block)
{
	bitmap_set(repair->blocks, block - repair->ext2->super.first_data_block);
	repair->sectors += repair->ext2->block_size / 512;
}

/* Whether a block can be an indirect block: one that was never written shows by pointers that lead
 * nowhere. */
static bool is_indirect(const struct ext2 *ext2, const uint32_t *pointers)
{
	for (uint32_t i = 0; i < ext2->pointers; i++) {
		if (pointers[i] != 0 && !ext2_block_is_data(ext2, pointers[i])) {
			return false;
		}
	}
	return true;
}

/* Claim the tree below *pointer, whose first file block is `first`; returns whether *pointer was
 * changed. */
static bool claim_tree(
	struct ext2_repair *repair, uint32_t *pointer, unsigned level, uint64_t first)
{
	struct ext2 *ext2 = repair->ext2;
	struct fs_block block;
	uint32_t *pointers;
	bool is_changed = false;

	if (*pointer == 0) {
		return false;
	}
	if (first >= repair->limit || !is_claimable(repair, *pointer)) {
		*pointer = 0;
		return true;
	}
	if (level == 0) {
		claim(repair, *pointer);
		return false;
	}
	if (fs_cache_get_block(ext2->cache, *pointer, FS_BLOCK_READ, &block) != 0) {
		*pointer = 0;
		return true;
	}
	pointers = (uint32_t *)(void *)block.data;
	if (!is_indirect(ext2, pointers)) {
		fs_cache_put_block(ext2->cache, &block);
		*pointer = 0;
		return true;
	}
	claim(repair, *pointer);
	for (uint32_t i = 0; i < ext2->pointers; i++) {
		uint64_t here = first + ((uint64_t)i << ((level - 1) * ext2->pointer_shift));

		is_changed = claim_tree(repair, &pointers[i], level - 1, here) || is_changed;
	}
	if (is_changed) {
		repair->fixes++;
		fs_cache_dirty_block(ext2->cache, &block);
	}
	fs_cache_put_block(ext2->cache, &block);
	return false;
}

static bool claim_map(struct ext2_repair *repair, struct ext2_inode *raw)
{
	uint64_t first = EXT2_DIRECT_BLOCKS, span = repair->ext2->pointers;
	bool is_changed = false;

	for (uint32_t i = 0; i < EXT2_DIRECT_BLOCKS; i++) {
		is_changed = claim_tree(repair, &raw->block[i], 0, i) || is_changed;
	}
	for (unsigned level = 1; level <= 3; level++) {
		is_changed = claim_tree(repair, &raw->block[EXT2_DIRECT_BLOCKS + level - 1], level,
				     first) ||
			is_changed;
		first += span;
		span <<= repair->ext2->pointer_shift;
	}
	return is_changed;
}

/* How many blocks of a directory are there from its beginning on. */
static uint64_t count_dir_blocks(struct ext2 *ext2, uint32_t ino, const struct ext2_inode *raw)
{
	uint64_t blocks = raw->size_low >> ext2->block_shift;
	struct ext2_node node = {.ino = ino, .raw = *raw, .size = raw->size_low};

	for (uint64_t i = 0; i < blocks; i++) {
		uint32_t block;

		if (ext2_map(ext2, &node, i, &block) != 0 || block == 0) {
			return i;
		}
	}
	return blocks;
}

/* An inode that is not what it says becomes a deleted one. */
static bool clear_inode(struct ext2_repair *repair, struct ext2_inode *raw)
{
	if (raw->mode == 0 ||
		(raw->links_count == 0 && raw->dtime > repair->ext2->super.inodes_count)) {
		return false;
	}
	raw->links_count = 0;
	raw->dtime = (uint32_t)repair->ext2->fs.now().sec;
	return true;
}

/* Whether a symbolic link has its whole text. */
static bool is_whole_link(struct ext2 *ext2, uint32_t ino, const struct ext2_inode *raw)
{
	struct ext2_node node = {.ino = ino, .raw = *raw};
	struct fs_block block;
	bool is_whole;

	if (ext2_is_fast_symlink(ext2, &node)) {
		return raw->size_low < sizeof(raw->block) &&
			strnlen((const char *)raw->block, sizeof(raw->block)) == raw->size_low;
	}
	if (raw->size_low >= ext2->block_size || !ext2_block_is_data(ext2, raw->block[0]) ||
		fs_cache_get_block(ext2->cache, raw->block[0], FS_BLOCK_READ, &block) != 0) {
		return false;
	}
	is_whole = strnlen((const char *)block.data, ext2->block_size) == raw->size_low;
	fs_cache_put_block(ext2->cache, &block);
	return is_whole;
}

/* Set what depends on the size; returns whether the inode can be kept at all. */
static bool check_size(
	struct ext2_repair *repair, uint32_t ino, struct ext2_inode *raw, bool *is_changed)
{
	struct ext2 *ext2 = repair->ext2;
	uint64_t size = raw->size_low;
	uint32_t blocks;

	if (S_ISREG(raw->mode)) {
		size |= (uint64_t)raw->size_high << 32;
	}
	repair->limit = (size + ext2->block_size - 1) >> ext2->block_shift;
	if (S_ISDIR(raw->mode)) {
		blocks = (uint32_t)count_dir_blocks(ext2, ino, raw);
		if ((uint64_t)blocks << ext2->block_shift != size) {
			raw->size_low = blocks << ext2->block_shift;
			*is_changed = true;
		}
		repair->limit = blocks;
		return blocks > 0 || ino == EXT2_ROOT_INO;
	}
	return true;
}

/* Look at one inode: whether it is in use, and what it holds. Returns whether it was changed. */
static bool check_inode(struct ext2_repair *repair, uint32_t ino, struct ext2_inode *raw)
{
	struct ext2 *ext2 = repair->ext2;
	struct ext2_node node = {.ino = ino, .raw = *raw};
	bool is_changed = false;

	if (ino < ext2->first_inode && ino != EXT2_ROOT_INO) {
		/* Reserved: the resize inode's blocks, bad blocks, a journal; in use, whatever they
		 * say. */
		repair->limit = UINT64_MAX;
		bitmap_set(repair->inodes, ino - 1);
		return claim_map(repair, raw);
	}
	if (raw->links_count == 0 || !ext2_raw_is_sound(ext2, raw)) {
		return clear_inode(repair, raw);
	}
	repair->sectors = 0;
	if (!check_size(repair, ino, raw, &is_changed) ||
		(S_ISLNK(raw->mode) && !is_whole_link(ext2, ino, raw))) {
		return clear_inode(repair, raw);
	}
	if (raw->file_acl != 0) {
		if (ext2_block_is_data(ext2, raw->file_acl)) {
			claim(repair, raw->file_acl);
		} else {
			raw->file_acl = 0;
			is_changed = true;
		}
	}
	if (ext2_has_blocks(ext2, &node)) {
		is_changed = claim_map(repair, raw) || is_changed;
	}
	if (raw->blocks != repair->sectors) {
		raw->blocks = repair->sectors;
		is_changed = true;
	}
	bitmap_set(repair->inodes, ino - 1);
	repair->types[ino - 1] = (uint8_t)(raw->mode >> 12);
	if (S_ISDIR(raw->mode)) {
		bitmap_set(repair->dirs, ino - 1);
	}
	return is_changed;
}

/* Call `look` for each inode, in place in its table. */
static int for_each_inode(struct ext2_repair *repair,
	bool (*look)(struct ext2_repair *, uint32_t, struct ext2_inode *))
{
	struct ext2 *ext2 = repair->ext2;
	uint32_t in_block = ext2->block_size / ext2->inode_size;

	for (uint32_t i = 0; i < ext2->groups * ext2->inode_table_blocks; i++) {
		uint32_t group = i / ext2->inode_table_blocks, index = i % ext2->inode_table_blocks;
		uint32_t number = ext2->group[group].inode_table + index;
		uint32_t ino = group * ext2->super.inodes_per_group + index * in_block + 1;
		struct fs_block block;
		int error;

		if (index % TABLE_READ_AHEAD == 0) {
			fs_cache_prefetch(ext2->cache, number,
				u64_min(TABLE_READ_AHEAD, ext2->inode_table_blocks - index));
		}
		error = fs_cache_get_block(ext2->cache, number, FS_BLOCK_READ, &block);
		if (error != 0) {
			return error;
		}
		for (uint32_t j = 0; j < in_block; j++) {
			uint8_t *bytes = block.data + (size_t)j * ext2->inode_size;
			struct ext2_inode raw = {0};
			size_t size = u64_min(ext2->inode_size, sizeof(raw));

			memcpy(&raw, bytes, size);
			if (look(repair, ino + j, &raw)) {
				repair->fixes++;
				memcpy(bytes, &raw, size);
				fs_cache_dirty_block(ext2->cache, &block);
			}
		}
		fs_cache_put_block(ext2->cache, &block);
		fs_cache_balance(ext2->cache);
	}
	return 0;
}

/* The structures at fixed places. */
static void claim_fixed(struct ext2_repair *repair)
{
	struct ext2 *ext2 = repair->ext2;

	for (uint32_t group = 0; group < ext2->groups; group++) {
		uint32_t first = ext2_group_first(ext2, group);

		for (uint32_t i = 0; i < ext2_group_blocks(ext2, group); i++) {
			if (!ext2_block_is_data(ext2, first + i)) {
				bitmap_set(
					repair->blocks, first + i - ext2->super.first_data_block);
			}
		}
	}
}

/* Write one bitmap of `bits` bits out of a larger one; *free_bits: how many are clear. */
static int store_bitmap(struct ext2_repair *repair, uint32_t number, const uint64_t *map,
	uint64_t first, uint32_t bits, uint32_t *free_bits)
{
	struct ext2 *ext2 = repair->ext2;
	struct fs_block block;
	uint8_t *copy;
	int error;

	/* Padding is set. */
	copy = malloc(ext2->block_size);
	if (copy == NULL) {
		return -ENOMEM;
	}
	memset(copy, 0xff, ext2->block_size);
	*free_bits = 0;
	for (uint32_t i = 0; i < bits; i++) {
		if (!bitmap_test(map, first + i)) {
			copy[i / 8] &= (uint8_t) ~(1u << (i % 8));
			*free_bits += 1;
		}
	}
	error = fs_cache_get_block(ext2->cache, number, FS_BLOCK_READ, &block);
	if (error == 0) {
		if (memcmp(block.data, copy, ext2->block_size) != 0) {
			repair->fixes++;
			memcpy(block.data, copy, ext2->block_size);
			fs_cache_dirty_block(ext2->cache, &block);
		}
		fs_cache_put_block(ext2->cache, &block);
	}
	free(copy);
	return error;
}

static int store_groups(struct ext2_repair *repair)
{
	struct ext2 *ext2 = repair->ext2;
	uint32_t ipg = ext2->super.inodes_per_group;

	ext2->super.free_blocks_count = 0;
	ext2->super.free_inodes_count = 0;
	for (uint32_t group = 0; group < ext2->groups; group++) {
		struct ext2_group *desc = &ext2->group[group];
		uint32_t blocks, inodes, dirs = 0;
		int error;

		error = store_bitmap(repair, desc->block_bitmap, repair->blocks,
			(uint64_t)group * ext2->super.blocks_per_group,
			ext2_group_blocks(ext2, group), &blocks);
		if (error == 0) {
			error = store_bitmap(repair, desc->inode_bitmap, repair->inodes,
				(uint64_t)group * ipg, ipg, &inodes);
		}
		if (error != 0) {
			return error;
		}
		for (uint32_t i = 0; i < ipg; i++) {
			dirs += bitmap_test(repair->dirs, (size_t)group * ipg + i);
		}
		desc->free_blocks_count = (uint16_t)blocks;
		desc->free_inodes_count = (uint16_t)inodes;
		desc->used_dirs_count = (uint16_t)dirs;
		ext2_touch_group(ext2, group);
		ext2->super.free_blocks_count += blocks;
		ext2->super.free_inodes_count += inodes;
	}
	return 0;
}

static bool set_links(struct ext2_repair *repair, uint32_t ino, struct ext2_inode *raw)
{
	uint16_t links = repair->links[ino - 1];

	if ((ino < repair->ext2->first_inode && ino != EXT2_ROOT_INO) ||
		!bitmap_test(repair->inodes, ino - 1) || raw->links_count == links) {
		return false;
	}
	raw->links_count = links;
	return true;
}

static int repair_all(struct ext2_repair *repair)
{
	struct ext2 *ext2 = repair->ext2;
	int error;

	claim_fixed(repair);
	error = for_each_inode(repair, check_inode);
	if (error == 0 && !bitmap_test(repair->dirs, EXT2_ROOT_INO - 1)) {
		error = -EIO;
	}
	ext2->super.last_orphan = 0;
	if (error == 0) {
		error = ext2_repair_dirs(repair);
	}
	if (error == 0) {
		error = ext2_repair_parents(repair);
	}
	if (error == 0) {
		error = for_each_inode(repair, set_links);
	}
	if (error == 0) {
		error = store_groups(repair);
	}
	return error == 0 ? ext2_repair_reconnect(repair) : error;
}

int ext2_repair(struct ext2 *ext2)
{
	size_t blocks = ext2->super.blocks_count, inodes = ext2->super.inodes_count;
	struct ext2_repair repair = {.ext2 = ext2};
	int error = -ENOMEM;

	repair.blocks = calloc(BITMAP_WORDS(blocks), sizeof(uint64_t));
	repair.inodes = calloc(BITMAP_WORDS(inodes), sizeof(uint64_t));
	repair.dirs = calloc(BITMAP_WORDS(inodes), sizeof(uint64_t));
	repair.links = calloc(inodes, sizeof(repair.links[0]));
	repair.parent = calloc(inodes, sizeof(repair.parent[0]));
	repair.types = calloc(inodes, sizeof(repair.types[0]));
	if (repair.blocks != NULL && repair.inodes != NULL && repair.dirs != NULL &&
		repair.links != NULL && repair.parent != NULL && repair.types != NULL) {
		error = repair_all(&repair);
	}
	free(repair.blocks);
	free(repair.inodes);
	free(repair.dirs);
	free(repair.links);
	free(repair.parent);
	free(repair.types);
	ext2->fs.log("ext2: repaired: %u changes, %s\n", repair.fixes,
		error == 0 ? "consistent" : "not consistent");
	return error;
}
