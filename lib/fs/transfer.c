/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transfers between the cache and the device: what is wanted is sorted by its place on the device,
 * and each run of neighbours travels in one request, since a round trip to the driver is the dear
 * part.
 */
#include "lib/fs/cache_impl.h"

#include <errno.h>
#include <stdlib.h>

static int compare_blocks(const void *a, const void *b)
{
	const struct fs_block_ref *left = a, *right = b;

	return left->block < right->block ? -1 : left->block > right->block;
}

/* The bytes of a block that there are: the last one may reach beyond the device. */
static size_t block_bytes(const struct fs_cache *cache, uint32_t block)
{
	return u64_min(
		cache->block_size, cache->device->size_bytes - (uint64_t)block * cache->block_size);
}

/* Move batch[first .. ) as far as blocks follow each other; *end is the first that was left out. */
static int transfer_run(
	struct fs_cache *cache, bool is_write, size_t first, size_t count, size_t *end)
{
	struct fs_iovec vec[FS_IOVEC_MAX];
	size_t pieces = 0, i;

	for (i = first; i < count; i++) {
		const struct fs_block_ref *ref = &cache->batch[i];
		uint8_t *data =
			fs_page_data(cache, ref->page) + (size_t)ref->part * cache->block_size;

		if (i > first && ref->block != ref[-1].block + 1) {
			break;
		}
		if (pieces > 0 && (uint8_t *)vec[pieces - 1].base + vec[pieces - 1].len == data) {
			vec[pieces - 1].len += block_bytes(cache, ref->block);
			continue;
		}
		if (pieces == FS_IOVEC_MAX) {
			break;
		}
		vec[pieces].base = data;
		vec[pieces].len = block_bytes(cache, ref->block);
		pieces++;
	}
	*end = i;
	cache->transfers++;
	return cache->device->transfer(cache->device, is_write,
		(uint64_t)cache->batch[first].block * cache->block_size, vec, pieces);
}

/* A run that fails is tried again block by block: one bad sector costs one page. */
int fs_cache_transfer(struct fs_cache *cache, bool is_write, size_t count)
{
	int error = 0;
	size_t end;

	qsort(cache->batch, count, sizeof(cache->batch[0]), compare_blocks);
	for (size_t first = 0; first < count; first = end) {
		int result = transfer_run(cache, is_write, first, count, &end);
		bool is_single = result == -EIO && end > first + 1;

		for (size_t i = first; i < end && result != 0; i++) {
			size_t ignored;
			int single = is_single ? transfer_run(cache, is_write, i, i + 1, &ignored)
					       : result;

			if (single != 0) {
				cache->batch[i].page->has_failed = true;
				error = error != 0 ? error : single;
			}
		}
	}
	return error;
}
