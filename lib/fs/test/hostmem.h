/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model of VM's page cache for host tests: pages by name behind a window with marks, by the rules
 * of proto/vm.h. It takes unpinned clean pages away at random moments, can be small, can refuse,
 * and keeps everything when the file system over it dies.
 */
#pragma once

#include "lib/fs/cache.h"

/* So many pages there always are. */
#define HOSTMEM_PAGES_MIN 64

struct hostmem_page {
	uint64_t ino, index;
	uint64_t place; /* second name: (0, place); VM_CACHE_NO_INDEX: none */
	bool is_named;
};

struct hostmem {
	struct fs_cache_memory memory;
	uint8_t *pages;
	uint8_t *marks;
	struct hostmem_page *page;
	uint32_t slots; /* of the window */
	uint32_t limit; /* pages that there may be */
	uint32_t used;  /* that there are */
	uint32_t hand;  /* where eviction goes on */
	int budget; /* calls until there is no more memory than is used then; negative: no end */
	uint32_t evict; /* one page in so many is taken away at each call; 0: only when full */
	uint64_t seed;
	uint64_t calls; /* to get and forget: messages in the system */
	uint64_t protects;
};

/* At most `limit` pages; lower mem->limit to have fewer. */
void hostmem_init(struct hostmem *mem, uint32_t limit);
void hostmem_free(struct hostmem *mem);

/* All pages go (unmounted). */
void hostmem_clear(struct hostmem *mem);

/* Take pages away now that may be. */
void hostmem_squeeze(struct hostmem *mem, uint32_t count);

/* The page at a place of the device, as readers of the device find it; NULL: it is not cached. */
const uint8_t *hostmem_device_page(const struct hostmem *mem, uint64_t index);

/* Whether no two pages have one name, and all that are clean and have a place on the device (4 KiB
 * blocks) are what it contains. */
bool hostmem_shows_device(const struct hostmem *mem, const uint8_t *bytes, uint64_t size);

/* A process writes to a page through a mapping, as after FS_MKWRITE; NULL: it was written back
 * already, VM would ask again. */
uint8_t *hostmem_store(struct hostmem *mem, uint64_t ino, uint64_t index);
