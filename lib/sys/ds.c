/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/sys/ds.h"

#include <errno.h>
#include <string.h>

#include "abi/errno.h"
#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"

#define TRIES 4 /* DS may die so often in a row */

/* A request that DS did before it died, and did not answer, has been done. */
static int judge_again(int op, int r)
{
	bool is_done = ((op == DS_PUBLISH || op == DS_SUBSCRIBE) && r == -EEXIST) ||
		(op == DS_DELETE && r == -ESRCH);

	return is_done ? 0 : r;
}

/* Sends the request, and once more when DS was restarted meanwhile. The answer is left in *m. */
static int ask(struct message *m, int op, const struct ds_req *req)
{
	int r = 0;

	for (int tries = 0; tries < TRIES; tries++) {
		memset(m, 0, sizeof(*m));
		m->type = op;
		*MSG(m, ds_req) = *req;
		r = ipc_call(EP_DS, m);
		if (r != -EDEADSRCDST && r != -ERESTARTED) {
			return tries > 0 ? judge_again(op, r) : r;
		}
	}
	return r;
}

/* One call about `key`, with its grants. data may be NULL. The answer is left in *m. */
static int ds_call(struct message *m, int op, struct ds_req req, char *key, uint32_t key_access,
	void *data, uint32_t data_access)
{
	int r = -ENOMEM;

	req.key = key ? grant_direct(EP_DS, key, req.key_len, key_access) : GRANT_INVALID;
	req.data = data ? grant_direct(EP_DS, data, req.data_len, data_access) : GRANT_INVALID;
	if ((!key || req.key != GRANT_INVALID) && (!data || req.data != GRANT_INVALID)) {
		r = ask(m, op, &req);
	}
	(void)grant_revoke(req.key);
	(void)grant_revoke(req.data);
	return r;
}

static struct ds_req request(const char *key, uint32_t type, uint32_t flags, uint64_t value)
{
	return (struct ds_req){
		.type = type, .flags = flags, .key_len = (uint32_t)strlen(key) + 1, .value = value};
}

static int ds_simple(
	struct message *m, int op, uint32_t type, uint32_t flags, const char *key, uint64_t value)
{
	return ds_call(m, op, request(key, type, flags, value), (char *)key, GRANT_READ, NULL, 0);
}

static int ds_delete(uint32_t type, const char *key)
{
	struct message m;

	return ds_simple(&m, DS_DELETE, type, 0, key, 0);
}

/* data goes to DS. */
static int ds_put(uint32_t type, uint32_t flags, const char *key, const void *data, size_t bytes)
{
	struct ds_req req = request(key, type, flags, 0);
	struct message m;

	if (bytes > UINT32_MAX) {
		return -E2BIG;
	}
	req.data_len = (uint32_t)bytes;
	return ds_call(&m, DS_PUBLISH, req, (char *)key, GRANT_READ, (void *)data, GRANT_READ);
}

/* What fits comes from DS. */
static int ds_get(
	uint32_t type, uint32_t flags, const char *key, uint64_t value, void *data, size_t *bytes)
{
	struct ds_req req = request(key, type, flags, value);
	struct message m;
	int r;

	req.data_len = *bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)*bytes;
	r = ds_call(&m, DS_RETRIEVE, req, (char *)key, GRANT_READ, data, GRANT_WRITE);
	if (r == 0 && MSG(&m, ds_rep)->data_len > req.data_len) {
		return -EIO; /* more than there is room for */
	}
	if (r == 0) {
		*bytes = MSG(&m, ds_rep)->data_len;
	}
	return r;
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
	return ds_delete(DS_TYPE_LABEL, label);
}

int ds_retrieve_label_name(char *label, size_t size, endpoint_t ep)
{
	struct ds_req req = {.key_len = (uint32_t)size, .value = (uint64_t)(uint32_t)ep};
	struct message m;
	int r;

	if (size == 0) {
		return -E2BIG;
	}
	r = ds_call(&m, DS_LABEL_NAME, req, label, GRANT_READ | GRANT_WRITE, NULL, 0);
	if (r == 0) {
		label[size - 1] = '\0';
	}
	return r;
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
	return ds_delete(DS_TYPE_U32, key);
}

int ds_publish_str(const char *key, const char *value, uint32_t flags)
{
	return ds_put(DS_TYPE_STR, flags, key, value, strlen(value) + 1);
}

int ds_retrieve_str(const char *key, char *value, size_t size)
{
	int r;

	if (size == 0) {
		return -EINVAL;
	}
	r = ds_get(DS_TYPE_STR, 0, key, 0, value, &size);
	if (r == 0) {
		value[size > 0 ? size - 1 : 0] = '\0';
	}
	return r;
}

int ds_delete_str(const char *key)
{
	return ds_delete(DS_TYPE_STR, key);
}

int ds_publish_mem(const char *key, const void *data, size_t bytes, uint32_t flags)
{
	return ds_put(DS_TYPE_MEM, flags, key, data, bytes);
}

int ds_retrieve_mem(const char *key, void *data, size_t *bytes)
{
	return ds_get(DS_TYPE_MEM, 0, key, 0, data, bytes);
}

int ds_delete_mem(const char *key)
{
	return ds_delete(DS_TYPE_MEM, key);
}

/* The grant must stand as long as the range is published: it is not taken back by ds_call. */
int ds_publish_map(const char *key, void *data, size_t bytes, uint32_t flags)
{
	struct ds_req req = request(key, DS_TYPE_MAP, flags, 0);
	struct message m;
	size_t none = 0;
	int r;

	if (flags & DS_FLAG_OVERWRITE) {
		return -EINVAL;
	}
	if (bytes > UINT32_MAX) {
		return -E2BIG;
	}
	if (((uint64_t)data | bytes) % AXO_PAGE_SIZE != 0) {
		return -EINVAL;
	}
	/* A second grant of the range, taken back, would end what was mapped by the first. */
	r = ds_copy_map(key, data, &none);
	if (r != -ESRCH) {
		return r == 0 || r == -EPERM ? -EEXIST : r;
	}
	req.data_len = (uint32_t)bytes;
	req.data = grant_direct(EP_DS, data, bytes, GRANT_READ | GRANT_MAP);
	req.key = grant_direct(EP_DS, key, req.key_len, GRANT_READ);
	r = req.data == GRANT_INVALID || req.key == GRANT_INVALID ? -ENOMEM
								  : ask(&m, DS_PUBLISH, &req);
	(void)grant_revoke(req.key);
	if (r < 0) {
		(void)grant_revoke(req.data);
	}
	return r;
}

int ds_copy_map(const char *key, void *data, size_t *bytes)
{
	return ds_get(DS_TYPE_MAP, DS_FLAG_MAP_COPY, key, 0, data, bytes);
}

int ds_copy_snapshot(const char *key, uint32_t number, void *data, size_t *bytes)
{
	return ds_get(DS_TYPE_MAP, DS_FLAG_MAP_SNAPSHOT, key, number, data, bytes);
}

int ds_retrieve_map(const char *key, void *data, size_t bytes)
{
	struct message m;
	int r = ds_simple(&m, DS_RETRIEVE, DS_TYPE_MAP, DS_FLAG_MAP_LIVE, key, 0);

	if (r < 0) {
		return r;
	}
	if (bytes > MSG(&m, ds_rep)->data_len) {
		return -EINVAL;
	}
	return (int)SYS_KCALL(safemap, EP_DS, MSG(&m, ds_rep)->value, 0, data, bytes, 0);
}

int ds_snapshot_map(const char *key, uint32_t *number)
{
	struct message m;
	int r = ds_simple(&m, DS_SNAPSHOT, DS_TYPE_MAP, 0, key, 0);

	if (r == 0) {
		*number = (uint32_t)MSG(&m, ds_rep)->value;
	}
	return r;
}

int ds_delete_map(const char *key)
{
	struct message m;
	int r = ds_simple(&m, DS_DELETE, DS_TYPE_MAP, 0, key, 0);

	if (r == 0) {
		(void)grant_revoke((grant_t)MSG(&m, ds_rep)->value);
	}
	return r;
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
		key[DS_KEY_MAX - 1] = '\0';
		*type = MSG(&m, ds_rep)->type;
		*owner = MSG(&m, ds_rep)->owner;
	}
	return r;
}

int ds_getinfo(struct ds_info *info, uint32_t max, uint32_t first)
{
	struct message m;
	struct ds_req req = {.value = first, .data_len = max * (uint32_t)sizeof(*info)};
	int r = ds_call(&m, DS_GETINFO, req, NULL, 0, info, GRANT_WRITE);

	if (r == 0 && MSG(&m, ds_rep)->value > max) {
		return -EIO;
	}
	return r < 0 ? r : (int)MSG(&m, ds_rep)->value;
}
