/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/fs/devnode.h"

#include "lib/fs/cache_impl.h"

#include <errno.h>
#include <string.h>

#define RANGE_BLOCKS 32

_Static_assert(RANGE_BLOCKS <= FS_PAGES_MAX && RANGE_BLOCKS <= FS_IOVEC_MAX, "one batch");

/* Blocks in sequence and the pinned pages that they are in. */
struct range {
	struct fs_cache *cache;
	uint64_t first;
	size_t count;
	struct fs_page *page[RANGE_BLOCKS]; /* NULL: none */
	uint8_t part[RANGE_BLOCKS];         /* which part of it */
};

uint64_t fs_device_size(const struct fs_cache *cache)
{
	return u64_min(cache->device->size_bytes, (UINT32_MAX + 1ull) * cache->block_size);
}

static void range_put(struct range *range)
{
	for (size_t i = 0; i < range->count; i++) {
		if (range->page[i] != NULL) {
			fs_cache_put_page(range->cache, range->page[i]);
		}
	}
}

/* Pin the page if it holds a block of the range. */
static void add_holder(struct range *range, struct fs_page *page, unsigned part)
{
	uint64_t at = page->block[part] - range->first;

	if (!(page->known >> part & 1) || page->block[part] == 0 || at >= range->count ||
		range->page[at] != NULL ||
		fs_cache_find_page(range->cache, page->object, page->index) == NULL) {
		return;
	}
	if (!fs_page_is_valid(range->cache, page)) {
		fs_cache_put_page(range->cache, page);
		return;
	}
	range->page[at] = page;
	range->part[at] = (uint8_t)part;
}

/* Blocks that are in pages of files. All pages are looked at once for the whole range. */
static void find_holders(struct range *range)
{
	struct fs_cache *cache = range->cache;

	for (uint32_t slot = 0; slot < cache->high; slot++) {
		struct fs_page *page = &cache->page[slot];

		for (unsigned part = 0; part < cache->parts && page->is_named &&
			page->object != FS_OBJECT_DEVICE && page->object != FS_OBJECT_LOG;
			part++) {
			add_holder(range, page, part);
		}
	}
}

/* The others, as pages of the device. */
static int take_others(struct range *range)
{
	struct fs_cache *cache = range->cache;
	int error = 0;

	for (size_t i = 0; i < range->count && error == 0; i++) {
		struct fs_page *pages[RANGE_BLOCKS];
		size_t run = 0, got = 0;

		while (i + run < range->count && range->page[i + run] == NULL) {
			run++;
		}
		if (run == 0) {
			continue;
		}
		error = fs_cache_get_pages(
			cache, FS_OBJECT_DEVICE, range->first + i, run, pages, &got);
		memcpy(&range->page[i], pages, got * sizeof(pages[0]));
		i += run - 1;
	}
	return error;
}

/* Bring in what is not valid; *usable: so many of the first blocks have their contents. */
static int fill(struct range *range, size_t *usable)
{
	struct fs_page *missing[RANGE_BLOCKS];
	size_t count = 0;
	int error = 0;

	for (size_t i = 0; i < range->count; i++) {
		if (range->page[i] != NULL && !fs_page_is_valid(range->cache, range->page[i])) {
			missing[count++] = range->page[i];
		}
	}
	if (count > 0) {
		error = fs_cache_fill_pages(range->cache, missing, count);
	}
	*usable = 0;
	while (*usable < range->count && range->page[*usable] != NULL &&
		fs_page_is_valid(range->cache, range->page[*usable])) {
		*usable += 1;
	}
	return error;
}

/* A range of the blocks of [position, position + len). */
static void range_init(struct range *range, struct fs_cache *cache, uint64_t position, uint64_t len)
{
	uint64_t size = cache->block_size;

	memset(range, 0, sizeof(*range));
	range->cache = cache;
	range->first = position / size;
	range->count = u64_min(RANGE_BLOCKS, (position + len + size - 1) / size - range->first);
}

static int range_read(struct range *range, size_t *usable)
{
	int error, result;

	find_holders(range);
	error = take_others(range);
	result = fill(range, usable);
	if (*usable > 0) {
		return 0;
	}
	return error != 0 ? error : result != 0 ? result : -EIO;
}

/* Copy [position, position + len) between the range and the caller. */
static int range_copy(const struct range *range, uint64_t position, size_t len,
	struct fs_data *data, size_t at, bool to_caller)
{
	size_t size = range->cache->block_size, offset = position % size, count = 0;
	struct fs_iovec vec[RANGE_BLOCKS];

	while (len > 0) {
		size_t here = u64_min(len, size - offset);

		vec[count].base = fs_page_data(range->cache, range->page[count]) +
			range->part[count] * size + offset;
		vec[count].len = here;
		count++;
		len -= here;
		offset = 0;
	}
	return data->copy(data, at, vec, count, to_caller);
}

/* What [position, position + len) has on the device. */
static size_t limit(const struct fs_cache *cache, uint64_t position, size_t len)
{
	uint64_t size = fs_device_size(cache);

	return position < size ? u64_min(len, size - position) : 0;
}

int fs_device_read(
	struct fs_cache *cache, uint64_t position, size_t len, struct fs_data *data, size_t *done)
{
	int error = 0;

	len = limit(cache, position, len);
	for (*done = 0; *done < len && error == 0;) {
		uint64_t at = position + *done;
		struct range range;
		size_t usable;

		range_init(&range, cache, at, len - *done);
		error = range_read(&range, &usable);
		if (error == 0) {
			size_t here = u64_min(
				len - *done, usable * cache->block_size - at % cache->block_size);

			error = range_copy(&range, at, here, data, *done, true);
			*done += error == 0 ? here : 0;
		}
		range_put(&range);
	}
	return *done > 0 ? 0 : error;
}

/* Bring in those blocks of which only a part is to be written: the first and the last. */
static int fill_ends(struct range *range, uint64_t position, size_t len)
{
	uint64_t size = range->cache->block_size, end = position + len;
	struct fs_page *ends[2];
	size_t count = 0;

	if (position % size != 0 || (range->count == 1 && end % size != 0)) {
		ends[count++] = range->page[0];
	}
	if (range->count > 1 && end % size != 0 && end < fs_device_size(range->cache)) {
		ends[count++] = range->page[range->count - 1];
	}
	return count == 0 ? 0 : fs_cache_fill_pages(range->cache, ends, count);
}

/* Write to a range whose blocks are all pages of the device. */
static int range_write(
	struct range *range, uint64_t position, size_t len, struct fs_data *data, size_t at)
{
	int error = fill_ends(range, position, len);

	if (error != 0) {
		return error;
	}
	error = range_copy(range, position, len, data, at, false);
	for (size_t i = 0; i < range->count; i++) {
		/* After an error nobody knows how far it came; what was nothing before stays so. */
		if (error == 0) {
			fs_page_set_valid(range->cache, range->page[i]);
		}
		if (fs_page_is_valid(range->cache, range->page[i])) {
			fs_page_set_dirty(range->cache, range->page[i]);
		}
	}
	return error;
}

int fs_device_write(
	struct fs_cache *cache, uint64_t position, size_t len, struct fs_data *data, size_t *done)
{
	int error = 0;

	*done = 0;
	if (cache->device->read_only) {
		return -EROFS;
	}
	if (len > 0 && limit(cache, position, len) == 0) {
		return -ENOSPC;
	}
	len = limit(cache, position, len);
	while (*done < len && error == 0) {
		uint64_t at = position + *done;
		struct range range;
		size_t got = 0;

		range_init(&range, cache, at, len - *done);
		error = fs_cache_get_pages(
			cache, FS_OBJECT_DEVICE, range.first, range.count, range.page, &got);
		range.count = got;
		if (error == 0) {
			size_t here = u64_min(
				len - *done, got * cache->block_size - at % cache->block_size);

			error = range_write(&range, at, here, data, *done);
			*done += error == 0 ? here : 0;
		}
		range_put(&range);
	}
	return *done > 0 ? 0 : error;
}

/* As fs_device_peek(); `write`: dirty. */
static int peek(struct fs_cache *cache, uint64_t position, size_t len, bool write, size_t *done)
{
	int error = 0;

	*done = 0;
	if (cache->parts > 1) {
		return -ENOSYS;
	}
	len = limit(cache, position, len);
	while (*done < len && error == 0) {
		uint64_t at = position + *done;
		struct range range;
		size_t usable;

		range_init(&range, cache, at, len - *done);
		error = range_read(&range, &usable);
		for (size_t i = 0; error == 0 && i < usable; i++) {
			fs_place_tell_again(cache, range.page[i]);
			if (write) {
				fs_page_set_dirty(cache, range.page[i]);
			}
		}
		if (error == 0) {
			error = fs_cache_tell_places(cache);
		}
		if (error == 0) {
			*done += u64_min(
				len - *done, usable * cache->block_size - at % cache->block_size);
		}
		range_put(&range);
	}
	return *done > 0 ? 0 : error;
}

int fs_device_peek(struct fs_cache *cache, uint64_t position, size_t len, size_t *done)
{
	return peek(cache, position, len, false, done);
}

int fs_device_mkwrite(struct fs_cache *cache, uint64_t position, size_t len, size_t *done)
{
	int error;

	if (cache->device->read_only) {
		*done = 0;
		return -EROFS;
	}
	error = peek(cache, position, len, true, done);
	return error == 0 && *done == 0 ? -EFAULT : error;
}
