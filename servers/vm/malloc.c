/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc() and its family inside VM, for lib/sys and libc: they replace libc's, which would ask VM
 * for memory (VM-12).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/util.h"
#include "servers/vm/vm.h"

/* The family has no argument that could lead to the heap. */
static struct heap *malloc_heap;

void vm_malloc_init(struct heap *heap)
{
	malloc_heap = heap;
}

void *malloc(size_t bytes)
{
	return malloc_heap != NULL ? heap_alloc(malloc_heap, bytes) : NULL;
}

void *calloc(size_t count, size_t bytes)
{
	uint64_t total;

	return checked_mul(count, bytes, &total) ? malloc(total) : NULL;
}

void free(void *memory)
{
	if (memory != NULL) {
		heap_free(malloc_heap, memory);
	}
}

void *realloc(void *memory, size_t bytes)
{
	void *bigger;

	if (memory != NULL && heap_size(malloc_heap, memory) >= bytes) {
		return memory;
	}
	bigger = malloc(bytes);
	if (bigger != NULL && memory != NULL) {
		memcpy(bigger, memory, heap_size(malloc_heap, memory));
		free(memory);
	}
	return bigger;
}

/* Pieces are aligned to 16 bytes, and to a page above LARGEST_PIECE: nothing larger is offered. */
void *aligned_alloc(size_t alignment, size_t bytes)
{
	if (alignment <= 16) {
		return malloc(bytes);
	}
	return alignment <= AXO_PAGE_SIZE ? malloc(u64_max(bytes, AXO_PAGE_SIZE)) : NULL;
}
