/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: a head, then records, in pages of the cache that stay pinned. A record lies in one page;
 * what is left at a page's end is skipped. Stores are ordered as the compiler is told: the process
 * may be killed after any of them, and what it had stored is there.
 */
#include "lib/fs/log.h"

#include "lib/fs/cache_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MAGIC   0x676f6c7366ull
#define LOG_GROW    8    /* pages at a time */
#define LOG_PIECE   2048 /* bytes noted in one record */
#define LOG_START   ((uint32_t)sizeof(struct log_head))
#define RECORD_SIZE ((uint32_t)sizeof(struct log_record))

struct log_head {
	uint64_t magic;
	uint32_t end;          /* records lie in [LOG_START, end) */
	uint32_t is_overflown; /* something could not be noted */
	uint32_t is_committed; /* what was to be forgotten is on its way */
	uint32_t pad[3];
};

enum log_kind {
	LOG_SKIP,   /* nothing more in this page */
	LOG_CHANGE, /* len bytes from offset on were what follows */
	LOG_NEW,    /* the block was free: undone, its page is worth nothing */
	LOG_FREED,  /* the block is free once this is committed */
	LOG_REUSED  /* ... no, it is in use again */
};

struct log_record {
	uint32_t kind;
	uint32_t block;
	uint16_t offset;
	uint16_t len;
	uint32_t pad;
	uint8_t bytes[];
};

#define BARRIER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

static struct log_head *log_head(const struct fs_cache *cache)
{
	return (struct log_head *)(void *)fs_page_data(cache, cache->log.page[0]);
}

static struct log_record *record_at(const struct fs_cache *cache, uint32_t position)
{
	uint8_t *page = fs_page_data(cache, cache->log.page[position / FS_PAGE_SIZE]);

	return (struct log_record *)(void *)(page + position % FS_PAGE_SIZE);
}

static uint32_t record_bytes(uint32_t len)
{
	return RECORD_SIZE + (uint32_t)align_up(len, RECORD_SIZE);
}

/* More pages at the log's end. */
static bool grow(struct fs_cache *cache)
{
	struct fs_log *log = &cache->log;
	size_t got;

	if (log->count + LOG_GROW > FS_LOG_PAGES_MAX ||
		fs_cache_get_pages(cache, FS_OBJECT_LOG, log->count, LOG_GROW,
			&log->page[log->count], &got) != 0) {
		return false;
	}
	for (size_t i = 0; i < got; i++) {
		/* Never written back, never evicted: not on the dirty list. */
		fs_marks_set(cache, log->page[log->count++], VM_CACHE_DIRTY | VM_CACHE_VALID);
	}
	return true;
}

int fs_log_open(struct fs_cache *cache)
{
	struct log_head *head;

	if (cache->log.is_on) {
		return 0;
	}
	if (cache->log.count == 0 && !grow(cache)) {
		return -ENOMEM;
	}
	head = log_head(cache);
	memset(head, 0, sizeof(*head));
	head->end = LOG_START;
	BARRIER();
	head->magic = LOG_MAGIC;
	cache->log.is_on = true;
	return 0;
}

/* Room for a record: where it goes, or NULL. */
static struct log_record *make_room(struct fs_cache *cache, uint32_t bytes, uint32_t *end)
{
	uint32_t position = log_head(cache)->end, left = FS_PAGE_SIZE - position % FS_PAGE_SIZE;

	if (left < bytes) {
		if (left >= RECORD_SIZE && position / FS_PAGE_SIZE < cache->log.count) {
			record_at(cache, position)->kind = LOG_SKIP;
		}
		position += left;
	}
	if (position / FS_PAGE_SIZE >= cache->log.count && !grow(cache)) {
		return NULL;
	}
	*end = position + bytes;
	return record_at(cache, position);
}

static void note(struct fs_cache *cache, enum log_kind kind, uint64_t block, uint32_t offset,
	const void *bytes, uint32_t len)
{
	uint32_t end = 0;
	struct log_record *record = make_room(cache, record_bytes(len), &end);

	if (record == NULL) {
		log_head(cache)->is_overflown = 1;
		return;
	}
	*record = (struct log_record){.kind = kind,
		.block = (uint32_t)block,
		.offset = (uint16_t)offset,
		.len = (uint16_t)len};
	if (len > 0) {
		memcpy(record->bytes, bytes, len);
	}
	BARRIER();
	log_head(cache)->end = end;
	BARRIER();
}

void fs_log_change(struct fs_cache *cache, const struct fs_block *block, const void *at, size_t len)
{
	const uint8_t *bytes = at;

	if (!cache->log.is_on) {
		return;
	}
	while (len > 0) {
		uint32_t here = (uint32_t)u64_min(len, LOG_PIECE);

		note(cache, LOG_CHANGE, block->number, (uint32_t)(bytes - block->data), bytes,
			here);
		bytes += here;
		len -= here;
	}
}

void fs_log_new_block(struct fs_cache *cache, struct fs_page *page)
{
	if (!cache->log.is_on) {
		return;
	}
	if (page->is_forgotten) {
		struct fs_block block = {page, fs_page_data(cache, page), page->index};

		fs_log_change(cache, &block, block.data, cache->block_size);
		note(cache, LOG_REUSED, page->index, 0, NULL, 0);
		page->is_forgotten = false;
		cache->log.forgotten--;
		return;
	}
	note(cache, LOG_NEW, page->index, 0, NULL, 0);
}

bool fs_log_forget(struct fs_cache *cache, struct fs_page *page)
{
	if (!cache->log.is_on || !fs_page_is_valid(cache, page)) {
		return false;
	}
	if (!page->is_forgotten) {
		note(cache, LOG_FREED, page->index, 0, NULL, 0);
		page->is_forgotten = true;
		cache->log.forgotten++;
	}
	return true;
}

/* The next record from *position on, or NULL at the end. */
static struct log_record *next_record(const struct fs_cache *cache, uint32_t *position)
{
	uint32_t end = log_head(cache)->end;

	while (*position < end) {
		uint32_t left = FS_PAGE_SIZE - *position % FS_PAGE_SIZE;
		struct log_record *record = record_at(cache, *position);

		if (left >= RECORD_SIZE && record->kind != LOG_SKIP) {
			*position += record_bytes(record->len);
			return record;
		}
		*position += left;
	}
	return NULL;
}

/* What a page holds is worth nothing. */
static void discard(struct fs_cache *cache, uint64_t block)
{
	struct fs_page *page = fs_cache_find_page(cache, FS_OBJECT_DEVICE, block);

	if (page != NULL) {
		fs_page_clear_dirty(cache, page);
		fs_marks_clear(cache, page, VM_CACHE_VALID);
		page->is_forgotten = false;
		fs_cache_put_page(cache, page);
	}
}

/* Forget what has been freed. */
static void forget_freed(struct fs_cache *cache)
{
	struct log_record *record;
	uint32_t position = LOG_START;

	while ((record = next_record(cache, &position)) != NULL) {
		const struct log_record *later;
		bool is_free = record->kind == LOG_FREED;
		uint32_t rest = position;

		while (is_free && (later = next_record(cache, &rest)) != NULL) {
			is_free = later->kind != LOG_REUSED || later->block != record->block;
		}
		if (is_free) {
			discard(cache, record->block);
		}
	}
}

/* As forget_freed, where the pages themselves know. */
static void forget_marked(struct fs_cache *cache)
{
	struct log_record *record;
	uint32_t position = LOG_START;

	while (cache->log.forgotten > 0 && (record = next_record(cache, &position)) != NULL) {
		struct fs_page *page = record->kind == LOG_FREED
			? fs_cache_peek(cache, FS_OBJECT_DEVICE, record->block)
			: NULL;

		if (page != NULL && page->is_forgotten) {
			discard(cache, record->block);
			cache->log.forgotten--;
		}
	}
	cache->log.forgotten = 0;
}

static void empty_log(struct fs_cache *cache)
{
	struct log_head *head = log_head(cache);

	BARRIER();
	head->end = LOG_START;
	head->is_overflown = 0;
	BARRIER();
	head->is_committed = 0;
}

void fs_cache_commit(struct fs_cache *cache)
{
	if (!cache->log.is_on ||
		(log_head(cache)->end == LOG_START && !log_head(cache)->is_overflown)) {
		return;
	}
	if (cache->log.forgotten > 0) {
		log_head(cache)->is_committed = 1;
		BARRIER();
		forget_marked(cache);
	}
	empty_log(cache);
}

void fs_log_spoil(struct fs_cache *cache)
{
	if (cache->log.is_on) {
		log_head(cache)->is_overflown = 1;
	}
}

/* Give blocks back what records say, the latest first. */
static int undo(struct fs_cache *cache)
{
	size_t count = 0, room = log_head(cache)->end / RECORD_SIZE;
	struct log_record **records = malloc((room + 1) * sizeof(records[0])), *record;
	uint32_t position = LOG_START;
	int error = 0;

	if (records == NULL) {
		return -ENOMEM;
	}
	while ((record = next_record(cache, &position)) != NULL) {
		records[count++] = record;
	}
	while (count > 0 && error == 0) {
		struct fs_block block;

		record = records[--count];
		if (record->kind == LOG_NEW) {
			discard(cache, record->block);
		} else if (record->kind == LOG_CHANGE) {
			error = fs_cache_get_block(cache, record->block, FS_BLOCK_READ, &block);
			if (error == 0) {
				memcpy(block.data + record->offset, record->bytes, record->len);
				fs_cache_dirty_block(cache, &block);
				fs_cache_put_block(cache, &block);
			}
		}
	}
	free(records);
	return error;
}

/* Whether each record lies in its page and in its block: the process before may have died of
 * writing at random. */
static bool is_sound(const struct fs_cache *cache)
{
	uint32_t end = log_head(cache)->end, position = LOG_START;
	const struct log_record *record;

	if (end < LOG_START || end > cache->log.count * FS_PAGE_SIZE) {
		return false;
	}
	while ((record = next_record(cache, &position)) != NULL) {
		uint32_t bytes = record_bytes(record->len);
		uint32_t start = (position - bytes) % FS_PAGE_SIZE;

		if (record->kind > LOG_REUSED || start + bytes > FS_PAGE_SIZE || position > end ||
			(uint32_t)record->offset + record->len > cache->block_size) {
			return false;
		}
	}
	return true;
}

/* Pin the pages of the log that are there. */
static void find_pages(struct fs_cache *cache)
{
	struct fs_log *log = &cache->log;

	while (log->count < FS_LOG_PAGES_MAX) {
		struct fs_page *page = fs_cache_find_page(cache, FS_OBJECT_LOG, log->count);

		if (page == NULL) {
			break;
		}
		log->page[log->count++] = page;
	}
}

int fs_log_recover(struct fs_cache *cache)
{
	struct log_head *head;
	int error = 0;

	find_pages(cache);
	if (cache->log.count == 0) {
		return 0;
	}
	head = log_head(cache);
	if (head->magic != LOG_MAGIC) {
		return 0;
	}
	if (!is_sound(cache)) {
		return -EIO;
	}
	if (head->is_committed) {
		forget_freed(cache);
	} else if (head->is_overflown) {
		error = -EIO;
	} else {
		error = undo(cache);
	}
	if (error == 0) {
		empty_log(cache);
	}
	return error != 0 ? error : 1;
}
