/* SPDX-License-Identifier: BSD-2-Clause */
/* See grant.h. */
#include "kernel/mem/grant.h"

#include "abi/errno.h"
#include "kernel/proc/priv.h"
#include "lib/core/util.h"

static int64_t read_grant(
	struct proc *caller, struct proc *granter, grant_t id, struct grant *grant)
{
	uint32_t index = (uint32_t)GRANT_INDEX(id);
	int64_t error;

	if (id < 0) {
		return -EINVAL;
	}
	if (!proc_is_service(granter)) {
		return -EPERM;
	}
	if (granter->priv->grant_table == 0 && proc_find(granter->predecessor) != NULL) {
		return -ENOTREADY; /* the table is with the contents that were replaced */
	}
	if (granter->priv->grant_table == 0 || index >= granter->priv->grant_count) {
		return -EPERM;
	}
	error = copy_from(caller, granter,
		granter->priv->grant_table + (uint64_t)index * sizeof(*grant), grant,
		sizeof(*grant));
	if (error != 0) {
		return error;
	}
	if ((grant->flags & (GRANT_USED | GRANT_VALID)) != (GRANT_USED | GRANT_VALID) ||
		grant->seq != (uint32_t)GRANT_SEQ(id)) {
		return -EPERM;
	}
	return 0;
}

int64_t grant_resolve(struct proc *caller, struct proc *grantee, endpoint_t granter_ep, grant_t id,
	uint64_t offset, uint64_t bytes, uint32_t access, struct copy_side *side, uint32_t *flags)
{
	int depth;

	for (depth = 0; depth <= GRANT_MAX_INDIRECT; depth++) {
		struct proc *granter = proc_find(granter_ep);
		struct grant grant;
		uint64_t end;
		int64_t error;

		if (granter == NULL) {
			return -EINVAL;
		}
		error = read_grant(caller, granter, id, &grant);
		if (error != 0) {
			return error;
		}
		if (grant.who_to != EP_ANY && grant.who_to != grantee->endpoint) {
			return -EPERM;
		}
		*flags = grant.flags;
		if ((grant.flags & GRANT_INDIRECT) != 0) {
			/* What was granted to the middle process is checked with it as the grantee.
			 */
			grantee = granter;
			granter_ep = grant.who_from;
			id = (grant_t)grant.start;
			continue;
		}
		if ((grant.flags & access) != access || !checked_add(offset, bytes, &end) ||
			end > grant.len || !checked_add(grant.start, end, &end)) {
			return -EPERM;
		}
		side->address = grant.start + offset;
		side->proc = granter;
		if ((grant.flags & GRANT_MAGIC) != 0) {
			if ((granter->priv->spec.flags & PRIV_FLAG_MAGIC) == 0) {
				return -EPERM;
			}
			side->proc = proc_find(grant.who_from);
			if (side->proc == NULL) {
				return -EINVAL;
			}
		}
		return 0;
	}
	return -ELOOP;
}
