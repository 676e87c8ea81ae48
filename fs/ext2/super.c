/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mounting: nothing of the super block and the group descriptors is used before it was checked
 * here, so that the rest of the code may compute with them.
 */
#include "fs/ext2/ext2.h"

#include "fs/ext2/delete.h"
#include "fs/ext2/inode.h"
#include "fs/ext2/page.h"
#include "fs/ext2/repair.h"
#include "lib/fs/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the structures are used in place");

#define MAX_LOG_BLOCK_SIZE 2 /* 4 KiB: a page */
#define DAMAGES_LOGGED     16

int ext2_corrupt(struct ext2 *ext2, const char *what, uint64_t number)
{
	if (ext2->damages++ < DAMAGES_LOGGED) {
		ext2->fs.log("ext2: damaged: %s %llu\n", what, (unsigned long long)number);
	}
	if (ext2->is_writing) {
		ext2->super.state |= EXT2_STATE_ERROR;
		ext2->super_dirty = true;
		if (ext2->super.errors >= EXT2_ERRORS_READ_ONLY && !ext2->fs.read_only) {
			ext2->fs.read_only = true;
			ext2->fs.log("ext2: read-only from now on\n");
		}
	}
	return -EIO;
}

static int refuse(struct ext2 *ext2, const char *why)
{
	ext2->fs.log("ext2: not mounted: %s\n", why);
	return -EINVAL;
}

static int read_super(struct ext2 *ext2)
{
	uint8_t *buf;
	struct fs_iovec vec;
	int error;

	if (ext2->device->size_bytes < FS_PAGE_SIZE) {
		return refuse(ext2, "the device is too small");
	}
	buf = malloc(FS_PAGE_SIZE);
	if (buf == NULL) {
		return -ENOMEM;
	}
	vec.base = buf;
	vec.len = FS_PAGE_SIZE;
	error = ext2->device->transfer(ext2->device, false, 0, &vec, 1);
	if (error == 0) {
		memcpy(&ext2->super, buf + EXT2_SUPER_OFFSET, sizeof(ext2->super));
	}
	free(buf);
	return error;
}

static int check_features(struct ext2 *ext2)
{
	struct ext2_super *super = &ext2->super;
	uint32_t unknown;

	if (super->magic != EXT2_MAGIC) {
		return refuse(ext2, "no ext2 super block");
	}
	if (super->revision > EXT2_REV_DYNAMIC) {
		return refuse(ext2, "unknown revision");
	}
	if (super->revision == EXT2_REV_ORIGINAL) {
		super->feature_compat = 0;
		super->feature_incompat = 0;
		super->feature_ro_compat = 0;
		ext2->inode_size = EXT2_ORIGINAL_INODE_SIZE;
		ext2->first_inode = EXT2_ORIGINAL_FIRST_INODE;
		return 0;
	}
	ext2->inode_size = super->inode_size;
	ext2->first_inode = super->first_inode;
	unknown = super->feature_incompat & ~(uint32_t)EXT2_INCOMPAT_SUPPORTED;
	if (unknown != 0) {
		ext2->fs.log("ext2: not mounted: incompatible features %#x\n", unknown);
		return -EINVAL;
	}
	unknown = super->feature_ro_compat & ~(uint32_t)EXT2_RO_COMPAT_SUPPORTED;
	if (unknown != 0 && !ext2->fs.read_only) {
		ext2->fs.log("ext2: mounted read-only: features %#x\n", unknown);
		ext2->fs.read_only = true;
	}
	return 0;
}

/* Check the numbers that say where everything is, and derive the others. */
static int check_geometry(struct ext2 *ext2)
{
	const struct ext2_super *super = &ext2->super;
	uint32_t size, in_table;

	if (super->log_block_size > MAX_LOG_BLOCK_SIZE) {
		return refuse(ext2, "block size");
	}
	ext2->block_shift = 10 + super->log_block_size;
	size = ext2->block_size = 1u << ext2->block_shift;
	ext2->pointers = size / 4;
	ext2->pointer_shift = ext2->block_shift - 2;
	if (ext2->inode_size < EXT2_ORIGINAL_INODE_SIZE || ext2->inode_size > size ||
		(ext2->inode_size & (ext2->inode_size - 1)) != 0) {
		return refuse(ext2, "inode size");
	}
	if (super->first_data_block != (size == 1024) ||
		super->blocks_count <= super->first_data_block ||
		super->blocks_count > ext2->device->size_bytes / size) {
		return refuse(ext2, "block count");
	}
	if (super->blocks_per_group == 0 || super->blocks_per_group > 8 * size ||
		super->blocks_per_group % 8 != 0 || super->inodes_per_group == 0 ||
		super->inodes_per_group > 8 * size ||
		super->inodes_per_group % (size / ext2->inode_size) != 0) {
		return refuse(ext2, "group size");
	}
	ext2->groups =
		(super->blocks_count - super->first_data_block - 1) / super->blocks_per_group + 1;
	if ((uint64_t)ext2->groups * super->inodes_per_group != super->inodes_count ||
		ext2->first_inode < EXT2_ORIGINAL_FIRST_INODE ||
		ext2->first_inode > super->inodes_per_group) {
		return refuse(ext2, "inode count");
	}
	in_table = size / (uint32_t)sizeof(struct ext2_group);
	ext2->group_table_blocks = (ext2->groups + in_table - 1) / in_table;
	ext2->inode_table_blocks = super->inodes_per_group / (size / ext2->inode_size);
	if ((uint64_t)super->first_data_block + 1 + ext2->group_table_blocks >
		super->blocks_count) {
		return refuse(ext2, "group count");
	}
	return 0;
}

/* What a file's map can reach, and what the inode's count of sectors can say. */
static uint64_t find_max_size(const struct ext2 *ext2)
{
	uint64_t p = ext2->pointers;
	uint64_t map = EXT2_DIRECT_BLOCKS + p + p * p + p * p * p;
	uint64_t counted = (UINT32_MAX >> (ext2->block_shift - 9)) - (1 + 1 + p + 1 + p + p * p);

	if (ext2->super.revision == EXT2_REV_ORIGINAL) {
		return INT32_MAX;
	}
	return u64_min(map, counted) << ext2->block_shift;
}

static int check_group(struct ext2 *ext2, uint32_t group)
{
	const struct ext2_group *desc = &ext2->group[group];
	uint32_t first = ext2_group_first(ext2, group);
	uint32_t blocks = ext2_group_blocks(ext2, group);
	uint32_t head = ext2_group_has_super(ext2, group) ? 1 + ext2->group_table_blocks : 0;

	if (desc->block_bitmap < first || desc->block_bitmap - first < head ||
		desc->block_bitmap - first >= blocks || desc->inode_bitmap < first ||
		desc->inode_bitmap - first < head || desc->inode_bitmap - first >= blocks ||
		desc->inode_table < first || desc->inode_table - first < head ||
		desc->inode_table - first >= blocks ||
		blocks - (desc->inode_table - first) < ext2->inode_table_blocks ||
		desc->block_bitmap == desc->inode_bitmap ||
		desc->block_bitmap - desc->inode_table < ext2->inode_table_blocks ||
		desc->inode_bitmap - desc->inode_table < ext2->inode_table_blocks ||
		desc->free_blocks_count > blocks ||
		desc->free_inodes_count > ext2->super.inodes_per_group ||
		desc->used_dirs_count > ext2->super.inodes_per_group) {
		return refuse(ext2, "group descriptor");
	}
	return 0;
}

/* Read and check the group descriptors; the super block's free counts are theirs. */
static int read_groups(struct ext2 *ext2)
{
	size_t bytes = (size_t)ext2->group_table_blocks * ext2->block_size;

	ext2->group = malloc(bytes);
	ext2->group_dirty = calloc(1, ext2->groups);
	if (ext2->group == NULL || ext2->group_dirty == NULL) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < ext2->group_table_blocks; i++) {
		struct fs_block block;
		int error = fs_cache_get_block(
			ext2->cache, ext2->super.first_data_block + 1 + i, FS_BLOCK_READ, &block);

		if (error != 0) {
			return error;
		}
		memcpy((uint8_t *)ext2->group + (size_t)i * ext2->block_size, block.data,
			ext2->block_size);
		fs_cache_put_block(ext2->cache, &block);
	}
	ext2->super.free_blocks_count = 0;
	ext2->super.free_inodes_count = 0;
	for (uint32_t group = 0; group < ext2->groups; group++) {
		int error = check_group(ext2, group);

		if (error != 0) {
			return error;
		}
		ext2->super.free_blocks_count += ext2->group[group].free_blocks_count;
		ext2->super.free_inodes_count += ext2->group[group].free_inodes_count;
	}
	return 0;
}

/* One changed descriptor, into its cached block. */
static int store_group(struct ext2 *ext2, uint32_t group)
{
	uint32_t in_block = ext2->block_size / (uint32_t)sizeof(struct ext2_group);
	struct fs_block block;
	struct ext2_group *desc;
	int error = fs_cache_get_block(ext2->cache,
		ext2->super.first_data_block + 1 + group / in_block, FS_BLOCK_READ, &block);

	if (error == 0) {
		desc = (struct ext2_group *)(void *)block.data + group % in_block;
		fs_cache_change(ext2->cache, &block, desc, sizeof(*desc));
		*desc = ext2->group[group];
		fs_cache_put_block(ext2->cache, &block);
		ext2->group_dirty[group] = 0;
	}
	return error;
}

int ext2_store_super(struct ext2 *ext2)
{
	struct ext2_super *super;
	struct fs_block block;
	int error;

	for (uint32_t group = ext2->dirty_first; group < ext2->dirty_end; group++) {
		error = ext2->group_dirty[group] ? store_group(ext2, group) : 0;
		if (error != 0) {
			return error;
		}
	}
	ext2->dirty_first = ext2->dirty_end = 0;
	if (!ext2->super_dirty && !ext2->orphans_dirty) {
		return 0;
	}
	error = fs_cache_get_block(
		ext2->cache, EXT2_SUPER_OFFSET / ext2->block_size, FS_BLOCK_READ, &block);
	if (error != 0) {
		return error;
	}
	super = (struct ext2_super *)(void *)(block.data + EXT2_SUPER_OFFSET % ext2->block_size);
	if (ext2->super_dirty) {
		ext2->super.write_time = (uint32_t)ext2->fs.now().sec;
		fs_cache_change(ext2->cache, &block, super, sizeof(*super));
		*super = ext2->super;
		ext2->counts_dirty = false;
	} else {
		fs_cache_change(
			ext2->cache, &block, &super->last_orphan, sizeof(super->last_orphan));
		super->last_orphan = ext2->super.last_orphan;
	}
	fs_cache_put_block(ext2->cache, &block);
	ext2->super_dirty = ext2->orphans_dirty = false;
	return 0;
}

void ext2_commit(struct ext2 *ext2)
{
	if (!ext2->is_writing) {
		return;
	}
	if (ext2_nodes_store(ext2) == 0 && ext2_store_super(ext2) == 0) {
		fs_cache_commit(ext2->cache);
	} else {
		fs_log_spoil(ext2->cache);
	}
}

int ext2_sync(struct fs *fs)
{
	struct ext2 *ext2 = ext2_of(fs);
	int error, result;

	if (!ext2->is_writing) {
		return 0;
	}
	error = ext2_nodes_store(ext2);
	ext2->super_dirty = ext2->super_dirty || ext2->counts_dirty;
	result = ext2_store_super(ext2);
	error = error != 0 ? error : result;
	result = fs_cache_flush(ext2->cache, FS_FLUSH_ALL);
	error = error != 0 ? error : result;
	if (error == 0 && ext2->device->flush != NULL) {
		error = ext2->device->flush(ext2->device);
	}
	return error;
}

/* From now on it is written to: on disk it counts as not clean until the unmount. */
static int begin_writing(struct ext2 *ext2)
{
	int error;

	ext2->is_writing = true;
	ext2->super.state &= (uint16_t)~EXT2_STATE_VALID;
	ext2->super.mount_count++;
	ext2->super.mount_time = (uint32_t)ext2->fs.now().sec;
	ext2->super_dirty = true;
	if (!ext2->was_clean) {
		ext2->fs.log("ext2: was not unmounted cleanly\n");
		error = ext2_repair(ext2);
		if (error != 0) {
			return error;
		}
		ext2->was_clean = true;
		ext2->super.state &= (uint16_t)~EXT2_STATE_ERROR;
	}
	ext2_orphans_recover(ext2);
	error = ext2_sync(&ext2->fs);
	return error != 0 ? error : fs_log_open(ext2->cache);
}

/* Go on where the process before was when it died: 1; 0 when it was not writing yet. */
static int take_over(struct ext2 *ext2)
{
	struct fs_cache_stats stats;
	int result = fs_log_recover(ext2->cache);

	if (result == 0) {
		return 0;
	}
	fs_cache_get_stats(ext2->cache, &stats);
	ext2->fs.log("ext2: taken over: %zu pages, %zu dirty\n", stats.pages, stats.dirty_pages);
	return result;
}

/* The super block as the cache has it may be newer than the device's. */
static int reread_super(struct ext2 *ext2)
{
	struct fs_block block;
	int error = fs_cache_get_block(
		ext2->cache, EXT2_SUPER_OFFSET / ext2->block_size, FS_BLOCK_READ, &block);

	if (error == 0) {
		memcpy(&ext2->super, block.data + EXT2_SUPER_OFFSET % ext2->block_size,
			sizeof(ext2->super));
		fs_cache_put_block(ext2->cache, &block);
		error = check_features(ext2);
	}
	return error != 0 ? error : check_geometry(ext2);
}

/*
 * What follows take_over(): when the last request was undone, everything but the nodes in use is
 * there; else (result < 0) as after a crash of the machine, but for the cached pages.
 */
static int resume_writing(struct ext2 *ext2, int result)
{
	ext2->is_writing = true;
	ext2->was_clean = true;
	ext2->counts_dirty = true;
	if (result == 1) {
		result = ext2_orphans_adopt(ext2);
	}
	if (result < 0) {
		ext2->fs.read_only = true; /* nothing is deleted before it is consistent */
		ext2_nodes_release(ext2);
		ext2->fs.read_only = false;
		result = ext2_repair(ext2);
	}
	if (result != 0) {
		return result;
	}
	if ((ext2->super.state & EXT2_STATE_ERROR) && ext2->super.errors >= EXT2_ERRORS_READ_ONLY) {
		ext2->fs.read_only = true;
	}
	fs_cache_check_pages(ext2->cache, ext2_keep_page, ext2);
	return fs_log_open(ext2->cache);
}

int ext2_rebind(struct fs *fs, uint64_t ino, uint64_t count, struct fs_attr *attr)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct ext2_node *node = ext2_node_find(ext2, ino);
	int error = node == NULL ? ext2_node_get(ext2, ino, &node) : 0;

	if (error == 0) {
		node->refs = count;
		ext2_node_attr(ext2, node, attr);
	}
	return error;
}

int ext2_recovered(struct fs *fs)
{
	struct ext2 *ext2 = ext2_of(fs);

	list_for_each_safe(node, &ext2->orphans, struct ext2_node, orphan_link)
	{
		if (node->refs == 0) {
			node->refs = 1;
			ext2_node_put(ext2, node, 1);
		}
	}
	return 0;
}

/* Write everything, and the mark that it is clean. */
static int end_writing(struct ext2 *ext2)
{
	int error = ext2_sync(&ext2->fs);

	if (error == 0 && ext2->was_clean && !(ext2->super.state & EXT2_STATE_ERROR)) {
		ext2->super.state |= EXT2_STATE_VALID;
		ext2->super_dirty = true;
		error = ext2_sync(&ext2->fs);
	}
	return error;
}

static void ext2_free(struct ext2 *ext2)
{
	if (ext2->cache != NULL) {
		fs_cache_destroy(ext2->cache);
	}
	free(ext2->group);
	free(ext2->group_dirty);
	free(ext2);
}

static int check_root(struct ext2 *ext2)
{
	struct ext2_node *root;
	int error = ext2_node_get_dir(ext2, EXT2_ROOT_INO, &root);

	if (error != 0) {
		return error == -ENOMEM || error == -EIO ? error : refuse(ext2, "root directory");
	}
	ext2_node_put(ext2, root, 1);
	return 0;
}

static int mount_checked(struct ext2 *ext2, const struct ext2_options *options)
{
	int error = read_super(ext2), taken = 0;

	if (error == 0) {
		error = check_features(ext2);
	}
	if (error == 0) {
		error = check_geometry(ext2);
	}
	if (error == 0) {
		error = fs_cache_create(
			&ext2->cache, ext2->device, options->memory, ext2->block_size);
		ext2->fs.device = ext2->cache;
	}
	if (error == 0 && options->is_recovery && !ext2->fs.read_only) {
		taken = take_over(ext2);
	}
	if (error == 0 && options->is_recovery) {
		error = reread_super(ext2);
	}
	if (error == 0) {
		error = read_groups(ext2);
	}
	if (error != 0) {
		return error;
	}
	fs_cache_on_settle(ext2->cache, ext2_settle_page, ext2);
	ext2->max_size = find_max_size(ext2);
	ext2->index_slots_max = (uint32_t)u64_min(u64_max(options->total_pages, 512) * 8, 1u << 22);
	ext2->was_clean =
		(ext2->super.state & (EXT2_STATE_VALID | EXT2_STATE_ERROR)) == EXT2_STATE_VALID;
	error = check_root(ext2);
	if (error == 0 && !ext2->fs.read_only &&
		(taken != 0 ? resume_writing(ext2, taken) : begin_writing(ext2)) != 0) {
		ext2->fs.log("ext2: mounted read-only\n");
		ext2->fs.read_only = true;
		ext2->is_writing = false;
	}
	return error;
}

int ext2_mount(const struct ext2_options *options, struct fs **fs)
{
	struct ext2 *ext2 = calloc(1, sizeof(*ext2));
	int error;

	if (ext2 == NULL) {
		return -ENOMEM;
	}
	ext2->device = options->device;
	ext2->fs.ops = &ext2_ops;
	ext2->fs.root = EXT2_ROOT_INO;
	ext2->fs.read_only = options->read_only || options->device->read_only;
	ext2->fs.now = options->now;
	ext2->fs.log = options->log;
	list_init(&ext2->dirty_nodes);
	list_init(&ext2->orphans);
	for (size_t i = 0; i < EXT2_NODE_BUCKETS; i++) {
		list_init(&ext2->node_bucket[i]);
	}
	error = mount_checked(ext2, options);
	if (error != 0) {
		if (ext2->cache != NULL) {
			ext2->fs.read_only = true;
			ext2_nodes_release(ext2);
		}
		ext2_free(ext2);
		return error;
	}
	*fs = &ext2->fs;
	return 0;
}

void ext2_unmount(struct fs *fs)
{
	struct ext2 *ext2 = ext2_of(fs);

	ext2_nodes_release(ext2);
	if (ext2->is_writing && end_writing(ext2) != 0) {
		fs->log("ext2: unmounted with unwritten data\n");
	}
	ext2_free(ext2);
}

int ext2_remount(struct fs *fs, bool read_only)
{
	struct ext2 *ext2 = ext2_of(fs);
	int error;

	if (read_only == fs->read_only) {
		return 0;
	}
	if (read_only) {
		error = end_writing(ext2);
		if (error == 0) {
			fs->read_only = true;
			ext2->is_writing = false;
		}
		return error;
	}
	if (ext2->device->read_only || ext2->is_writing ||
		(ext2->super.feature_ro_compat & ~(uint32_t)EXT2_RO_COMPAT_SUPPORTED) != 0) {
		return -EROFS;
	}
	fs->read_only = false;
	error = begin_writing(ext2);
	if (error != 0) {
		fs->read_only = true;
	}
	return error;
}

int ext2_statfs(struct fs *fs, struct fs_stat *stat)
{
	const struct ext2 *ext2 = ext2_of(fs);
	const struct ext2_super *super = &ext2->super;
	uint64_t overhead = super->first_data_block;

	for (uint32_t group = 0; group < ext2->groups; group++) {
		overhead += 2 + ext2->inode_table_blocks;
		if (ext2_group_has_super(ext2, group)) {
			overhead += 1 + ext2->group_table_blocks;
		}
	}
	stat->magic = EXT2_MAGIC;
	stat->block_size = ext2->block_size;
	stat->blocks = super->blocks_count - overhead;
	stat->blocks_free = super->free_blocks_count;
	stat->blocks_available = super->free_blocks_count -
		u64_min(super->free_blocks_count, super->reserved_blocks_count);
	stat->nodes = super->inodes_count;
	stat->nodes_free = super->free_inodes_count;
	return 0;
}
