/* SPDX-License-Identifier: BSD-2-Clause */
/* What a request brings by grant, and parts of answers. */
#include "lib/fs/request.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/core/util.h"
#include "lib/sys/kcall.h"

_Static_assert(FS_IOVEC_MAX <= VCOPY_MAX, "a transfer is one kernel call");

static int grant_copy(struct fs_data *data, uint64_t offset, const struct fs_iovec *vec,
	size_t count, bool to_caller)
{
	const struct fs_grant_data *from = container_of(data, struct fs_grant_data, data);
	struct safecopy_vec copies[FS_IOVEC_MAX];

	if (count == 1) {
		return to_caller
			? sys_safecopyto(from->client, from->grant, offset, vec->base, vec->len)
			: sys_safecopyfrom(from->client, from->grant, offset, vec->base, vec->len);
	}
	for (size_t i = 0; i < count; i++) {
		copies[i] = (struct safecopy_vec){.granter = from->client,
			.grant = from->grant,
			.offset = offset,
			.address = (uint64_t)vec[i].base,
			.bytes = vec[i].len,
			.write = to_caller};
		offset += vec[i].len;
	}
	return sys_vsafecopy(copies, (int)count);
}

void fs_grant_data_init(struct fs_grant_data *grant_data, endpoint_t client, grant_t grant)
{
	grant_data->data.copy = grant_copy;
	grant_data->client = client;
	grant_data->grant = grant;
}

int fs_request_name(endpoint_t client, grant_t grant, uint32_t len, char *buf, struct fs_name *name)
{
	int error;

	if (len == 0) {
		return -ENOENT;
	}
	if (len > FS_NAME_MAX) {
		return -ENAMETOOLONG;
	}
	error = sys_safecopyfrom(client, grant, 0, buf, len);
	if (error != 0) {
		return error;
	}
	if (memchr(buf, '/', len) != NULL || memchr(buf, 0, len) != NULL) {
		return -EINVAL;
	}
	name->text = buf;
	name->len = len;
	return 0;
}

bool fs_name_is_dots(const struct fs_name *name)
{
	return name->text[0] == '.' && (name->len == 1 || (name->len == 2 && name->text[1] == '.'));
}

void fs_fill_node(struct fs_node *node, const struct fs_attr *attr)
{
	node->ino = attr->ino;
	node->size = attr->size;
	node->mode = attr->mode;
	node->uid = attr->uid;
	node->gid = attr->gid;
	node->nlink = attr->nlink;
	node->rdev = makedev(attr->major, attr->minor);
}

struct fs_time fs_time_from_ns(int64_t ns)
{
	struct fs_time time = {.sec = ns / 1000000000};
	int64_t rest = ns % 1000000000;

	if (rest < 0) {
		rest += 1000000000;
		time.sec--;
	}
	time.nsec = (uint32_t)rest;
	return time;
}
