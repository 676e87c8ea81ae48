/* SPDX-License-Identifier: BSD-2-Clause */
/* madvise(2), msync(2), mincore(2) */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/errno.h"
#include "lib/core/util.h"
#include "servers/vm/fault.h"
#include "servers/vm/file.h"
#include "servers/vm/job.h"
#include "servers/vm/linux.h"
#include "servers/vm/mapping.h"

/* Newer than the libc headers that VM is built with. */
#define ADVICE_COLD           20
#define ADVICE_PAGEOUT        21
#define ADVICE_POPULATE_READ  22
#define ADVICE_POPULATE_WRITE 23

#define MINCORE_CHUNK 512

/* Pages that MADV_WILLNEED reads at most, and in one request. */
#define WILLNEED_PAGES 1024
#define WILLNEED_BATCH 32

/* Check a range as the family does: whole pages up to *end. */
static int check_range(vaddr_t addr, uint64_t len, vaddr_t *end, int overflow_error)
{
	if (!is_aligned(addr, AXO_PAGE_SIZE)) {
		return -EINVAL;
	}
	if (!checked_align_up(len, AXO_PAGE_SIZE, &len) || !checked_add(addr, len, end)) {
		return overflow_error;
	}
	return 0;
}

/* Call `advise` for each mapped piece; holes make it -ENOMEM at the end. */
static int for_pieces(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end, int advice,
	int (*advise)(struct vm *vm, struct region *region, vaddr_t start, vaddr_t end, int advice))
{
	vaddr_t at = start;
	bool has_hole = false;

	while (at < end) {
		struct region *region = region_at_or_after(space, at);
		vaddr_t piece_end;
		int result;

		if (region == NULL || region->start >= end) {
			has_hole = true;
			break;
		}
		has_hole |= region->start > at;
		piece_end = u64_min(region->end, end);
		result = advise(vm, region, u64_max(region->start, at), piece_end, advice);
		if (result != 0) {
			return result;
		}
		at = piece_end;
	}
	return has_hole ? -ENOMEM : 0;
}

static int drop(struct vm *vm, struct region *region, vaddr_t start, vaddr_t end, int advice)
{
	if ((region->flags & REGION_LOCKED) || !region->type->is_counted ||
		region->type->is_pinned || (advice == MADV_FREE && !region->type->is_anonymous)) {
		return -EINVAL;
	}
	space_drop_pages(vm, region, start, end);
	return 0;
}

/* Start to read what is not cached of a mapped file; anonymous memory would only become zeros. */
static int read_ahead(struct vm *vm, struct region *region, vaddr_t start, vaddr_t end, int advice)
{
	uint64_t index = region_offset(region, start) >> AXO_PAGE_SHIFT;
	uint64_t stop = index + u64_min((end - start) >> AXO_PAGE_SHIFT, WILLNEED_PAGES);

	(void)advice;
	while (region->type->is_file && index < stop) {
		struct cache_page *page;
		uint32_t request;

		if (file_get_page(vm, region->file, index,
			    u64_min(stop - index, WILLNEED_BATCH) - 1, &page,
			    &request) == -ENOMEM) {
			break;
		}
		index++;
	}
	return 0;
}

static int no_effect(struct vm *vm, struct region *region, vaddr_t start, vaddr_t end, int advice)
{
	(void)vm;
	(void)region;
	(void)start;
	(void)end;
	(void)advice;
	return 0;
}

/* Set and clear flags that change what fork does. */
static int change_flags(struct vm *vm, struct region *region, uint64_t advice)
{
	unsigned flags = region->flags;

	(void)vm;
	switch (advice) {
	case MADV_DONTFORK:
		flags |= REGION_DONT_FORK;
		break;
	case MADV_DOFORK:
		flags &= ~(unsigned)REGION_DONT_FORK;
		break;
	case MADV_WIPEONFORK:
		if (!region->type->is_anonymous) {
			return -EINVAL;
		}
		flags |= REGION_WIPE_ON_FORK;
		break;
	default:
		flags &= ~(unsigned)REGION_WIPE_ON_FORK;
		break;
	}
	region_set_mode(region, region->prot, flags);
	return 0;
}

/* MADV_POPULATE_*: bring in at once, for a load or a store; the call is answered then. */
static int64_t populate(
	struct vm *vm, struct space *space, endpoint_t ep, vaddr_t start, vaddr_t end, bool write)
{
	for (vaddr_t at = start; at < end;) {
		const struct region *region = region_find(space, at);

		if (region == NULL) {
			return -ENOMEM;
		}
		if (!(region->prot & (write ? REGION_PROT_WRITE : REGION_PROT_ALL))) {
			return write ? -EINVAL : -EFAULT;
		}
		at = region->end;
	}
	job_populate(vm, ep, start, end, 0, true, write);
	return -EDONTREPLY;
}

int64_t linux_madvise(struct vm *vm, struct space *space, endpoint_t ep, const uint64_t *arg)
{
	int advice = (int)arg[2];
	vaddr_t addr = arg[0], end;
	int result = check_range(addr, arg[1], &end, -EINVAL);

	if (result != 0) {
		return result;
	}
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_FREE:
		result = for_pieces(vm, space, addr, end, advice, drop);
		space->must_flush |= pt_prune(vm, &space->pt, addr, u64_min(end, USER_END));
		return result;
	case MADV_WILLNEED:
		return for_pieces(vm, space, addr, end, advice, read_ahead);
	case ADVICE_POPULATE_READ:
	case ADVICE_POPULATE_WRITE:
		return populate(vm, space, ep, addr, end, advice == ADVICE_POPULATE_WRITE);
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case ADVICE_COLD:
	case ADVICE_PAGEOUT:
		return for_pieces(vm, space, addr, end, advice, no_effect);
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
		return addr == end
			? 0
			: mapping_for_each(vm, space, addr, end, change_flags, (uint64_t)advice);
	default:
		return -EINVAL;
	}
}

static int refuse_locked(
	struct vm *vm, struct region *region, vaddr_t start, vaddr_t end, int advice)
{
	(void)vm;
	(void)start;
	(void)end;
	(void)advice;
	return (region->flags & REGION_LOCKED) ? -EBUSY : 0;
}

int64_t linux_msync(struct vm *vm, struct space *space, endpoint_t ep, const uint64_t *arg)
{
	uint64_t flags = arg[2];
	vaddr_t end;
	int result = check_range(arg[0], arg[1], &end, -ENOMEM);

	if (flags & ~(uint64_t)(MS_ASYNC | MS_SYNC | MS_INVALIDATE) ||
		(flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC)) {
		return -EINVAL;
	}
	if (result != 0) {
		return result;
	}
	if (flags & MS_SYNC) {
		if (flags & MS_INVALIDATE) {
			result = for_pieces(vm, space, arg[0], end, 0, refuse_locked);
			if (result == -EBUSY) {
				return result;
			}
		}
		job_sync(vm, ep, arg[0], end);
		return -EDONTREPLY;
	}
	/* All mappings of a file show the same pages, and what is dirty is known to be. */
	return for_pieces(
		vm, space, arg[0], end, 0, (flags & MS_INVALIDATE) ? refuse_locked : no_effect);
}

static uint8_t is_resident(struct vm *vm, struct space *space, vaddr_t addr)
{
	const struct region *region = region_find(space, addr);

	if (space_lookup(vm, space, addr) != 0) {
		return 1;
	}
	return region != NULL && region->type->is_file &&
		file_find_page(vm, region->file, region_offset(region, addr) >> AXO_PAGE_SHIFT) !=
		NULL;
}

int64_t linux_mincore(struct vm *vm, struct space *space, const uint64_t *arg)
{
	vaddr_t addr = arg[0], end;
	uint64_t to = arg[2];
	uint8_t vector[MINCORE_CHUNK];
	int result = check_range(addr, arg[1], &end, -ENOMEM);

	if (result == 0) {
		result = for_pieces(vm, space, addr, end, 0, no_effect);
	}
	while (result == 0 && addr < end) {
		unsigned count = 0;

		for (; count < MINCORE_CHUNK && addr < end; addr += AXO_PAGE_SIZE) {
			vector[count++] = is_resident(vm, space, addr);
		}
		result = space_copy_out(vm, space, to, vector, count);
		to += count;
	}
	return result;
}
