/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/heap.h"

#include <assert.h>
#include <string.h>

static const uint16_t class_size[HEAP_CLASSES] = {
	16, 32, 48, 64, 96, 128, 192, 256, 512, 1008, 2016};

#define LARGEST_PIECE 2016

/* Stands at the start of each page that is cut into pieces. */
struct slab {
	struct list link; /* in `partial` while a piece is free */
	void *free;       /* chain through the first word of each free piece */
	uint16_t used;    /* pieces given out */
	uint16_t fresh;   /* pieces never given out yet lie from here on */
	uint16_t capacity;
	uint16_t padding;
};

_Static_assert(sizeof(struct slab) == 32, "pieces start 16-byte aligned");

void heap_init(struct heap *heap, struct page_pool *pool)
{
	heap->pool = pool;
	for (int i = 0; i < HEAP_CLASSES; i++) {
		list_init(&heap->partial[i]);
	}
}

static int class_of(uint64_t bytes)
{
	int class = 0;

	while (class_size[class] < bytes) {
		class ++;
	}
	return class;
}

static struct slab *add_slab(struct heap *heap, int class)
{
	pfn_t pfn = page_alloc(heap->pool, PAGE_HEAP, PAGE_FOR_VM);
	struct slab *slab;

	if (pfn == PFN_NONE) {
		return NULL;
	}
	page_info(heap->pool, pfn)->size_class = (uint16_t) class;
	slab = page_memory(heap->pool, pfn);
	*slab = (struct slab){
		.capacity = (uint16_t)((AXO_PAGE_SIZE - sizeof(*slab)) / class_size[class]),
	};
	list_add_head(&heap->partial[class], &slab->link);
	return slab;
}

static void *alloc_piece(struct heap *heap, int class)
{
	struct slab *slab;
	void *piece;

	if (!list_is_empty(&heap->partial[class])) {
		slab = list_first(&heap->partial[class], struct slab, link);
	} else {
		slab = add_slab(heap, class);
		if (slab == NULL) {
			return NULL;
		}
	}
	if (slab->free != NULL) {
		piece = slab->free;
		memcpy(&slab->free, piece, sizeof(void *));
	} else {
		piece = (uint8_t *)(slab + 1) + slab->fresh++ * class_size[class];
	}
	if (++slab->used == slab->capacity) {
		list_remove(&slab->link);
	}
	memset(piece, 0, class_size[class]);
	return piece;
}

static void *alloc_run(struct heap *heap, uint64_t bytes)
{
	uint64_t count = AXO_PAGE_UP(bytes) >> AXO_PAGE_SHIFT;
	pfn_t first = page_alloc_run(heap->pool, count, PAGE_HEAP_TAIL, PAGE_FOR_VM, 0);

	if (first == PFN_NONE) {
		return NULL;
	}
	page_set_kind(heap->pool, first, PAGE_HEAP_RUN);
	page_info(heap->pool, first)->refs = (uint32_t)count;
	return memset(page_memory(heap->pool, first), 0, count << AXO_PAGE_SHIFT);
}

void *heap_alloc(struct heap *heap, uint64_t bytes)
{
	if (page_must_fail(heap->pool)) {
		return NULL;
	}
	if (bytes > LARGEST_PIECE) {
		return bytes > heap->pool->frames << AXO_PAGE_SHIFT ? NULL : alloc_run(heap, bytes);
	}
	return alloc_piece(heap, class_of(bytes));
}

static void free_piece(struct heap *heap, pfn_t pfn, void *piece)
{
	struct slab *slab = page_memory(heap->pool, pfn);
	int class = page_info(heap->pool, pfn)->size_class;

	assert(((uint8_t *)piece - (uint8_t *)(slab + 1)) % class_size[class] == 0);
	if (slab->used == slab->capacity) {
		list_add_head(&heap->partial[class], &slab->link);
	}
	memcpy(piece, &slab->free, sizeof(void *));
	slab->free = piece;
	if (--slab->used == 0) {
		list_remove(&slab->link);
		page_free(heap->pool, pfn);
	}
}

void heap_free(struct heap *heap, void *memory)
{
	pfn_t pfn;

	if (memory == NULL) {
		return;
	}
	pfn = page_of_memory(heap->pool, memory);
	if (page_info(heap->pool, pfn)->kind == PAGE_HEAP) {
		free_piece(heap, pfn, memory);
	} else {
		uint64_t count = page_info(heap->pool, pfn)->refs;

		assert(page_info(heap->pool, pfn)->kind == PAGE_HEAP_RUN);
		for (uint64_t i = 0; i < count; i++) {
			page_free(heap->pool, pfn + i);
		}
	}
}

uint64_t heap_size(struct heap *heap, const void *memory)
{
	const struct page_info *info = page_info(heap->pool, page_of_memory(heap->pool, memory));

	if (info->kind == PAGE_HEAP) {
		return class_size[info->size_class];
	}
	return (uint64_t)info->refs << AXO_PAGE_SHIFT;
}
