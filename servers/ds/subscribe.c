/* SPDX-License-Identifier: BSD-2-Clause */
/* Subscriptions: who hears of which keys. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "servers/ds/store.h"

#define POSITIONS_MAX 256

bool store_wants(const struct store *store, int subscription, const struct store_entry *entry)
{
	const struct store_subscription *s = &store->subscriptions[subscription];

	return s->used && (s->types == 0 || (s->types >> entry->type & 1)) &&
		!(entry->flags & DS_FLAG_PRIVATE_SUBSCRIBE) &&
		regexec(&store->compiled[subscription], entry->key, 0, NULL, 0) == 0;
}

void store_tell(struct store *store, struct store_entry *entry, bool is_gone)
{
	for (int i = 0; i < STORE_SUBSCRIPTIONS_MAX; i++) {
		const struct store_entry *label;

		if (!store_wants(store, i, entry)) {
			continue;
		}
		if (!is_gone) {
			entry->changed |= 1ull << i;
		}
		label = store_find(store, store->subscriptions[i].owner, DS_TYPE_LABEL);
		if (label) {
			store->ops->notify((endpoint_t)label->value);
		}
	}
}

static void forget_changes(struct store *store, int index)
{
	for (uint32_t i = 0; i < store->top; i++) {
		store->entries[i].changed &= ~(1ull << index);
	}
}

static void drop_subscription(struct store *store, int index)
{
	regfree(&store->compiled[index]);
	store->subscriptions[index].used = false;
	forget_changes(store, index);
}

void store_unsubscribe(struct store *store, const char *owner)
{
	for (int i = 0; i < STORE_SUBSCRIPTIONS_MAX; i++) {
		if (store->subscriptions[i].used &&
			strcmp(store->subscriptions[i].owner, owner) == 0) {
			drop_subscription(store, i);
		}
	}
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

/*
 * A pattern is a client's, and what it costs grows with the square of its length, repetitions
 * written out: '((a{99}){99}){99}' would take all memory. So no more than POSITIONS_MAX, which
 * every pattern without repetitions has. Bytes in brackets count like others, for this is a bound.
 */
static bool is_affordable(const char *pattern)
{
	uint64_t positions = strlen(pattern);

	for (const char *at = strchr(pattern, '{'); at; at = strchr(at + 1, '{')) {
		uint64_t times = 1;

		for (const char *p = at + 1; *p && *p != '}'; p++) {
			uint64_t number = 0;

			while (*p >= '0' && *p <= '9' && number <= POSITIONS_MAX) {
				number = number * 10 + (uint64_t)(*p++ - '0');
			}
			times = number > times ? number : times;
			if (*p != ',') {
				break;
			}
		}
		positions *= times;
		if (positions > POSITIONS_MAX) {
			return false;
		}
	}
	return positions <= POSITIONS_MAX;
}

static int compile(regex_t *compiled, const char *pattern)
{
	char anchored[DS_KEY_MAX + 8];

	if (!is_affordable(pattern)) {
		return -EINVAL;
	}
	snprintf(anchored, sizeof(anchored), "^(%s)$", pattern);
	return regcomp(compiled, anchored, REG_EXTENDED | REG_NOSUB) == 0 ? 0 : -EINVAL;
}

/* What is there already counts as changed. */
static bool mark_all(struct store *store, int index)
{
	bool is_any = false;

	for (uint32_t i = 0; i < store->top; i++) {
		struct store_entry *entry = &store->entries[i];

		if (entry->used && store_wants(store, index, entry)) {
			entry->changed |= 1ull << index;
			is_any = true;
		}
	}
	return is_any;
}

int store_subscribe(
	struct store *store, endpoint_t caller, const char *pattern, uint32_t types, uint32_t flags)
{
	const char *label = store_label_of(store, caller);
	struct store_subscription *s;
	regex_t compiled;
	int index;

	if (!label) {
		return -ESRCH;
	}
	index = choose_subscription(store, label);
	if (index < 0) {
		return -EAGAIN;
	}
	s = &store->subscriptions[index];
	if (s->used && !(flags & DS_FLAG_OVERWRITE)) {
		return -EEXIST;
	}
	if (compile(&compiled, pattern) < 0) {
		return -EINVAL;
	}
	if (s->used) {
		drop_subscription(store, index);
	}
	*s = (struct store_subscription){.used = true, .types = types};
	store->compiled[index] = compiled;
	snprintf(s->owner, sizeof(s->owner), "%s", label);
	snprintf(s->pattern, sizeof(s->pattern), "%s", pattern);
	if ((flags & DS_FLAG_INITIAL) && mark_all(store, index)) {
		store->ops->notify(caller);
	}
	return 0;
}

void store_adopt_subscriptions(struct store *store)
{
	for (int i = 0; i < STORE_SUBSCRIPTIONS_MAX; i++) {
		struct store_subscription *s = &store->subscriptions[i];

		s->used = s->used && memchr(s->pattern, '\0', DS_KEY_MAX) &&
			memchr(s->owner, '\0', STORE_LABEL_MAX) &&
			compile(&store->compiled[i], s->pattern) == 0;
		if (!s->used) {
			forget_changes(store, i);
		}
	}
}

const struct store_entry *store_check(struct store *store, endpoint_t caller)
{
	const char *label = store_label_of(store, caller);
	int index = label ? choose_subscription(store, label) : -1;

	if (index < 0 || !store->subscriptions[index].used) {
		return NULL;
	}
	for (uint32_t i = 0; i < store->top; i++) {
		struct store_entry *entry = &store->entries[i];

		if (entry->used && (entry->changed >> index & 1)) {
			entry->changed &= ~(1ull << index);
			return entry;
		}
	}
	return NULL;
}
