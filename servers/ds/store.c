/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/ds/store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define for_each_entry(entry, store)                                             \
	for (struct store_entry *entry = (struct store_entry *)(store)->entries; \
		entry < (store)->entries + (store)->top; entry++)                \
		if (entry->used)

void store_init(struct store *store, const struct store_ops *ops)
{
	memset(store, 0, sizeof(*store));
	store->ops = ops;
}

/* Labels are shorter than STORE_LABEL_MAX: store_publish() saw to it. */
static void copy_label(char to[STORE_LABEL_MAX], const char *label)
{
	assert(strlen(label) < STORE_LABEL_MAX);
	memcpy(to, label, strlen(label) + 1);
}

static struct store_entry *find(const struct store *store, const char *key, uint32_t type)
{
	for_each_entry(entry, store)
	{
		if (entry->type == type && strcmp(entry->key, key) == 0) {
			return entry;
		}
	}
	return NULL;
}

const struct store_entry *store_find(const struct store *store, const char *key, uint32_t type)
{
	return find(store, key, type);
}

static struct store_entry *find_label_of(const struct store *store, endpoint_t ep)
{
	for_each_entry(entry, store)
	{
		if (entry->type == DS_TYPE_LABEL && (endpoint_t)entry->value == ep) {
			return entry;
		}
	}
	return NULL;
}

const char *store_label_of(const struct store *store, endpoint_t ep)
{
	const struct store_entry *entry = find_label_of(store, ep);

	return entry ? entry->key : NULL;
}

endpoint_t store_owner(const struct store *store, const struct store_entry *entry)
{
	const struct store_entry *label = find(store, entry->owner, DS_TYPE_LABEL);

	return label ? (endpoint_t)label->value : EP_NONE;
}

static bool is_owner(const struct store *store, endpoint_t caller, const struct store_entry *entry)
{
	const char *label = store_label_of(store, caller);

	return label && strcmp(entry->owner, label) == 0;
}

int store_retrieve(const struct store *store, endpoint_t caller, const char *key, uint32_t type,
	struct store_entry **entry)
{
	*entry = find(store, key, type);
	if (!*entry) {
		return -ESRCH;
	}
	if (((*entry)->flags & DS_FLAG_PRIVATE_RETRIEVE) && !is_owner(store, caller, *entry)) {
		return -EPERM;
	}
	return 0;
}

/* Bytes of the store's own memory that an entry takes. */
static uint64_t bytes_of(const struct store_entry *entry)
{
	uint64_t bytes = entry->type == DS_TYPE_MAP ? 0 : entry->len;

	for (int i = 0; i < DS_SNAPSHOTS_MAX; i++) {
		bytes += entry->snapshots[i] ? entry->len : 0;
	}
	return bytes;
}

static void drop_entry(struct store *store, struct store_entry *entry)
{
	store_tell(store, entry, true);
	store->total_bytes -= bytes_of(entry);
	store->count--;
	if (entry->type == DS_TYPE_MAP) {
		store->ops->unmap(entry);
	} else {
		free(entry->data);
	}
	for (int i = 0; i < DS_SNAPSHOTS_MAX; i++) {
		free(entry->snapshots[i]);
	}
	memset(entry, 0, sizeof(*entry));
	while (store->top > 0 && !store->entries[store->top - 1].used) {
		store->top--;
	}
}

static bool is_string(const void *data, uint32_t len)
{
	return len > 0 && memchr(data, '\0', len) == (const char *)data + len - 1;
}

static bool is_value_right(const struct store_value *value)
{
	switch (value->type) {
	case DS_TYPE_U32:
		return value->value <= UINT32_MAX;
	case DS_TYPE_LABEL:
		return true;
	case DS_TYPE_STR:
		return value->len <= STORE_DATA_MAX && is_string(value->data, value->len);
	case DS_TYPE_MEM:
		return value->len <= STORE_DATA_MAX;
	case DS_TYPE_MAP:
		return value->len > 0 && value->len <= STORE_DATA_MAX;
	default:
		return false;
	}
}

/* Who may publish this, and as whose: the owner's label in *owner. */
static int check_publisher(const struct store *store, endpoint_t caller,
	const struct store_entry *old, const struct store_value *value, uint32_t flags,
	const char **owner)
{
	if (value->type == DS_TYPE_LABEL) {
		const struct store_entry *other = find_label_of(store, (endpoint_t)value->value);

		if (caller != EP_RS) {
			return -EPERM;
		}
		if (other && other != old) {
			return -EEXIST;
		}
		*owner = "rs";
	} else {
		*owner = store_label_of(store, caller);
		if (!*owner) {
			return -EPERM;
		}
	}
	if (!old) {
		return 0;
	}
	if (!(flags & DS_FLAG_OVERWRITE)) {
		return -EEXIST;
	}
	if ((old->flags & DS_FLAG_PRIVATE_OVERWRITE) && strcmp(old->owner, *owner) != 0) {
		return -EPERM;
	}
	return 0;
}

static struct store_entry *new_entry(struct store *store, const char *key, const char *owner,
	const struct store_value *value, uint32_t flags)
{
	struct store_entry *entry = store->entries;

	while (entry < store->entries + store->top && entry->used) {
		entry++;
	}
	if (entry == store->entries + STORE_ENTRIES_MAX) {
		return NULL;
	}
	if (entry == store->entries + store->top) {
		store->top++;
	}
	*entry = (struct store_entry){
		.used = true, .type = value->type, .flags = flags & STORE_PRIVATE};
	snprintf(entry->key, sizeof(entry->key), "%s", key);
	copy_label(entry->owner, owner);
	store->count++;
	return entry;
}

static bool is_room(const struct store *store, const struct store_entry *old, uint64_t more)
{
	uint64_t freed = old ? old->len : 0;

	return (old || store->count < STORE_ENTRIES_MAX) &&
		store->total_bytes - freed + more <= STORE_TOTAL_MAX;
}

int store_publish(struct store *store, endpoint_t caller, const char *key,
	const struct store_value *value, uint32_t flags)
{
	struct store_entry *entry = find(store, key, value->type);
	bool is_copied = value->type == DS_TYPE_STR || value->type == DS_TYPE_MEM;
	uint32_t len = is_copied ? value->len : 0;
	uint8_t *data = NULL;
	const char *owner;
	int r;

	if (key[0] == '\0' || !is_value_right(value) ||
		(value->type == DS_TYPE_MAP && (flags & DS_FLAG_OVERWRITE)) ||
		(value->type == DS_TYPE_LABEL && strlen(key) >= STORE_LABEL_MAX)) {
		return -EINVAL;
	}
	r = check_publisher(store, caller, entry, value, flags, &owner);
	if (r < 0) {
		return r;
	}
	if (!is_room(store, entry, len)) {
		return -ENOMEM;
	}
	if (len > 0) {
		data = malloc(len);
		if (!data) {
			return -ENOMEM;
		}
		memcpy(data, value->data, len);
	}
	if (!entry) {
		entry = new_entry(store, key, owner, value, flags);
	}
	store->total_bytes += len - (is_copied ? (uint64_t)entry->len : 0);
	free(entry->data);
	entry->data = is_copied ? data : (uint8_t *)value->data;
	entry->len = value->type == DS_TYPE_MAP ? value->len : len;
	entry->value = value->value;
	store_tell(store, entry, false);
	return 0;
}

/* All that belongs to a service goes. */
static void drop_owner(struct store *store, const char *label)
{
	store_unsubscribe(store, label);
	for_each_entry(entry, store)
	{
		if (entry->type != DS_TYPE_LABEL && strcmp(entry->owner, label) == 0) {
			drop_entry(store, entry);
		}
	}
}

static int delete_entry(struct store *store, endpoint_t caller, struct store_entry *entry)
{
	if (!entry) {
		return store_label_of(store, caller) || caller == EP_RS ? -ESRCH : -EPERM;
	}
	if (entry->type == DS_TYPE_LABEL) {
		if (caller != EP_RS) {
			return -EPERM;
		}
		drop_owner(store, entry->key);
	} else if (!is_owner(store, caller, entry)) {
		return -EPERM;
	}
	drop_entry(store, entry);
	return 0;
}

int store_delete(struct store *store, endpoint_t caller, const char *key, uint32_t type)
{
	return delete_entry(store, caller, find(store, key, type));
}

int store_delete_label_of(struct store *store, endpoint_t caller, endpoint_t ep)
{
	return delete_entry(store, caller, find_label_of(store, ep));
}

int store_snapshot(struct store *store, endpoint_t caller, const char *key, uint32_t *number)
{
	struct store_entry *entry = find(store, key, DS_TYPE_MAP);
	uint8_t **place;

	if (!entry) {
		return -ESRCH;
	}
	if ((entry->flags & DS_FLAG_PRIVATE_SNAPSHOT) && !is_owner(store, caller, entry)) {
		return -EPERM;
	}
	place = &entry->snapshots[entry->taken % DS_SNAPSHOTS_MAX];
	if (!*place) {
		if (store->total_bytes + entry->len > STORE_TOTAL_MAX) {
			return -ENOMEM;
		}
		*place = malloc(entry->len);
		if (!*place) {
			return -ENOMEM;
		}
		store->total_bytes += entry->len;
	}
	memcpy(*place, entry->data, entry->len);
	*number = entry->taken++;
	return 0;
}

const uint8_t *store_snapshot_data(const struct store_entry *entry, uint64_t number)
{
	if (number >= entry->taken || entry->taken - number > DS_SNAPSHOTS_MAX) {
		return NULL;
	}
	return entry->snapshots[number % DS_SNAPSHOTS_MAX];
}

/* A piece of the predecessor's memory; NULL: there is none, or it cannot be had. */
static uint8_t *fetch(const struct store_source *source, const uint8_t *old, uint32_t len)
{
	uint8_t *data = old && len > 0 ? malloc(len) : NULL;

	if (data && source->fetch((uint64_t)old, data, len) < 0) {
		free(data);
		return NULL;
	}
	return data;
}

static bool adopt_data(
	const struct store *store, const struct store_source *source, struct store_entry *entry)
{
	const uint8_t *old = entry->data;

	entry->data = NULL; /* the predecessor's address says nothing here */
	entry->live = 0;
	if (entry->len > STORE_DATA_MAX) {
		return false;
	}
	switch (entry->type) {
	case DS_TYPE_U32:
	case DS_TYPE_LABEL:
		entry->len = 0;
		return true;
	case DS_TYPE_STR:
		entry->data = fetch(source, old, entry->len);
		return entry->data && is_string(entry->data, entry->len);
	case DS_TYPE_MEM:
		entry->data = fetch(source, old, entry->len);
		return entry->data || entry->len == 0;
	case DS_TYPE_MAP:
		entry->data = source->map(store, entry);
		return entry->data != NULL;
	default:
		return false;
	}
}

static bool adopt_entry(
	const struct store *store, const struct store_source *source, struct store_entry *entry)
{
	uint8_t *snapshots[DS_SNAPSHOTS_MAX];

	if (!memchr(entry->key, '\0', DS_KEY_MAX) || !memchr(entry->owner, '\0', STORE_LABEL_MAX) ||
		(entry->type != DS_TYPE_LABEL && !find(store, entry->owner, DS_TYPE_LABEL))) {
		entry->data = NULL; /* the predecessor's */
		return false;
	}
	memcpy(snapshots, entry->snapshots, sizeof(snapshots));
	memset(entry->snapshots, 0, sizeof(entry->snapshots));
	if (!adopt_data(store, source, entry)) {
		return false;
	}
	for (int i = 0; i < DS_SNAPSHOTS_MAX && entry->type == DS_TYPE_MAP; i++) {
		entry->snapshots[i] = fetch(source, snapshots[i], entry->len);
	}
	return true;
}

void store_adopt(struct store *store, const struct store_source *source)
{
	/* The labels first: the owners of mapped ranges are found by them. */
	store->top = STORE_ENTRIES_MAX;
	for (int are_labels = 1; are_labels >= 0; are_labels--) {
		for_each_entry(entry, store)
		{
			if ((entry->type == DS_TYPE_LABEL) == are_labels &&
				!adopt_entry(store, source, entry)) {
				if (entry->type != DS_TYPE_MAP) {
					free(entry->data);
				}
				memset(entry, 0, sizeof(*entry));
			}
		}
	}
	store->top = store->count = 0;
	store->total_bytes = 0;
	for (uint32_t i = 0; i < STORE_ENTRIES_MAX; i++) {
		if (store->entries[i].used) {
			store->top = i + 1;
			store->count++;
			store->total_bytes += bytes_of(&store->entries[i]);
		}
	}
	store_adopt_subscriptions(store);
}

void store_verify(const struct store *store)
{
	uint64_t total = 0;
	uint32_t count = 0;

	for_each_entry(entry, store)
	{
		count++;
		total += bytes_of(entry);
		assert(find(store, entry->key, entry->type) == entry);
		assert(entry->type == DS_TYPE_LABEL || find(store, entry->owner, DS_TYPE_LABEL));
		assert(entry->type != DS_TYPE_LABEL ||
			find_label_of(store, (endpoint_t)entry->value) == entry);
		for (int i = 0; i < STORE_SUBSCRIPTIONS_MAX; i++) {
			assert(!(entry->changed >> i & 1) || store_wants(store, i, entry));
		}
	}
	assert(count == store->count && total == store->total_bytes);
	for (int i = 0; i < STORE_SUBSCRIPTIONS_MAX; i++) {
		assert(!store->subscriptions[i].used ||
			find(store, store->subscriptions[i].owner, DS_TYPE_LABEL));
	}
}
