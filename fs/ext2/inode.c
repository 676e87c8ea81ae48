/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes: inodes in memory. Deletion and the orphan list stand in delete.c. */
#include "fs/ext2/inode.h"

#include "fs/ext2/delete.h"
#include "fs/ext2/index.h"
#include "fs/ext2/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DAY_SECONDS (24 * 60 * 60)

static struct list *bucket_of(struct ext2 *ext2, uint64_t ino)
{
	return &ext2->node_bucket[hash_u64(ino) % EXT2_NODE_BUCKETS];
}

struct ext2_node *ext2_node_find(struct ext2 *ext2, uint64_t ino)
{
	list_for_each(node, bucket_of(ext2, ino), struct ext2_node, hash_link)
	{
		if (node->ino == ino) {
			return node;
		}
	}
	return NULL;
}

/* Where an inode lies: its block, pinned, and its bytes in it. */
static int get_inode_block(struct ext2 *ext2, uint32_t ino, struct fs_block *block, uint8_t **bytes)
{
	uint32_t group = ext2_inode_group(ext2, ino);
	uint64_t offset = (uint64_t)((ino - 1) % ext2->super.inodes_per_group) * ext2->inode_size;
	int error;

	error = fs_cache_get_block(ext2->cache,
		ext2->group[group].inode_table + (offset >> ext2->block_shift), FS_BLOCK_READ,
		block);
	if (error == 0) {
		*bytes = block->data + (offset & (ext2->block_size - 1));
	}
	return error;
}

/* How much of struct ext2_inode the disk has. */
static size_t raw_size(const struct ext2 *ext2)
{
	return u64_min(ext2->inode_size, sizeof(struct ext2_inode));
}

static bool has_extra(const struct ext2 *ext2, const struct ext2_inode *raw)
{
	return ext2->inode_size > EXT2_ORIGINAL_INODE_SIZE && raw->extra_isize >= 24;
}

bool ext2_raw_is_sound(const struct ext2 *ext2, const struct ext2_inode *raw)
{
	uint64_t size = raw->size_low;

	if (raw->flags & (EXT2_FLAG_EXTENTS | EXT2_FLAG_INLINE_DATA | EXT2_FLAG_EA_INODE)) {
		return false;
	}
	switch (raw->mode & S_IFMT) {
	case S_IFREG:
		return (size | (uint64_t)raw->size_high << 32) <= ext2->max_size;
	case S_IFDIR:
		return size % ext2->block_size == 0 && size <= INT32_MAX;
	case S_IFLNK:
		return size > 0 && size <= FS_PAGE_SIZE;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return true;
	default:
		return false;
	}
}

static struct ext2_node *node_alloc(struct ext2 *ext2, uint32_t ino)
{
	struct ext2_node *node = calloc(1, sizeof(*node));

	if (node != NULL) {
		node->ino = ino;
		node->refs = 1;
		list_init(&node->dirty_link);
		list_init(&node->orphan_link);
		list_add_head(bucket_of(ext2, ino), &node->hash_link);
	}
	return node;
}

static void node_free(struct ext2 *ext2, struct ext2_node *node)
{
	ext2_index_free(ext2, node->index);
	list_remove(&node->hash_link);
	list_remove(&node->dirty_link);
	list_remove(&node->orphan_link);
	free(node);
}

int ext2_node_load(struct ext2 *ext2, uint64_t ino, bool is_unlinked, struct ext2_node **result)
{
	struct ext2_node *node = ext2_node_find(ext2, ino);
	struct ext2_inode raw;
	struct fs_block block;
	uint8_t *bytes;
	int error;

	if (node != NULL && node->refs == 0 && node->raw.links_count == 0) {
		return -ESTALE; /* deleted, but not yet stored */
	}
	if (node != NULL) {
		node->refs++;
		*result = node;
		return 0;
	}
	if (ino == 0 || ino > ext2->super.inodes_count ||
		(ino < ext2->first_inode && ino != EXT2_ROOT_INO)) {
		return -EINVAL;
	}
	error = get_inode_block(ext2, (uint32_t)ino, &block, &bytes);
	if (error != 0) {
		return error;
	}
	memset(&raw, 0, sizeof(raw));
	memcpy(&raw, bytes, raw_size(ext2));
	fs_cache_put_block(ext2->cache, &block);
	if ((raw.links_count == 0) != is_unlinked) {
		return -ESTALE;
	}
	if (!ext2_raw_is_sound(ext2, &raw)) {
		return ext2_corrupt(ext2, "inode", ino);
	}
	node = node_alloc(ext2, (uint32_t)ino);
	if (node == NULL) {
		return -ENOMEM;
	}
	node->raw = raw;
	node->size = raw.size_low;
	if (S_ISREG(raw.mode)) {
		node->size |= (uint64_t)raw.size_high << 32;
	}
	*result = node;
	return 0;
}

int ext2_node_get(struct ext2 *ext2, uint64_t ino, struct ext2_node **result)
{
	return ext2_node_load(ext2, ino, false, result);
}

int ext2_node_get_dir(struct ext2 *ext2, uint64_t ino, struct ext2_node **result)
{
	int error = ext2_node_get(ext2, ino, result);

	if (error != 0) {
		return error;
	}
	if (ext2_is_dir(*result) && (*result)->raw.links_count > 0) {
		return 0;
	}
	error = ext2_is_dir(*result) ? -ENOENT : -ENOTDIR;
	ext2_node_put(ext2, *result, 1);
	return error;
}

static void set_rdev(struct ext2_inode *raw, const struct fs_new *what)
{
	if (what->major < 256 && what->minor < 256) {
		raw->block[0] = what->major << 8 | what->minor;
	} else {
		raw->block[1] = (what->minor & 0xff) | (what->major & 0xfff) << 8 |
			(what->minor & ~0xffu) << 12;
	}
}

static void get_rdev(const struct ext2_inode *raw, struct fs_attr *attr)
{
	if (raw->block[0] != 0) {
		attr->major = (raw->block[0] >> 8) & 0xff;
		attr->minor = raw->block[0] & 0xff;
	} else {
		attr->major = (raw->block[1] >> 8) & 0xfff;
		attr->minor = (raw->block[1] & 0xff) | ((raw->block[1] >> 12) & 0xfff00);
	}
}

int ext2_node_new(struct ext2 *ext2, uint32_t ino, struct ext2_node *dir, const struct fs_new *what,
	struct ext2_node **result)
{
	struct ext2_node *node;
	struct fs_block block;
	uint8_t *bytes;
	int error;

	/* One that was deleted may still wait to be stored; another one means that the bitmap lied.
	 */
	node = ext2_node_find(ext2, ino);
	if (node != NULL && node->refs == 0 && node->raw.links_count == 0) {
		node_free(ext2, node);
	} else if (node != NULL) {
		return ext2_corrupt(ext2, "inode in use marked free", ino);
	}
	error = get_inode_block(ext2, ino, &block, &bytes);
	if (error != 0) {
		return error;
	}
	node = node_alloc(ext2, ino);
	if (node == NULL) {
		fs_cache_put_block(ext2->cache, &block);
		return -ENOMEM;
	}
	node->raw.generation = ((const struct ext2_inode *)(void *)bytes)->generation + 1;
	fs_cache_change(ext2->cache, &block, bytes, ext2->inode_size);
	memset(bytes, 0, ext2->inode_size);
	fs_cache_put_block(ext2->cache, &block);
	node->raw.mode = (uint16_t)what->mode;
	node->raw.uid_low = (uint16_t)what->uid;
	node->raw.uid_high = (uint16_t)(what->uid >> 16);
	node->raw.gid_low = (uint16_t)what->gid;
	node->raw.gid_high = (uint16_t)(what->gid >> 16);
	node->raw.flags = dir->raw.flags & EXT2_FLAGS_INHERITED;
	if (ext2->inode_size >= sizeof(struct ext2_inode)) {
		node->raw.extra_isize = EXT2_EXTRA_ISIZE;
	}
	if (S_ISCHR(what->mode) || S_ISBLK(what->mode)) {
		set_rdev(&node->raw, what);
	}
	ext2_node_touch(ext2, node, EXT2_ATIME | EXT2_MTIME | EXT2_CTIME);
	if (has_extra(ext2, &node->raw)) {
		node->raw.crtime = node->raw.ctime;
		node->raw.crtime_extra = node->raw.ctime_extra;
	}
	ext2_node_dirty(ext2, node);
	*result = node;
	return 0;
}

/* The file does not grow any more: give back what was asked of VM for that. */
static void drop_ahead(struct ext2 *ext2, struct ext2_node *node)
{
	if (node->ahead_end > 0) {
		(void)fs_cache_drop(ext2->cache, node->ino,
			(node->size + FS_PAGE_SIZE - 1) / FS_PAGE_SIZE, node->ahead_end, false);
		node->ahead_end = 0;
	}
}

void ext2_node_put(struct ext2 *ext2, struct ext2_node *node, uint64_t count)
{
	if (node->refs <= count && node->raw.links_count > 0) {
		ext2_clean_tail(ext2, node);
		drop_ahead(ext2, node);
	}
	node->refs -= u64_min(count, node->refs);
	if (node->refs > 0) {
		return;
	}
	if (node->raw.links_count == 0 && !ext2->fs.read_only) {
		ext2_node_delete(ext2, node);
	}
	if (ext2_node_store(ext2, node) == 0) {
		node_free(ext2, node);
	}
}

void ext2_node_forget(struct ext2 *ext2, struct ext2_node *node)
{
	if (node->refs == 0 && node->raw.links_count > 0 && ext2_node_store(ext2, node) == 0) {
		node_free(ext2, node);
	}
}

void ext2_node_dirty(struct ext2 *ext2, struct ext2_node *node)
{
	if (!list_is_linked(&node->dirty_link)) {
		list_add_tail(&ext2->dirty_nodes, &node->dirty_link);
	}
}

int ext2_node_store(struct ext2 *ext2, struct ext2_node *node)
{
	struct fs_block block;
	uint8_t *bytes;
	int error;

	if (!list_is_linked(&node->dirty_link)) {
		return 0;
	}
	error = get_inode_block(ext2, node->ino, &block, &bytes);
	if (error != 0) {
		return error;
	}
	node->raw.size_low = (uint32_t)node->size;
	if (ext2_is_reg(node)) {
		node->raw.size_high = (uint32_t)(node->size >> 32);
	}
	fs_cache_change(ext2->cache, &block, bytes, raw_size(ext2));
	memcpy(bytes, &node->raw, raw_size(ext2));
	fs_cache_put_block(ext2->cache, &block);
	list_remove(&node->dirty_link);
	return 0;
}

int ext2_nodes_store(struct ext2 *ext2)
{
	int error = 0;

	list_for_each_safe(node, &ext2->dirty_nodes, struct ext2_node, dirty_link)
	{
		int result = ext2_node_store(ext2, node);

		if (result == 0 && node->refs == 0) {
			node_free(ext2, node);
		}
		if (error == 0) {
			error = result;
		}
	}
	return error;
}

void ext2_nodes_release(struct ext2 *ext2)
{
	for (size_t i = 0; i < EXT2_NODE_BUCKETS; i++) {
		while (!list_is_empty(&ext2->node_bucket[i])) {
			struct ext2_node *node =
				list_first(&ext2->node_bucket[i], struct ext2_node, hash_link);

			if (node->raw.links_count == 0 && !ext2->fs.read_only) {
				ext2_node_delete(ext2, node);
			}
			ext2_node_store(ext2, node);
			node_free(ext2, node);
		}
	}
}

void ext2_node_set_time(
	struct ext2 *ext2, struct ext2_node *node, unsigned times, struct fs_time time)
{
	/* 34 bits of seconds: the low 32 are signed, two more count in the extra field. */
	uint32_t low = (uint32_t)time.sec;
	uint32_t extra = (uint32_t)((time.sec - (int32_t)low) >> 32 & 3) | time.nsec << 2;
	bool is_wide = has_extra(ext2, &node->raw);

	if (times & EXT2_ATIME) {
		node->raw.atime = low;
		node->raw.atime_extra = is_wide ? extra : node->raw.atime_extra;
	}
	if (times & EXT2_MTIME) {
		node->raw.mtime = low;
		node->raw.mtime_extra = is_wide ? extra : node->raw.mtime_extra;
	}
	if (times & EXT2_CTIME) {
		node->raw.ctime = low;
		node->raw.ctime_extra = is_wide ? extra : node->raw.ctime_extra;
	}
	ext2_node_dirty(ext2, node);
}

void ext2_node_touch(struct ext2 *ext2, struct ext2_node *node, unsigned times)
{
	ext2_node_set_time(ext2, node, times, ext2->fs.now());
}

static struct fs_time get_time(uint32_t low, uint32_t extra, bool is_wide)
{
	struct fs_time time = {.sec = (int32_t)low, .nsec = 0};

	if (is_wide) {
		time.sec += (int64_t)(extra & 3) << 32;
		time.nsec = extra >> 2;
		if (time.nsec >= 1000000000u) {
			time.nsec = 0;
		}
	}
	return time;
}

void ext2_node_attr(const struct ext2 *ext2, const struct ext2_node *node, struct fs_attr *attr)
{
	const struct ext2_inode *raw = &node->raw;
	bool is_wide = has_extra(ext2, raw);

	memset(attr, 0, sizeof(*attr));
	attr->ino = node->ino;
	attr->mode = raw->mode;
	attr->nlink = raw->links_count;
	attr->uid = raw->uid_low | (uint32_t)raw->uid_high << 16;
	attr->gid = raw->gid_low | (uint32_t)raw->gid_high << 16;
	if (S_ISCHR(raw->mode) || S_ISBLK(raw->mode)) {
		get_rdev(raw, attr);
	}
	attr->size = node->size;
	attr->blocks = raw->blocks;
	attr->block_size = FS_PAGE_SIZE; /* what the cache and programs do best with */
	attr->generation = raw->generation;
	attr->atime = get_time(raw->atime, raw->atime_extra, is_wide);
	attr->mtime = get_time(raw->mtime, raw->mtime_extra, is_wide);
	attr->ctime = get_time(raw->ctime, raw->ctime_extra, is_wide);
}

void ext2_node_accessed(struct ext2 *ext2, struct ext2_node *node)
{
	struct fs_time now, atime, mtime, ctime;
	bool is_wide = has_extra(ext2, &node->raw);

	if (ext2->fs.read_only) {
		return;
	}
	now = ext2->fs.now();
	atime = get_time(node->raw.atime, node->raw.atime_extra, is_wide);
	mtime = get_time(node->raw.mtime, node->raw.mtime_extra, is_wide);
	ctime = get_time(node->raw.ctime, node->raw.ctime_extra, is_wide);
	if (atime.sec < mtime.sec || (atime.sec == mtime.sec && atime.nsec <= mtime.nsec) ||
		atime.sec < ctime.sec || (atime.sec == ctime.sec && atime.nsec <= ctime.nsec) ||
		now.sec - atime.sec >= DAY_SECONDS) {
		ext2_node_set_time(ext2, node, EXT2_ATIME, now);
	}
}
