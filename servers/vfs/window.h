/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFS's window on VM's page cache (proto/vm.h "The page cache"): which page lies in which slot. VM
 * takes pages away by marking them EVICTED; nobody tells VFS. A page is pinned while it is read,
 * and never across a wait.
 *
 * Nothing here sends messages: the caller asks VM for pages and enters them.
 */
#pragma once

#include "lib/core/util.h"

#define WINDOW_NO_SLOT UINT32_MAX

/* The name of the page in a slot. */
struct window_slot {
	uint64_t dev, ino, index;
	uint32_t next; /* in its bucket */
	bool is_named;
};

struct window {
	char *base;     /* slot i is the page at base + i * page size */
	uint8_t *marks; /* one a slot, VM_CACHE_*; shared with VM */
	uint32_t slots;
	uint32_t mask; /* buckets - 1 */
	uint32_t *buckets;
	struct window_slot *names;
};

/* -ENOMEM. */
int window_init(struct window *window, void *base, uint8_t *marks, uint32_t slots);
void window_free(struct window *window);

/* The slot of a page, pinned and marked as used; WINDOW_NO_SLOT when the window does not have it
 * (any more). */
uint32_t window_pin(struct window *window, uint64_t dev, uint64_t ino, uint64_t index);
void window_unpin(struct window *window, uint32_t slot);
/* VFS crashed: what it had pinned is not any more. */
void window_unpin_all(struct window *window);
/* Whether a page is there, without touching it. */
bool window_has(const struct window *window, uint64_t dev, uint64_t ino, uint64_t index);

/* VM has put a page into a slot; whatever the slot was before is forgotten. A slot out of range is
 * ignored. */
void window_enter(struct window *window, uint64_t dev, uint64_t ino, uint64_t index, uint32_t slot);
/* What could not be read after all. */
void window_forget(struct window *window, uint32_t slot);
