/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/sys/ds.h"

#include <errno.h>
#include <string.h>

#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"

/* One call about `key`, with its grants. data may be NULL. The answer is left in *m. */
static int ds_call(struct message *m, int op, struct ds_req req, char *key, uint32_t key_access,
	void *data, uint32_t data_access)
{
	int r = -ENOMEM;

	memset(m, 0, sizeof(*m));
	req.key = grant_direct(EP_DS, key, req.key_len, key_access);
	req.data = data ? grant_direct(EP_DS, data, req.data_len, data_access) : GRANT_INVALID;
	if (req.key != GRANT_INVALID && (!data || req.data != GRANT_INVALID)) {
		m->type = op;
		*MSG(m, ds_req) = req;
		r = ipc_call(EP_DS, m);
	}
	(void)grant_revoke(req.key);
	(void)grant_revoke(req.data);
	return r;
}

static int ds_simple(
	struct message *m, int op, uint32_t type, uint32_t flags, const char *key, uint64_t value)
{
	struct ds_req req = {
		.type = type, .flags = flags, .key_len = (uint32_t)strlen(key) + 1, .value = value};

	return ds_call(m, op, req, (char *)key, GRANT_READ, NULL, 0);
}

int ds_publish_label(const char *label, endpoint_t ep, uint32_t flags)
{
	struct message m;

	return ds_simple(&m, DS_PUBLISH, DS_TYPE_LABEL, flags, label, (uint64_t)(uint32_t)ep);
}

int ds_retrieve_label(const char *label, endpoint_t *ep)
{
	struct message m;
	int r = ds_simple(&m, DS_RETRIEVE, DS_TYPE_LABEL, 0, label, 0);

	if (r == 0) {
		*ep = (endpoint_t)MSG(&m, ds_rep)->value;
	}
	return r;
}

int ds_delete_label(const char *label)
{
	struct message m;

	return ds_simple(&m, DS_DELETE, DS_TYPE_LABEL, 0, label, 0);
}

int ds_publish_u32(const char *key, uint32_t value, uint32_t flags)
{
	struct message m;

	return ds_simple(&m, DS_PUBLISH, DS_TYPE_U32, flags, key, value);
}

int ds_retrieve_u32(const char *key, uint32_t *value)
{
	struct message m;
	int r = ds_simple(&m, DS_RETRIEVE, DS_TYPE_U32, 0, key, 0);

	if (r == 0) {
		*value = (uint32_t)MSG(&m, ds_rep)->value;
	}
	return r;
}

int ds_delete_u32(const char *key)
{
	struct message m;

	return ds_simple(&m, DS_DELETE, DS_TYPE_U32, 0, key, 0);
}

int ds_publish_str(const char *key, const char *value, uint32_t flags)
{
	struct message m;
	struct ds_req req = {.type = DS_TYPE_STR,
		.flags = flags,
		.key_len = (uint32_t)strlen(key) + 1,
		.data_len = (uint32_t)strlen(value) + 1};

	return ds_call(&m, DS_PUBLISH, req, (char *)key, GRANT_READ, (char *)value, GRANT_READ);
}

int ds_retrieve_str(const char *key, char *value, size_t size)
{
	struct message m;
	struct ds_req req = {.type = DS_TYPE_STR,
		.key_len = (uint32_t)strlen(key) + 1,
		.data_len = (uint32_t)size};

	return ds_call(&m, DS_RETRIEVE, req, (char *)key, GRANT_READ, value, GRANT_WRITE);
}

int ds_delete_str(const char *key)
{
	struct message m;

	return ds_simple(&m, DS_DELETE, DS_TYPE_STR, 0, key, 0);
}

int ds_subscribe(const char *pattern, uint32_t types, uint32_t flags)
{
	struct message m;

	return ds_simple(&m, DS_SUBSCRIBE, types, flags, pattern, 0);
}

int ds_check(char key[DS_KEY_MAX], uint32_t *type, endpoint_t *owner)
{
	struct message m;
	struct ds_req req = {.key_len = DS_KEY_MAX};
	int r = ds_call(&m, DS_CHECK, req, key, GRANT_WRITE, NULL, 0);

	if (r == 0) {
		*type = MSG(&m, ds_rep)->type;
		*owner = MSG(&m, ds_rep)->owner;
	}
	return r;
}
