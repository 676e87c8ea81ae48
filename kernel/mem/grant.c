/* SPDX-License-Identifier: BSD-2-Clause */
/* See grant.h. */
#include "kernel/mem/grant.h"

#include "abi/errno.h"
#include "kernel/proc/priv.h"
#include "lib/core/util.h"

static vaddr_t entry_address(const struct proc *granter, grant_t id)
{
	return granter->priv->grant_table + (uint64_t)GRANT_INDEX(id) * sizeof(struct grant);
}

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
	error = copy_from(caller, granter, entry_address(granter, id), grant, sizeof(*grant));
	if (error != 0) {
		return error;
	}
	if ((grant->flags & (GRANT_USED | GRANT_VALID)) != (GRANT_USED | GRANT_VALID) ||
		grant->seq != (uint32_t)GRANT_SEQ(id)) {
		return -EPERM;
	}
	return 0;
}

/* The memory behind an entry that is not indirect. */
static int64_t find_memory(
	struct proc *granter, const struct grant *grant, grant_t id, struct grant_use *use)
{
	use->granter = granter;
	use->entry = entry_address(granter, id);
	use->flags = grant->flags;
	use->side.proc = granter;
	use->side.address = grant->start;
	use->bytes = grant->len;
	if ((grant->flags & GRANT_MAGIC) != 0) {
		if ((granter->priv->spec.flags & PRIV_FLAG_MAGIC) == 0) {
			return -EPERM;
		}
		use->side.proc = proc_find(grant->who_from);
		if (use->side.proc == NULL) {
			return -EINVAL;
		}
	}
	return 0;
}

int64_t grant_resolve(struct proc *caller, struct proc *grantee, endpoint_t granter_ep, grant_t id,
	uint64_t offset, uint64_t bytes, uint32_t access, struct grant_use *use)
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
		error = find_memory(granter, &grant, id, use);
		use->side.address += offset;
		use->bytes -= offset;
		return error;
	}
	return -ELOOP;
}

int64_t grant_own(struct proc *caller, grant_t id, struct grant_use *use)
{
	struct grant grant;
	int64_t error = read_grant(caller, caller, id, &grant);

	if (error != 0) {
		return error;
	}
	return (grant.flags & GRANT_INDIRECT) != 0 ? -EPERM : find_memory(caller, &grant, id, use);
}

void grant_mark_faulted(const struct grant_use *use)
{
	uint32_t flags = use->flags | GRANT_FAULTED;

	(void)copy_poke(
		use->granter, use->entry + offsetof(struct grant, flags), &flags, sizeof(flags));
}
