/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM's own memory. Everything lies in the window, so that an allocation never needs a page table of
 * VM and never recurses (VM-14). Small pieces are cut from single pages by size class; large ones
 * are runs of pages.
 */
#pragma once

#include "lib/core/list.h"
#include "servers/vm/page.h"

#define HEAP_CLASSES 11

struct heap {
	struct page_pool *pool;
	struct list partial[HEAP_CLASSES]; /* pages with a free piece */
};

void heap_init(struct heap *heap, struct page_pool *pool);

/* Zeroed memory, aligned to 16 bytes (to a page from 2 KiB on); NULL when there is none. */
void *heap_alloc(struct heap *heap, uint64_t bytes);

/* NULL is fine. */
void heap_free(struct heap *heap, void *memory);

/* Bytes that the piece can hold. */
uint64_t heap_size(struct heap *heap, const void *memory);
