/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * safemap, safeunmap, saferevmap: memory that services share by grants. The kernel checks the
 * grant; VM shares the pages, keeps account of it, and its answer is the result of the call.
 */
#include "abi/bootinfo.h"
#include "kernel/kcall/kcall.h"
#include "kernel/mem/fault.h"
#include "kernel/mem/grant.h"

static bool is_page_aligned(uint64_t value)
{
	return (value & AXO_PAGE_MASK) == 0;
}

/*
 * safemap(granter, grant, offset, address, bytes, writable): the caller's pages at `address` are
 * replaced by the granted ones. Errors of mem/grant.h (the grant needs GRANT_MAP and GRANT_READ,
 * GRANT_WRITE if writable); -EINVAL also: not page-aligned, or its own memory; VM's: -EBUSY,
 * -ENOMEM, -EFAULT.
 */
int64_t kcall_safemap(struct proc *caller, const uint64_t args[6])
{
	uint32_t access = GRANT_MAP | GRANT_READ | (args[5] != 0 ? GRANT_WRITE : 0);
	struct memreq request = {
		.kind = MEMREQ_MAP,
		.target = caller->endpoint,
		.address = args[3],
		.bytes = args[4],
		.write = args[5] != 0,
	};
	struct grant_use use;
	int64_t error = grant_resolve(caller, caller, (endpoint_t)args[0], (grant_t)args[1],
		args[2], args[4], access, &use);

	if (error != 0) {
		return error;
	}
	if (args[4] == 0 || !is_page_aligned(use.side.address) || !is_page_aligned(args[3]) ||
		!is_page_aligned(args[4]) || use.side.proc == caller || args[3] >= USER_END ||
		args[4] > USER_END - args[3]) {
		return -EINVAL;
	}
	request.source = use.side.proc->endpoint;
	request.source_address = use.side.address;
	return memreq_post(caller, &request);
}

/* safeunmap(address): undo what the caller has mapped there; 0 also when that is nothing. -EINVAL:
 * not page-aligned. */
int64_t kcall_safeunmap(struct proc *caller, const uint64_t args[6])
{
	const struct memreq request = {
		.kind = MEMREQ_UNMAP,
		.target = caller->endpoint,
		.address = args[0],
		.source = EP_NONE,
	};

	return is_page_aligned(args[0]) && args[0] < USER_END ? memreq_post(caller, &request)
							      : -EINVAL;
}

/*
 * saferevmap(SAFEREV_GRANT, grant) or (SAFEREV_ADDRESS, address): undo what others have mapped of
 * the memory that the caller granted; 0 also when that is nothing. Errors of mem/grant.h; -EINVAL:
 * not page-aligned, or no such operation; -EPERM: the grant only passes on another one.
 */
int64_t kcall_saferevmap(struct proc *caller, const uint64_t args[6])
{
	struct memreq request = {
		.kind = MEMREQ_REVOKE,
		.target = caller->endpoint,
		.address = args[1],
		.bytes = AXO_PAGE_SIZE,
		.source = EP_NONE,
	};
	struct grant_use use;
	int64_t error;

	switch (args[0]) {
	case SAFEREV_GRANT:
		error = grant_own(caller, (grant_t)args[1], &use);
		if (error != 0) {
			return error;
		}
		request.target = use.side.proc->endpoint;
		request.address = use.side.address;
		request.bytes = use.bytes;
		break;
	case SAFEREV_ADDRESS:
		break;
	default:
		return -EINVAL;
	}
	if (!is_page_aligned(request.address | request.bytes) || request.address >= USER_END) {
		return -EINVAL;
	}
	return request.bytes == 0 ? 0 : memreq_post(caller, &request);
}
