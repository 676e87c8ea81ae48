/* SPDX-License-Identifier: BSD-2-Clause */
/* mlock(2) and its family. Nothing is ever paged out, so that locking is bringing in, and counting.
 */
#include <errno.h>
#include <sys/mman.h>

#include "abi/errno.h"
#include "lib/core/util.h"
#include "lib/sys/kcall.h"
#include "servers/vm/job.h"
#include "servers/vm/linux.h"
#include "servers/vm/mapping.h"

#define ONFAULT_FLAG 1 /* MLOCK_ONFAULT */

static int set_locked(struct vm *vm, struct region *region, uint64_t locked)
{
	unsigned flags = region->flags & ~(unsigned)REGION_LOCKED;

	(void)vm;
	region_set_mode(region, region->prot, locked ? flags | REGION_LOCKED : flags);
	return 0;
}

/* Whether the caller may lock so many bytes in all: root may lock anything. */
static bool may_lock(const struct space *space, endpoint_t ep, uint64_t total)
{
	struct proc_ids ids = {0};

	if (total <= space->limit_memlock) {
		return true;
	}
	return sys_getinfo(GETINFO_IDS, &ids, sizeof(ids), ep) > 0 && ids.euid == 0;
}

static int range_of(vaddr_t *addr, uint64_t len, vaddr_t *end)
{
	uint64_t bytes;

	if (!checked_add(len, *addr & AXO_PAGE_MASK, &bytes) ||
		!checked_align_up(bytes, AXO_PAGE_SIZE, &bytes)) {
		return -EINVAL;
	}
	*addr = AXO_PAGE_DOWN(*addr);
	return checked_add(*addr, bytes, end) ? 0 : -EINVAL;
}

/* What of a range is locked already. */
static uint64_t locked_bytes(const struct space *space, vaddr_t start, vaddr_t end)
{
	uint64_t bytes = 0;

	for (const struct region *region = region_at_or_after(space, start);
		region != NULL && region->start < end; region = region_next(region)) {
		if (region->flags & REGION_LOCKED) {
			bytes += u64_min(region->end, end) - u64_max(region->start, start);
		}
	}
	return bytes;
}

int linux_may_map_locked(const struct space *space, endpoint_t ep, uint64_t flags, uint64_t len)
{
	bool is_asked = flags & MAP_LOCKED;

	if ((!is_asked && !space->lock_future) || len > USER_END) {
		return 0;
	}
	if (may_lock(space, ep, space->locked_bytes + AXO_PAGE_UP(len))) {
		return 0;
	}
	return is_asked && space->limit_memlock == 0 ? -EPERM : -EAGAIN;
}

int64_t linux_mlock(struct vm *vm, struct space *space, endpoint_t ep, vaddr_t addr, uint64_t len,
	uint64_t flags)
{
	vaddr_t end;
	int result = range_of(&addr, len, &end);

	if (flags & ~(uint64_t)ONFAULT_FLAG) {
		return -EINVAL;
	}
	if (result != 0 || addr == end) {
		return result;
	}
	if (!may_lock(space, ep,
		    space->locked_bytes + (end - addr) - locked_bytes(space, addr, end))) {
		return space->limit_memlock == 0 ? -EPERM : -ENOMEM;
	}
	result = mapping_for_each(vm, space, addr, end, set_locked, 1);
	if (result == 0 && !(flags & ONFAULT_FLAG)) {
		job_populate(vm, ep, addr, end, 0, false, false);
		return -EDONTREPLY;
	}
	return result;
}

int64_t linux_munlock(struct vm *vm, struct space *space, vaddr_t addr, uint64_t len)
{
	vaddr_t end;
	int result = range_of(&addr, len, &end);

	return result != 0 || addr == end ? result
					  : mapping_for_each(vm, space, addr, end, set_locked, 0);
}

int64_t linux_mlockall(struct vm *vm, struct space *space, endpoint_t ep, uint64_t flags)
{
	if (flags == 0 || (flags & ~(uint64_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ||
		flags == MCL_ONFAULT) {
		return -EINVAL;
	}
	if ((flags & MCL_CURRENT) && !may_lock(space, ep, space->virtual_bytes)) {
		return space->limit_memlock == 0 ? -EPERM : -ENOMEM;
	}
	space->lock_future = flags & MCL_FUTURE;
	space->lock_on_fault = flags & MCL_ONFAULT;
	for (struct region *region = region_first(space); region != NULL && (flags & MCL_CURRENT);
		region = region_next(region)) {
		(void)set_locked(vm, region, 1);
	}
	if ((flags & MCL_CURRENT) && !(flags & MCL_ONFAULT)) {
		job_populate(vm, ep, USER_BASE, USER_END, 0, false, false);
		return -EDONTREPLY;
	}
	return 0;
}

int64_t linux_munlockall(struct vm *vm, struct space *space)
{
	space->lock_future = false;
	for (struct region *region = region_first(space); region != NULL;
		region = region_next(region)) {
		(void)set_locked(vm, region, 0);
	}
	return 0;
}
