/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of services that hand it on to other versions of themselves (sef_keep_heap): malloc()
 * and its family by it, for who links heap_dep. Everything that the arena knows lies in the arena,
 * nothing of libc's is needed to go on with it.
 *
 * It is cut into chunks of 256 KiB, aligned to that, of 64 pages: the first holds notes about the
 * others. Pieces up to 2 KiB are cut from pages by size, larger ones are runs of pages, and those
 * that do not fit well in a chunk have mappings of their own, behind a page like a chunk's first.
 *
 * Invariants: 1. a page's bit in free_map is set exactly when its kind is PAGE_UNUSED; 2. a page of
 * pieces is in the list of its size exactly when a piece of it is free; 3. all chunks that hold
 * pieces and runs are in `chunks`, that of the arena first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* A new arena; NULL: no memory. */
struct arena *arena_create(void);

/* Whether memory that came over from another program is an arena that this one can go on with. */
bool arena_is_known(const struct arena *arena);

/* Aligned to 16 bytes, and to a page when above 2 KiB. NULL: no memory. The contents are
 * undefined. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* NULL is fine. */
void arena_free(struct arena *arena, void *memory);

/* Bytes that the piece can hold. */
size_t arena_size(const void *memory);

/* Whether all invariants hold; for tests. */
bool arena_check(const struct arena *arena);

/* malloc.c: the arena of malloc(): NULL: nothing was allocated yet. */
struct arena *malloc_arena(void);
/* malloc() goes on with that one; nothing may have been allocated. */
void malloc_adopt(struct arena *arena);
