/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/test/fake_cache.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/types.h"
#include "proto/vm.h"

#define PAGES_MAX 512

struct page {
	bool is_used;
	uint64_t ino, index;
	char data[AXO_PAGE_SIZE];
};

static struct page pages[PAGES_MAX];
static char window[FAKE_CACHE_SLOTS][AXO_PAGE_SIZE];
static uint8_t marks[FAKE_CACHE_SLOTS];
static struct page *slots[FAKE_CACHE_SLOTS];
static unsigned hand;

void fake_cache_reset(void)
{
	memset(pages, 0, sizeof(pages));
	memset(marks, 0, sizeof(marks));
	memset(slots, 0, sizeof(slots));
}

static struct page *find(uint64_t ino, uint64_t index)
{
	for (int i = 0; i < PAGES_MAX; i++) {
		if (pages[i].is_used && pages[i].ino == ino && pages[i].index == index) {
			return &pages[i];
		}
	}
	return NULL;
}

static void take_away(unsigned slot)
{
	slots[slot] = NULL;
	marks[slot] = VM_CACHE_EVICTED;
	memset(window[slot], 0xee, AXO_PAGE_SIZE);
}

/* A slot for the page: the one it has, a free one, or the next that is not pinned. */
static uint32_t slot_for(struct page *page)
{
	unsigned slot = 0;

	while (slot < FAKE_CACHE_SLOTS && slots[slot] != page) {
		slot++;
	}
	while (slot == FAKE_CACHE_SLOTS) {
		hand = (hand + 1) % FAKE_CACHE_SLOTS;
		if (!(marks[hand] & VM_CACHE_PINNED)) {
			take_away(hand);
			slot = hand;
		}
	}
	slots[slot] = page;
	memcpy(window[slot], page->data, AXO_PAGE_SIZE);
	marks[slot] = VM_CACHE_VALID | VM_CACHE_PINNED;
	return slot;
}

void fake_cache_call(struct message *m)
{
	const struct vm_cache_get_req req = *MSG(m, vm_cache_get_req);
	struct vm_cache_open_rep *rep = MSG(m, vm_cache_open_rep);

	switch (m->type) {
	case VM_CACHE_OPEN:
		rep->window = (uint64_t)(uintptr_t)window;
		rep->marks = (uint64_t)(uintptr_t)marks;
		rep->slots = FAKE_CACHE_SLOTS;
		break;
	case VM_CACHE_MAP:
		assert(req.count >= 1 && req.count <= VM_CACHE_BATCH);
		for (uint32_t i = 0; i < req.count; i++) {
			struct page *page = find(req.ino, req.index + i);

			((uint32_t *)req.to)[i] = page ? slot_for(page) : VM_CACHE_NO_SLOT;
		}
		MSG(m, vm_cache_get_rep)->count = req.count;
		break;
	default:
		break;
	}
	m->type = 0;
}

void fake_cache_put(uint64_t ino, uint64_t index, const char *data, size_t len)
{
	struct page *page = find(ino, index);

	for (int i = 0; !page; i++) {
		assert(i < PAGES_MAX);
		page = pages[i].is_used ? NULL : &pages[i];
	}
	page->is_used = true;
	page->ino = ino;
	page->index = index;
	memset(page->data, 0, AXO_PAGE_SIZE);
	memcpy(page->data, data, len);
}

void fake_cache_forget(uint64_t ino)
{
	for (unsigned i = 0; i < FAKE_CACHE_SLOTS; i++) {
		if (slots[i] && slots[i]->ino == ino) {
			take_away(i);
		}
	}
	for (int i = 0; i < PAGES_MAX; i++) {
		pages[i].is_used = pages[i].is_used && pages[i].ino != ino;
	}
}

void fake_cache_evict(bool keep)
{
	for (unsigned i = 0; i < FAKE_CACHE_SLOTS; i++) {
		if (slots[i] && !(marks[i] & VM_CACHE_PINNED)) {
			slots[i]->is_used = keep;
			take_away(i);
		}
	}
}

bool fake_cache_has_pins(void)
{
	for (unsigned i = 0; i < FAKE_CACHE_SLOTS; i++) {
		if (marks[i] & VM_CACHE_PINNED) {
			return true;
		}
	}
	return false;
}
