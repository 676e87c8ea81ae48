/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the pages of files lie on the device, as VM is told (proto/vm.h). What VM does not know yet
 * waits for the next request to it: who misses a page of the device asks the file system, which
 * knows. A place that is no longer right is taken back at once.
 */
#include "lib/fs/cache_impl.h"

#include <errno.h>

static void add_news(struct fs_cache *cache, struct fs_page *page)
{
	if (page->is_news) {
		return;
	}
	if (cache->news_count == VM_CACHE_BATCH) {
		/* What VM has no memory for it is told when somebody asks for it. */
		(void)fs_cache_tell_places(cache);
	}
	page->is_news = true;
	cache->news[cache->news_count++] = fs_page_slot(cache, page);
}

uint32_t fs_place_names(struct fs_cache *cache, struct vm_cache_name *names)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < cache->news_count; i++) {
		struct fs_page *page = &cache->page[cache->news[i]];

		/* The slot may be another page's by now. */
		if (page->is_news) {
			page->is_news = false;
			names[count++] = (struct vm_cache_name){.slot = cache->news[i],
				.index = page->is_placed ? page->block[0] : VM_CACHE_NO_INDEX};
		}
	}
	cache->news_count = 0;
	return count;
}

int fs_cache_tell_places(struct fs_cache *cache)
{
	struct vm_cache_name names[VM_CACHE_BATCH];
	struct fs_cache_wish wish = {.names = names};
	int error;

	wish.name_count = fs_place_names(cache, names);
	if (wish.name_count == 0) {
		return 0;
	}
	error = cache->memory->get(cache->memory, &wish, NULL, &cache->room);
	return error < 0 ? error : 0;
}

void fs_place_take_up(struct fs_cache *cache, struct fs_page *page, uint64_t place)
{
	if (cache->parts == 1 && place < cache->device_blocks && place <= UINT32_MAX) {
		page->block[0] = (uint32_t)place;
		page->is_placed = true;
	}
}

/* The file's page has the block now: what was read of it as a page of the device goes. One that is
 * still in use, or newer than the device, is metadata until this request ends. */
static void drop_copy(struct fs_cache *cache, uint32_t block)
{
	const struct fs_page *copy = fs_cache_peek(cache, FS_OBJECT_DEVICE, block);

	if (copy != NULL && copy->pins == 0 && !copy->is_dirty && !copy->is_forgotten) {
		(void)fs_cache_drop(cache, FS_OBJECT_DEVICE, block, (uint64_t)block + 1, false);
	}
}

void fs_place_tell_again(struct fs_cache *cache, struct fs_page *page)
{
	if (page->object != FS_OBJECT_DEVICE) {
		drop_copy(cache, page->block[0]);
		page->is_placed = true;
		add_news(cache, page);
	}
}

void fs_cache_map_block(struct fs_cache *cache, struct fs_page *page, unsigned part, uint32_t block)
{
	bool had_place = page->is_placed, is_same = had_place && page->block[part] == block;

	page->block[part] = block;
	page->known |= (uint8_t)(1u << part);
	if (block != 0) {
		drop_copy(cache, block);
	}
	if (cache->parts > 1 || is_same || (block == 0 && !had_place)) {
		return;
	}
	page->is_placed = block != 0;
	add_news(cache, page);
	if (had_place) {
		(void)fs_cache_tell_places(cache);
	}
}
