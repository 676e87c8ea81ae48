/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making grants (abi/grant.h). The table grows as needed; ids carry a sequence number, so that a
 * revoked one never names its successor. All return the id, or GRANT_INVALID when there is no
 * memory.
 */
#pragma once

#include "abi/grant.h"

/* access: GRANT_READ, GRANT_WRITE, GRANT_TRY. The grantee may use [addr, addr + bytes). */
grant_t grant_direct(endpoint_t grantee, const void *addr, size_t bytes, uint32_t access);
/* Passes on a grant that `granter` gave the caller. */
grant_t grant_indirect(endpoint_t grantee, endpoint_t granter, grant_t grant);
/* Memory of `owner`; only VFS may. */
grant_t grant_magic(
	endpoint_t grantee, endpoint_t owner, vaddr_t addr, size_t bytes, uint32_t access);
/* Ends it: 0, -EINVAL when it is not one of the caller's (revoking twice is -EINVAL, never harm).
 */
int grant_revoke(grant_t grant);

/* After a restart that kept the memory: the kernel learns of the table again. */
int grant_reregister(void);
