/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants: find out what memory a grant id stands for (abi/grant.h). */
#pragma once

#include "abi/grant.h"
#include "kernel/mem/copy.h"

/* What a grant stands for. */
struct grant_use {
	struct copy_side side;
	uint64_t bytes;       /* from there to the end of the grant */
	uint32_t flags;       /* of the entry that grants the memory, at the end of the chain */
	struct proc *granter; /* whose table that entry is in, */
	vaddr_t entry;        /* and where */
};

/*
 * Check that `grantee` may access [offset, offset + bytes) of the grant with `access` (GRANT_READ,
 * GRANT_WRITE, GRANT_MAP), and say where that memory is. -EINVAL: bad endpoint or id; -EPERM: not
 * granted; -ELOOP: too many indirections; -ENOTREADY: the table belongs to contents that have been
 * replaced; KCALL_SUSPENDED: the table is being brought in.
 */
int64_t grant_resolve(struct proc *caller, struct proc *grantee, endpoint_t granter, grant_t id,
	uint64_t offset, uint64_t bytes, uint32_t access, struct grant_use *use);
/* What the caller has granted by `id`. Errors as above; -EPERM also: it passes on somebody else's.
 */
int64_t grant_own(struct proc *caller, grant_t id, struct grant_use *use);
/* A copy by a GRANT_TRY grant met an absent page: the granter will find it marked GRANT_FAULTED. */
void grant_mark_faulted(const struct grant_use *use);
