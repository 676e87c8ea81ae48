/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data store: labels of services and small values by key (proto/ds.h). Called by any service
 * that may send to it; RS publishes the labels, without waiting for the answer.
 *
 * State: the store (store.h), registered with SEF.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/errno.h"
#include "lib/core/util.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "servers/ds/range.h"
#include "servers/ds/store.h"

#define STATE_VERSION 1

static struct store the_store; /* for SEF; handlers get it as an argument */

static void notify(endpoint_t subscriber)
{
	(void)ipc_notify(subscriber);
}

static void unmap(struct store_entry *entry)
{
	range_revoke(entry);
	range_unmap(entry->data, entry->len);
}

static const struct store_ops ops = {.notify = notify, .unmap = unmap};

/* The caller's key, checked to be a string. */
static int fetch_key(endpoint_t caller, const struct ds_req *req, char key[DS_KEY_MAX])
{
	int r;

	if (req->key_len < 2 || req->key_len > DS_KEY_MAX) {
		return -EINVAL;
	}
	r = sys_safecopyfrom(caller, req->key, 0, key, req->key_len);
	if (r < 0) {
		return r;
	}
	return memchr(key, '\0', req->key_len) == key + req->key_len - 1 ? 0 : -EINVAL;
}

static int publish_range(
	struct store *store, endpoint_t caller, const char *key, const struct ds_req *req)
{
	struct store_value value = {.type = DS_TYPE_MAP, .value = (uint32_t)req->data};
	uint8_t *data;
	int r;

	if (req->data_len == 0 || req->data_len % AXO_PAGE_SIZE != 0 ||
		(req->flags & DS_FLAG_OVERWRITE)) {
		return -EINVAL;
	}
	if (!store_label_of(store, caller)) {
		return -EPERM;
	}
	if (store_find(store, key, DS_TYPE_MAP)) {
		return -EEXIST;
	}
	r = range_map(caller, req->data, req->data_len, &data);
	if (r < 0) {
		return r;
	}
	value.data = data;
	value.len = req->data_len;
	r = store_publish(store, caller, key, &value, req->flags);
	if (r < 0) {
		range_unmap(data, req->data_len);
	}
	return r;
}

static int publish(struct store *store, endpoint_t caller, const struct ds_req *req)
{
	struct store_value value = {.type = req->type, .value = req->value};
	bool is_copied = req->type == DS_TYPE_STR || req->type == DS_TYPE_MEM;
	char key[DS_KEY_MAX];
	void *data = NULL;
	int r = fetch_key(caller, req, key);

	if (r < 0) {
		return r;
	}
	if ((is_copied || req->type == DS_TYPE_MAP) && req->data_len > STORE_DATA_MAX) {
		return -E2BIG;
	}
	if (req->type == DS_TYPE_MAP) {
		return publish_range(store, caller, key, req);
	}
	if (is_copied) {
		data = malloc(req->data_len + 1);
		if (!data) {
			return -ENOMEM;
		}
		r = req->data_len ? sys_safecopyfrom(caller, req->data, 0, data, req->data_len) : 0;
		value.data = data;
		value.len = req->data_len;
	}
	if (r >= 0) {
		r = store_publish(store, caller, key, &value, req->flags);
	}
	free(data);
	return r;
}

static void describe(const struct store *store, const struct store_entry *entry, struct ds_rep *rep)
{
	*rep = (struct ds_rep){
		.value = entry->type == DS_TYPE_MAP ? 0 : entry->value,
		.type = entry->type,
		.data_len = entry->len,
		.owner = store_owner(store, entry),
	};
}

/* What fits of data. */
static int copy_out(endpoint_t caller, const struct ds_req *req, const struct store_entry *entry,
	const uint8_t *data, struct ds_rep *rep)
{
	uint32_t len = entry->len < req->data_len ? entry->len : req->data_len;

	rep->data_len = len;
	return len ? sys_safecopyto(caller, req->data, 0, data, len) : 0;
}

static int retrieve(
	const struct store *store, endpoint_t caller, const struct ds_req *req, struct ds_rep *rep)
{
	struct store_entry *entry;
	const uint8_t *data;
	char key[DS_KEY_MAX];
	int r = fetch_key(caller, req, key);

	if (r == 0) {
		r = store_retrieve(store, caller, key, req->type, &entry);
	}
	if (r < 0) {
		return r;
	}
	describe(store, entry, rep);
	data = entry->data;
	if (entry->type == DS_TYPE_U32 || entry->type == DS_TYPE_LABEL) {
		return 0;
	}
	if (entry->type == DS_TYPE_MAP) {
		if (req->flags & DS_FLAG_MAP_LIVE) {
			grant_t grant = range_grant(store, entry);

			rep->value = (uint32_t)grant;
			return grant == GRANT_INVALID ? -ENOMEM : 0;
		}
		if (req->flags & DS_FLAG_MAP_SNAPSHOT) {
			data = store_snapshot_data(entry, req->value);
		} else if (!(req->flags & DS_FLAG_MAP_COPY)) {
			return -EINVAL;
		}
	}
	return data || entry->len == 0 ? copy_out(caller, req, entry, data, rep) : -EINVAL;
}

/* Of a mapped range the publisher learns the grant that it may take back now. */
static int delete (
	struct store *store, endpoint_t caller, const struct ds_req *req, struct ds_rep *rep)
{
	const struct store_entry *entry;
	char key[DS_KEY_MAX];
	int r;

	if (req->type == DS_TYPE_LABEL && req->key == GRANT_INVALID) {
		return store_delete_label_of(store, caller, (endpoint_t)req->value);
	}
	r = fetch_key(caller, req, key);
	if (r < 0) {
		return r;
	}
	entry = store_find(store, key, req->type);
	rep->value = entry && entry->type == DS_TYPE_MAP ? entry->value : 0;
	r = store_delete(store, caller, key, req->type);
	rep->value = r == 0 ? rep->value : 0;
	return r;
}

static int subscribe(struct store *store, endpoint_t caller, const struct ds_req *req)
{
	char pattern[DS_KEY_MAX];
	int r = fetch_key(caller, req, pattern);

	return r < 0 ? r : store_subscribe(store, caller, pattern, req->type, req->flags);
}

static int check(
	struct store *store, endpoint_t caller, const struct ds_req *req, struct ds_rep *rep)
{
	const struct store_entry *entry;
	int r;

	if (req->key_len < DS_KEY_MAX) {
		return -E2BIG;
	}
	entry = store_check(store, caller);
	if (!entry) {
		return -ENOENT;
	}
	r = sys_safecopyto(caller, req->key, 0, entry->key, strlen(entry->key) + 1);
	if (r < 0) {
		return r;
	}
	describe(store, entry, rep);
	return 0;
}

static int label_name(const struct store *store, endpoint_t caller, const struct ds_req *req)
{
	const char *label = store_label_of(store, (endpoint_t)req->value);

	if (!label) {
		return -ESRCH;
	}
	if (strlen(label) + 1 > req->key_len) {
		return -E2BIG;
	}
	return sys_safecopyto(caller, req->key, 0, label, strlen(label) + 1);
}

static int snapshot(
	struct store *store, endpoint_t caller, const struct ds_req *req, struct ds_rep *rep)
{
	char key[DS_KEY_MAX];
	uint32_t number = 0;
	int r = fetch_key(caller, req, key);

	if (r == 0) {
		r = store_snapshot(store, caller, key, &number);
	}
	rep->value = number;
	return r;
}

/* All entries, but what private ones hold: from place `value` on, as many as fit; value of the
 * reply: how many. */
static int get_info(
	const struct store *store, endpoint_t caller, const struct ds_req *req, struct ds_rep *rep)
{
	uint32_t room = req->data_len / sizeof(struct ds_info);
	uint64_t seen = 0;
	uint32_t done = 0;

	for (uint32_t i = 0; i < store->top && done < room; i++) {
		const struct store_entry *entry = &store->entries[i];
		struct ds_info info = {.type = entry->type,
			.flags = entry->flags,
			.owner = store_owner(store, entry),
			.bytes = entry->len,
			.value = entry->value};
		int r;

		if (!entry->used || seen++ < req->value) {
			continue;
		}
		memcpy(info.key, entry->key, sizeof(info.key));
		if ((entry->flags & DS_FLAG_PRIVATE_RETRIEVE) || entry->type == DS_TYPE_MAP) {
			info.value = 0;
		}
		r = sys_safecopyto(caller, req->data, done * sizeof(info), &info, sizeof(info));
		if (r < 0) {
			return r;
		}
		done++;
	}
	rep->value = done;
	return 0;
}

static int dispatch(struct store *store, const struct message *m, struct ds_rep *rep)
{
	const struct ds_req *req = MSG(m, ds_req);

	switch (m->type) {
	case DS_PUBLISH:
		return publish(store, m->source, req);
	case DS_RETRIEVE:
		return retrieve(store, m->source, req, rep);
	case DS_DELETE:
		return delete (store, m->source, req, rep);
	case DS_SUBSCRIBE:
		return subscribe(store, m->source, req);
	case DS_CHECK:
		return check(store, m->source, req, rep);
	case DS_LABEL_NAME:
		return label_name(store, m->source, req);
	case DS_SNAPSHOT:
		return snapshot(store, m->source, req, rep);
	case DS_GETINFO:
		return get_info(store, m->source, req, rep);
	default:
		return -EBADREQUEST;
	}
}

/* The owner's grant still stands; who mapped the range from DS keeps what it has. */
static uint8_t *map_again(const struct store *store, const struct store_entry *entry)
{
	endpoint_t owner = store_owner(store, entry);
	uint8_t *data;

	return owner != EP_NONE && entry->len % AXO_PAGE_SIZE == 0 &&
			range_map(owner, (grant_t)entry->value, entry->len, &data) == 0
		? data
		: NULL;
}

static int on_init(const struct sef_info *info)
{
	static const struct store_source source = {.fetch = sef_state_fetch, .map = map_again};

	if (info->type != SEF_INIT_FRESH) {
		store_adopt(&the_store, &source);
	}
	return 0;
}

int main(void)
{
	store_init(&the_store, &ops);
	sef_on_init(on_init);
	sef_state("ds.entries", the_store.entries, sizeof(the_store.entries), STATE_VERSION, NULL);
	sef_state("ds.subscriptions", the_store.subscriptions, sizeof(the_store.subscriptions),
		STATE_VERSION, NULL);
	sef_start();
	for (;;) {
		struct message m;
		uint32_t status;
		struct ds_rep rep = {0};
		int r;

		if (sef_receive(EP_ANY, &m, &status) < 0 || IS_NOTIFY(&m)) {
			continue;
		}
		r = dispatch(&the_store, &m, &rep);
		if (status & IPC_STATUS_SENDREC) {
			memset(m.raw, 0, sizeof(m.raw));
			*MSG(&m, ds_rep) = rep;
			ipc_reply(m.source, &m, r);
		}
	}
}
