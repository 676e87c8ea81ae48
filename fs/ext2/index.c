/* SPDX-License-Identifier: BSD-2-Clause */
/* An index of a large directory's names: open addressing, linear probing. */
#include "fs/ext2/index.h"

#include <stdlib.h>

#define CAPACITY_MIN 256
#define REMOVED      UINT32_MAX

static uint32_t hash_name(struct fs_name name)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < name.len; i++) {
		hash = (hash ^ (uint8_t)name.text[i]) * 16777619u;
	}
	return hash ^ hash >> 15;
}

static struct ext2_index_slot *slots_new(struct ext2 *ext2, uint32_t capacity)
{
	struct ext2_index_slot *slot;

	if (ext2->index_slots + capacity > ext2->index_slots_max) {
		return NULL;
	}
	slot = calloc(capacity, sizeof(*slot));
	if (slot != NULL) {
		ext2->index_slots += capacity;
	}
	return slot;
}

struct ext2_index *ext2_index_new(struct ext2 *ext2, uint32_t names)
{
	struct ext2_index *index = calloc(1, sizeof(*index));

	if (index == NULL) {
		return NULL;
	}
	index->capacity = CAPACITY_MIN;
	while (index->capacity / 2 < names && index->capacity < 1u << 30) {
		index->capacity *= 2;
	}
	index->slot = slots_new(ext2, index->capacity);
	if (index->slot == NULL) {
		free(index);
		return NULL;
	}
	return index;
}

void ext2_index_free(struct ext2 *ext2, struct ext2_index *index)
{
	if (index != NULL) {
		ext2->index_slots -= index->capacity;
		free(index->slot);
		free(index);
	}
}

static void put(struct ext2_index *index, uint32_t hash, uint32_t block)
{
	uint32_t i = hash & (index->capacity - 1);

	while (index->slot[i].block != 0) {
		i = (i + 1) & (index->capacity - 1);
	}
	index->slot[i] = (struct ext2_index_slot){hash, block};
	index->used++;
	index->live++;
}

/* Make room, and get rid of removed slots. */
static bool rehash(struct ext2 *ext2, struct ext2_index *index)
{
	struct ext2_index old = *index;
	uint32_t capacity = old.live * 2 >= old.capacity ? old.capacity * 2 : old.capacity;

	index->slot = slots_new(ext2, capacity);
	if (index->slot == NULL) {
		index->slot = old.slot;
		return false;
	}
	index->capacity = capacity;
	index->used = index->live = 0;
	for (uint32_t i = 0; i < old.capacity; i++) {
		if (old.slot[i].block != 0 && old.slot[i].block != REMOVED) {
			put(index, old.slot[i].hash, old.slot[i].block);
		}
	}
	ext2->index_slots -= old.capacity;
	free(old.slot);
	return true;
}

bool ext2_index_add(
	struct ext2 *ext2, struct ext2_index *index, struct fs_name name, uint32_t block)
{
	if (index->used + 1 > index->capacity / 4 * 3 && !rehash(ext2, index)) {
		return false;
	}
	put(index, hash_name(name), block + 1);
	return true;
}

void ext2_index_remove(struct ext2_index *index, struct fs_name name, uint32_t block)
{
	uint32_t hash = hash_name(name);

	for (uint32_t i = hash & (index->capacity - 1); index->slot[i].block != 0;
		i = (i + 1) & (index->capacity - 1)) {
		if (index->slot[i].hash == hash && index->slot[i].block == block + 1) {
			index->slot[i].block = REMOVED;
			index->live--;
			return;
		}
	}
}

bool ext2_index_next(
	const struct ext2_index *index, struct fs_name name, uint32_t *cursor, uint32_t *block)
{
	uint32_t hash = hash_name(name);

	for (;;) {
		const struct ext2_index_slot *slot =
			&index->slot[(hash + *cursor) & (index->capacity - 1)];

		if (slot->block == 0) {
			return false;
		}
		*cursor += 1;
		if (slot->hash == hash && slot->block != REMOVED) {
			*block = slot->block - 1;
			return true;
		}
	}
}
