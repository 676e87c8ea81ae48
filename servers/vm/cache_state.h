/* SPDX-License-Identifier: BSD-2-Clause */
/* What the page cache (cache.h) keeps in VM's state. */
#pragma once

#include "lib/core/list.h"

enum cache_list {
	CACHE_INACTIVE, /* used once or long ago: evicted first */
	CACHE_ACTIVE,
	CACHE_BUSY, /* found dirty or pinned: looked at when nothing else is left */
	CACHE_LISTS
};

struct cache {
	struct list *buckets;
	struct list *device_buckets; /* pages of files by their places on devices */
	uint64_t bucket_count;       /* of each; power of 2 */
	struct list clients;
	struct list lists[CACHE_LISTS];
	uint64_t counts[CACHE_LISTS];
	struct list orphans; /* forgotten pages that VFS has pinned */
	uint64_t pages;      /* orphans not among them */
	uint64_t evictions;  /* requests for them */
	uint64_t clean;      /* estimate of what can be evicted */
	uint32_t clean_age;  /* requests since it was made */
};
