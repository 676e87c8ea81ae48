/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data store: labels of services and small values by key (proto/ds.h). Called by any service
 * that may send to it; RS publishes the labels, without waiting for the answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/errno.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "servers/ds/store.h"

static void notify(endpoint_t subscriber)
{
	(void)ipc_notify(subscriber);
}

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

static int publish(struct store *store, endpoint_t caller, const struct ds_req *req)
{
	struct store_value value = {.type = req->type, .value = req->value};
	char key[DS_KEY_MAX];
	void *data = NULL;
	int r = fetch_key(caller, req, key);

	if (r < 0) {
		return r;
	}
	if (req->type == DS_TYPE_STR || req->type == DS_TYPE_MEM) {
		if (req->data_len > STORE_DATA_MAX) {
			return -E2BIG;
		}
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
		.value = entry->value,
		.type = entry->type,
		.data_len = entry->len,
		.owner = store_owner(store, entry),
	};
}

/* A string must fit whole; of a memory range comes what fits. */
static int retrieve(
	const struct store *store, endpoint_t caller, const struct ds_req *req, struct ds_rep *rep)
{
	const struct store_entry *entry;
	char key[DS_KEY_MAX];
	uint32_t len;
	int r = fetch_key(caller, req, key);

	if (r < 0) {
		return r;
	}
	entry = store_find(store, key, req->type);
	if (!entry) {
		return -ESRCH;
	}
	if (entry->type == DS_TYPE_STR && entry->len > req->data_len) {
		return -E2BIG;
	}
	len = entry->len < req->data_len ? entry->len : req->data_len;
	r = len ? sys_safecopyto(caller, req->data, 0, entry->data, len) : 0;
	if (r < 0) {
		return r;
	}
	describe(store, entry, rep);
	rep->data_len = len;
	return 0;
}

static int delete (struct store *store, endpoint_t caller, const struct ds_req *req)
{
	char key[DS_KEY_MAX];
	int r;

	if (req->type == DS_TYPE_LABEL && req->key == GRANT_INVALID) {
		return store_delete_label_of(store, caller, (endpoint_t)req->value);
	}
	r = fetch_key(caller, req, key);
	return r < 0 ? r : store_delete(store, caller, key, req->type);
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
	const struct store_entry *entry = store_check(store, caller);
	size_t len;
	int r;

	if (!entry) {
		return -ENOENT;
	}
	len = strlen(entry->key) + 1;
	if (len > req->key_len) {
		return -E2BIG;
	}
	r = sys_safecopyto(caller, req->key, 0, entry->key, len);
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

static int dispatch(struct store *store, const struct message *m, struct ds_rep *rep)
{
	const struct ds_req *req = MSG(m, ds_req);

	switch (m->type) {
	case DS_PUBLISH:
		return publish(store, m->source, req);
	case DS_RETRIEVE:
		return retrieve(store, m->source, req, rep);
	case DS_DELETE:
		return delete (store, m->source, req);
	case DS_SUBSCRIBE:
		return subscribe(store, m->source, req);
	case DS_CHECK:
		return check(store, m->source, req, rep);
	case DS_LABEL_NAME:
		return label_name(store, m->source, req);
	default:
		return -EBADREQUEST;
	}
}

int main(void)
{
	static struct store store;

	store_init(&store, notify);
	sef_start();
	for (;;) {
		struct message m;
		uint32_t status;
		struct ds_rep rep = {0};
		int r;

		if (sef_receive(EP_ANY, &m, &status) < 0 || IS_NOTIFY(&m)) {
			continue;
		}
		r = dispatch(&store, &m, &rep);
		if (status & IPC_STATUS_SENDREC) {
			memset(m.raw, 0, sizeof(m.raw));
			*MSG(&m, ds_rep) = rep;
			ipc_reply(m.source, &m, r);
		}
	}
}
