/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/mapping.h"

#include <errno.h>
#include <sys/mman.h>

#include "lib/core/util.h"
#include "servers/vm/fault.h"
#include "servers/vm/type_shared.h"

#define PROT_MASK (PROT_READ | PROT_WRITE | PROT_EXEC)

/* Services whose heap start nobody set get it above what lies below this. */
#define DEFAULT_BRK_BELOW 0x0000600000000000ull

_Static_assert(PROT_READ == REGION_PROT_READ && PROT_WRITE == REGION_PROT_WRITE &&
		PROT_EXEC == REGION_PROT_EXEC,
	"regions use the values of PROT_*");

static unsigned region_flags_of(const struct space *space, const struct mapping *mapping)
{
	unsigned flags = 0;

	if ((mapping->flags & MAP_TYPE) != MAP_PRIVATE) {
		flags |= REGION_SHARED;
	}
	if (mapping->flags & MAP_GROWSDOWN) {
		flags |= REGION_GROWS_DOWN;
	}
	if (mapping->flags & MAP_NORESERVE) {
		flags |= REGION_NO_RESERVE;
	}
	if ((mapping->flags & MAP_LOCKED) || space->lock_future) {
		flags |= REGION_LOCKED;
	}
	return flags;
}

/* Check what needs no search: len has been rounded up. */
static int check_request(const struct mapping *mapping, uint64_t len)
{
	int type = mapping->flags & MAP_TYPE;
	uint64_t end;

	if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE) {
		return -EINVAL;
	}
	if (mapping->prot & ~PROT_MASK) {
		return -EINVAL;
	}
	if (len > USER_END - USER_BASE) {
		return -ENOMEM;
	}
	if (!checked_add(mapping->offset, len, &end)) {
		return -EOVERFLOW;
	}
	if (mapping->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (!is_aligned(mapping->addr, AXO_PAGE_SIZE)) {
			return -EINVAL;
		}
		if (mapping->addr > USER_END - len) {
			return -ENOMEM;
		}
		if (mapping->addr < USER_BASE) {
			return -EPERM;
		}
	}
	return 0;
}

static bool is_fixed(const struct mapping *mapping)
{
	return mapping->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
}

/* An obvious overcommitment is refused, as by Linux's heuristic. */
static int check_commitment(struct vm *vm, const struct mapping *mapping, uint64_t len)
{
	bool is_charged = mapping->file == NULL && (mapping->prot & PROT_WRITE);

	if (is_charged && !(mapping->flags & MAP_NORESERVE) &&
		len >> AXO_PAGE_SHIFT > vm->pool.total - vm->pool.kernel_pages) {
		return -ENOMEM;
	}
	return 0;
}

static struct region *make_region(struct vm *vm, struct space *space, const struct mapping *mapping,
	vaddr_t addr, uint64_t len)
{
	const struct memtype *type = &memtype_anon;
	unsigned flags = region_flags_of(space, mapping);
	struct shared_object *shared = NULL;
	struct region *region;

	if (mapping->file != NULL) {
		type = &memtype_file;
	} else if (flags & REGION_SHARED) {
		type = &memtype_shared;
		shared = shared_create(vm, len >> AXO_PAGE_SHIFT);
		if (shared == NULL) {
			return NULL;
		}
	}
	region = region_new(vm, type, addr, len, mapping->prot, flags);
	if (region == NULL) {
		if (shared != NULL) {
			shared_destroy(vm, shared);
		}
		return NULL;
	}
	region->max_prot = (uint8_t)mapping->max_prot;
	region->offset = mapping->file != NULL ? mapping->offset : 0;
	if (mapping->file != NULL) {
		region->file = mapping->file;
		region->file_limit = mapping->file_limit;
	} else if (shared != NULL) {
		region->shared = shared;
	}
	type->reference(vm, region);
	return region;
}

/* mlockall(MCL_FUTURE) without MCL_ONFAULT: what is mapped is brought in. */
static bool is_populated(const struct space *space)
{
	return space->lock_future && !space->lock_on_fault;
}

/* Bytes that a mapping at a fixed place takes the place of: they do not count against limits. */
static uint64_t replaced_bytes(
	const struct space *space, const struct mapping *mapping, uint64_t len)
{
	vaddr_t end = mapping->addr + len;
	uint64_t bytes = 0;

	if (!(mapping->flags & MAP_FIXED)) {
		return 0;
	}
	for (const struct region *region = region_at_or_after(space, mapping->addr);
		region != NULL && region->start < end; region = region_next(region)) {
		bytes += u64_min(region->end, end) - u64_max(region->start, mapping->addr);
	}
	return bytes;
}

int mapping_create(struct vm *vm, struct space *space, const struct mapping *mapping, vaddr_t *addr)
{
	bool is_data = mapping->file == NULL && (mapping->flags & MAP_TYPE) == MAP_PRIVATE &&
		(mapping->prot & PROT_WRITE);
	struct region *region;
	uint64_t len;
	vaddr_t at;
	int result;

	if (mapping->len == 0) {
		return -EINVAL;
	}
	if (!checked_align_up(mapping->len, AXO_PAGE_SIZE, &len)) {
		return -ENOMEM;
	}
	result = check_request(mapping, len);
	if (result == 0) {
		result = check_commitment(vm, mapping, len);
	}
	if (result == 0) {
		result = space_check_limits(
			vm, space, len - replaced_bytes(space, mapping, len), is_data);
	}
	if (result != 0) {
		return result;
	}
	at = mapping->addr;
	if (!is_fixed(mapping)) {
		at = space_find_room(space, AXO_PAGE_DOWN(mapping->addr), len);
		if (at == 0) {
			return -ENOMEM;
		}
	} else if ((mapping->flags & MAP_FIXED_NOREPLACE) && !space_is_free(space, at, len)) {
		return -EEXIST;
	}
	region = make_region(vm, space, mapping, at, len);
	if (region == NULL) {
		return -ENOMEM;
	}
	result = is_fixed(mapping) ? space_unmap(vm, space, at, at + len) : 0;
	if (result != 0) {
		region_delete(vm, region);
		return result;
	}
	region_insert(space, region);
	(void)region_merge(vm, region);
	if (mapping->file == NULL &&
		((mapping->flags & (MAP_POPULATE | MAP_LOCKED)) || is_populated(space))) {
		space_populate(vm, space, at, at + len);
	}
	*addr = at;
	return 0;
}

int mapping_remove(struct vm *vm, struct space *space, vaddr_t addr, uint64_t len)
{
	if (!is_aligned(addr, AXO_PAGE_SIZE) || len == 0 ||
		!checked_align_up(len, AXO_PAGE_SIZE, &len) || len > USER_END ||
		addr > USER_END - len) {
		return -EINVAL;
	}
	return space_unmap(vm, space, addr, addr + len);
}

/* Join what can be joined in start ... end, borders included. */
static void merge_range(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end)
{
	struct region *region = region_at_or_after(space, start);

	while (region != NULL && region->start <= end) {
		region = region_next(region_merge(vm, region));
	}
}

int mapping_for_each(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end,
	int (*change)(struct vm *vm, struct region *region, uint64_t argument), uint64_t argument)
{
	vaddr_t at = start;
	int result = region_cut(vm, space, start);

	if (result == 0) {
		result = region_cut(vm, space, end);
	}
	while (result == 0 && at < end) {
		struct region *region = region_find(space, at);

		if (region == NULL) {
			/* Linux changes what lies beyond a hole too for some calls, for none says
			 * it is fine. */
			result = -ENOMEM;
			break;
		}
		result = change(vm, region, argument);
		at = region->end;
	}
	merge_range(vm, space, start, end);
	return result;
}

static int protect_region(struct vm *vm, struct region *region, uint64_t prot)
{
	struct space *space = region->space;
	bool becomes_data =
		region->type->is_anonymous && (prot & PROT_WRITE) && !(region->prot & PROT_WRITE);

	if ((int)prot == region->prot) {
		return 0;
	}
	if (prot & ~(uint64_t)region->max_prot) {
		return -EACCES;
	}
	if (becomes_data && space->limit_data != SPACE_NO_LIMIT &&
		space->data_bytes + region_bytes(region) > space->limit_data) {
		return -ENOMEM;
	}
	region_set_mode(region, (int)prot, region->flags);
	space_update_prot(vm, region, region->start, region->end);
	return 0;
}

int mapping_protect(struct vm *vm, struct space *space, vaddr_t addr, uint64_t len, int prot)
{
	bool grows_down = prot & PROT_GROWSDOWN;
	uint64_t end;

	prot &= ~PROT_GROWSDOWN;
	if (!is_aligned(addr, AXO_PAGE_SIZE) || (prot & ~PROT_MASK)) {
		return -EINVAL;
	}
	if (len == 0) {
		return 0;
	}
	if (!checked_align_up(len, AXO_PAGE_SIZE, &len) || !checked_add(addr, len, &end) ||
		end > USER_END) {
		return -ENOMEM;
	}
	if (grows_down) {
		const struct region *region = region_find(space, addr);

		if (region == NULL || !(region->flags & REGION_GROWS_DOWN)) {
			return -EINVAL;
		}
		addr = region->start;
	}
	return mapping_for_each(vm, space, addr, end, protect_region, (uint64_t)prot);
}

/* The heap of a process whose loader did not say where it starts: above its image. */
static void set_default_brk(struct space *space)
{
	vaddr_t end = 0;

	for (struct region *region = region_first(space);
		region != NULL && region->end <= DEFAULT_BRK_BELOW; region = region_next(region)) {
		end = region->end;
	}
	space->brk_start = end;
	space->brk_end = end;
}

vaddr_t mapping_brk(struct vm *vm, struct space *space, vaddr_t brk)
{
	vaddr_t old_end, new_end;
	struct region *region;

	if (space->brk_start == 0) {
		set_default_brk(space);
	}
	if (brk < space->brk_start || brk > USER_END || space->brk_start == 0) {
		return space->brk_end;
	}
	old_end = AXO_PAGE_UP(space->brk_end);
	new_end = AXO_PAGE_UP(brk);
	if (new_end < old_end) {
		if (space_unmap(vm, space, new_end, old_end) != 0) {
			return space->brk_end;
		}
	} else if (new_end > old_end) {
		struct mapping mapping = {.len = new_end - old_end,
			.prot = PROT_READ | PROT_WRITE,
			.flags = MAP_PRIVATE | MAP_ANONYMOUS};

		if (!space_is_free(space, old_end, new_end - old_end) ||
			check_commitment(vm, &mapping, mapping.len) != 0 ||
			space_check_limits(vm, space, mapping.len, true) != 0) {
			return space->brk_end;
		}
		region = region_new(vm, &memtype_anon, old_end, mapping.len, mapping.prot,
			REGION_HEAP | (space->lock_future ? REGION_LOCKED : 0u));
		if (region == NULL) {
			return space->brk_end;
		}
		region_insert(space, region);
		(void)region_merge(vm, region);
		if (is_populated(space)) {
			space_populate(vm, space, old_end, new_end);
		}
	}
	space->brk_end = brk;
	return brk;
}
