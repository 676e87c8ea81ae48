/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache of a file system: what is dirty, and when it is written. */
#include "lib/fs/cache_impl.h"

#include <assert.h>
#include <errno.h>

/* A quarter of what there is may be dirty; beyond that the writer waits until half of it is. */
#define DIRTY_SHARE 4
#define DIRTY_MIN   64
#define DIRTY_MAX   (64u * 1024)

void fs_page_set_dirty(struct fs_cache *cache, struct fs_page *page)
{
	if (!page->is_dirty) {
		list_init(&page->dirty_link);
		list_add_tail(&cache->dirty_list, &page->dirty_link);
		cache->dirty_pages++;
		page->is_dirty = true;
		fs_marks_set(cache, page, VM_CACHE_DIRTY);
	}
}

void fs_page_clear_dirty(struct fs_cache *cache, struct fs_page *page)
{
	if (page->is_dirty) {
		list_remove(&page->dirty_link);
		cache->dirty_pages--;
		page->is_dirty = false;
		fs_marks_clear(cache, page, VM_CACHE_DIRTY);
	}
}

static bool select_any(const struct fs_page *page, uint64_t object)
{
	(void)page;
	(void)object;
	return true;
}

static bool select_data(const struct fs_page *page, uint64_t object)
{
	(void)object;
	return page->object != FS_OBJECT_DEVICE;
}

static bool select_object(const struct fs_page *page, uint64_t object)
{
	return page->object == object;
}

/* Let no process write to pages; then the file system may put them right. */
static int protect_pages(struct fs_cache *cache, struct fs_page **pages, uint32_t count)
{
	uint32_t slots[FS_PAGES_MAX] = {0};
	int error;

	for (uint32_t i = 0; i < count; i++) {
		slots[i] = fs_page_slot(cache, pages[i]);
	}
	error = cache->memory->protect(cache->memory, slots, count);
	for (uint32_t i = 0; i < count && error == 0 && cache->settle != NULL; i++) {
		cache->settle(cache->settle_ctx, pages[i]);
	}
	return error;
}

/*
 * Let no process write to the pages of the batch while they are on their way: its stores wait for
 * the file system, which makes the page dirty again.
 */
static int protect_batch(struct fs_cache *cache, size_t count)
{
	struct fs_page *mapped[FS_PAGES_MAX], *last = NULL;
	uint32_t held = 0;
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++) {
		struct fs_page *page = cache->batch[i].page;

		if (page != last && fs_page_is_mapped(cache, page)) {
			mapped[held++] = page;
		}
		if (held == FS_PAGES_MAX) {
			error = protect_pages(cache, mapped, held);
			held = 0;
		}
		last = page;
	}
	return error == 0 && held > 0 ? protect_pages(cache, mapped, held) : error;
}

void fs_cache_on_settle(
	struct fs_cache *cache, void (*settle)(void *ctx, struct fs_page *page), void *ctx)
{
	cache->settle = settle;
	cache->settle_ctx = ctx;
}

/* Fill the batch with the oldest dirty pages that are selected; returns how many blocks. */
static size_t collect_dirty(
	struct fs_cache *cache, bool (*selects)(const struct fs_page *, uint64_t), uint64_t object)
{
	size_t count = 0;

	list_for_each(page, &cache->dirty_list, struct fs_page, dirty_link)
	{
		if (!selects(page, object) || page->is_forgotten) {
			continue;
		}
		if (count + cache->parts > FS_BATCH_BLOCKS) {
			break;
		}
		page->has_failed = false;
		for (unsigned part = 0; part < fs_page_parts(cache, page); part++) {
			uint32_t block = fs_page_block(page, part);

			if (page->object == FS_OBJECT_DEVICE || block != 0) {
				cache->batch[count++] = (struct fs_block_ref){block, part, page};
			}
		}
	}
	return count;
}

/* A page is on the device: it is clean, unless a process got it for writing meanwhile, whose stores
 * may not be among what was written. */
static void written_back(struct fs_cache *cache, struct fs_page *page)
{
	uint8_t *marks = fs_page_marks(cache, page), old = fs_marks_get(cache, page);

	do {
		if (old & VM_CACHE_WMAPPED) {
			return;
		}
	} while (!__atomic_compare_exchange_n(marks, &old, (uint8_t)(old & ~VM_CACHE_DIRTY), false,
		__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	if (page->is_dirty) {
		list_remove(&page->dirty_link);
		cache->dirty_pages--;
		page->is_dirty = false;
	}
}

int fs_cache_write_batch(struct fs_cache *cache, bool (*selects)(const struct fs_page *, uint64_t),
	uint64_t object, size_t *written)
{
	size_t count, dirty_before = cache->dirty_pages;
	int error;

	*written = 0;
	if (cache->device == NULL) {
		return 0;
	}
	count = collect_dirty(cache, selects, object);
	error = protect_batch(cache, count);
	if (error != 0 || count == 0) {
		return error;
	}
	error = fs_cache_transfer(cache, true, count);
	for (size_t i = 0; i < count; i++) {
		struct fs_page *page = cache->batch[i].page;

		if (!page->has_failed) {
			written_back(cache, page);
		}
	}
	for (size_t i = 0; i < count; i++) {
		cache->batch[i].page->has_failed = false;
	}
	*written = dirty_before - cache->dirty_pages;
	return error;
}

static int flush_selected(
	struct fs_cache *cache, bool (*selects)(const struct fs_page *, uint64_t), uint64_t object)
{
	size_t written;
	int error;

	/* What cannot be written stays at the front of each batch; go on as long as anything else
	 * moves. */
	do {
		error = fs_cache_write_batch(cache, selects, object, &written);
	} while (written > 0);
	return error;
}

int fs_cache_flush(struct fs_cache *cache, uint64_t object)
{
	int error, result;

	if (object != FS_FLUSH_ALL) {
		return flush_selected(cache, select_object, object);
	}
	error = flush_selected(cache, select_data, 0);
	result = flush_selected(cache, select_any, 0);
	return error != 0 ? error : result;
}

int fs_cache_sync_device(struct fs_cache *cache)
{
	return cache->device->flush == NULL ? 0 : cache->device->flush(cache->device);
}

bool fs_cache_make_room(struct fs_cache *cache)
{
	size_t written = 0;

	(void)fs_cache_write_batch(cache, select_data, 0, &written);
	if (written == 0) {
		(void)fs_cache_write_batch(cache, select_any, 0, &written);
	}
	return written > 0;
}

void fs_cache_balance(struct fs_cache *cache)
{
	uint64_t room = cache->room.free_pages + cache->room.clean_pages + cache->dirty_pages;
	uint64_t limit = u64_min(u64_max(room / DIRTY_SHARE, DIRTY_MIN), DIRTY_MAX);

	if (cache->dirty_pages > limit && cache->device != NULL) {
		while (cache->dirty_pages > limit / 2 && fs_cache_make_room(cache)) {
		}
	}
}

void fs_cache_check_pages(
	struct fs_cache *cache, bool (*keep)(void *ctx, struct fs_page *page), void *ctx)
{
	/* Not along the list: to make room, `keep` may have any of its pages written. */
	for (uint32_t slot = 0; slot < cache->high; slot++) {
		struct fs_page *page = &cache->page[slot];

		if (!(page->is_dirty || page->is_placed) || page->object == FS_OBJECT_DEVICE ||
			fs_cache_find_page(cache, page->object, page->index) == NULL) {
			continue;
		}
		if (keep(ctx, page)) {
			fs_cache_put_page(cache, page);
			continue;
		}
		fs_cache_put_page(cache, page);
		(void)fs_cache_drop(cache, page->object, page->index, page->index + 1, false);
	}
}
