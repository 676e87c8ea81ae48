/* SPDX-License-Identifier: BSD-2-Clause */
/* The malloc family of the kept heap at its borders. The build gives it names beside the host's. */
#include <errno.h>
#include <malloc.h>
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

/* Sizes that the compiler must not know. */
static volatile size_t huge = SIZE_MAX;

static bool holds(const uint8_t *at, uint8_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (at[i] != value) {
			return false;
		}
	}
	return true;
}

static void test_calloc(void)
{
	uint8_t *a = malloc(300), *b;

	CHECK(a);
	memset(a, 0xff, 300);
	free(a);
	b = calloc(3, 100);
	CHECK(b && holds(b, 0, 300));
	free(b);
	errno = 0;
	CHECK(!calloc(huge / 2 + 1, 2) && errno == ENOMEM);
	CHECK(!calloc(huge, huge));
	a = calloc(0, huge);
	b = malloc(0);
	CHECK(a && b && a != b);
	free(a);
	free(b);
	free(NULL);
}

/* What was there stays, over all kinds of pieces; when there is no more, all of it does. */
static void test_realloc(void)
{
	static const size_t sizes[] = {1, 16, 17, 700, 2048, 2049, 65536, 65537, 300000, 600000};
	uint8_t *at = NULL;
	size_t had = 0;

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		uint8_t *more = realloc(at, sizes[i]);

		CHECK(more && holds(more, 0x5a, had) && malloc_usable_size(more) >= sizes[i]);
		memset(more, 0x5a, sizes[i]);
		had = sizes[i];
		at = more;
	}
	errno = 0;
	CHECK(!realloc(at, huge) && errno == ENOMEM);
	CHECK(!realloc(at, huge / 2));
	CHECK(holds(at, 0x5a, had));
	at = realloc(at, 10);
	CHECK(at && holds(at, 0x5a, 10));
	free(at);
	CHECK(malloc_usable_size(NULL) == 0);
}

static void test_alignment(void)
{
	static const size_t sizes[] = {0, 1, 16, 40, 672, 2048, 2049, 4096, 70000};

	for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
		void *pieces[ARRAY_LEN(sizes)];

		for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
			pieces[i] = aligned_alloc(alignment, sizes[i]);
			CHECK(pieces[i] && (uint64_t)pieces[i] % alignment == 0);
			CHECK(malloc_usable_size(pieces[i]) >= sizes[i]);
			memset(pieces[i], 1, sizes[i]);
		}
		for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
			free(pieces[i]);
		}
	}
	errno = 0;
	CHECK(!aligned_alloc(8192, 100) && errno == ENOMEM);
	CHECK(!aligned_alloc(64, huge));
}

int main(void)
{
	CHECK(!malloc_arena());
	test_calloc();
	test_realloc();
	test_alignment();
	CHECK(arena_check(malloc_arena()));
	puts("malloc: ok");
	return 0;
}
