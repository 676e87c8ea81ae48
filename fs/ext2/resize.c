/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of a file's size, and what lies behind its end. */
#include "fs/ext2/bmap.h"
#include "fs/ext2/file.h"
#include "fs/ext2/page.h"

#include <errno.h>
#include <string.h>

void ext2_trim_to_size(struct ext2 *ext2, struct ext2_node *node, uint64_t old_end)
{
	uint64_t first_block = (node->size + ext2->block_size - 1) >> ext2->block_shift;
	size_t offset = node->size % FS_PAGE_SIZE;
	struct fs_page *page = NULL;

	if (offset != 0) {
		page = fs_cache_find_page(ext2->cache, node->ino, node->size / FS_PAGE_SIZE);
	}
	if (page != NULL) {
		bool has_blocks = false, is_mapped = ext2_map_page(ext2, node, page) == 0;

		for (unsigned part = 0; part < ext2_page_parts(ext2); part++) {
			if (page->index * ext2_page_parts(ext2) + part >= first_block) {
				fs_cache_map_block(ext2->cache, page, part, 0);
			}
			has_blocks = has_blocks || page->block[part] != 0;
		}
		if (fs_page_is_valid(ext2->cache, page)) {
			memset(fs_page_data(ext2->cache, page) + offset, 0, FS_PAGE_SIZE - offset);
			if (!has_blocks) {
				fs_page_clear_dirty(ext2->cache, page);
			} else if (is_mapped && offset % ext2->block_size != 0) {
				fs_page_set_dirty(ext2->cache, page);
			}
		}
		fs_cache_put_page(ext2->cache, page);
	}
	(void)fs_cache_drop(ext2->cache, node->ino, node->size / FS_PAGE_SIZE + (offset != 0),
		ext2_pages_end(node, u64_max(old_end, node->size)), true);
	ext2_free_tail(ext2, node, first_block);
}

/* Bring in the page in which the file's last bytes are to be, when its rest must become zeroes. */
static int read_last(struct ext2 *ext2, struct ext2_node *node, uint64_t size)
{
	struct fs_page *page;
	size_t got;
	int error;

	if (size % ext2->block_size == 0) {
		return 0;
	}
	error = fs_cache_get_pages(ext2->cache, node->ino, size / FS_PAGE_SIZE, 1, &page, &got);
	if (error == 0) {
		error = ext2_fill_page(ext2, node, page);
		fs_cache_put_page(ext2->cache, page);
	}
	return error;
}

void ext2_clean_tail(struct ext2 *ext2, struct ext2_node *node)
{
	size_t offset = node->size % FS_PAGE_SIZE;
	struct fs_page *page;

	if (!node->is_tail_mapped || offset == 0) {
		return;
	}
	node->is_tail_mapped = false;
	if (read_last(ext2, node, node->size) != 0) {
		return;
	}
	page = fs_cache_find_page(ext2->cache, node->ino, node->size / FS_PAGE_SIZE);
	if (page == NULL) {
		return;
	}
	node->is_tail_mapped = fs_page_is_mapped(ext2->cache, page);
	if (fs_page_is_valid(ext2->cache, page) && ext2_map_page(ext2, node, page) == 0) {
		memset(fs_page_data(ext2->cache, page) + offset, 0, FS_PAGE_SIZE - offset);
		if (page->block[offset >> ext2->block_shift] != 0) {
			fs_page_set_dirty(ext2->cache, page);
		}
	}
	fs_cache_put_page(ext2->cache, page);
}

int ext2_truncate(struct fs *fs, uint64_t ino, uint64_t size)
{
	struct ext2 *ext2 = ext2_of(fs);
	struct ext2_node *node;
	int error = ext2_get_file_to_write(ext2, ino, &node);

	if (error != 0) {
		return error;
	}
	if (size > ext2->max_size) {
		error = -EFBIG;
	} else if (size < node->size) {
		error = read_last(ext2, node, size);
	} else if (size > node->size) {
		ext2_clean_tail(ext2, node);
	}
	if (error == 0) {
		uint64_t old_size = node->size;

		node->size = size;
		if (size < old_size) {
			ext2_trim_to_size(ext2, node, old_size);
		}
		ext2_note_large_file(ext2, node);
		ext2_node_touch(ext2, node, EXT2_MTIME | EXT2_CTIME);
	}
	ext2_node_put(ext2, node, 1);
	return error;
}
