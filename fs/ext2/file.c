/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contents of regular files: through pages of the cache that are known by (inode, page in the
 * file). Writing stands in write.c, changes of the size in resize.c.
 *
 * A transfer goes in batches of pages: all of a batch are pinned, what is missing is read in as few
 * device requests as its layout allows, then one call copies the batch from or to the caller.
 */
#include "fs/ext2/file.h"

#include "fs/ext2/page.h"

#include <errno.h>

/* How many pages beyond a request to read along: grows while the reader goes on where it stopped.
 */
static size_t read_window(struct ext2_node *node, uint64_t position)
{
	if (position != node->next_read) {
		node->read_window = 0;
		return 0;
	}
	node->read_window = (uint32_t)u64_min(FS_AHEAD_MAX,
		node->read_window == 0 ? EXT2_READ_WINDOW_MIN : node->read_window * 2);
	return node->read_window;
}

/* Pin pages from `first` on as long as they are in the cache; whether all `wanted` are. */
static bool batch_find(struct ext2_batch *batch, uint64_t first, size_t wanted)
{
	struct fs_cache *cache = batch->ext2->cache;

	for (size_t i = 0; i < wanted; i++) {
		struct fs_page *page = fs_cache_find_page(cache, batch->node->ino, first + i);

		if (page == NULL) {
			return false;
		}
		batch->page[batch->count++] = page;
		if (!fs_page_is_valid(cache, page)) {
			return false;
		}
	}
	return true;
}

/*
 * Pin and bring in pages from `first` on: `wanted` of them, and, when any is missing, up to `ahead`
 * more. The first *usable of the batch have their contents; fails only when not even one has.
 */
static int batch_read(
	struct ext2_batch *batch, uint64_t first, size_t wanted, size_t ahead, size_t *usable)
{
	struct ext2 *ext2 = batch->ext2;
	size_t count = u64_min(EXT2_BATCH_PAGES, wanted + ahead), mapped = 0;
	int error;

	*usable = wanted;
	if (batch_find(batch, first, wanted)) {
		return 0;
	}
	ext2_batch_put(batch);
	error = fs_cache_get_pages(
		ext2->cache, batch->node->ino, first, count, batch->page, &batch->count);
	while (error == 0 && mapped < batch->count) {
		if (!fs_page_is_valid(ext2->cache, batch->page[mapped])) {
			error = ext2_map_page(ext2, batch->node, batch->page[mapped]);
		}
		mapped += error == 0;
	}
	if (mapped > 0) {
		int result = fs_cache_fill_pages(ext2->cache, batch->page, mapped);

		error = error != 0 ? error : result;
	}
	*usable = 0;
	while (*usable < mapped && fs_page_is_valid(ext2->cache, batch->page[*usable])) {
		*usable += 1;
	}
	if (*usable > 0) {
		return 0;
	}
	return error != 0 ? error : -EIO;
}

static int read_batches(
	struct ext2_batch *batch, uint64_t position, size_t len, struct fs_data *data, size_t *done)
{
	struct ext2_node *node = batch->node;
	uint64_t file_pages = (node->size + FS_PAGE_SIZE - 1) / FS_PAGE_SIZE;
	int error = 0;

	while (len > 0 && error == 0) {
		uint64_t first = position / FS_PAGE_SIZE;
		size_t wanted = u64_min(ext2_pages_of(position, len), EXT2_BATCH_PAGES);
		size_t ahead = u64_min(read_window(node, position), file_pages - first - wanted);
		size_t usable;

		error = batch_read(batch, first, wanted, ahead, &usable);
		if (error == 0) {
			size_t here = u64_min(len, usable * FS_PAGE_SIZE - position % FS_PAGE_SIZE);

			error = ext2_batch_copy(batch, position, here, data, *done, true);
			if (error == 0) {
				*done += here;
				position += here;
				len -= here;
				node->next_read = position;
			}
		}
		ext2_batch_put(batch);
	}
	return error;
}

int ext2_read(struct fs *fs, uint64_t ino, uint64_t position, size_t len, struct fs_data *data,
	size_t *done)
{
	struct ext2_batch batch = {.ext2 = ext2_of(fs)};
	int error;

	*done = 0;
	error = ext2_get_file(batch.ext2, ino, &batch.node);
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

int ext2_peek(struct fs *fs, uint64_t ino, uint64_t position, size_t len, size_t *done)
{
	struct ext2_batch batch = {.ext2 = ext2_of(fs)};
	int error;

	*done = 0;
	error = ext2_get_file(batch.ext2, ino, &batch.node);
	if (error != 0) {
		return error;
	}
	len = position < batch.node->size ? u64_min(len, batch.node->size - position) : 0;
	while (*done < len && error == 0) {
		uint64_t at = position + *done;
		size_t usable;

		error = batch_read(&batch, at / FS_PAGE_SIZE,
			u64_min(ext2_pages_of(at, len - *done), EXT2_BATCH_PAGES), 0, &usable);
		if (error == 0) {
			*done += u64_min(len - *done, usable * FS_PAGE_SIZE - at % FS_PAGE_SIZE);
		}
		ext2_batch_put(&batch);
	}
	ext2_node_put(batch.ext2, batch.node, 1);
	return *done > 0 ? 0 : error;
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
