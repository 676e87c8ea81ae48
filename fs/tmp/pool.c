/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages in blocks of 64, mapped and unmapped as a whole: one call to VM for many pages, and memory
 * does go back. A block is aligned to its size and begins with its header, so that a page's address
 * tells its block.
 *
 * Invariant: `blocks` holds those with free pages before the full ones.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fs/tmp/tmp.h"

#define BLOCK_PAGES 64u
#define BLOCK_BYTES ((size_t)BLOCK_PAGES * TMP_PAGE)

struct block {
	struct list link;
	uint64_t free;  /* bit i: page i is free; page 0 is the header */
	uint64_t clean; /* bit i: page i has never been used since it was mapped: still zero */
};

#define ALL_FREE (~(uint64_t)1)

void tmp_pool_init(struct tmp_pool *pool, uint64_t limit)
{
	list_init(&pool->blocks);
	pool->used = 0;
	pool->limit = limit;
}

static struct block *block_of(void *page)
{
	return (struct block *)((uintptr_t)page & ~(uintptr_t)(BLOCK_BYTES - 1));
}

/* Maps twice the size and gives back what is not aligned. */
static struct block *block_new(void)
{
	char *map = mmap(
		NULL, 2 * BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *start;
	struct block *block;

	if (map == MAP_FAILED) {
		return NULL;
	}
	start = (char *)(((uintptr_t)map + BLOCK_BYTES - 1) & ~(uintptr_t)(BLOCK_BYTES - 1));
	if (start > map) {
		(void)munmap(map, (size_t)(start - map));
	}
	if (start < map + BLOCK_BYTES) {
		(void)munmap(start + BLOCK_BYTES, (size_t)(map + BLOCK_BYTES - start));
	}
	block = (struct block *)start;
	block->free = block->clean = ALL_FREE;
	return block;
}

void *tmp_page_alloc(struct tmp_pool *pool)
{
	struct block *block =
		list_is_empty(&pool->blocks) ? NULL : list_first(&pool->blocks, struct block, link);
	unsigned i;
	char *page;

	if (pool->used >= pool->limit) {
		return NULL;
	}
	if (!block || block->free == 0) {
		block = block_new();
		if (!block) {
			return NULL;
		}
		list_add_head(&pool->blocks, &block->link);
	}
	i = (unsigned)__builtin_ctzll(block->free);
	block->free &= ~(1ull << i);
	if (block->free == 0) {
		list_remove(&block->link);
		list_add_tail(&pool->blocks, &block->link);
	}
	page = (char *)block + (size_t)i * TMP_PAGE;
	if (!(block->clean >> i & 1)) {
		memset(page, 0, TMP_PAGE);
	}
	block->clean &= ~(1ull << i);
	pool->used++;
	return page;
}

void tmp_page_free(struct tmp_pool *pool, void *page)
{
	struct block *block = block_of(page);
	bool was_full = block->free == 0;

	block->free |= 1ull << (((uintptr_t)page & (BLOCK_BYTES - 1)) / TMP_PAGE);
	pool->used--;
	if (block->free == ALL_FREE) {
		list_remove(&block->link);
		(void)munmap(block, BLOCK_BYTES);
	} else if (was_full) {
		list_remove(&block->link);
		list_add_head(&pool->blocks, &block->link);
	}
}

void tmp_pool_end(struct tmp_pool *pool)
{
	list_for_each_safe(block, &pool->blocks, struct block, link)
	{
		(void)munmap(block, BLOCK_BYTES);
	}
	list_init(&pool->blocks);
}
