/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/sys/arena.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/types.h"
#include "lib/core/list.h"
#include "lib/core/util.h"

/* Another layout of what follows, or other sizes: another number. */
#define ARENA_FORMAT 1u

#define CHUNK_BYTES (256ul << 10)
#define CHUNK_PAGES 64u
#define ALL_FREE    (~1ull) /* page 0 holds the notes */
#define RUN_MAX     16u     /* pages */
#define PIECE_MAX   2048u
#define MAGIC_CHUNK 0x6b6e7563u
#define MAGIC_LARGE 0x6567726cu
#define MAGIC_ARENA 0x6e657261u

static const uint16_t class_bytes[] = {16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
	384, 448, 512, 672, 816, 1024, 1360, 2048};

#define CLASSES AXO_ARRAY_LEN(class_bytes)

enum page_kind { PAGE_UNUSED, PAGE_NOTES, PAGE_PIECES, PAGE_RUN, PAGE_RUN_TAIL };

struct page_note {
	struct list link; /* PIECES: in arena->partial, while a piece is free */
	void *free;       /* chain through the first word of each free piece */
	uint16_t used;    /* pieces given out */
	uint16_t fresh;   /* so many pieces were ever given out: those behind have no links */
	uint16_t count;   /* pieces in it, or pages of the run that begins here */
	uint8_t kind;     /* enum page_kind */
	uint8_t class;
};

struct chunk {
	struct list link; /* in arena->chunks */
	uint32_t magic;
	uint64_t bytes; /* mapped */
	uint64_t free_map;
	struct page_note notes[CHUNK_PAGES];
};

struct arena {
	struct chunk chunk; /* the first, which lives as long as the arena */
	uint32_t magic;
	uint32_t format;
	uint32_t classes;
	uint32_t empty; /* chunks without a used page, the first apart */
	struct list chunks;
	struct list partial[CLASSES];
};

_Static_assert(sizeof(struct arena) <= AXO_PAGE_SIZE, "notes and arena are the first page");

/* Memory aligned to a chunk; NULL: none. */
static struct chunk *map_chunk(uint64_t bytes, uint32_t magic)
{
	uint64_t room = bytes + CHUNK_BYTES - AXO_PAGE_SIZE;
	uint8_t *start =
		mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *chunk;

	if (start == MAP_FAILED) {
		return NULL;
	}
	chunk = (uint8_t *)align_up((uint64_t)start, CHUNK_BYTES);
	if (chunk != start) {
		(void)munmap(start, (size_t)(chunk - start));
	}
	if (chunk + bytes != start + room) {
		(void)munmap(chunk + bytes, (size_t)(start + room - (chunk + bytes)));
	}
	((struct chunk *)(void *)chunk)->magic = magic;
	((struct chunk *)(void *)chunk)->bytes = bytes;
	return (struct chunk *)(void *)chunk;
}

static struct chunk *chunk_of(const void *memory)
{
	return (struct chunk *)align_down((uint64_t)memory, CHUNK_BYTES);
}

static unsigned page_of(const void *memory)
{
	return (unsigned)((uint64_t)memory % CHUNK_BYTES / AXO_PAGE_SIZE);
}

static void *page_memory(struct page_note *note)
{
	struct chunk *chunk = chunk_of(note);

	return (uint8_t *)chunk + (uint64_t)(note - chunk->notes) * AXO_PAGE_SIZE;
}

static void chunk_init(struct chunk *chunk)
{
	chunk->free_map = ALL_FREE;
	chunk->notes[0].kind = PAGE_NOTES;
}

struct arena *arena_create(void)
{
	struct arena *arena = (struct arena *)map_chunk(CHUNK_BYTES, MAGIC_CHUNK);

	if (arena == NULL) {
		return NULL;
	}
	arena->magic = MAGIC_ARENA;
	arena->format = ARENA_FORMAT;
	arena->classes = CLASSES;
	list_init(&arena->chunks);
	for (size_t i = 0; i < CLASSES; i++) {
		list_init(&arena->partial[i]);
	}
	chunk_init(&arena->chunk);
	list_add_tail(&arena->chunks, &arena->chunk.link);
	return arena;
}

bool arena_is_known(const struct arena *arena)
{
	return chunk_of(arena) == (const void *)arena && arena->magic == MAGIC_ARENA &&
		arena->format == ARENA_FORMAT && arena->classes == CLASSES;
}

/* Where `count` free pages stand in a row: a bit for each place. */
static uint64_t find_rows(uint64_t free_map, unsigned count)
{
	uint64_t rows = free_map;

	for (unsigned i = 1; i < count && rows != 0; i++) {
		rows &= free_map >> i;
	}
	return rows;
}

static uint64_t row_mask(unsigned first, unsigned count)
{
	return ((1ull << count) - 1) << first;
}

static struct page_note *take_pages(struct arena *arena, struct chunk *chunk, unsigned first,
	unsigned count, enum page_kind kind)
{
	if (chunk->free_map == ALL_FREE && chunk != &arena->chunk) {
		arena->empty--;
	}
	chunk->free_map &= ~row_mask(first, count);
	chunk->notes[first] = (struct page_note){.kind = (uint8_t)kind, .count = (uint16_t)count};
	for (unsigned i = 1; i < count; i++) {
		chunk->notes[first + i].kind = PAGE_RUN_TAIL;
	}
	return &chunk->notes[first];
}

/* count: at most RUN_MAX. NULL: no memory. */
static struct page_note *alloc_pages(struct arena *arena, unsigned count, enum page_kind kind)
{
	struct chunk *chunk;

	list_for_each(at, &arena->chunks, struct chunk, link)
	{
		uint64_t rows = find_rows(at->free_map, count);

		if (rows != 0) {
			return take_pages(arena, at, (unsigned)__builtin_ctzll(rows), count, kind);
		}
	}
	chunk = map_chunk(CHUNK_BYTES, MAGIC_CHUNK);
	if (chunk == NULL) {
		return NULL;
	}
	chunk_init(chunk);
	list_add_tail(&arena->chunks, &chunk->link);
	arena->empty++;
	return take_pages(arena, chunk, 1, count, kind);
}

/* One empty chunk is kept for the next who wants pages. */
static void free_pages(struct arena *arena, struct page_note *note, unsigned count)
{
	struct chunk *chunk = chunk_of(note);
	unsigned first = (unsigned)(note - chunk->notes);

	for (unsigned i = 0; i < count; i++) {
		chunk->notes[first + i].kind = PAGE_UNUSED;
	}
	chunk->free_map |= row_mask(first, count);
	if (chunk->free_map != ALL_FREE || chunk == &arena->chunk) {
		return;
	}
	if (arena->empty == 0) {
		arena->empty++;
		return;
	}
	list_remove(&chunk->link);
	(void)munmap(chunk, CHUNK_BYTES);
}

static unsigned class_of(size_t bytes)
{
	unsigned class = 0;

	if (bytes <= 128) {
		return bytes == 0 ? 0 : (unsigned)(bytes - 1) / 16;
	}
	for (class = 8; class_bytes[class] < bytes;) {
		class ++;
	}
	return class;
}

static void *alloc_piece(struct arena *arena, unsigned class)
{
	struct list *partial = &arena->partial[class];
	struct page_note *note;
	void *piece;

	if (!list_is_empty(partial)) {
		note = list_first(partial, struct page_note, link);
	} else {
		note = alloc_pages(arena, 1, PAGE_PIECES);
		if (note == NULL) {
			return NULL;
		}
		note->class = (uint8_t) class;
		note->count = (uint16_t)(AXO_PAGE_SIZE / class_bytes[class]);
		list_add_head(partial, &note->link);
	}
	piece = note->free;
	if (piece != NULL) {
		note->free = *(void **)piece;
	} else {
		piece = (uint8_t *)page_memory(note) + note->fresh++ * class_bytes[class];
	}
	if (++note->used == note->count) {
		list_remove(&note->link);
	}
	return piece;
}

static void free_piece(struct arena *arena, struct page_note *note, void *piece)
{
	assert((uint64_t)piece % AXO_PAGE_SIZE % class_bytes[note->class] == 0 && note->used > 0);
	if (note->used-- == note->count) {
		list_add_head(&arena->partial[note->class], &note->link);
	}
	*(void **)piece = note->free;
	note->free = piece;
	/* The last page of a size stays: the next piece comes soon. */
	if (note->used == 0 &&
		!(list_first(&arena->partial[note->class], struct page_note, link) == note &&
			note->link.next == &arena->partial[note->class])) {
		list_remove(&note->link);
		free_pages(arena, note, 1);
	}
}

static void *alloc_large(size_t bytes)
{
	struct chunk *chunk;

	if (bytes > PTRDIFF_MAX - CHUNK_BYTES) {
		return NULL;
	}
	chunk = map_chunk(AXO_PAGE_UP(bytes) + AXO_PAGE_SIZE, MAGIC_LARGE);
	return chunk == NULL ? NULL : (uint8_t *)chunk + AXO_PAGE_SIZE;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	struct page_note *note;

	if (bytes <= PIECE_MAX) {
		return alloc_piece(arena, class_of(bytes));
	}
	if (bytes > RUN_MAX * AXO_PAGE_SIZE) {
		return alloc_large(bytes);
	}
	note = alloc_pages(arena, (unsigned)(AXO_PAGE_UP(bytes) / AXO_PAGE_SIZE), PAGE_RUN);
	return note == NULL ? NULL : page_memory(note);
}

void arena_free(struct arena *arena, void *memory)
{
	struct chunk *chunk = chunk_of(memory);
	struct page_note *note;

	if (memory == NULL) {
		return;
	}
	if (chunk->magic == MAGIC_LARGE) {
		assert(page_of(memory) == 1);
		(void)munmap(chunk, chunk->bytes);
		return;
	}
	assert(chunk->magic == MAGIC_CHUNK);
	note = &chunk->notes[page_of(memory)];
	if (note->kind == PAGE_PIECES) {
		free_piece(arena, note, memory);
	} else {
		assert(note->kind == PAGE_RUN && (uint64_t)memory % AXO_PAGE_SIZE == 0);
		free_pages(arena, note, note->count);
	}
}

size_t arena_size(const void *memory)
{
	const struct chunk *chunk = chunk_of(memory);
	const struct page_note *note = &chunk->notes[page_of(memory)];

	if (chunk->magic == MAGIC_LARGE) {
		return chunk->bytes - AXO_PAGE_SIZE;
	}
	return note->kind == PAGE_PIECES ? class_bytes[note->class] : note->count * AXO_PAGE_SIZE;
}

static bool check_chunk(const struct chunk *chunk)
{
	for (unsigned i = 0; i < CHUNK_PAGES; i++) {
		const struct page_note *note = &chunk->notes[i];

		if ((note->kind == PAGE_UNUSED) != (chunk->free_map >> i & 1) ||
			(note->kind == PAGE_PIECES && note->used > note->fresh)) {
			return false;
		}
	}
	return chunk->magic == MAGIC_CHUNK;
}

bool arena_check(const struct arena *arena)
{
	uint32_t empty = 0;

	list_for_each(chunk, &arena->chunks, const struct chunk, link)
	{
		if (!check_chunk(chunk)) {
			return false;
		}
		empty += chunk != &arena->chunk && chunk->free_map == ALL_FREE;
	}
	for (size_t i = 0; i < CLASSES; i++) {
		list_for_each(note, &arena->partial[i], const struct page_note, link)
		{
			if (note->class != i || note->used >= note->count) {
				return false;
			}
		}
	}
	return arena_is_known(arena) && empty == arena->empty && empty <= 1;
}
