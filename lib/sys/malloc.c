/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc() and its family by an arena (arena.h), instead of libc's. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "abi/types.h"
#include "lib/core/util.h"
#include "lib/sys/arena.h"

/* The family has no argument that could lead to it. */
static struct arena *the_arena;

struct arena *malloc_arena(void)
{
	return the_arena;
}

void malloc_adopt(struct arena *arena)
{
	the_arena = arena;
}

void *malloc(size_t bytes)
{
	void *memory;

	if (the_arena == NULL) {
		the_arena = arena_create();
	}
	memory = the_arena != NULL ? arena_alloc(the_arena, bytes) : NULL;
	if (memory == NULL) {
		errno = ENOMEM;
	}
	return memory;
}

void free(void *memory)
{
	arena_free(the_arena, memory);
}

void *calloc(size_t count, size_t bytes)
{
	uint64_t total;
	void *memory;

	if (!checked_mul(count, bytes, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	memory = malloc(total);
	return memory != NULL ? memset(memory, 0, total) : NULL;
}

void *realloc(void *memory, size_t bytes)
{
	void *bigger;

	if (memory != NULL && arena_size(memory) >= bytes) {
		return memory;
	}
	bigger = malloc(bytes);
	if (bigger != NULL && memory != NULL) {
		memcpy(bigger, memory, arena_size(memory));
		free(memory);
	}
	return bigger;
}

/* Whole pages are aligned to a page: no more is offered. */
void *aligned_alloc(size_t alignment, size_t bytes)
{
	if (alignment > AXO_PAGE_SIZE) {
		errno = ENOMEM;
		return NULL;
	}
	return malloc(alignment <= 16 || bytes > AXO_PAGE_SIZE / 2 ? bytes : AXO_PAGE_SIZE);
}

size_t malloc_usable_size(void *memory)
{
	return memory != NULL ? arena_size(memory) : 0;
}
