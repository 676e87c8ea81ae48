/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bit maps in arrays of 64-bit words. Sizes and positions are bit numbers. The bits of the last
 * word beyond the size may hold anything: searches never return them.
 */
#pragma once

#include "lib/core/util.h"

#define BITMAP_WORDS(bits)         (((bits) + 63) / 64)
#define BITMAP_DECLARE(name, bits) uint64_t name[BITMAP_WORDS(bits)]

static inline bool bitmap_test(const uint64_t *map, size_t bit)
{
	return (map[bit / 64] >> (bit % 64)) & 1;
}

static inline void bitmap_set(uint64_t *map, size_t bit)
{
	map[bit / 64] |= 1ull << (bit % 64);
}

static inline void bitmap_clear(uint64_t *map, size_t bit)
{
	map[bit / 64] &= ~(1ull << (bit % 64));
}

/* The mask of `count` (1 to 64) bits of one word, from bit `first` upward. */
static inline uint64_t bitmap_mask(size_t first, size_t count)
{
	return (count >= 64 ? ~0ull : (1ull << count) - 1) << first;
}

static inline void bitmap_set_range(uint64_t *map, size_t first, size_t count)
{
	while (count > 0) {
		size_t here = u64_min(count, 64 - first % 64);

		map[first / 64] |= bitmap_mask(first % 64, here);
		first += here;
		count -= here;
	}
}

static inline void bitmap_clear_range(uint64_t *map, size_t first, size_t count)
{
	while (count > 0) {
		size_t here = u64_min(count, 64 - first % 64);

		map[first / 64] &= ~bitmap_mask(first % 64, here);
		first += here;
		count -= here;
	}
}

/* First set bit at or after `from`, or `size` when there is none. */
static inline size_t bitmap_next_set(const uint64_t *map, size_t size, size_t from)
{
	while (from < size) {
		uint64_t word = map[from / 64] >> (from % 64);

		if (word != 0) {
			return u64_min(from + (size_t)__builtin_ctzll(word), size);
		}
		from = (from / 64 + 1) * 64;
	}
	return size;
}

/* First clear bit at or after `from`, or `size` when there is none. */
static inline size_t bitmap_next_clear(const uint64_t *map, size_t size, size_t from)
{
	while (from < size) {
		uint64_t word = ~map[from / 64] >> (from % 64);

		if (word != 0) {
			return u64_min(from + (size_t)__builtin_ctzll(word), size);
		}
		from = (from / 64 + 1) * 64;
	}
	return size;
}

/*
 * First position at or after `from`, a multiple of `alignment` (a power of two), where `count` bits
 * in a row are set; `size` when there is none.
 */
static inline size_t bitmap_find_set_run(
	const uint64_t *map, size_t size, size_t from, size_t count, size_t alignment)
{
	while (from < size) {
		size_t start = align_up(bitmap_next_set(map, size, from), alignment);
		size_t end;

		if (start >= size || size - start < count) {
			return size;
		}
		end = bitmap_next_clear(map, size, start);
		if (end - start >= count) {
			return start;
		}
		from = end + 1;
	}
	return size;
}

/* Number of set bits. */
static inline size_t bitmap_count(const uint64_t *map, size_t size)
{
	size_t count = 0;

	for (size_t word = 0; word < size / 64; word++) {
		count += (size_t)__builtin_popcountll(map[word]);
	}
	if (size % 64 != 0) {
		count += (size_t)__builtin_popcountll(map[size / 64] & bitmap_mask(0, size % 64));
	}
	return count;
}
