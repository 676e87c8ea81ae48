/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariants: 1. a slot is in the bucket of its name exactly when is_named; 2. no two named slots
 * have one name.
 */
#include "servers/vfs/window.h"

#include <errno.h>
#include <stdlib.h>

#include "abi/types.h"
#include "lib/core/util.h"
#include "proto/vm.h"

static uint32_t *bucket(const struct window *window, uint64_t dev, uint64_t ino, uint64_t index)
{
	uint64_t hash = hash_u64(ino ^ dev << 32) + index; /* neighbours lie side by side */

	return &window->buckets[hash & window->mask];
}

int window_init(struct window *window, void *base, uint8_t *marks, uint32_t slots)
{
	uint32_t buckets = 64;

	while (buckets < slots) {
		buckets *= 2;
	}
	window->base = base;
	window->marks = marks;
	window->slots = slots;
	window->mask = buckets - 1;
	window->buckets = malloc(buckets * sizeof(*window->buckets));
	window->names = calloc(slots ? slots : 1, sizeof(*window->names));
	if (!window->buckets || !window->names) {
		window_free(window);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < buckets; i++) {
		window->buckets[i] = WINDOW_NO_SLOT;
	}
	return 0;
}

void window_free(struct window *window)
{
	free(window->buckets);
	free(window->names);
	*window = (struct window){0};
}

static uint32_t find(const struct window *window, uint64_t dev, uint64_t ino, uint64_t index)
{
	uint32_t slot = *bucket(window, dev, ino, index);

	while (slot != WINDOW_NO_SLOT) {
		const struct window_slot *name = &window->names[slot];

		if (name->index == index && name->ino == ino && name->dev == dev) {
			break;
		}
		slot = name->next;
	}
	return slot;
}

static uint8_t marks_of(const struct window *window, uint32_t slot)
{
	return __atomic_load_n(&window->marks[slot], __ATOMIC_SEQ_CST);
}

bool window_has(const struct window *window, uint64_t dev, uint64_t ino, uint64_t index)
{
	uint32_t slot = window->slots ? find(window, dev, ino, index) : WINDOW_NO_SLOT;

	return slot != WINDOW_NO_SLOT && !(marks_of(window, slot) & VM_CACHE_EVICTED);
}

uint32_t window_pin(struct window *window, uint64_t dev, uint64_t ino, uint64_t index)
{
	uint32_t slot = window->slots ? find(window, dev, ino, index) : WINDOW_NO_SLOT;
	uint8_t before;

	if (slot == WINDOW_NO_SLOT) {
		return slot;
	}
	before = __atomic_fetch_or(
		&window->marks[slot], VM_CACHE_PINNED | VM_CACHE_USED, __ATOMIC_SEQ_CST);
	if (before & VM_CACHE_EVICTED) {
		window_forget(window, slot);
		return WINDOW_NO_SLOT;
	}
	return slot;
}

void window_unpin(struct window *window, uint32_t slot)
{
	(void)__atomic_fetch_and(&window->marks[slot], (uint8_t)~VM_CACHE_PINNED, __ATOMIC_SEQ_CST);
}

void window_unpin_all(struct window *window)
{
	for (uint32_t slot = 0; slot < window->slots; slot++) {
		if (marks_of(window, slot) & VM_CACHE_PINNED) {
			window_unpin(window, slot);
		}
	}
}

void window_forget(struct window *window, uint32_t slot)
{
	struct window_slot *name = &window->names[slot];
	uint32_t *link;

	window_unpin(window, slot);
	if (!name->is_named) {
		return;
	}
	link = bucket(window, name->dev, name->ino, name->index);
	while (*link != slot) {
		link = &window->names[*link].next;
	}
	*link = name->next;
	name->is_named = false;
}

void window_enter(struct window *window, uint64_t dev, uint64_t ino, uint64_t index, uint32_t slot)
{
	uint32_t old, *head;

	if (slot >= window->slots) {
		return;
	}
	old = find(window, dev, ino, index);
	if (old == slot) {
		return;
	}
	if (old != WINDOW_NO_SLOT) {
		window_forget(window, old);
	}
	window_forget(window, slot);
	head = bucket(window, dev, ino, index);
	window->names[slot] = (struct window_slot){
		.dev = dev, .ino = ino, .index = index, .next = *head, .is_named = true};
	*head = slot;
}
