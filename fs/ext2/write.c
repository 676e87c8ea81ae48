/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing to regular files, by calls and through mappings. */
#include "fs/ext2/bmap.h"
#include "fs/ext2/file.h"
#include "fs/ext2/page.h"

#include <errno.h>
#include <string.h>

/* Give the parts of a page in [start, end) blocks; *ready tells up to where it went. */
static int alloc_parts(struct ext2 *ext2, struct ext2_node *node, struct fs_page *page,
	size_t start, size_t end, uint8_t *fresh, size_t *ready)
{
	for (unsigned part = (unsigned)(start >> ext2->block_shift);
		(size_t)part << ext2->block_shift < end; part++) {
		uint32_t block;
		bool is_new;
		int error;

		if (page->block[part] == 0) {
			error = ext2_map_alloc(ext2, node,
				page->index * ext2_page_parts(ext2) + part, &block, &is_new);
			if (error != 0) {
				return error;
			}
			fs_cache_map_block(ext2->cache, page, part, block);
			*fresh |= (uint8_t)(is_new << part);
		}
		*ready = u64_min((size_t)(part + 1) << ext2->block_shift, end);
	}
	return 0;
}

/* Whether a page has any block, and whether [start, end) wants one. */
static bool is_mixed(const struct ext2 *ext2, const struct fs_page *page, size_t start, size_t end)
{
	bool has_block = false, has_hole = false;

	for (unsigned part = 0; part < ext2_page_parts(ext2); part++) {
		size_t at = (size_t)part << ext2->block_shift;

		has_block = has_block || page->block[part] != 0;
		has_hole = has_hole ||
			(page->block[part] == 0 && at < end && at + ext2->block_size > start);
	}
	return has_block && has_hole;
}

/* Fill a page that is not valid, whose new blocks have no contents yet: they become zeroes. */
static int fill_fresh(struct ext2 *ext2, struct fs_page *page, uint8_t fresh)
{
	uint32_t block[FS_PAGE_BLOCKS];
	int error;

	memcpy(block, page->block, sizeof(block));
	for (unsigned part = 0; part < ext2_page_parts(ext2); part++) {
		page->block[part] = (fresh >> part) & 1 ? 0 : block[part];
	}
	error = fs_cache_fill_pages(ext2->cache, &page, 1);
	memcpy(page->block, block, sizeof(block));
	return error;
}

/*
 * Make the bytes [start, end) of a page ready to be overwritten: what stays of it present, unless
 * nothing does, and blocks allocated. *ready tells up to where it went. What can fail is read
 * before blocks are allocated: a page with new blocks that is not valid has no others.
 */
static int prepare_page(struct ext2 *ext2, struct ext2_node *node, struct fs_page *page,
	size_t start, size_t end, uint8_t *fresh, size_t *ready)
{
	bool is_covered = start == 0 &&
		(end == FS_PAGE_SIZE || page->index * FS_PAGE_SIZE + end >= node->size);
	int error;

	*ready = start;
	*fresh = 0;
	error = ext2_map_page(ext2, node, page);
	if (error == 0 && (!is_covered || is_mixed(ext2, page, start, end))) {
		error = ext2_fill_page(ext2, node, page);
	}
	if (error != 0) {
		return error;
	}
	error = alloc_parts(ext2, node, page, start, end, fresh, ready);
	if (error != 0 && *fresh != 0 && !fs_page_is_valid(ext2->cache, page)) {
		/* It will not be covered after all. */
		(void)fill_fresh(ext2, page, *fresh);
	}
	if (*ready > start && fs_page_is_valid(ext2->cache, page)) {
		fs_page_set_dirty(ext2->cache, page);
	}
	return error;
}

/*
 * A page that was not valid has been written up to `end`, which is its end or the file's; or the
 * copy has failed: then new blocks become zeroes, and the rest is what the disk has.
 */
static void finish_page(
	struct ext2 *ext2, struct fs_page *page, size_t end, uint8_t fresh, bool is_copied)
{
	if (fs_page_is_valid(ext2->cache, page)) {
		/* Again: it may have been written back for want of memory. */
		fs_page_set_dirty(ext2->cache, page);
		return;
	}
	if (is_copied) {
		memset(fs_page_data(ext2->cache, page) + end, 0, FS_PAGE_SIZE - end);
	} else if (fresh == 0 || fill_fresh(ext2, page, fresh) != 0) {
		return;
	}
	fs_page_set_dirty(ext2->cache, page);
	fs_page_set_valid(ext2->cache, page);
}

static void batch_finish(
	const struct ext2_batch *batch, uint64_t position, size_t len, bool is_copied)
{
	size_t passed = 0;

	for (size_t i = 0; passed < len; i++) {
		size_t start = (position + passed) % FS_PAGE_SIZE;
		size_t end = u64_min(FS_PAGE_SIZE, start + len - passed);

		finish_page(batch->ext2, batch->page[i], end, batch->fresh[i], is_copied);
		passed += end - start;
	}
}

/* Prepare up to a batch of pages for [position, position + len); *ready: bytes that may be copied.
 */
static int batch_prepare(
	struct ext2_batch *batch, uint64_t position, size_t len, size_t ahead, size_t *ready)
{
	struct ext2 *ext2 = batch->ext2;
	size_t wanted = u64_min(ext2_pages_of(position, len), EXT2_BATCH_PAGES), given = 0;
	int error = 0;

	*ready = 0;
	len = u64_min(len, wanted * FS_PAGE_SIZE - position % FS_PAGE_SIZE);
	for (; given < wanted; given++) {
		batch->page[given] = fs_cache_find_page(
			ext2->cache, batch->node->ino, position / FS_PAGE_SIZE + given);
		if (batch->page[given] == NULL) {
			break;
		}
	}
	batch->count = given;
	if (given < wanted) {
		error = fs_cache_get_pages(ext2->cache, batch->node->ino,
			position / FS_PAGE_SIZE + given,
			u64_min(wanted - given + ahead, EXT2_BATCH_PAGES - given),
			batch->page + given, &batch->count);
		batch->count += given;
		batch->node->ahead_end = u64_max(batch->node->ahead_end,
			ahead > 0 ? position / FS_PAGE_SIZE + batch->count : 0);
	}
	for (size_t i = 0; i < u64_min(batch->count, wanted); i++) {
		size_t start = (position + *ready) % FS_PAGE_SIZE;
		size_t end = u64_min(FS_PAGE_SIZE, start + len - *ready), until;
		int result = prepare_page(
			ext2, batch->node, batch->page[i], start, end, &batch->fresh[i], &until);

		*ready += until - start;
		if (result != 0) {
			return result;
		}
	}
	return error;
}

/* A file that grows by steps will go on doing so: pages that are asked of VM along. */
static size_t grow_window(const struct ext2_node *node, uint64_t position)
{
	return position == node->size ? u64_min(node->size / FS_PAGE_SIZE, EXT2_READ_WINDOW_MIN * 4)
				      : 0;
}

static int write_batches(
	struct ext2_batch *batch, uint64_t position, size_t len, struct fs_data *data, size_t *done)
{
	struct ext2 *ext2 = batch->ext2;
	struct ext2_node *node = batch->node;
	int error = 0;

	while (len > 0 && error == 0) {
		size_t ready;
		int result;

		error = batch_prepare(batch, position, len, grow_window(node, position), &ready);
		result =
			ready > 0 ? ext2_batch_copy(batch, position, ready, data, *done, false) : 0;
		batch_finish(batch, position, ready, result == 0);
		if (result == 0 && ready > 0) {
			position += ready;
			*done += ready;
			len -= ready;
			if (position > node->size) {
				node->size = position;
				ext2_note_large_file(ext2, node);
				ext2_node_dirty(ext2, node);
			}
		}
		ext2_batch_put(batch);
		error = result != 0 ? result : error;
		if (error == 0 && len > 0) {
			/* What is written stays written. */
			ext2_commit(ext2);
			fs_cache_balance(ext2->cache);
		}
	}
	return error;
}

int ext2_write(struct fs *fs, uint64_t ino, uint64_t position, size_t len, struct fs_data *data,
	size_t *done)
{
	struct ext2_batch batch = {.ext2 = ext2_of(fs)};
	struct ext2 *ext2 = batch.ext2;
	int error;

	*done = 0;
	error = ext2_get_file_to_write(ext2, ino, &batch.node);
	if (error != 0) {
		return error;
	}
	if (len > 0 && position >= ext2->max_size) {
		error = -EFBIG;
	} else if (len > 0) {
		len = u64_min(len, ext2->max_size - position);
		if (position + len > batch.node->size) {
			ext2_clean_tail(ext2, batch.node);
		}
		error = write_batches(&batch, position, len, data, done);
		if (error != 0) {
			ext2_trim_to_size(ext2, batch.node, position + len);
		}
		if (*done > 0) {
			ext2_node_touch(ext2, batch.node, EXT2_MTIME | EXT2_CTIME);
		}
	}
	ext2_node_put(ext2, batch.node, 1);
	return *done > 0 ? 0 : error;
}

/* Make a page of a file that is to be written through a mapping dirty, with all its blocks. */
static int make_writable(struct ext2 *ext2, struct ext2_node *node, uint64_t index)
{
	size_t end = u64_min(FS_PAGE_SIZE, node->size - index * FS_PAGE_SIZE), ready, got;
	struct fs_page *page;
	uint8_t fresh = 0;
	int error;

	error = fs_cache_get_pages(ext2->cache, node->ino, index, 1, &page, &got);
	if (error != 0) {
		return error;
	}
	error = ext2_fill_page(ext2, node, page);
	if (error == 0) {
		error = ext2_map_page(ext2, node, page);
	}
	if (error == 0) {
		error = alloc_parts(ext2, node, page, 0, end, &fresh, &ready);
	}
	if (error == 0 || fresh != 0) {
		fs_page_set_dirty(ext2->cache, page);
	}
	node->is_tail_mapped = node->is_tail_mapped || end < FS_PAGE_SIZE;
	fs_cache_put_page(ext2->cache, page);
	return error;
}

int ext2_mkwrite(struct fs *fs, uint64_t ino, uint64_t position, size_t len, size_t *done)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct ext2_node *node;
	int error;

	*done = 0;
	error = ext2_get_file_to_write(ext2, ino, &node);
	if (error != 0) {
		return error;
	}
	if (position >= node->size) {
		error = -EFAULT;
	} else {
		len = u64_min(len, node->size - position);
	}
	while (*done < len && error == 0) {
		uint64_t at = position + *done;

		error = make_writable(ext2, node, at / FS_PAGE_SIZE);
		if (error == 0) {
			*done += u64_min(len - *done, FS_PAGE_SIZE - at % FS_PAGE_SIZE);
			ext2_node_touch(ext2, node, EXT2_MTIME | EXT2_CTIME);
		}
	}
	ext2_node_put(ext2, node, 1);
	return *done > 0 ? 0 : error;
}
