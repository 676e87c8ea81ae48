/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contents of files: pages of VM's cache. A page that holds data is dirty, for ever, so that it
 * stays; a page that was only looked at (a hole under a mapping) is clean and may go.
 */
#include <errno.h>
#include <string.h>

#include "fs/tmp/tmp.h"

#define BATCH_PAGES 32

_Static_assert(BATCH_PAGES <= FS_IOVEC_MAX && BATCH_PAGES <= FS_PAGES_MAX, "one call each");

static uint8_t zero_page[FS_PAGE_SIZE];

struct batch {
	struct fs_page *page[BATCH_PAGES]; /* NULL: a hole */
	size_t count;
};

static void batch_put(struct tmp_fs *tmp, struct batch *batch)
{
	while (batch->count > 0) {
		struct fs_page *page = batch->page[--batch->count];

		if (page != NULL) {
			fs_cache_put_page(tmp->cache, page);
		}
	}
}

/* Copy [position, position + len) between the batch and the caller. */
static int batch_copy(struct tmp_fs *tmp, const struct batch *batch, uint64_t position, size_t len,
	struct fs_data *data, uint64_t data_offset, bool to_caller)
{
	struct fs_iovec vec[BATCH_PAGES];
	size_t offset = position % FS_PAGE_SIZE, count = 0;

	for (; len > 0; count++) {
		const struct fs_page *page = batch->page[count];
		uint8_t *bytes = page != NULL ? fs_page_data(tmp->cache, page) : zero_page;
		size_t here = u64_min(len, FS_PAGE_SIZE - offset);

		vec[count] = (struct fs_iovec){bytes + offset, here};
		len -= here;
		offset = 0;
	}
	return data->copy(data, data_offset, vec, count, to_caller);
}

/* Bytes of [position, position + len) that lie in a batch's pages. */
static size_t batch_bytes(uint64_t position, size_t len)
{
	return u64_min(len, (uint64_t)BATCH_PAGES * FS_PAGE_SIZE - position % FS_PAGE_SIZE);
}

static size_t pages_of(uint64_t position, size_t len)
{
	return (size_t)((position + len + FS_PAGE_SIZE - 1) / FS_PAGE_SIZE -
		position / FS_PAGE_SIZE);
}

int tmp_data_read(struct tmp_fs *tmp, struct tmp_node *node, uint64_t position, size_t len,
	struct fs_data *data, size_t *done)
{
	struct batch batch = {.count = 0};
	int error = 0;

	*done = 0;
	len = position < node->attr.size ? u64_min(len, node->attr.size - position) : 0;
	while (*done < len && error == 0) {
		uint64_t at = position + *done;
		size_t here = batch_bytes(at, len - *done);

		for (size_t i = 0; i < pages_of(at, here); i++) {
			struct fs_page *page = fs_cache_find_page(
				tmp->cache, node->attr.ino, at / FS_PAGE_SIZE + i);

			if (page != NULL && !fs_page_is_valid(tmp->cache, page)) {
				fs_cache_put_page(tmp->cache, page);
				page = NULL;
			}
			batch.page[batch.count++] = page;
		}
		error = batch_copy(tmp, &batch, at, here, data, *done, true);
		batch_put(tmp, &batch);
		*done += error == 0 ? here : 0;
	}
	return *done > 0 ? 0 : error;
}

/* Let a page hold data: it counts from now on. -ENOSPC. */
static int make_data(struct tmp_fs *tmp, struct tmp_node *node, struct fs_page *page)
{
	if (page->is_dirty) {
		return 0;
	}
	if (tmp->used >= tmp->limit) {
		return -ENOSPC;
	}
	tmp->used++;
	node->attr.blocks += FS_PAGE_SIZE / 512;
	/* VM gives new pages full of zeroes. */
	fs_page_set_dirty(tmp->cache, page);
	fs_page_set_valid(tmp->cache, page);
	return 0;
}

/* Pin pages from `first` on, as many as hold or may hold data; -ENOSPC: not even one. */
static int batch_make(struct tmp_fs *tmp, struct tmp_node *node, uint64_t first, size_t count,
	struct batch *batch)
{
	size_t got;
	int error = fs_cache_get_pages(
		tmp->cache, node->attr.ino, first, u64_min(count, BATCH_PAGES), batch->page, &got);

	if (error != 0) {
		return -ENOSPC; /* of memory */
	}
	while (batch->count < got && error == 0) {
		error = make_data(tmp, node, batch->page[batch->count]);
		batch->count += error == 0;
	}
	for (size_t i = batch->count; i < got; i++) {
		bool is_data = batch->page[i]->is_dirty;

		fs_cache_put_page(tmp->cache, batch->page[i]);
		if (!is_data) {
			(void)fs_cache_drop(
				tmp->cache, node->attr.ino, first + i, first + i + 1, false);
		}
	}
	return batch->count > 0 ? 0 : error;
}

/* The file is about to grow: what a mapping wrote behind its end becomes zeroes. */
static void clean_tail(struct tmp_fs *tmp, struct tmp_node *node)
{
	size_t offset = node->attr.size % FS_PAGE_SIZE;
	struct fs_page *page;

	if (!node->is_tail_mapped || offset == 0) {
		return;
	}
	page = fs_cache_find_page(tmp->cache, node->attr.ino, node->attr.size / FS_PAGE_SIZE);
	if (page != NULL) {
		memset(fs_page_data(tmp->cache, page) + offset, 0, FS_PAGE_SIZE - offset);
		fs_cache_put_page(tmp->cache, page);
	}
}

/*
 * Take away what lies behind the end of the file, up to byte `end`, after a truncation or a write
 * that failed on its way there; is_mapped: mappings lose it as well.
 */
static void trim_to_size(struct tmp_fs *tmp, struct tmp_node *node, uint64_t end, bool is_mapped)
{
	uint64_t last = node->attr.size / FS_PAGE_SIZE;
	size_t offset = node->attr.size % FS_PAGE_SIZE;
	size_t dirty = fs_cache_drop(tmp->cache, node->attr.ino, last + (offset != 0),
		end / FS_PAGE_SIZE + 1, is_mapped);
	struct fs_page *page = NULL;

	tmp->used -= dirty;
	node->attr.blocks -= dirty * (FS_PAGE_SIZE / 512);
	if (offset != 0) {
		page = fs_cache_find_page(tmp->cache, node->attr.ino, last);
	}
	if (page != NULL) {
		memset(fs_page_data(tmp->cache, page) + offset, 0, FS_PAGE_SIZE - offset);
		fs_cache_put_page(tmp->cache, page);
	}
}

int tmp_data_write(struct tmp_fs *tmp, struct tmp_node *node, uint64_t position, size_t len,
	struct fs_data *data, size_t *done)
{
	struct batch batch = {.count = 0};
	int error = 0;

	*done = 0;
	if (position > TMP_FILE_MAX || len > TMP_FILE_MAX - position) {
		return -EFBIG;
	}
	if (position + len > node->attr.size) {
		clean_tail(tmp, node);
	}
	while (*done < len && error == 0) {
		uint64_t at = position + *done;
		size_t here;

		error = batch_make(tmp, node, at / FS_PAGE_SIZE, pages_of(at, len - *done), &batch);
		if (error != 0) {
			break;
		}
		here = u64_min(len - *done, batch.count * FS_PAGE_SIZE - at % FS_PAGE_SIZE);
		error = batch_copy(tmp, &batch, at, here, data, *done, false);
		batch_put(tmp, &batch);
		if (error == 0) {
			*done += here;
			node->attr.size = u64_max(node->attr.size, position + *done);
		}
	}
	if (error != 0 && position + len > node->attr.size) {
		trim_to_size(tmp, node, position + len, false);
	}
	return *done > 0 ? 0 : error;
}

int tmp_data_peek(
	struct tmp_fs *tmp, struct tmp_node *node, uint64_t position, size_t len, size_t *done)
{
	struct fs_page *page[BATCH_PAGES];
	int error = 0;

	*done = 0;
	len = position < node->attr.size ? u64_min(len, node->attr.size - position) : 0;
	while (*done < len && error == 0) {
		uint64_t at = position + *done;
		size_t here = batch_bytes(at, len - *done), got;

		error = fs_cache_get_pages(tmp->cache, node->attr.ino, at / FS_PAGE_SIZE,
			pages_of(at, here), page, &got);
		for (size_t i = 0; i < got; i++) {
			fs_page_set_valid(tmp->cache, page[i]);
			fs_cache_put_page(tmp->cache, page[i]);
		}
		if (error == 0) {
			*done += u64_min(here, got * FS_PAGE_SIZE - at % FS_PAGE_SIZE);
		}
	}
	return *done > 0 ? 0 : error;
}

int tmp_data_mkwrite(
	struct tmp_fs *tmp, struct tmp_node *node, uint64_t position, size_t len, size_t *done)
{
	struct batch batch = {.count = 0};
	int error = 0;

	*done = 0;
	if (position >= node->attr.size) {
		return -EFAULT;
	}
	len = u64_min(len, node->attr.size - position);
	while (*done < len && error == 0) {
		uint64_t at = position + *done;

		error = batch_make(tmp, node, at / FS_PAGE_SIZE, pages_of(at, len - *done), &batch);
		*done += error == 0
			? u64_min(len - *done, batch.count * FS_PAGE_SIZE - at % FS_PAGE_SIZE)
			: 0;
		batch_put(tmp, &batch);
	}
	node->is_tail_mapped = node->is_tail_mapped || position + *done == node->attr.size;
	return *done > 0 ? 0 : error;
}

void tmp_data_truncate(struct tmp_fs *tmp, struct tmp_node *node, uint64_t size, bool is_end)
{
	uint64_t old_size = node->attr.size;

	if (size > old_size) {
		clean_tail(tmp, node);
	}
	node->attr.size = size;
	if (size < old_size || is_end || node->reach > size) {
		trim_to_size(tmp, node, u64_max(old_size, node->reach), !is_end);
		node->reach = 0;
	}
}

/* Pages hold data no more. */
static void free_pages(struct tmp_fs *tmp, struct tmp_node *node, uint64_t first, uint64_t end)
{
	size_t dirty = fs_cache_drop(tmp->cache, node->attr.ino, first, end, false);

	tmp->used -= dirty;
	node->attr.blocks -= dirty * (FS_PAGE_SIZE / 512);
}

/* Make pages from `first` on hold data; *made: how many do. is_checked says which did not. */
static int make_pages(
	struct tmp_fs *tmp, struct tmp_node *node, uint64_t first, uint64_t count, size_t *made)
{
	struct batch batch = {.count = 0};
	bool had[BATCH_PAGES];
	int error;

	count = u64_min(count, BATCH_PAGES);
	for (uint64_t i = 0; i < count; i++) {
		struct fs_page *page = fs_cache_find_page(tmp->cache, node->attr.ino, first + i);

		had[i] = page != NULL && page->is_dirty;
		if (page != NULL) {
			fs_cache_put_page(tmp->cache, page);
		}
	}
	error = batch_make(tmp, node, first, count, &batch);
	*made = batch.count;
	for (size_t i = 0; i < batch.count; i++) {
		batch.page[i]->is_checked = !had[i];
	}
	batch_put(tmp, &batch);
	return error;
}

/* Take back what make_pages() has made. */
static void unmake_pages(struct tmp_fs *tmp, struct tmp_node *node, uint64_t first, uint64_t end)
{
	for (uint64_t index = first; index < end; index++) {
		struct fs_page *page = fs_cache_find_page(tmp->cache, node->attr.ino, index);
		bool is_new = page != NULL && page->is_checked;

		if (page != NULL) {
			fs_cache_put_page(tmp->cache, page);
		}
		if (is_new) {
			free_pages(tmp, node, index, index + 1);
		}
	}
}

int tmp_data_allocate(
	struct tmp_fs *tmp, struct tmp_node *node, uint64_t offset, uint64_t len, bool keep_size)
{
	uint64_t end = offset + len, first = offset / FS_PAGE_SIZE;
	uint64_t last = (end + FS_PAGE_SIZE - 1) / FS_PAGE_SIZE;

	if (end > TMP_FILE_MAX) {
		return -EFBIG;
	}
	if (last - first > tmp->limit) {
		return -ENOSPC;
	}
	for (uint64_t index = first; index < last;) {
		size_t made = 0;
		int error = make_pages(tmp, node, index, last - index, &made);

		if (error != 0) {
			unmake_pages(tmp, node, first, index);
			return error;
		}
		index += made;
	}
	if (end > node->attr.size && keep_size) {
		node->reach = u64_max(node->reach, end);
	} else if (end > node->attr.size) {
		clean_tail(tmp, node);
		node->attr.size = end;
	}
	return 0;
}

/* Bytes of one page become zeroes. */
static void clear_part(struct tmp_fs *tmp, struct tmp_node *node, uint64_t offset, uint64_t end)
{
	struct fs_page *page =
		fs_cache_find_page(tmp->cache, node->attr.ino, offset / FS_PAGE_SIZE);

	if (page != NULL) {
		memset(fs_page_data(tmp->cache, page) + offset % FS_PAGE_SIZE, 0, end - offset);
		fs_cache_put_page(tmp->cache, page);
	}
}

void tmp_data_punch(struct tmp_fs *tmp, struct tmp_node *node, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;
	uint64_t first = align_up(offset, FS_PAGE_SIZE), last = align_down(end, FS_PAGE_SIZE);

	if (first > last) {
		clear_part(tmp, node, offset, end);
		return;
	}
	if (offset < first) {
		clear_part(tmp, node, offset, first);
	}
	if (last < end) {
		clear_part(tmp, node, last, end);
	}
	free_pages(tmp, node, first / FS_PAGE_SIZE, last / FS_PAGE_SIZE);
}
