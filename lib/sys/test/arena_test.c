/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory that goes on in another version: random use, with every byte looked after. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/util.h"
#include "lib/sys/arena.h"

#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                               \
		}                                                              \
	} while (0)

#define PIECES 600
#define ROUNDS 60000

struct piece {
	uint8_t *at;
	size_t bytes;
	uint8_t mark;
};

static uint64_t random_state = 1;

static uint64_t next_random(void)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return random_state >> 33;
}

/* Mostly small, at times large, and all borders. */
static size_t some_size(void)
{
	static const size_t borders[] = {
		0, 1, 16, 17, 128, 129, 2047, 2048, 2049, 4096, 4097, 65536, 65537, 262144};

	switch (next_random() % 16) {
	case 0:
		return borders[next_random() % ARRAY_LEN(borders)];
	case 1:
		return next_random() % 80000;
	default:
		return next_random() % 700;
	}
}

static void fill(struct piece *piece)
{
	memset(piece->at, piece->mark, piece->bytes);
}

static bool is_intact(const struct piece *piece)
{
	for (size_t i = 0; i < piece->bytes; i++) {
		if (piece->at[i] != piece->mark) {
			return false;
		}
	}
	return true;
}

static void test_random_use(struct arena *arena)
{
	static struct piece pieces[PIECES];

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct piece *piece = &pieces[next_random() % PIECES];

		if (piece->at) {
			CHECK(is_intact(piece));
			arena_free(arena, piece->at);
			piece->at = NULL;
		} else {
			piece->bytes = some_size();
			piece->mark = (uint8_t)next_random();
			piece->at = arena_alloc(arena, piece->bytes);
			CHECK(piece->at && arena_size(piece->at) >= piece->bytes);
			CHECK((uint64_t)piece->at % (piece->bytes > 2048 ? 4096 : 16) == 0);
			fill(piece);
		}
		CHECK(round % 1000 != 0 || arena_check(arena));
	}
	for (unsigned i = 0; i < PIECES; i++) {
		if (pieces[i].at) {
			CHECK(is_intact(&pieces[i]));
		}
		arena_free(arena, pieces[i].at);
	}
	CHECK(arena_check(arena));
}

/* All of one size, given back in the order of their making and against it. */
static void test_sizes(struct arena *arena)
{
	static void *pieces[3000];

	for (size_t bytes = 1; bytes <= 70000; bytes = bytes * 3 + 1) {
		for (unsigned i = 0; i < ARRAY_LEN(pieces); i++) {
			pieces[i] = bytes > 9000 && i > 40 ? NULL : arena_alloc(arena, bytes);
		}
		CHECK(arena_check(arena));
		for (unsigned i = 0; i < ARRAY_LEN(pieces); i++) {
			arena_free(arena, pieces[i % 2 ? i : ARRAY_LEN(pieces) - 2 - i]);
		}
		CHECK(arena_check(arena));
	}
	CHECK(!arena_alloc(arena, SIZE_MAX) && !arena_alloc(arena, PTRDIFF_MAX));
}

int main(void)
{
	struct arena *arena = arena_create();

	CHECK(arena && arena_is_known(arena));
	test_random_use(arena);
	test_sizes(arena);
	puts("arena: ok");
	return 0;
}
