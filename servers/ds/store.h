/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data store proper: entries by key and type, labels, subscriptions. No messages here: main.c
 * brings requests, and the operations of struct store_ops carry away what follows from them.
 *
 * Invariants:
 *  1. (key, type) is unique; so is the endpoint of a label.
 *  2. The owner of each entry and subscription is a label of the store (labels themselves belong to
 * RS).
 *  3. Bit i of an entry's `changed` is set only for a subscription i in use that matches the entry.
 *
 * State at a restart: `entries` and `subscriptions` are flat and registered with SEF; what their
 * pointers lead to is fetched from the predecessor by store_adopt, patterns are compiled again.
 */
#pragma once

#include <regex.h>

#include "abi/grant.h"
#include "proto/ds.h"

#define STORE_LABEL_MAX         24
#define STORE_ENTRIES_MAX       1024
#define STORE_SUBSCRIPTIONS_MAX 64
#define STORE_DATA_MAX          (1u << 20) /* bytes of a string, memory range or mapped range */
#define STORE_TOTAL_MAX         (8u << 20) /* of all together, snapshots too */
#define STORE_PRIVATE                                                                      \
	(DS_FLAG_PRIVATE_RETRIEVE | DS_FLAG_PRIVATE_OVERWRITE | DS_FLAG_PRIVATE_SNAPSHOT | \
		DS_FLAG_PRIVATE_SUBSCRIBE)

struct store_entry {
	bool used;
	char key[DS_KEY_MAX];
	char owner[STORE_LABEL_MAX];
	uint32_t type;    /* enum ds_type */
	uint32_t flags;   /* STORE_PRIVATE */
	uint64_t value;   /* U32: the number; LABEL: the endpoint; MAP: the owner's grant */
	uint32_t len;     /* STR (with NUL), MEM, MAP: bytes of data */
	grant_t live;     /* MAP: DS's grant for those who map it; 0: none yet */
	uint32_t taken;   /* MAP: snapshots so far; number n lies at n % DS_SNAPSHOTS_MAX */
	uint8_t *data;    /* STR, MEM: a copy; MAP: the owner's own memory */
	uint64_t changed; /* bit: subscription that has not been told of the last change */
	uint8_t *snapshots[DS_SNAPSHOTS_MAX];
};

struct store_subscription {
	bool used;
	char owner[STORE_LABEL_MAX];
	char pattern[DS_KEY_MAX];
	uint32_t types; /* bit (1 << type); 0: all */
};

struct store_ops {
	/* Something has changed for the owner of a subscription. */
	void (*notify)(endpoint_t subscriber);
	/* The mapped range of an entry goes, and its live grant. */
	void (*unmap)(struct store_entry *entry);
};

struct store {
	struct store_entry entries[STORE_ENTRIES_MAX];
	struct store_subscription subscriptions[STORE_SUBSCRIPTIONS_MAX];
	regex_t compiled[STORE_SUBSCRIPTIONS_MAX]; /* of those in use */
	uint32_t top;                              /* entries in use are below */
	uint32_t count;
	uint64_t total_bytes;
	const struct store_ops *ops;
};

struct store_value {
	uint32_t type;
	uint64_t value;
	const void *data; /* MAP: becomes the store's when publishing succeeds */
	uint32_t len;
};

void store_init(struct store *store, const struct store_ops *ops);

/* How store_adopt gets at the predecessor. */
struct store_source {
	/* 0, or a negative error */
	int (*fetch)(uint64_t address, void *to, size_t bytes);
	/* The mapped range of `entry`, mapped anew; NULL: cannot be. */
	uint8_t *(*map)(const struct store *store, const struct store_entry *entry);
};
/* entries and subscriptions are those of a predecessor: makes them the store's own. What is not
 * sound, or cannot be had any more, is dropped. */
void store_adopt(struct store *store, const struct store_source *source);

/* The label of a service, or NULL when it has none. */
const char *store_label_of(const struct store *store, endpoint_t ep);

/* The entry, or NULL. */
const struct store_entry *store_find(const struct store *store, const char *key, uint32_t type);

/* The entry in *entry, for the caller to read. -ESRCH: there is none; -EPERM: it is private. */
int store_retrieve(const struct store *store, endpoint_t caller, const char *key, uint32_t type,
	struct store_entry **entry);

/* The endpoint of an entry's owner, or EP_NONE. */
endpoint_t store_owner(const struct store *store, const struct store_entry *entry);

/*
 * Publish; an overwritten entry keeps its owner. -EEXIST: there is one, and flags have no
 * DS_FLAG_OVERWRITE (a label also: its endpoint has another one); -EPERM: the caller has no label,
 * the entry is another's and private, or a label is published by another than RS; -EINVAL: key,
 * type or length, or a mapped range is to be overwritten; -ENOMEM: the store is full, or no memory.
 */
int store_publish(struct store *store, endpoint_t caller, const char *key,
	const struct store_value *value, uint32_t flags);

/* Delete. -ESRCH: there is none; -EPERM: not the caller's. A label takes all with it that its owner
 * has here. */
int store_delete(struct store *store, endpoint_t caller, const char *key, uint32_t type);

/* As store_delete() of the label of this endpoint. */
int store_delete_label_of(struct store *store, endpoint_t caller, endpoint_t ep);

/* Keeps what the mapped range holds now: the snapshot's number in *number, from 0 on. -ESRCH;
 * -EPERM: private; -ENOMEM. */
int store_snapshot(struct store *store, endpoint_t caller, const char *key, uint32_t *number);

/* The snapshot of entry, or NULL: too old, or not taken yet. */
const uint8_t *store_snapshot_data(const struct store_entry *entry, uint64_t number);

/*
 * Subscribe to keys that the whole expression matches; one subscription an owner. -EEXIST: there is
 * one, and flags have no DS_FLAG_OVERWRITE; -EINVAL: the expression, also one that costs too much;
 * -ESRCH: the caller has no label; -EAGAIN: no more subscriptions.
 */
int store_subscribe(struct store *store, endpoint_t caller, const char *pattern, uint32_t types,
	uint32_t flags);

/* The next entry that changed for the caller, which counts as told then; NULL: none. */
const struct store_entry *store_check(struct store *store, endpoint_t caller);

/* Walks the invariants; asserts. */
void store_verify(const struct store *store);

/* ---- between store.c and subscribe.c ---- */

/* Subscribers learn that something has happened to the entry; `is_gone`: only that. */
void store_tell(struct store *store, struct store_entry *entry, bool is_gone);
/* The subscription of a label goes. */
void store_unsubscribe(struct store *store, const char *owner);
/* Patterns are compiled; those that do not compile are dropped. */
void store_adopt_subscriptions(struct store *store);
bool store_wants(const struct store *store, int subscription, const struct store_entry *entry);
