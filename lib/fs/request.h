/* SPDX-License-Identifier: BSD-2-Clause */
/* A request on its way through the frame: what it brings by grant, and its answer. */
#pragma once

#include "lib/fs/ops.h"
#include "proto/fs.h"

struct fs_request {
	endpoint_t client;
	int32_t op;
	struct message in;
	struct message out; /* the answer; fs_reply_head is filled in by the frame */
};

/* The caller's buffer of a read or write. */
struct fs_grant_data {
	struct fs_data data;
	endpoint_t client;
	grant_t grant;
};

void fs_grant_data_init(struct fs_grant_data *grant_data, endpoint_t client, grant_t grant);

/*
 * Fetch a name of `len` bytes into buf (FS_NAME_MAX + 1 bytes). -ENAMETOOLONG, -ENOENT (empty),
 * -EINVAL (a slash or NUL in it), -EFAULT and the like when the grant is none.
 */
int fs_request_name(
	endpoint_t client, grant_t grant, uint32_t len, char *buf, struct fs_name *name);

/* -EINVAL, -EEXIST: for names that cannot be made ("." and ".."). */
bool fs_name_is_dots(const struct fs_name *name);

void fs_fill_node(struct fs_node *node, const struct fs_attr *attr);

struct fs_time fs_time_from_ns(int64_t ns);
