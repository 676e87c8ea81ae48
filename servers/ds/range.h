/* SPDX-License-Identifier: BSD-2-Clause */
/* Mapped ranges: memory of publishers in DS, and of DS in those who retrieve it (safemap). */
#pragma once

#include "servers/ds/store.h"

/* Maps `bytes` (whole pages) that granter grants, read-only, in *data. 0 or a negative error. */
int range_map(endpoint_t granter, grant_t grant, uint32_t bytes, uint8_t **data);
void range_unmap(uint8_t *data, uint32_t bytes);

/* The grant by which a range may be mapped by others; GRANT_INVALID: no memory. */
grant_t range_grant(const struct store *store, struct store_entry *entry);
/* Ends that grant and what was mapped by it. */
void range_revoke(struct store_entry *entry);
