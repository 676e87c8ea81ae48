/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/tmp/tmp.h"

#define CHUNK_BYTES ((uint64_t)TMP_PAGE * TMP_CHUNK_PAGES)

static char zero_page[TMP_PAGE];

/* Index of the first chunk that is not before `index`. */
static size_t chunk_search(const struct tmp_node *node, uint64_t index)
{
	size_t low = 0, high = node->chunk_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (node->chunks[middle]->index < index) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/* Where the page at `position` is kept; NULL: in a hole. */
static void **page_find(const struct tmp_node *node, uint64_t position)
{
	uint64_t index = position / CHUNK_BYTES;
	size_t at = chunk_search(node, index);

	if (at == node->chunk_count || node->chunks[at]->index != index) {
		return NULL;
	}
	return &node->chunks[at]->page[position / TMP_PAGE % TMP_CHUNK_PAGES];
}

static struct tmp_chunk *chunk_make(struct tmp_node *node, uint64_t index)
{
	size_t at = chunk_search(node, index);
	struct tmp_chunk *chunk;

	if (at < node->chunk_count && node->chunks[at]->index == index) {
		return node->chunks[at];
	}
	if (node->chunk_count == node->chunk_room) {
		size_t room = node->chunk_room ? node->chunk_room * 2 : 4;
		struct tmp_chunk **chunks = realloc(node->chunks, room * sizeof(*chunks));

		if (!chunks) {
			return NULL;
		}
		node->chunks = chunks;
		node->chunk_room = room;
	}
	chunk = calloc(1, sizeof(*chunk));
	if (!chunk) {
		return NULL;
	}
	chunk->index = index;
	memmove(&node->chunks[at + 1], &node->chunks[at], (node->chunk_count - at) * sizeof(chunk));
	node->chunks[at] = chunk;
	node->chunk_count++;
	return chunk;
}

static void *page_make(struct tmp_fs *tmp, struct tmp_node *node, uint64_t position)
{
	struct tmp_chunk *chunk = chunk_make(node, position / CHUNK_BYTES);
	void **page;

	if (!chunk) {
		return NULL;
	}
	page = &chunk->page[position / TMP_PAGE % TMP_CHUNK_PAGES];
	if (!*page) {
		*page = tmp_page_alloc(&tmp->pool);
		if (!*page) {
			return NULL;
		}
		chunk->used++;
		node->attr.blocks += TMP_PAGE / 512;
	}
	return *page;
}

int tmp_data_read(
	struct tmp_node *node, uint64_t position, size_t len, struct fs_data *data, size_t *done)
{
	struct fs_iovec vec[FS_IOVEC_MAX];

	*done = 0;
	if (position >= node->attr.size) {
		return 0;
	}
	if (len > node->attr.size - position) {
		len = node->attr.size - position;
	}
	while (*done < len) {
		size_t count = 0, bytes = 0;
		int r;

		while (count < FS_IOVEC_MAX && *done + bytes < len) {
			uint64_t at = position + *done + bytes;
			size_t offset = at % TMP_PAGE, piece = TMP_PAGE - offset;
			void **page = page_find(node, at);

			if (piece > len - *done - bytes) {
				piece = len - *done - bytes;
			}
			vec[count].base = (page && *page ? (char *)*page : zero_page) + offset;
			vec[count++].len = piece;
			bytes += piece;
		}
		r = data->copy(data, *done, vec, count, true);
		if (r < 0) {
			return *done ? 0 : r;
		}
		*done += bytes;
	}
	return 0;
}

int tmp_data_write(struct tmp_fs *tmp, struct tmp_node *node, uint64_t position, size_t len,
	struct fs_data *data, size_t *done)
{
	*done = 0;
	if (position > TMP_FILE_MAX || len > TMP_FILE_MAX - position) {
		return -EFBIG;
	}
	while (*done < len) {
		struct fs_iovec vec[FS_IOVEC_MAX];
		size_t count = 0, bytes = 0;
		int r = 0;

		while (count < FS_IOVEC_MAX && *done + bytes < len) {
			uint64_t at = position + *done + bytes;
			size_t offset = at % TMP_PAGE, piece = TMP_PAGE - offset;
			char *page = page_make(tmp, node, at);

			if (!page) {
				r = -ENOSPC;
				break;
			}
			if (piece > len - *done - bytes) {
				piece = len - *done - bytes;
			}
			vec[count].base = page + offset;
			vec[count++].len = piece;
			bytes += piece;
		}
		if (bytes > 0) {
			int copied = data->copy(data, *done, vec, count, false);

			if (copied < 0) {
				return *done ? 0 : copied;
			}
			*done += bytes;
			if (position + *done > node->attr.size) {
				node->attr.size = position + *done;
			}
		}
		if (r < 0) {
			return *done ? 0 : r;
		}
	}
	return 0;
}

/* Frees the pages of a chunk from page `first` on. */
static void chunk_cut(
	struct tmp_fs *tmp, struct tmp_node *node, struct tmp_chunk *chunk, size_t first)
{
	for (size_t i = first; i < TMP_CHUNK_PAGES; i++) {
		if (chunk->page[i]) {
			tmp_page_free(&tmp->pool, chunk->page[i]);
			chunk->page[i] = NULL;
			chunk->used--;
			node->attr.blocks -= TMP_PAGE / 512;
		}
	}
}

void tmp_data_truncate(struct tmp_fs *tmp, struct tmp_node *node, uint64_t size)
{
	uint64_t keep = size / TMP_PAGE + (size % TMP_PAGE != 0); /* pages; no overflow near 2^64 */
	void **last = size % TMP_PAGE ? page_find(node, size) : NULL;

	while (node->chunk_count > 0) {
		struct tmp_chunk *chunk = node->chunks[node->chunk_count - 1];
		uint64_t first = chunk->index * TMP_CHUNK_PAGES;

		if (first + TMP_CHUNK_PAGES <= keep) {
			break;
		}
		chunk_cut(tmp, node, chunk, keep > first ? keep - first : 0);
		if (keep > first) {
			break;
		}
		free(chunk);
		node->chunk_count--;
	}
	if (last && *last && size < node->attr.size) {
		memset((char *)*last + size % TMP_PAGE, 0, TMP_PAGE - size % TMP_PAGE);
	}
	node->attr.size = size;
}
