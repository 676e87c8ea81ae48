/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small arithmetic helpers: alignment, minimum and maximum, arithmetic that reports overflow.
 * Used by kernel, services and host tests alike: no library is needed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The structure of the given type whose member the pointer points to. */
#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(uintptr_t)(pointer)-offsetof(type, member)))

static inline uint64_t u64_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t u64_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Alignments are powers of two. */
static inline bool is_aligned(uint64_t value, uint64_t alignment)
{
	return (value & (alignment - 1)) == 0;
}

static inline uint64_t align_down(uint64_t value, uint64_t alignment)
{
	return value & ~(alignment - 1);
}

/* Wraps to 0 when the result does not fit: use checked_align_up() on numbers from outside. */
static inline uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

/* The checked functions return false, and leave *result unspecified, on overflow. */
static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *result)
{
	return !__builtin_add_overflow(a, b, result);
}

static inline bool checked_sub(uint64_t a, uint64_t b, uint64_t *result)
{
	return !__builtin_sub_overflow(a, b, result);
}

static inline bool checked_mul(uint64_t a, uint64_t b, uint64_t *result)
{
	return !__builtin_mul_overflow(a, b, result);
}

static inline bool checked_align_up(uint64_t value, uint64_t alignment, uint64_t *result)
{
	uint64_t sum;

	if (!checked_add(value, alignment - 1, &sum)) {
		return false;
	}
	*result = align_down(sum, alignment);
	return true;
}

/* True when [start, start + len) does not wrap and lies within [low, high). */
static inline bool range_within(uint64_t start, uint64_t len, uint64_t low, uint64_t high)
{
	uint64_t end;

	return checked_add(start, len, &end) && start >= low && end <= high;
}

/* True when two ranges, neither of which wraps, have a byte in common. */
static inline bool range_overlaps(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

/* A 64-bit mix for hash tables (the finalizer of the "splitmix" generator). */
static inline uint64_t hash_u64(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ull;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}
