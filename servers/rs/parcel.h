/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program hands to RS in its axo_service call: declaration, executable, arguments. */
#pragma once

#include "proto/rs.h"
#include "servers/rs/rs.h"

struct parcel {
	bool has_conf;
	struct conf_service conf;
	struct binary *binary; /* NULL: none */
	char *args;            /* NULL: none */
};

/*
 * Copy all three. 0; -E2BIG, -ENOMEM, -EFAULT; -EINVAL, -ENOENT: the declaration is wrong, and the
 * program's `out` has the reason, as "LINE: TEXT". After an error there is nothing to free.
 */
int parcel_fetch(struct rs *rs, endpoint_t program, const struct axo_service_req *req,
	struct parcel *parcel);

/* As parcel_fetch(), but only what is given. */
int parcel_fetch_some(struct rs *rs, endpoint_t program, const struct axo_service_req *req,
	struct parcel *parcel);

void parcel_free(struct parcel *parcel);

/* Tell the program, in its `out`, and the log what is wrong with its declaration: "LINE: TEXT". */
void parcel_complain(endpoint_t program, const struct axo_service_req *req, const char *line);
