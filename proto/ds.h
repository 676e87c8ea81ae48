/* SPDX-License-Identifier: BSD-2-Clause */
/* The data store: labels and small values by key. Synchronous calls; the key is NUL-terminated, at
 * most DS_KEY_MAX bytes with NUL. */
#pragma once

#include "abi/message.h"

#define DS_KEY_MAX 80

enum ds_op {
	DS_PUBLISH = DS_BASE, /* ds_req; type and value; label: RS only */
	DS_RETRIEVE,          /* ds_req -> ds_rep */
	DS_DELETE,            /* ds_req: owner only, RS for labels */
	DS_SUBSCRIBE,         /* ds_req: key is a pattern (extended regular expression, anchored) */
	DS_CHECK, /* ds_req -> ds_rep: next changed key of the caller's subscription, -ENOENT none;
		     key to the grant */
	DS_LABEL_NAME, /* ds_req: value = endpoint -> its label to the grant (read-write) */
	DS_SNAPSHOT,   /* ds_req: of a MAP key -> ds_rep.value: number of the snapshot */
	DS_GETINFO, /* ds_req: struct ds_info[] to the grant from entry `value` on -> ds_rep.value:
		       how many */
};

enum ds_type { DS_TYPE_U32 = 1, DS_TYPE_STR, DS_TYPE_MEM, DS_TYPE_LABEL, DS_TYPE_MAP };
#define DS_FLAG_PRIVATE_RETRIEVE  4
#define DS_FLAG_PRIVATE_OVERWRITE 8
#define DS_FLAG_PRIVATE_SNAPSHOT  16
#define DS_FLAG_PRIVATE_SUBSCRIBE 32
/* RETRIEVE of a MAP key: */
#define DS_FLAG_MAP_LIVE     64 /* data: a MAP grant of DS is made for the caller: its id in value */
#define DS_FLAG_MAP_COPY     128 /* the contents now */
#define DS_FLAG_MAP_SNAPSHOT 256 /* snapshot `value` */
#define DS_SNAPSHOTS_MAX     5
struct ds_info {
	char key[DS_KEY_MAX];
	uint32_t type, flags;
	endpoint_t owner;
	uint32_t bytes;
	uint64_t value;
};
#define DS_FLAG_OVERWRITE 1
#define DS_FLAG_INITIAL   2 /* subscribe: existing keys count as changed */

struct ds_req {
	uint32_t type;
	uint32_t flags;
	grant_t key;
	uint32_t key_len; /* with NUL */
	uint64_t value;   /* u32, endpoint */
	grant_t data;     /* STR, MEM */
	uint32_t data_len;
};
struct ds_rep {
	uint64_t value;
	uint32_t type;
	uint32_t data_len;
	endpoint_t owner;
};
