/* SPDX-License-Identifier: BSD-2-Clause */
/* A model of VM's page cache for host tests. */
#include "lib/fs/test/hostmem.h"

#include "proto/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct hostmem *mem_of(struct fs_cache_memory *memory)
{
	return (struct hostmem *)(void *)memory;
}

static uint32_t random_next(struct hostmem *mem, uint32_t bound)
{
	mem->seed += 0x9e3779b97f4a7c15ull;
	return (uint32_t)(hash_u64(mem->seed) >> 32) % bound;
}

static bool may_evict(const struct hostmem *mem, uint32_t slot)
{
	return mem->page[slot].is_named &&
		!(mem->marks[slot] & (VM_CACHE_PINNED | VM_CACHE_DIRTY | VM_CACHE_WMAPPED));
}

static void take_away(struct hostmem *mem, uint32_t slot)
{
	mem->page[slot].is_named = false;
	mem->marks[slot] |= VM_CACHE_EVICTED;
	memset(mem->pages + (size_t)slot * FS_PAGE_SIZE, 0xdb, FS_PAGE_SIZE);
	mem->used--;
}

void hostmem_squeeze(struct hostmem *mem, uint32_t count)
{
	for (uint32_t looked = 0; looked < 2 * mem->slots && count > 0; looked++) {
		uint32_t slot = mem->hand;

		mem->hand = (mem->hand + 1) % mem->slots;
		if (may_evict(mem, slot) && (mem->marks[slot] & VM_CACHE_USED)) {
			mem->marks[slot] &= (uint8_t)~VM_CACHE_USED;
		} else if (may_evict(mem, slot)) {
			take_away(mem, slot);
			count--;
		}
	}
}

static void evict_at_random(struct hostmem *mem)
{
	if (mem->evict == 0) {
		return;
	}
	for (uint32_t slot = 0; slot < mem->slots; slot++) {
		if (may_evict(mem, slot) && random_next(mem, mem->evict) == 0) {
			take_away(mem, slot);
		}
	}
}

static int mem_open(struct fs_cache_memory *memory, struct fs_window *window)
{
	struct hostmem *mem = mem_of(memory);

	/* A new process: it uses nothing yet, and what was being filled is no page. */
	for (uint32_t slot = 0; slot < mem->slots; slot++) {
		mem->marks[slot] &= (uint8_t)~VM_CACHE_PINNED;
		if (mem->page[slot].is_named && !(mem->marks[slot] & VM_CACHE_VALID)) {
			take_away(mem, slot);
		}
	}
	*window = (struct fs_window){mem->pages, mem->marks, mem->slots, mem->used};
	return 0;
}

static uint32_t find(const struct hostmem *mem, uint64_t ino, uint64_t index)
{
	for (uint32_t slot = 0; slot < mem->slots; slot++) {
		if (mem->page[slot].is_named && mem->page[slot].ino == ino &&
			mem->page[slot].index == index) {
			return slot;
		}
	}
	return VM_CACHE_NO_SLOT;
}

/* No page has this place any more. */
static void free_place(struct hostmem *mem, uint64_t place)
{
	for (uint32_t slot = 0; slot < mem->slots; slot++) {
		if (mem->page[slot].is_named && mem->page[slot].place == place) {
			mem->page[slot].place = VM_CACHE_NO_INDEX;
		}
	}
}

static void take_names(struct hostmem *mem, const struct vm_cache_name *names, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct hostmem_page *page = &mem->page[names[i].slot];

		if (names[i].slot >= mem->slots) {
			abort();
		}
		if (!page->is_named || page->ino == 0) {
			continue;
		}
		page->place = VM_CACHE_NO_INDEX;
		if (names[i].index != VM_CACHE_NO_INDEX &&
			find(mem, 0, names[i].index) == VM_CACHE_NO_SLOT) {
			free_place(mem, names[i].index);
			page->place = names[i].index;
		}
	}
}

static uint32_t make(struct hostmem *mem, uint64_t ino, uint64_t index)
{
	uint32_t slot = 0;

	uint32_t limit = mem->limit;

	if (mem->budget == 0 && limit > HOSTMEM_PAGES_MIN) {
		limit = mem->used < HOSTMEM_PAGES_MIN ? HOSTMEM_PAGES_MIN : mem->used;
	}
	if (mem->used >= limit) {
		hostmem_squeeze(mem, 1);
	}
	if (mem->used >= limit) {
		return VM_CACHE_NO_SLOT;
	}
	while (mem->page[slot].is_named) {
		slot++;
	}
	mem->used++;
	if (ino == 0) {
		free_place(mem, index);
	}
	mem->page[slot] = (struct hostmem_page){ino, index, VM_CACHE_NO_INDEX, true};
	mem->marks[slot] = VM_CACHE_PINNED;
	memset(mem->pages + (size_t)slot * FS_PAGE_SIZE, 0, FS_PAGE_SIZE);
	return slot;
}

static int mem_get(struct fs_cache_memory *memory, const struct fs_cache_wish *wish,
	uint32_t *slots, struct fs_room *room)
{
	struct hostmem *mem = mem_of(memory);
	uint32_t given = 0;

	if ((wish->count == 0 && wish->name_count == 0) || wish->count > VM_CACHE_BATCH ||
		wish->name_count > VM_CACHE_BATCH) {
		abort();
	}
	mem->calls++;
	take_names(mem, wish->names, wish->name_count);
	evict_at_random(mem);
	for (; given < wish->count; given++) {
		slots[given] = find(mem, wish->ino, wish->index + given);
		if (slots[given] == VM_CACHE_NO_SLOT) {
			slots[given] = make(mem, wish->ino, wish->index + given);
		}
		if (slots[given] == VM_CACHE_NO_SLOT) {
			break;
		}
		mem->marks[slots[given]] |= VM_CACHE_PINNED;
	}
	if (mem->budget > 0) {
		mem->budget--;
	}
	room->free_pages = mem->limit - mem->used;
	room->clean_pages = 0;
	for (uint32_t slot = 0; slot < mem->slots; slot++) {
		room->clean_pages += may_evict(mem, slot);
	}
	return given > 0 || wish->count == 0 ? (int)given : -ENOMEM;
}

static int mem_forget(struct fs_cache_memory *memory, uint64_t ino, uint64_t first, uint64_t end)
{
	struct hostmem *mem = mem_of(memory);

	mem->calls++;
	for (uint32_t slot = 0; slot < mem->slots; slot++) {
		const struct hostmem_page *page = &mem->page[slot];

		if (page->is_named && page->ino == ino && page->index >= first &&
			page->index < end) {
			if (mem->marks[slot] & VM_CACHE_PINNED) {
				abort();
			}
			take_away(mem, slot);
		}
	}
	return 0;
}

static int mem_protect(struct fs_cache_memory *memory, const uint32_t *slots, uint32_t count)
{
	struct hostmem *mem = mem_of(memory);

	if (count == 0 || count > VM_CACHE_BATCH) {
		abort();
	}
	mem->protects++;
	for (uint32_t i = 0; i < count; i++) {
		mem->marks[slots[i]] &= (uint8_t)~VM_CACHE_WMAPPED;
	}
	return 0;
}

static int mem_list(struct fs_cache_memory *memory, uint64_t *next, struct vm_cache_entry *entries,
	size_t count)
{
	struct hostmem *mem = mem_of(memory);
	size_t listed = 0;

	while (*next < mem->slots && listed < count) {
		uint32_t slot = (uint32_t)(*next)++;

		if (mem->page[slot].is_named) {
			entries[listed++] = (struct vm_cache_entry){.ino = mem->page[slot].ino,
				.index = mem->page[slot].index,
				.slot = slot,
				.marks = mem->marks[slot],
				.device_index = mem->page[slot].place};
		}
	}
	if (*next == mem->slots) {
		*next = 0;
	}
	return (int)listed;
}

void hostmem_init(struct hostmem *mem, uint32_t limit)
{
	memset(mem, 0, sizeof(*mem));
	mem->memory =
		(struct fs_cache_memory){mem_open, mem_get, mem_forget, mem_protect, mem_list};
	mem->slots = mem->limit = limit;
	mem->budget = -1;
	mem->seed = 1;
	mem->pages = aligned_alloc(FS_PAGE_SIZE, (size_t)limit * FS_PAGE_SIZE);
	mem->marks = calloc(1, limit);
	mem->page = calloc(limit, sizeof(mem->page[0]));
	if (mem->pages == NULL || mem->marks == NULL || mem->page == NULL) {
		exit(2);
	}
}

void hostmem_free(struct hostmem *mem)
{
	free(mem->pages);
	free(mem->marks);
	free(mem->page);
}

void hostmem_clear(struct hostmem *mem)
{
	memset(mem->page, 0, mem->slots * sizeof(mem->page[0]));
	memset(mem->marks, 0, mem->slots);
	mem->used = 0;
}

const uint8_t *hostmem_device_page(const struct hostmem *mem, uint64_t index)
{
	for (uint32_t slot = 0; slot < mem->slots; slot++) {
		const struct hostmem_page *page = &mem->page[slot];
		bool is_there = page->is_named &&
			((page->ino == 0 && page->index == index) || page->place == index);

		if (is_there && (mem->marks[slot] & VM_CACHE_VALID)) {
			return mem->pages + (size_t)slot * FS_PAGE_SIZE;
		}
	}
	return NULL;
}

static bool is_sole(const struct hostmem *mem, uint32_t at, uint64_t place)
{
	for (uint32_t slot = 0; slot < mem->slots; slot++) {
		const struct hostmem_page *page = &mem->page[slot];

		if (slot != at && page->is_named &&
			((page->ino == 0 && page->index == place) || page->place == place)) {
			return false;
		}
	}
	return true;
}

bool hostmem_shows_device(const struct hostmem *mem, const uint8_t *bytes, uint64_t size)
{
	for (uint32_t slot = 0; slot < mem->slots; slot++) {
		const struct hostmem_page *page = &mem->page[slot];
		uint64_t place = page->ino == 0 ? page->index : page->place;
		const uint8_t *data = mem->pages + (size_t)slot * FS_PAGE_SIZE;

		if (!page->is_named || place == VM_CACHE_NO_INDEX) {
			continue;
		}
		if (!is_sole(mem, slot, place) || place >= size / FS_PAGE_SIZE) {
			return false;
		}
		if ((mem->marks[slot] & (VM_CACHE_VALID | VM_CACHE_DIRTY)) == VM_CACHE_VALID &&
			memcmp(data, bytes + place * FS_PAGE_SIZE, FS_PAGE_SIZE) != 0) {
			return false;
		}
	}
	return true;
}

uint8_t *hostmem_store(struct hostmem *mem, uint64_t ino, uint64_t index)
{
	uint32_t slot = find(mem, ino, index);

	if (slot == VM_CACHE_NO_SLOT || !(mem->marks[slot] & VM_CACHE_VALID) ||
		!(mem->marks[slot] & VM_CACHE_DIRTY)) {
		return NULL;
	}
	mem->marks[slot] |= VM_CACHE_WMAPPED;
	return mem->pages + (size_t)slot * FS_PAGE_SIZE;
}
