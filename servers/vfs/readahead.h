/* SPDX-License-Identifier: BSD-2-Clause */
/* Sequential reading of one open file: how much to bring in. All in pages. */
#pragma once

#include "lib/core/util.h"

#define READAHEAD_FIRST 4u
#define READAHEAD_MAX   32u

struct readahead {
	uint64_t next;  /* behind the last read */
	uint64_t end;   /* asked for up to here; 0: nothing */
	uint32_t pages; /* in the last asking */
};

/* A read of pages from `first` on goes on where the last one ended (or began in its last page). */
static inline bool readahead_is_sequential(const struct readahead *ra, uint64_t first)
{
	return first == ra->next || first + 1 == ra->next;
}

/* Pages [first, first + count) are wanted and `first` is not cached: how many pages to ask for. */
static inline uint32_t readahead_miss(
	struct readahead *ra, uint64_t first, uint32_t count, bool is_sequential)
{
	ra->pages = !is_sequential ? 0
		: ra->pages        ? (uint32_t)u64_min(ra->pages * 2, READAHEAD_MAX)
				   : READAHEAD_FIRST;
	ra->pages = (uint32_t)u64_max(ra->pages, count);
	ra->end = first + ra->pages;
	return ra->pages;
}

/* Pages up to `next` have been read. When that is beyond the middle of what was asked for last: how
 * many pages to ask for from *start on, without waiting; else 0. */
static inline uint32_t readahead_passed(
	struct readahead *ra, uint64_t next, bool is_sequential, uint64_t *start)
{
	ra->next = next;
	if (!is_sequential || next > ra->end || ra->end - next > ra->pages / 2) {
		return 0;
	}
	*start = ra->end;
	ra->pages = (uint32_t)u64_min(u64_max(ra->pages * 2, READAHEAD_FIRST), READAHEAD_MAX);
	ra->end += ra->pages;
	return ra->pages;
}
