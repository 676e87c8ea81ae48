/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of regular files: finding their blocks, copying. */
#include "fs/ext2/page.h"

#include "fs/ext2/bmap.h"

#include <errno.h>
#include <string.h>

_Static_assert(EXT2_BATCH_PAGES <= FS_IOVEC_MAX, "a batch is copied in one call");

void ext2_batch_put(struct ext2_batch *batch)
{
	while (batch->count > 0) {
		fs_cache_put_page(batch->ext2->cache, batch->page[--batch->count]);
	}
}

int ext2_map_page(struct ext2 *ext2, struct ext2_node *node, struct fs_page *page)
{
	unsigned parts = ext2_page_parts(ext2);

	for (unsigned part = 0; part < parts; part++) {
		uint32_t block = 0;
		int error;

		if ((page->known >> part) & 1) {
			continue;
		}
		error = ext2_map(ext2, node, page->index * parts + part, &block);
		if (error != 0 && error != -EFBIG) {
			return error;
		}
		fs_cache_map_block(ext2->cache, page, part, block);
	}
	return 0;
}

int ext2_fill_page(struct ext2 *ext2, struct ext2_node *node, struct fs_page *page)
{
	int error;

	if (fs_page_is_valid(ext2->cache, page)) {
		return 0;
	}
	error = ext2_map_page(ext2, node, page);
	return error != 0 ? error : fs_cache_fill_pages(ext2->cache, &page, 1);
}

int ext2_batch_copy(const struct ext2_batch *batch, uint64_t position, size_t len,
	struct fs_data *data, uint64_t data_offset, bool to_caller)
{
	struct fs_iovec vec[EXT2_BATCH_PAGES];
	size_t offset = position % FS_PAGE_SIZE, count = 0;

	for (size_t i = 0; len > 0; i++) {
		uint8_t *base = fs_page_data(batch->ext2->cache, batch->page[i]) + offset;
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

int ext2_get_file(struct ext2 *ext2, uint64_t ino, struct ext2_node **node)
{
	int error = ext2_node_get(ext2, ino, node);

	if (error == 0 && !ext2_is_reg(*node)) {
		error = ext2_is_dir(*node) ? -EISDIR : -EINVAL;
		ext2_node_put(ext2, *node, 1);
	}
	return error;
}

int ext2_get_file_to_write(struct ext2 *ext2, uint64_t ino, struct ext2_node **node)
{
	return ext2->fs.read_only ? -EROFS : ext2_get_file(ext2, ino, node);
}

void ext2_note_large_file(struct ext2 *ext2, const struct ext2_node *node)
{
	if (node->size > INT32_MAX &&
		!(ext2->super.feature_ro_compat & EXT2_RO_COMPAT_LARGE_FILE)) {
		ext2->super.feature_ro_compat |= EXT2_RO_COMPAT_LARGE_FILE;
		ext2->super_dirty = true;
	}
}

void ext2_settle_page(void *ctx, struct fs_page *page)
{
	struct ext2 *ext2 = ctx;
	const struct ext2_node *node = ext2_node_find(ext2, page->object);

	if (node != NULL && page->index == node->size / FS_PAGE_SIZE) {
		size_t end = node->size % FS_PAGE_SIZE;

		memset(fs_page_data(ext2->cache, page) + end, 0, FS_PAGE_SIZE - end);
	}
}

bool ext2_keep_page(void *ctx, struct fs_page *page)
{
	struct ext2 *ext2 = ctx;
	struct ext2_node *node = ext2_node_find(ext2, page->object);
	uint8_t *data = fs_page_data(ext2->cache, page);
	uint64_t start = page->index * FS_PAGE_SIZE;
	bool is_kept = false;

	if (node != NULL) {
		node->refs++;
	} else if (ext2_node_get(ext2, page->object, &node) != 0) {
		return false;
	}
	if (ext2_is_reg(node) && start < node->size && ext2_map_page(ext2, node, page) == 0) {
		size_t end = u64_min(FS_PAGE_SIZE, node->size - start);

		memset(data + end, 0, FS_PAGE_SIZE - end);
		for (unsigned part = 0; part < ext2_page_parts(ext2); part++) {
			is_kept = is_kept || page->block[part] != 0;
			if (page->block[part] == 0) {
				memset(data + ((size_t)part << ext2->block_shift), 0,
					ext2->block_size);
			}
		}
	}
	/* No put: an orphan without references is still to be bound. */
	node->refs--;
	ext2_node_forget(ext2, node);
	return is_kept;
}
