/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data store proper: entries by key and type, labels, subscriptions. No messages here: main.c
 * brings requests and carries the notifications away.
 *
 * Invariants:
 *  1. (key, type) is unique; so is the endpoint of a label.
 *  2. The owner of each entry and subscription is a label of the store (labels themselves belong to
 * RS).
 *  3. Bit i of an entry's `changed` is set only for a subscription i in use that matches the entry.
 *
 * State at a restart: all of it is to be registered with SEF.
 */
#pragma once

#include <regex.h>

#include "lib/core/list.h"
#include "proto/ds.h"

#define STORE_LABEL_MAX         24
#define STORE_ENTRIES_MAX       1024
#define STORE_SUBSCRIPTIONS_MAX 64
#define STORE_DATA_MAX          (1u << 20) /* bytes of a string or memory range */
#define STORE_TOTAL_MAX         (8u << 20) /* of all together */

struct store_entry {
	struct list link;
	char key[DS_KEY_MAX];
	char owner[STORE_LABEL_MAX];
	uint32_t type;  /* enum ds_type */
	uint64_t value; /* U32: the number; LABEL: the endpoint */
	uint32_t len;   /* STR (with NUL), MEM: bytes of data */
	uint8_t *data;
	uint64_t changed; /* bit: subscription that has not been told of the last change */
};

struct store_subscription {
	bool used;
	char owner[STORE_LABEL_MAX];
	uint32_t types; /* bit (1 << type); 0: all */
	regex_t pattern;
};

struct store {
	struct list entries; /* in order of publication */
	uint32_t count;
	uint64_t total_bytes;
	struct store_subscription subscriptions[STORE_SUBSCRIPTIONS_MAX];
	/* Called for the owner of a subscription that something has changed for. */
	void (*notify)(endpoint_t subscriber);
};

struct store_value {
	uint32_t type;
	uint64_t value;
	const void *data;
	uint32_t len;
};

void store_init(struct store *store, void (*notify)(endpoint_t subscriber));

/* The label of a service, or NULL when it has none. */
const char *store_label_of(const struct store *store, endpoint_t ep);

/* The entry, or NULL. */
const struct store_entry *store_find(const struct store *store, const char *key, uint32_t type);

/* The endpoint of an entry's owner, or EP_NONE. */
endpoint_t store_owner(const struct store *store, const struct store_entry *entry);

/*
 * Publish. -EEXIST: there is one, and flags have no DS_FLAG_OVERWRITE (a label also: its endpoint
 * has another one); -EPERM: it is not the caller's, the caller has no label, or a label is
 * published by another than RS; -EINVAL: key, type or length; -ENOSPC: the store is full; -ENOMEM.
 */
int store_publish(struct store *store, endpoint_t caller, const char *key,
	const struct store_value *value, uint32_t flags);

/* Delete. -ESRCH: there is none; -EPERM: not the caller's. A label takes all with it that its owner
 * has here. */
int store_delete(struct store *store, endpoint_t caller, const char *key, uint32_t type);

/* As store_delete() of the label of this endpoint. */
int store_delete_label_of(struct store *store, endpoint_t caller, endpoint_t ep);

/*
 * Subscribe to keys that the whole expression matches; one subscription an owner. -EEXIST: there is
 * one, and flags have no DS_FLAG_OVERWRITE; -EINVAL: the expression; -EPERM: the caller has no
 * label; -ENOSPC.
 */
int store_subscribe(struct store *store, endpoint_t caller, const char *pattern, uint32_t types,
	uint32_t flags);

/* The next entry that changed for the caller, which counts as told then; NULL: none. */
const struct store_entry *store_check(struct store *store, endpoint_t caller);

/* Walks the invariants; asserts. */
void store_verify(const struct store *store);
