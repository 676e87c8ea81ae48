/* SPDX-License-Identifier: BSD-2-Clause */
/* mremap(2) */
#include <errno.h>
#include <sys/mman.h>

#include "lib/core/util.h"
#include "servers/vm/fault.h"
#include "servers/vm/linux.h"
#include "servers/vm/mapping.h"
#include "servers/vm/safemap.h"

struct remap {
	vaddr_t old;
	uint64_t old_len, new_len;
	vaddr_t fixed; /* MREMAP_FIXED, else 0 */
	bool may_move;
	bool keeps_old; /* MREMAP_DONTUNMAP: the old range stays, empty */
};

/* Make the tables that the moved pages will need, so that moving them cannot fail. */
static int make_tables(struct vm *vm, struct space *space, vaddr_t from, vaddr_t to, uint64_t len)
{
	struct pt_span span;

	for (vaddr_t at = from; pt_next_span(vm, &space->pt, &at, from + len, &span);) {
		for (uint64_t i = 0; i < span.count; i++) {
			vaddr_t target = to + (span.addr - from) + (i << AXO_PAGE_SHIFT);

			if (span.pte[i] != 0 &&
				pt_make(vm, &space->pt, target, space_class(space)) == NULL) {
				return -ENOMEM;
			}
		}
	}
	return 0;
}

static void move_entries(struct vm *vm, struct space *space, vaddr_t from, vaddr_t to, uint64_t len)
{
	struct pt_span span;

	for (vaddr_t at = from; pt_next_span(vm, &space->pt, &at, from + len, &span);) {
		for (uint64_t i = 0; i < span.count; i++) {
			vaddr_t target = to + (span.addr - from) + (i << AXO_PAGE_SHIFT);

			if (span.pte[i] != 0) {
				pt_set(vm, pt_find(vm, &space->pt, target), span.pte[i]);
				pt_set(vm, &span.pte[i], 0);
				space->must_flush = true;
			}
		}
	}
}

/* Move old_len bytes (at most new_len) to a region of new_len bytes at `to`, which is free. */
static int64_t move_region(
	struct vm *vm, struct region *region, const struct remap *remap, vaddr_t to)
{
	struct space *space = region->space;
	struct region *moved;

	/* Records of shared memory know it by its address, and so do those who revoke it. */
	if (region->type->resize(region, remap->new_len) != 0 ||
		safemap_part(vm, space, remap->old, remap->old + remap->old_len) != 0 ||
		make_tables(vm, space, remap->old, to, remap->old_len) != 0) {
		return -ENOMEM;
	}
	moved = region_clone(vm, region, to, remap->new_len, region_offset(region, remap->old));
	if (moved == NULL) {
		return -ENOMEM;
	}
	region_insert(space, moved);
	move_entries(vm, space, remap->old, to, remap->old_len);
	if (remap->keeps_old) {
		(void)region_merge(vm, moved);
		return (int64_t)to;
	}
	/* The old range has no pages any more; cutting it out may need a region that there is no
	 * memory for. */
	if (space_unmap(vm, space, remap->old, remap->old + remap->old_len) != 0) {
		move_entries(vm, space, to, remap->old, remap->old_len);
		region_remove(moved);
		region_delete(vm, moved);
		return -ENOMEM;
	}
	(void)region_merge(vm, moved);
	return (int64_t)to;
}

/* Grow where it stands: true when done. */
static bool grow_in_place(struct vm *vm, struct region *region, const struct remap *remap)
{
	vaddr_t old_end = remap->old + remap->old_len;
	uint64_t more = remap->new_len - remap->old_len;

	if (region->end != old_end || old_end > USER_END - more ||
		!space_is_free(region->space, old_end, more) ||
		region->type->resize(region, region_bytes(region) + more) != 0) {
		return false;
	}
	region_set_end(region, old_end + more);
	(void)region_merge(vm, region);
	return true;
}

static int check_arguments(const uint64_t *arg, struct remap *remap)
{
	uint64_t flags = arg[3];

	*remap = (struct remap){.old = arg[0],
		.may_move = flags & MREMAP_MAYMOVE,
		.keeps_old = flags & MREMAP_DONTUNMAP};
	if ((flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) ||
		((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !remap->may_move) ||
		!is_aligned(remap->old, AXO_PAGE_SIZE) ||
		!checked_align_up(arg[1], AXO_PAGE_SIZE, &remap->old_len) ||
		!checked_align_up(arg[2], AXO_PAGE_SIZE, &remap->new_len) || remap->new_len == 0 ||
		(remap->keeps_old && remap->old_len != remap->new_len)) {
		return -EINVAL;
	}
	if (flags & MREMAP_FIXED) {
		remap->fixed = arg[4];
		if (!is_aligned(remap->fixed, AXO_PAGE_SIZE) || remap->new_len > USER_END ||
			remap->fixed > USER_END - remap->new_len || remap->fixed < USER_BASE ||
			remap->old_len > USER_END || remap->old > USER_END - remap->old_len ||
			range_overlaps(remap->old, remap->old_len, remap->fixed, remap->new_len)) {
			return -EINVAL;
		}
	}
	return 0;
}

/* A second view of shared memory (old length 0). */
static int64_t duplicate(struct vm *vm, struct region *region, const struct remap *remap)
{
	struct space *space = region->space;
	vaddr_t to = remap->fixed;
	struct region *copy;

	if (!(region->flags & REGION_SHARED) || !remap->may_move ||
		region->type->resize(region, remap->new_len) != 0) {
		return -EINVAL;
	}
	if (remap->new_len > USER_END ||
		space_check_limits(vm, space, remap->new_len, false) != 0) {
		return -ENOMEM;
	}
	if (to == 0) {
		to = space_find_room(space, 0, remap->new_len);
	}
	copy = to == 0
		? NULL
		: region_clone(vm, region, to, remap->new_len, region_offset(region, remap->old));
	if (copy == NULL) {
		return -ENOMEM;
	}
	/* What it takes the place of may be the region itself. */
	if (remap->fixed != 0 && space_unmap(vm, space, to, to + remap->new_len) != 0) {
		region_delete(vm, copy);
		return -ENOMEM;
	}
	region_insert(space, copy);
	return (int64_t)to;
}

int64_t linux_mremap(struct vm *vm, struct space *space, const uint64_t *arg)
{
	struct remap remap;
	struct region *region;
	uint64_t more;
	bool is_data;
	int result = check_arguments(arg, &remap);

	if (result != 0) {
		return result;
	}
	region = region_find(space, remap.old);
	if (region == NULL || region->end - remap.old < remap.old_len) {
		return -EFAULT;
	}
	if (remap.old_len == 0) {
		return duplicate(vm, region, &remap);
	}
	if (remap.new_len < remap.old_len) {
		result = space_unmap(
			vm, space, remap.old + remap.new_len, remap.old + remap.old_len);
		if (result != 0) {
			return result;
		}
		remap.old_len = remap.new_len;
		region = region_find(space, remap.old);
	}
	is_data = region->type->is_anonymous && (region->prot & PROT_WRITE);
	more = remap.keeps_old ? remap.new_len : remap.new_len - remap.old_len;
	if (more > 0 &&
		(space_check_limits(vm, space, more, is_data) != 0 || remap.new_len > USER_END)) {
		return -ENOMEM;
	}
	if (remap.fixed != 0) {
		result = space_unmap(vm, space, remap.fixed, remap.fixed + remap.new_len);
		region = region_find(space, remap.old);
		return result != 0 ? result : move_region(vm, region, &remap, remap.fixed);
	}
	if (!remap.keeps_old &&
		(remap.new_len == remap.old_len || grow_in_place(vm, region, &remap))) {
		if (region->flags & REGION_LOCKED) {
			space_populate(vm, space, remap.old, remap.old + remap.new_len);
		}
		return (int64_t)remap.old;
	}
	if (!remap.may_move) {
		return -ENOMEM;
	}
	remap.fixed = space_find_room(space, 0, remap.new_len);
	return remap.fixed == 0 ? -ENOMEM : move_region(vm, region, &remap, remap.fixed);
}
