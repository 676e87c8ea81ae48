/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contents of regular files: through pages of the cache that are known by (inode, page in the
 * file).
 *
 * A transfer goes in batches of pages: all of a batch are pinned, what is missing is read in as few
 * device requests as its layout allows, then one call copies the batch from or to the caller.
 */
#include "fs/ext2/file.h"

#include "fs/ext2/bmap.h"

#include <errno.h>
#include <string.h>

#define BATCH_PAGES     32
#define READ_WINDOW_MIN 4 /* pages that the first sequential read looks ahead */

_Static_assert(BATCH_PAGES <= FS_IOVEC_MAX, "a batch is copied in one call");

struct batch {
	struct ext2 *ext2;
	struct ext2_node *node;
	struct fs_page *page[BATCH_PAGES];
	uint8_t fresh[BATCH_PAGES]; /* writes: bit per slot: newly allocated, no contents until the
				       copy has come */
	size_t count;
};

static void batch_put(struct batch *batch)
{
	while (batch->count > 0) {
		fs_cache_put_page(batch->ext2->cache, batch->page[--batch->count]);
	}
}

static unsigned page_slots(const struct ext2 *ext2)
{
	return FS_PAGE_SIZE >> ext2->block_shift;
}

/* Look up where all slots of a page are. */
static int map_page(struct ext2 *ext2, struct ext2_node *node, struct fs_page *page)
{
	unsigned slots = page_slots(ext2);

	for (unsigned slot = 0; slot < slots; slot++) {
		uint64_t file_block = page->index * slots + slot;
		uint32_t block = 0;
		int error;

		if ((page->known >> slot) & 1) {
			continue;
		}
		error = ext2_map(ext2, node, file_block, &block);
		if (error != 0 && error != -EFBIG) {
			return error;
		}
		fs_cache_map_slot(page, slot, block);
	}
	return 0;
}

static bool page_is_complete(const struct ext2 *ext2, const struct fs_page *page)
{
	return page->valid == (1u << page_slots(ext2)) - 1;
}

/* How many pages beyond a request to read along: grows while the reader goes on where it stopped.
 */
static size_t read_window(struct ext2 *ext2, struct ext2_node *node, uint64_t position)
{
	size_t limit = fs_cache_readahead_limit(ext2->cache);

	if (position != node->next_read) {
		node->read_window = 0;
		return 0;
	}
	node->read_window = (uint32_t)u64_min(
		limit, node->read_window == 0 ? READ_WINDOW_MIN : node->read_window * 2);
	return node->read_window;
}

/*
 * Pin and bring in pages from `first` on: `wanted` of them, and, when any is missing, up to `ahead`
 * more. The first *usable of the batch have their contents; fails only when not even one has.
 */
static int batch_read(
	struct batch *batch, uint64_t first, size_t wanted, size_t ahead, size_t *usable)
{
	struct ext2 *ext2 = batch->ext2;
	size_t limit = u64_min(BATCH_PAGES, fs_cache_readahead_limit(ext2->cache));
	bool is_complete = true;
	int error = 0;

	for (size_t i = 0; i < wanted + ahead && i < limit && error == 0; i++) {
		struct fs_page *page;

		if (i == wanted && is_complete) {
			break;
		}
		error = fs_cache_get_page(ext2->cache, batch->node->ino, first + i, &page);
		if (error == 0 && !page_is_complete(ext2, page)) {
			is_complete = false;
			error = map_page(ext2, batch->node, page);
			if (error != 0) {
				fs_cache_put_page(ext2->cache, page);
			}
		}
		if (error == 0) {
			batch->page[batch->count++] = page;
		}
	}
	if (!is_complete && batch->count > 0) {
		error = fs_cache_fill_pages(ext2->cache, batch->page, batch->count);
	}
	*usable = 0;
	while (*usable < batch->count && page_is_complete(ext2, batch->page[*usable])) {
		*usable += 1;
	}
	if (*usable > 0) {
		return 0;
	}
	return error != 0 ? error : -EIO;
}

/* Copy the bytes [position, position + len) of the batch, whose first page holds `position`. */
static int batch_copy(const struct batch *batch, uint64_t position, size_t len,
	struct fs_data *data, uint64_t data_offset, bool to_caller)
{
	struct fs_iovec vec[BATCH_PAGES];
	size_t offset = position % FS_PAGE_SIZE, count = 0;

	for (size_t i = 0; len > 0; i++) {
		uint8_t *base = batch->page[i]->data + offset;
		size_t here = u64_min(len, FS_PAGE_SIZE - offset);

		if (count > 0 && (uint8_t *)vec[count - 1].base + vec[count - 1].len == base) {
			vec[count - 1].len += here;
		} else {
			vec[count].base = base;
			vec[count].len = here;
			count++;
		}
		len -= here;
		offset = 0;
	}
	return data->copy(data, data_offset, vec, count, to_caller);
}

/* Pages that [position, position + len) touches. */
static size_t pages_of(uint64_t position, uint64_t len)
{
	return (size_t)((position + len + FS_PAGE_SIZE - 1) / FS_PAGE_SIZE -
		position / FS_PAGE_SIZE);
}

static int get_file(struct ext2 *ext2, uint64_t ino, struct ext2_node **node)
{
	int error = ext2_node_get(ext2, ino, node);

	if (error == 0 && !ext2_is_reg(*node)) {
		error = ext2_is_dir(*node) ? -EISDIR : -EINVAL;
		ext2_node_put(ext2, *node, 1);
	}
	return error;
}

static int read_batches(
	struct batch *batch, uint64_t position, size_t len, struct fs_data *data, size_t *done)
{
	struct ext2_node *node = batch->node;
	uint64_t file_pages = (node->size + FS_PAGE_SIZE - 1) / FS_PAGE_SIZE;
	int error = 0;

	while (len > 0 && error == 0) {
		uint64_t first = position / FS_PAGE_SIZE;
		size_t wanted = u64_min(pages_of(position, len), BATCH_PAGES);
		size_t ahead = u64_min(
			read_window(batch->ext2, node, position), file_pages - first - wanted);
		size_t usable;

		error = batch_read(batch, first, wanted, ahead, &usable);
		if (error == 0) {
			size_t here = u64_min(len, usable * FS_PAGE_SIZE - position % FS_PAGE_SIZE);

			error = batch_copy(batch, position, here, data, *done, true);
			if (error == 0) {
				*done += here;
				position += here;
				len -= here;
				node->next_read = position;
			}
		}
		batch_put(batch);
	}
	return error;
}

int ext2_read(struct fs *fs, uint64_t ino, uint64_t position, size_t len, struct fs_data *data,
	size_t *done)
{
	struct batch batch = {.ext2 = ext2_of(fs)};
	int error;

	*done = 0;
	error = get_file(batch.ext2, ino, &batch.node);
	if (error != 0) {
		return error;
	}
	if (position < batch.node->size && len > 0) {
		len = u64_min(len, batch.node->size - position);
		error = read_batches(&batch, position, len, data, done);
		ext2_node_accessed(batch.ext2, batch.node);
	}
	ext2_node_put(batch.ext2, batch.node, 1);
	return *done > 0 ? 0 : error;
}

/*
 * Make the bytes [start, end) of a page ready to be overwritten: blocks allocated, and what stays
 * of partly overwritten blocks present. *ready tells up to where it went; 0 when all did.
 */
static int prepare_page(struct ext2 *ext2, struct ext2_node *node, struct fs_page *page,
	size_t start, size_t end, uint8_t *fresh, size_t *ready)
{
	uint32_t size = ext2->block_size;

	*ready = start;
	*fresh = 0;
	for (unsigned slot = (unsigned)(start >> ext2->block_shift);
		slot << ext2->block_shift < end; slot++) {
		size_t slot_start = (size_t)slot << ext2->block_shift, slot_end = slot_start + size;
		bool is_partial = start > slot_start || end < slot_end, is_new;
		uint32_t block;
		int error;

		/* Read first: an error must not leave a new block behind. */
		if (is_partial && !((page->valid >> slot) & 1)) {
			error = map_page(ext2, node, page);
			if (error == 0) {
				error = fs_cache_fill_pages(ext2->cache, &page, 1);
			}
			if (!((page->valid >> slot) & 1)) {
				return error != 0 ? error : -EIO;
			}
		}
		if (!((page->known >> slot) & 1) || page->block[slot] == 0) {
			error = ext2_map_alloc(
				ext2, node, page->index * page_slots(ext2) + slot, &block, &is_new);
			if (error != 0) {
				return error;
			}
			fs_cache_map_slot(page, slot, block);
			if ((page->valid >> slot) & 1) {
				fs_cache_dirty_slot(ext2->cache, page, slot);
			} else if (is_new) {
				*fresh |= (uint8_t)(1u << slot);
			}
		}
		*ready = u64_min(slot_end, end);
	}
	return 0;
}

/*
 * Note that [start, end) of a page has been copied. After a copy that failed, what had contents
 * counts as changed, new blocks become zeroes, and the rest is what the disk has.
 */
static void dirty_range(struct ext2 *ext2, struct fs_page *page, size_t start, size_t end,
	uint8_t fresh, bool is_copied)
{
	for (unsigned slot = (unsigned)(start >> ext2->block_shift);
		slot << ext2->block_shift < end; slot++) {
		bool is_fresh = (fresh >> slot) & 1;

		if (!is_copied && is_fresh) {
			memset(page->data + ((size_t)slot << ext2->block_shift), 0,
				ext2->block_size);
		}
		if (is_copied || is_fresh || ((page->valid >> slot) & 1)) {
			fs_cache_dirty_slot(ext2->cache, page, slot);
		}
	}
}

static void batch_dirty(const struct batch *batch, uint64_t position, size_t len, bool is_copied)
{
	size_t passed = 0;

	for (size_t i = 0; passed < len; i++) {
		size_t start = (position + passed) % FS_PAGE_SIZE;
		size_t end = u64_min(FS_PAGE_SIZE, start + len - passed);

		dirty_range(batch->ext2, batch->page[i], start, end, batch->fresh[i], is_copied);
		passed += end - start;
	}
}

/* Prepare up to a batch of pages for [position, position + len); *ready: bytes that may be copied.
 */
static int batch_prepare(struct batch *batch, uint64_t position, size_t len, size_t *ready)
{
	size_t limit = u64_min(BATCH_PAGES, fs_cache_readahead_limit(batch->ext2->cache));

	*ready = 0;
	while (*ready < len && batch->count < limit) {
		size_t start = (position + *ready) % FS_PAGE_SIZE;
		size_t end = u64_min(FS_PAGE_SIZE, start + len - *ready), until;
		struct fs_page *page;
		int error;

		error = fs_cache_get_page(batch->ext2->cache, batch->node->ino,
			(position + *ready) / FS_PAGE_SIZE, &page);
		if (error != 0) {
			return error;
		}
		batch->page[batch->count++] = page;
		error = prepare_page(batch->ext2, batch->node, page, start, end,
			&batch->fresh[batch->count - 1], &until);
		*ready += until - start;
		if (error != 0) {
			return error;
		}
	}
	return 0;
}

/* Note that a file has 2 GiB or more, which old systems must know before they open it. */
static void note_large_file(struct ext2 *ext2, const struct ext2_node *node)
{
	if (node->size > INT32_MAX &&
		!(ext2->super.feature_ro_compat & EXT2_RO_COMPAT_LARGE_FILE)) {
		ext2->super.feature_ro_compat |= EXT2_RO_COMPAT_LARGE_FILE;
		ext2->super_dirty = true;
	}
}

/*
 * Take away what lies beyond the end of the file, after a truncation or a failed write: blocks,
 * pages, and what a failed copy left behind the end in the last block.
 */
static void trim_to_size(struct ext2 *ext2, struct ext2_node *node)
{
	uint64_t first_block = (node->size + ext2->block_size - 1) >> ext2->block_shift;
	uint64_t page_index = node->size / FS_PAGE_SIZE;
	unsigned slots = page_slots(ext2);
	struct fs_page *page = NULL;

	if (node->size % FS_PAGE_SIZE != 0) {
		page = fs_cache_find_page(ext2->cache, node->ino, page_index++);
	}
	if (page != NULL) {
		size_t offset = node->size % FS_PAGE_SIZE;
		unsigned last = (unsigned)(offset >> ext2->block_shift);

		if (offset % ext2->block_size != 0 && ((page->valid >> last) & 1)) {
			memset(page->data + offset, 0,
				((size_t)(last + 1) << ext2->block_shift) - offset);
			if (page->block[last] != 0) {
				fs_cache_dirty_slot(ext2->cache, page, last);
			}
		}
		for (unsigned slot = 0; slot < slots; slot++) {
			if (page->index * slots + slot >= first_block) {
				fs_cache_zero_slot(ext2->cache, page, slot);
				fs_cache_map_slot(page, slot, 0);
			}
		}
		fs_cache_put_page(ext2->cache, page);
	}
	fs_cache_drop(ext2->cache, node->ino, page_index, UINT64_MAX);
	ext2_free_tail(ext2, node, first_block);
}

static int write_batches(
	struct batch *batch, uint64_t position, size_t len, struct fs_data *data, size_t *done)
{
	struct ext2 *ext2 = batch->ext2;
	struct ext2_node *node = batch->node;
	int error = 0;

	while (len > 0 && error == 0) {
		size_t ready;
		int result;

		error = batch_prepare(batch, position, len, &ready);
		result = ready > 0 ? batch_copy(batch, position, ready, data, *done, false) : 0;
		batch_dirty(batch, position, ready, result == 0);
		if (result == 0 && ready > 0) {
			position += ready;
			*done += ready;
			len -= ready;
			if (position > node->size) {
				node->size = position;
				note_large_file(ext2, node);
			}
		}
		batch_put(batch);
		error = result != 0 ? result : error;
		fs_cache_balance(ext2->cache);
	}
	return error;
}

int ext2_write(struct fs *fs, uint64_t ino, uint64_t position, size_t len, struct fs_data *data,
	size_t *done)
{
	struct batch batch = {.ext2 = ext2_of(fs)};
	struct ext2 *ext2 = batch.ext2;
	int error;

	*done = 0;
	if (fs->read_only) {
		return -EROFS;
	}
	error = get_file(ext2, ino, &batch.node);
	if (error != 0) {
		return error;
	}
	if (len > 0 && position >= ext2->max_size) {
		error = -EFBIG;
	} else if (len > 0) {
		len = u64_min(len, ext2->max_size - position);
		error = write_batches(&batch, position, len, data, done);
		if (error != 0) {
			trim_to_size(ext2, batch.node);
		}
		if (*done > 0) {
			ext2_node_touch(ext2, batch.node, EXT2_MTIME | EXT2_CTIME);
		}
	}
	ext2_node_put(ext2, batch.node, 1);
	return *done > 0 ? 0 : error;
}

/* Bring in the block that is to be the file's last, if it stays in part: trim_to_size() will zero
 * its end. */
static int read_last(struct ext2 *ext2, struct ext2_node *node, uint64_t size)
{
	unsigned slot = (unsigned)((size % FS_PAGE_SIZE) >> ext2->block_shift);
	struct fs_page *page;
	int error;

	if (size % ext2->block_size == 0) {
		return 0;
	}
	error = fs_cache_get_page(ext2->cache, node->ino, size / FS_PAGE_SIZE, &page);
	if (error != 0) {
		return error;
	}
	error = map_page(ext2, node, page);
	if (error == 0) {
		error = fs_cache_fill_pages(ext2->cache, &page, 1);
	}
	if ((page->valid >> slot) & 1) {
		error = 0;
	}
	fs_cache_put_page(ext2->cache, page);
	return error;
}

int ext2_truncate(struct fs *fs, uint64_t ino, uint64_t size)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct ext2_node *node;
	int error;

	if (fs->read_only) {
		return -EROFS;
	}
	error = get_file(ext2, ino, &node);
	if (error != 0) {
		return error;
	}
	if (size > ext2->max_size) {
		error = -EFBIG;
	} else if (size < node->size) {
		error = read_last(ext2, node, size);
	}
	if (error == 0) {
		bool is_shorter = size < node->size;

		node->size = size;
		if (is_shorter) {
			trim_to_size(ext2, node);
		}
		note_large_file(ext2, node);
		ext2_node_touch(ext2, node, EXT2_MTIME | EXT2_CTIME);
	}
	ext2_node_put(ext2, node, 1);
	return error;
}

int ext2_fsync(struct fs *fs, uint64_t ino, bool data_only)
{
	struct ext2 *ext2 = ext2_of(fs);
	int error, result;

	(void)data_only;
	if (fs->read_only) {
		return 0;
	}
	error = fs_cache_flush(ext2->cache, ino);
	result = ext2_nodes_store(ext2);
	error = error != 0 ? error : result;
	result = ext2_store_super(ext2);
	error = error != 0 ? error : result;
	result = fs_cache_flush(ext2->cache, FS_OBJECT_DEVICE);
	error = error != 0 ? error : result;
	if (error == 0 && ext2->device->flush != NULL) {
		error = ext2->device->flush(ext2->device);
	}
	return error;
}
