/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants: find out what memory a grant id stands for (abi/grant.h). */
#pragma once

#include "abi/grant.h"
#include "kernel/mem/copy.h"

/*
 * Check that `grantee` may access [offset, offset + bytes) of the grant with `access` (GRANT_READ,
 * GRANT_WRITE), and say where that memory is. *flags: the grant's flags (GRANT_TRY). -EINVAL: bad
 * endpoint or id; -EPERM: not granted; -ELOOP: too many indirections; KCALL_SUSPENDED: the table is
 * being brought in.
 */
int64_t grant_resolve(struct proc *caller, struct proc *grantee, endpoint_t granter, grant_t id,
	uint64_t offset, uint64_t bytes, uint32_t access, struct copy_side *side, uint32_t *flags);
