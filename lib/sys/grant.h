/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making grants (abi/grant.h). The table grows as needed; ids carry a sequence number, so that a
 * revoked one never names its successor.
 *
 * Those that make a grant return its id, or GRANT_INVALID with errno: ENOSPC (no memory, or more
 * than 65,536 grants), EINVAL (bad access).
 */
#pragma once

#include "abi/grant.h"

/*
 * access: GRANT_READ, GRANT_WRITE, GRANT_MAP, GRANT_TRY; one of the first two at least. The grantee
 * may use [addr, addr + bytes). With GRANT_MAP it may also map it (sys_safemap): then start and
 * length are page-aligned.
 */
grant_t grant_direct(endpoint_t grantee, const void *addr, size_t bytes, uint32_t access);
/* Passes on a grant that `granter` gave the caller. */
grant_t grant_indirect(endpoint_t grantee, endpoint_t granter, grant_t grant);
/* Memory of `owner`; only VFS may. */
grant_t grant_magic(
	endpoint_t grantee, endpoint_t owner, vaddr_t addr, size_t bytes, uint32_t access);

/* The same for a grant that the caller has: its id stays, its meaning changes. 0, or -EINVAL: not
 * one of the caller's, or bad access; then nothing has changed. */
int grant_set_direct(
	grant_t grant, endpoint_t grantee, const void *addr, size_t bytes, uint32_t access);
int grant_set_indirect(grant_t grant, endpoint_t grantee, endpoint_t granter, grant_t passed);
int grant_set_magic(grant_t grant, endpoint_t grantee, endpoint_t owner, vaddr_t addr, size_t bytes,
	uint32_t access);

/*
 * Ends it: 0; GRANT_FAULTED: 0, but a copy by this GRANT_TRY grant failed for want of a page;
 * -EINVAL: not one of the caller's (revoking twice is -EINVAL, never harm). What was mapped by it
 * is unmapped first; when that fails the grant stays, and the error is the result.
 */
int grant_revoke(grant_t grant);

/* Room for `count` grants in all, made now. -ENOSPC. */
int grant_reserve(uint32_t count);

/* After a restart that kept the memory: the kernel learns of the table again. */
int grant_reregister(void);

/* The table as another program goes on with it, over a live update. */
struct grant_state {
	uint64_t table; /* address; 0: there is none */
	uint32_t count;
	int32_t free_head;
	uint32_t first_seq;
	uint32_t is_static; /* table is no piece of the heap */
};
void grant_get_state(struct grant_state *state);
/* table: the entries, a piece of the heap, owned from now on. -EBUSY: there is one already; what
 * the kernel said. */
int grant_adopt(const struct grant_state *state, struct grant *table);
