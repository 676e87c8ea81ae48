/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/ds/store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void store_init(struct store *store, void (*notify)(endpoint_t subscriber))
{
	memset(store, 0, sizeof(*store));
	list_init(&store->entries);
	store->notify = notify;
}

/* Labels are shorter than STORE_LABEL_MAX: store_publish() saw to it. */
static void copy_label(char to[STORE_LABEL_MAX], const char *label)
{
	assert(strlen(label) < STORE_LABEL_MAX);
	memcpy(to, label, strlen(label) + 1);
}

static struct store_entry *find(const struct store *store, const char *key, uint32_t type)
{
	list_for_each(entry, &store->entries, struct store_entry, link)
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
	list_for_each(entry, &store->entries, struct store_entry, link)
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

static endpoint_t endpoint_of(const struct store *store, const char *label)
{
	const struct store_entry *entry = find(store, label, DS_TYPE_LABEL);

	return entry ? (endpoint_t)entry->value : EP_NONE;
}

endpoint_t store_owner(const struct store *store, const struct store_entry *entry)
{
	return endpoint_of(store, entry->owner);
}

static bool wants(const struct store_subscription *s, const struct store_entry *entry)
{
	return s->used && (s->types == 0 || (s->types >> entry->type & 1)) &&
		regexec(&s->pattern, entry->key, 0, NULL, 0) == 0;
}

/* Subscribers learn that something has happened to the entry; `is_gone`: only that. */
static void tell_subscribers(struct store *store, struct store_entry *entry, bool is_gone)
{
	for (int i = 0; i < STORE_SUBSCRIPTIONS_MAX; i++) {
		const struct store_subscription *s = &store->subscriptions[i];
		endpoint_t subscriber;

		if (!wants(s, entry)) {
			continue;
		}
		if (!is_gone) {
			entry->changed |= 1ull << i;
		}
		subscriber = endpoint_of(store, s->owner);
		if (subscriber != EP_NONE) {
			store->notify(subscriber);
		}
	}
}

static void drop_entry(struct store *store, struct store_entry *entry)
{
	list_remove(&entry->link);
	store->count--;
	store->total_bytes -= entry->len;
	tell_subscribers(store, entry, true);
	free(entry->data);
	free(entry);
}

static void drop_subscription(struct store *store, int index)
{
	regfree(&store->subscriptions[index].pattern);
	store->subscriptions[index].used = false;
	list_for_each(entry, &store->entries, struct store_entry, link)
	{
		entry->changed &= ~(1ull << index);
	}
}

static bool is_value_right(const struct store_value *value)
{
	switch (value->type) {
	case DS_TYPE_U32:
		return value->value <= UINT32_MAX;
	case DS_TYPE_LABEL:
		return true;
	case DS_TYPE_STR:
		return value->len > 0 && value->len <= STORE_DATA_MAX &&
			memchr(value->data, '\0', value->len) ==
			(const char *)value->data + value->len - 1;
	case DS_TYPE_MEM:
		return value->len <= STORE_DATA_MAX;
	default:
		return false;
	}
}

static bool has_data(uint32_t type)
{
	return type == DS_TYPE_STR || type == DS_TYPE_MEM;
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
		if (!*owner || (old && strcmp(old->owner, *owner) != 0)) {
			return -EPERM;
		}
	}
	return old && !(flags & DS_FLAG_OVERWRITE) ? -EEXIST : 0;
}

static struct store_entry *new_entry(
	struct store *store, const char *key, const char *owner, uint32_t type)
{
	struct store_entry *entry = calloc(1, sizeof(*entry));

	if (entry) {
		snprintf(entry->key, sizeof(entry->key), "%s", key);
		copy_label(entry->owner, owner);
		entry->type = type;
		list_add_tail(&store->entries, &entry->link);
		store->count++;
	}
	return entry;
}

int store_publish(struct store *store, endpoint_t caller, const char *key,
	const struct store_value *value, uint32_t flags)
{
	struct store_entry *entry = find(store, key, value->type);
	uint32_t len = has_data(value->type) ? value->len : 0;
	uint8_t *data = NULL;
	const char *owner;
	int r;

	if (key[0] == '\0' || !is_value_right(value) ||
		(value->type == DS_TYPE_LABEL && strlen(key) >= STORE_LABEL_MAX)) {
		return -EINVAL;
	}
	r = check_publisher(store, caller, entry, value, flags, &owner);
	if (r < 0) {
		return r;
	}
	if ((!entry && store->count == STORE_ENTRIES_MAX) ||
		store->total_bytes - (entry ? entry->len : 0) + len > STORE_TOTAL_MAX) {
		return -ENOSPC;
	}
	if (len > 0) {
		data = malloc(len);
		if (!data) {
			return -ENOMEM;
		}
		memcpy(data, value->data, len);
	}
	if (!entry) {
		entry = new_entry(store, key, owner, value->type);
		if (!entry) {
			free(data);
			return -ENOMEM;
		}
	}
	free(entry->data);
	store->total_bytes += len - (uint64_t)entry->len;
	entry->data = data;
	entry->len = len;
	entry->value = value->value;
	tell_subscribers(store, entry, false);
	return 0;
}

/* All that belongs to a service goes. */
static void drop_owner(struct store *store, const char *label)
{
	for (int i = 0; i < STORE_SUBSCRIPTIONS_MAX; i++) {
		if (store->subscriptions[i].used &&
			strcmp(store->subscriptions[i].owner, label) == 0) {
			drop_subscription(store, i);
		}
	}
	list_for_each_safe(entry, &store->entries, struct store_entry, link)
	{
		if (entry->type != DS_TYPE_LABEL && strcmp(entry->owner, label) == 0) {
			drop_entry(store, entry);
		}
	}
}

static int delete_entry(struct store *store, endpoint_t caller, struct store_entry *entry)
{
	if (!entry) {
		return -ESRCH;
	}
	if (entry->type == DS_TYPE_LABEL) {
		if (caller != EP_RS) {
			return -EPERM;
		}
		drop_owner(store, entry->key);
	} else {
		const char *label = store_label_of(store, caller);

		if (!label || strcmp(entry->owner, label) != 0) {
			return -EPERM;
		}
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

/* The subscription of an owner, or a free one; -1: none. */
static int choose_subscription(const struct store *store, const char *owner)
{
	int free_index = -1;

	for (int i = STORE_SUBSCRIPTIONS_MAX - 1; i >= 0; i--) {
		const struct store_subscription *s = &store->subscriptions[i];

		if (!s->used) {
			free_index = i;
		} else if (strcmp(s->owner, owner) == 0) {
			return i;
		}
	}
	return free_index;
}

int store_subscribe(
	struct store *store, endpoint_t caller, const char *pattern, uint32_t types, uint32_t flags)
{
	const char *label = store_label_of(store, caller);
	char anchored[DS_KEY_MAX + 8];
	struct store_subscription *s;
	regex_t compiled;
	int index;

	if (!label) {
		return -EPERM;
	}
	index = choose_subscription(store, label);
	if (index < 0) {
		return -ENOSPC;
	}
	s = &store->subscriptions[index];
	if (s->used && !(flags & DS_FLAG_OVERWRITE)) {
		return -EEXIST;
	}
	snprintf(anchored, sizeof(anchored), "^(%s)$", pattern);
	if (regcomp(&compiled, anchored, REG_EXTENDED | REG_NOSUB) != 0) {
		return -EINVAL;
	}
	if (s->used) {
		drop_subscription(store, index);
	}
	*s = (struct store_subscription){.used = true, .types = types, .pattern = compiled};
	copy_label(s->owner, label);
	if (flags & DS_FLAG_INITIAL) {
		bool is_any = false;

		list_for_each(entry, &store->entries, struct store_entry, link)
		{
			if (wants(s, entry)) {
				entry->changed |= 1ull << index;
				is_any = true;
			}
		}
		if (is_any) {
			store->notify(caller);
		}
	}
	return 0;
}

const struct store_entry *store_check(struct store *store, endpoint_t caller)
{
	const char *label = store_label_of(store, caller);
	int index;

	if (!label) {
		return NULL;
	}
	index = choose_subscription(store, label);
	if (index < 0 || !store->subscriptions[index].used) {
		return NULL;
	}
	list_for_each(entry, &store->entries, struct store_entry, link)
	{
		if (entry->changed >> index & 1) {
			entry->changed &= ~(1ull << index);
			return entry;
		}
	}
	return NULL;
}

void store_verify(const struct store *store)
{
	uint64_t total = 0;
	uint32_t count = 0;

	list_for_each(entry, &store->entries, struct store_entry, link)
	{
		count++;
		total += entry->len;
		assert(find(store, entry->key, entry->type) == entry);
		assert(entry->type == DS_TYPE_LABEL || find(store, entry->owner, DS_TYPE_LABEL));
		assert(entry->type != DS_TYPE_LABEL ||
			find_label_of(store, (endpoint_t)entry->value) == entry);
		for (int i = 0; i < STORE_SUBSCRIPTIONS_MAX; i++) {
			assert(!(entry->changed >> i & 1) ||
				wants(&store->subscriptions[i], entry));
		}
	}
	assert(count == store->count && total == store->total_bytes);
	for (int i = 0; i < STORE_SUBSCRIPTIONS_MAX; i++) {
		assert(!store->subscriptions[i].used ||
			find(store, store->subscriptions[i].owner, DS_TYPE_LABEL));
	}
}
