/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transfers between the cache and the device: what is wanted is sorted by its place on the device,
 * and each run of neighbours travels in one request, since a round trip to the driver is the dear
 * part.
 */
#include "lib/fs/cache_impl.h"

#include <errno.h>
#include <stdlib.h>

static int compare_slots(const void *a, const void *b)
{
	const struct fs_slot_ref *left = a, *right = b;

	return left->block < right->block ? -1 : left->block > right->block;
}

/* Move batch[first .. ) as far as blocks follow each other; *end is the first that was left out. */
static int transfer_run(
	struct fs_cache *cache, bool is_write, size_t first, size_t count, size_t *end)
{
	struct fs_iovec vec[FS_IOVEC_MAX];
	size_t pieces = 0, i;

	for (i = first; i < count; i++) {
		const struct fs_slot_ref *ref = &cache->batch[i];
		uint8_t *data = fs_page_slot_data(cache, ref->page, ref->slot);

		if (i > first && ref->block != ref[-1].block + 1) {
			break;
		}
		if (pieces > 0 && (uint8_t *)vec[pieces - 1].base + vec[pieces - 1].len == data) {
			vec[pieces - 1].len += cache->block_size;
			continue;
		}
		if (pieces == FS_IOVEC_MAX) {
			break;
		}
		vec[pieces].base = data;
		vec[pieces].len = cache->block_size;
		pieces++;
	}
	*end = i;
	cache->transfers++;
	return cache->device->transfer(cache->device, is_write,
		cache->batch[first].block * cache->block_size, vec, pieces);
}

/* Note that a slot has arrived. */
static void slot_done(struct fs_cache *cache, bool is_write, const struct fs_slot_ref *ref)
{
	uint8_t mask = (uint8_t)(1u << ref->slot);

	if (is_write) {
		fs_page_clear_dirty(cache, ref->page, mask);
	} else {
		ref->page->valid |= mask;
		ref->page->checked &= (uint8_t)~mask;
	}
}

/* Move the whole sorted batch. A run that fails is tried again block by block: one bad sector costs
 * one block. */
static int transfer_batch(struct fs_cache *cache, bool is_write, size_t count)
{
	int error = 0;
	size_t end;

	qsort(cache->batch, count, sizeof(cache->batch[0]), compare_slots);
	for (size_t first = 0; first < count; first = end) {
		int result = transfer_run(cache, is_write, first, count, &end);
		bool is_single = result == -EIO && end > first + 1;

		for (size_t i = first; i < end; i++) {
			size_t ignored;
			int single = is_single ? transfer_run(cache, is_write, i, i + 1, &ignored)
					       : result;

			if (single == 0) {
				slot_done(cache, is_write, &cache->batch[i]);
			} else if (error == 0) {
				error = single;
			}
		}
	}
	return error;
}

int fs_cache_read_batch(struct fs_cache *cache, size_t count)
{
	return transfer_batch(cache, false, count);
}

/* Fill the batch with the oldest dirty slots that are selected; returns how many. */
static size_t collect_dirty(
	struct fs_cache *cache, bool (*selects)(const struct fs_page *, uint64_t), uint64_t object)
{
	size_t count = 0;

	list_for_each(page, &cache->dirty_list, struct fs_page, dirty_link)
	{
		if (!selects(page, object)) {
			continue;
		}
		if (count + cache->slots > FS_BATCH_SLOTS) {
			break;
		}
		for (unsigned slot = 0; slot < cache->slots; slot++) {
			if (!((page->dirty >> slot) & 1)) {
				continue;
			}
			cache->batch[count].block = fs_page_slot_block(cache, page, slot);
			cache->batch[count].page = page;
			cache->batch[count].slot = (uint8_t)slot;
			count++;
		}
	}
	return count;
}

int fs_cache_write_batch(struct fs_cache *cache, bool (*selects)(const struct fs_page *, uint64_t),
	uint64_t object, size_t *written)
{
	size_t count = collect_dirty(cache, selects, object);
	size_t dirty_before = cache->dirty_pages;
	int error = transfer_batch(cache, true, count);

	*written = dirty_before - cache->dirty_pages;
	return error;
}
