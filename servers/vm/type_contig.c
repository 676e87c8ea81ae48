/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physically contiguous anonymous memory, for devices (VM-06): all pages are there from the start
 * and stay where they are. A child of fork does not get it: a device would go on writing to the
 * parent's.
 */
#include <errno.h>

#include "servers/vm/space.h"

static enum fork_how contig_fork(const struct region *region)
{
	(void)region;
	return FORK_OMIT;
}

static int contig_fault(struct vm *vm, struct region *region, struct fault *fault)
{
	pte_t pte = space_lookup(vm, region->space, fault->addr);

	/* Present from the start, with all rights that the region has. */
	return pte != 0 ? 0 : -EIO;
}

static int contig_resize(const struct region *region, uint64_t bytes)
{
	return bytes <= region_bytes(region) ? 0 : -ENOMEM;
}

const struct memtype memtype_contig = {
	.name = "contig",
	.is_pinned = true,
	.is_counted = true,
	.reference = memtype_no_reference,
	.unreference = memtype_no_reference,
	.fork = contig_fork,
	.fault = contig_fault,
	.resize = contig_resize,
	.split = memtype_offset_split,
	.low_shrink = memtype_offset_low_shrink,
	.continues = memtype_never_continues,
	.writable = memtype_always_writable,
	.pt_flags = memtype_no_pt_flags,
};
