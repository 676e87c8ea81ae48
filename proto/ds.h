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
};

enum ds_type { DS_TYPE_U32 = 1, DS_TYPE_STR, DS_TYPE_MEM, DS_TYPE_LABEL };
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
