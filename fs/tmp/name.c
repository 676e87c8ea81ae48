/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "fs/tmp/tmp.h"

#define BUCKETS_FIRST 128

/* FNV-1a of the name, mixed with the directory. */
static uint32_t name_hash(const struct tmp_node *dir, const char *text, size_t len)
{
	uint32_t hash = 2166136261u ^ (uint32_t)dir->attr.ino;

	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	}
	return hash;
}

/* More buckets when entries outnumber them. Without memory the chains just get longer. */
static void buckets_grow(struct tmp_fs *tmp)
{
	size_t count = tmp->bucket_count ? tmp->bucket_count * 2 : BUCKETS_FIRST;
	struct tmp_entry **buckets;

	if (tmp->entry_count < tmp->bucket_count) {
		return;
	}
	buckets = calloc(count, sizeof(*buckets));
	if (!buckets) {
		return;
	}
	for (size_t i = 0; i < tmp->bucket_count; i++) {
		for (struct tmp_entry *e = tmp->buckets[i], *next; e; e = next) {
			next = e->hash_next;
			e->hash_next = buckets[e->hash & (count - 1)];
			buckets[e->hash & (count - 1)] = e;
		}
	}
	free(tmp->buckets);
	tmp->buckets = buckets;
	tmp->bucket_count = count;
}

struct tmp_entry *tmp_entry_find(struct tmp_fs *tmp, struct tmp_node *dir, struct fs_name name)
{
	uint32_t hash = name_hash(dir, name.text, name.len);

	for (struct tmp_entry *e = tmp->buckets[hash & (tmp->bucket_count - 1)]; e;
		e = e->hash_next) {
		if (e->hash == hash && e->dir == dir && e->len == name.len &&
			memcmp(e->name, name.text, name.len) == 0) {
			return e;
		}
	}
	return NULL;
}

struct tmp_entry *tmp_entry_new(struct tmp_fs *tmp, struct fs_name name)
{
	struct tmp_entry *e;

	buckets_grow(tmp);
	e = calloc(1, sizeof(*e) + name.len);
	if (e) {
		e->len = (uint8_t)name.len;
		memcpy(e->name, name.text, name.len);
		list_init(&e->link);
	}
	return e;
}

void tmp_entry_insert(
	struct tmp_fs *tmp, struct tmp_entry *e, struct tmp_node *dir, struct tmp_node *node)
{
	struct tmp_entry **bucket;

	e->dir = dir;
	e->node = node;
	e->hash = name_hash(dir, e->name, e->len);
	e->position = dir->next_position++;
	bucket = &tmp->buckets[e->hash & (tmp->bucket_count - 1)];
	e->hash_next = *bucket;
	*bucket = e;
	list_add_tail(&dir->entries, &e->link);
	tmp->entry_count++;
	dir->attr.size += 32;
}

void tmp_entry_remove(struct tmp_fs *tmp, struct tmp_entry *e)
{
	struct tmp_entry **at = &tmp->buckets[e->hash & (tmp->bucket_count - 1)];

	while (*at != e) {
		at = &(*at)->hash_next;
	}
	*at = e->hash_next;
	list_remove(&e->link);
	tmp->entry_count--;
	e->dir->attr.size -= 32;
	free(e);
}
