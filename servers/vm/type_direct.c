/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Given physical memory (VM-07): device registers, the boot ramdisk. The pages are not VM's to
 * count or free.
 */
#include <errno.h>

#include "servers/vm/space.h"

static enum fork_how direct_fork(const struct region *region)
{
	(void)region;
	return FORK_SHARE;
}

static int direct_fault(struct vm *vm, struct region *region, struct fault *fault)
{
	vaddr_t addr = AXO_PAGE_DOWN(fault->addr);
	paddr_t paddr = region->paddr + region_offset(region, addr);

	return space_map_page(vm, region, addr, paddr >> AXO_PAGE_SHIFT, true);
}

static int direct_resize(const struct region *region, uint64_t bytes)
{
	return bytes <= region_bytes(region) ? 0 : -ENOMEM;
}

static bool direct_continues(const struct region *low, const struct region *high)
{
	return low->paddr + region_offset(low, low->end) == high->paddr + high->offset;
}

static uint64_t direct_pt_flags(const struct region *region)
{
	uint64_t uncached = PTE_UNCACHED | PTE_WRITE_THROUGH;

	return PTE_UNCOUNTED | ((region->flags & REGION_UNCACHED) ? uncached : 0);
}

const struct memtype memtype_direct = {
	.name = "direct",
	.is_counted = false,
	.reference = memtype_no_reference,
	.unreference = memtype_no_reference,
	.fork = direct_fork,
	.fault = direct_fault,
	.resize = direct_resize,
	.split = memtype_offset_split,
	.low_shrink = memtype_offset_low_shrink,
	.continues = direct_continues,
	.writable = memtype_always_writable,
	.pt_flags = direct_pt_flags,
};
