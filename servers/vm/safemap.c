/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/safemap.h"

#include <errno.h>
#include <string.h>

#include "lib/core/util.h"
#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "servers/vm/mapping.h"
#include "servers/vm/thread.h"

/* One end of a record that a range of a space may be. */
enum end { GRANTER, MAPPER };

static bool touches(const struct safemap *map, enum end end, const struct space *space,
	vaddr_t start, vaddr_t stop)
{
	const struct space *its = end == GRANTER ? map->granter : map->mapper;
	vaddr_t addr = end == GRANTER ? map->granter_addr : map->mapper_addr;

	return its == space && range_overlaps(addr, map->bytes, start, stop - start);
}

static struct safemap *find(
	struct vm *vm, enum end end, const struct space *space, vaddr_t start, vaddr_t stop)
{
	list_for_each(map, &vm->safemaps, struct safemap, link)
	{
		if (touches(map, end, space, start, stop)) {
			return map;
		}
	}
	return NULL;
}

bool safemap_shares(struct vm *vm, const struct safemap *map, uint64_t offset, pfn_t *pfn)
{
	pte_t theirs = space_lookup(vm, map->granter, map->granter_addr + offset);
	pte_t mine = space_lookup(vm, map->mapper, map->mapper_addr + offset);

	*pfn = pte_pfn(mine);
	return theirs != 0 && mine != 0 && pte_pfn(theirs) == *pfn &&
		page_info(&vm->pool, *pfn)->kind == PAGE_ANON &&
		page_info(&vm->pool, *pfn)->maps != 0;
}

/* The mapper gets a page of its own with the same contents. -ENOMEM. */
static int part_page(
	struct vm *vm, const struct safemap *map, uint64_t offset, enum page_class class)
{
	vaddr_t addr = map->mapper_addr + offset;
	pfn_t shared, own;

	if (!safemap_shares(vm, map, offset, &shared)) {
		return 0;
	}
	own = vm_alloc_page(vm, PAGE_ANON, class);
	if (own == PFN_NONE) {
		return -ENOMEM;
	}
	memcpy(page_memory(&vm->pool, own), page_memory(&vm->pool, shared), AXO_PAGE_SIZE);
	page_info(&vm->pool, shared)->maps--;
	/* The table is there: this cannot fail. */
	return space_map_page(vm, region_find(map->mapper, addr), addr, own, true);
}

/* The mapper's memory is ordinary again. */
static void restore_mode(struct vm *vm, const struct safemap *map)
{
	vaddr_t end = map->mapper_addr + map->bytes;

	for (struct region *region = region_at_or_after(map->mapper, map->mapper_addr);
		region != NULL && region->start < end; region = region_next(region)) {
		if (region->flags & REGION_SAFEMAPPED) {
			region->max_prot = REGION_PROT_ALL;
			region_set_mode(region, region->prot | REGION_PROT_WRITE,
				region->flags & ~(unsigned)REGION_SAFEMAPPED);
			space_update_prot(vm, region, region->start, region->end);
		}
	}
}

static void delete (struct vm *vm, struct safemap *map)
{
	restore_mode(vm, map);
	map->granter->safemaps--;
	map->mapper->safemaps--;
	list_remove(&map->link);
	heap_free(&vm->heap, map);
}

static int revoke(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end);

/* End a record; the mapper's own mappers first. -ENOMEM: part of it is still shared. */
static int undo(struct vm *vm, struct safemap *map)
{
	struct space *mapper = map->mapper;
	int result = revoke(vm, mapper, map->mapper_addr, map->mapper_addr + map->bytes);

	for (uint64_t at = 0; result == 0 && at < map->bytes; at += AXO_PAGE_SIZE) {
		result = part_page(vm, map, at, PAGE_FOR_SERVICE);
	}
	if (result == 0) {
		delete (vm, map);
	}
	space_flush(vm, mapper);
	return result;
}

/* End all that others have mapped of a range. */
static int revoke(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end)
{
	struct safemap *map;
	int result = 0;

	while (result == 0 && (map = find(vm, GRANTER, space, start, end)) != NULL) {
		result = undo(vm, map);
	}
	return result;
}

/* End all that a space has mapped in a range. */
static int unmap(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end)
{
	struct safemap *map;
	int result = 0;

	while (result == 0 && (map = find(vm, MAPPER, space, start, end)) != NULL) {
		result = undo(vm, map);
	}
	return result;
}

int safemap_part(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end)
{
	int result = space->safemaps == 0 ? 0 : unmap(vm, space, start, end);

	return result == 0 && space->safemaps != 0 ? revoke(vm, space, start, end) : result;
}

/* Whether any page outside of a range is still shared. */
static bool is_alive(
	struct vm *vm, const struct safemap *map, enum end end, vaddr_t start, vaddr_t stop)
{
	vaddr_t addr = end == GRANTER ? map->granter_addr : map->mapper_addr;
	pfn_t pfn;

	for (uint64_t at = 0; at < map->bytes; at += AXO_PAGE_SIZE) {
		if ((addr + at < start || addr + at >= stop) && safemap_shares(vm, map, at, &pfn)) {
			return true;
		}
	}
	return false;
}

static void release_granted(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end);

/* The granter's page goes: a sole mapper keeps it, one of several gets a copy, or zeros when there
 * is no memory at all. */
static void leave_to_mapper(struct vm *vm, const struct safemap *map, uint64_t offset)
{
	vaddr_t addr = map->mapper_addr + offset;
	struct space *mapper = map->mapper;
	pfn_t pfn;

	if (!safemap_shares(vm, map, offset, &pfn)) {
		return;
	}
	release_granted(vm, mapper, addr, addr + AXO_PAGE_SIZE);
	if (page_info(&vm->pool, pfn)->maps == 1) {
		page_info(&vm->pool, pfn)->maps = 0;
	} else if (part_page(vm, map, offset, PAGE_FOR_VM) != 0) {
		page_info(&vm->pool, pfn)->maps--;
		pt_set(vm, pt_find(vm, &mapper->pt, addr), 0);
		space_count_page(vm, mapper, pfn, -1);
		page_unref(&vm->pool, pfn);
		mapper->must_flush = true;
		diag_printf("no memory for a page that was shared: it is empty now");
	}
}

/* One pass over the records of a range of the granter's that goes; true: one ended, and others
 * perhaps with it. Doing it again does no harm. */
static bool release_some(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end)
{
	list_for_each(map, &vm->safemaps, struct safemap, link)
	{
		if (!touches(map, GRANTER, space, start, end)) {
			continue;
		}
		for (uint64_t at = 0; at < map->bytes; at += AXO_PAGE_SIZE) {
			if (map->granter_addr + at >= start && map->granter_addr + at < end) {
				leave_to_mapper(vm, map, at);
			}
		}
		space_flush(vm, map->mapper);
		if (!is_alive(vm, map, GRANTER, start, end)) {
			delete (vm, map);
			return true;
		}
	}
	return false;
}

static void release_granted(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end)
{
	while (release_some(vm, space, start, end)) {
	}
}

/* A range of the mapper's goes: the granter has its pages for itself again. */
static void release_mapped(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end)
{
	list_for_each_safe(map, &vm->safemaps, struct safemap, link)
	{
		if (!touches(map, MAPPER, space, start, end)) {
			continue;
		}
		for (uint64_t at = 0; at < map->bytes; at += AXO_PAGE_SIZE) {
			vaddr_t addr = map->mapper_addr + at;
			pfn_t pfn;

			if (addr >= start && addr < end && safemap_shares(vm, map, at, &pfn)) {
				page_info(&vm->pool, pfn)->maps--;
			}
		}
		if (!is_alive(vm, map, MAPPER, start, end)) {
			delete (vm, map);
		}
	}
}

void safemap_release(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end)
{
	if (space->safemaps != 0) {
		release_granted(vm, space, start, end);
		release_mapped(vm, space, start, end);
	}
}

void safemap_moved(struct vm *vm, struct space *from, struct space *to, vaddr_t start, vaddr_t end)
{
	list_for_each(map, &vm->safemaps, struct safemap, link)
	{
		if (map->granter == from && map->granter_addr >= start && map->granter_addr < end) {
			map->granter = to;
			from->safemaps--;
			to->safemaps++;
		}
		if (map->mapper == from && map->mapper_addr >= start && map->mapper_addr < end) {
			map->mapper = to;
			from->safemaps--;
			to->safemaps++;
		}
	}
}

/* Whether a whole range is anonymous memory with the given rights. */
static bool is_ordinary(const struct space *space, vaddr_t start, vaddr_t end, int prot)
{
	while (start < end) {
		const struct region *region = region_find(space, start);

		if (region == NULL || region->type->own == NULL || (region->prot & prot) != prot) {
			return false;
		}
		start = region->end;
	}
	return true;
}

/* Give the granter pages of its own in a range, whatever was shared copy-on-write (GRT-11). */
static int own_range(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end)
{
	uint64_t pages = (end - start) >> AXO_PAGE_SHIFT;

	for (vaddr_t at = start; at < end; at += AXO_PAGE_SIZE) {
		struct region *region = region_find(space, at);
		int result = region->type->own(vm, region, at);
		uint64_t maps;

		if (result != 0) {
			return result;
		}
		/* The granter itself may have mapped a page at several addresses. */
		maps = page_info(&vm->pool, pte_pfn(space_lookup(vm, space, at)))->maps;
		if (maps != 0 && maps + pages > UINT16_MAX) {
			return -EBUSY;
		}
	}
	return 0;
}

/* How many records one upon another end in a range. */
static uint32_t depth_of(struct vm *vm, const struct space *space, vaddr_t start, vaddr_t end)
{
	uint32_t depth = 0;

	list_for_each(map, &vm->safemaps, struct safemap, link)
	{
		if (touches(map, MAPPER, space, start, end)) {
			depth = (uint32_t)u64_max(depth, map->depth);
		}
	}
	return depth;
}

/* Make the range of the mapper one or several whole, empty regions that have page tables. */
static int clear_target(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end)
{
	int result = region_cut(vm, space, start);

	if (result == 0) {
		result = region_cut(vm, space, end);
	}
	for (vaddr_t at = start; result == 0 && at < end; at += AXO_PAGE_SIZE) {
		if (pt_make(vm, &space->pt, at, PAGE_FOR_SERVICE) == NULL) {
			result = -ENOMEM;
		}
	}
	if (result != 0) {
		return result;
	}
	for (struct region *region = region_find(space, start);
		region != NULL && region->start < end; region = region_next(region)) {
		space_drop_pages(vm, region, region->start, region->end);
	}
	return 0;
}

/* All is prepared: show the granter's pages. */
static void show(struct vm *vm, const struct safemap *map, bool write)
{
	for (uint64_t at = 0; at < map->bytes; at += AXO_PAGE_SIZE) {
		vaddr_t addr = map->mapper_addr + at;
		struct region *region = region_find(map->mapper, addr);
		pfn_t pfn = pte_pfn(space_lookup(vm, map->granter, map->granter_addr + at));

		if (addr == region->start) {
			region_set_mode(region,
				write ? region->prot : region->prot & ~REGION_PROT_WRITE,
				region->flags | REGION_SAFEMAPPED);
			region->max_prot = region->prot;
		}
		page_ref(&vm->pool, pfn);
		page_info(&vm->pool, pfn)->maps++;
		(void)space_map_page(vm, region, addr, pfn, true);
	}
}

static int map_pages(struct vm *vm, const struct memreq *request)
{
	struct space *granter = thread_space(vm, request->source);
	struct space *mapper = thread_space(vm, request->target);
	vaddr_t from = request->source_address, to = request->address;
	vaddr_t from_end = from + request->bytes, to_end = to + request->bytes;
	int prot = REGION_PROT_READ | (request->write ? REGION_PROT_WRITE : 0);
	struct safemap *map;
	uint32_t depth;
	int result;

	if (granter == NULL || mapper == NULL || granter == mapper) {
		return -EINVAL;
	}
	result = safemap_part(vm, mapper, to, to_end);
	if (result != 0) {
		return result;
	}
	if (!is_ordinary(granter, from, from_end, prot) ||
		!is_ordinary(mapper, to, to_end, REGION_PROT_READ | REGION_PROT_WRITE)) {
		return -EFAULT;
	}
	depth = depth_of(vm, granter, from, from_end) + 1;
	if (depth > SAFEMAP_DEPTH_MAX) {
		return -ELOOP;
	}
	map = heap_alloc(&vm->heap, sizeof(*map));
	if (map == NULL) {
		return -ENOMEM;
	}
	result = own_range(vm, granter, from, from_end);
	if (result == 0) {
		result = clear_target(vm, mapper, to, to_end);
	}
	if (result != 0) {
		heap_free(&vm->heap, map);
		return result;
	}
	*map = (struct safemap){.granter = granter,
		.mapper = mapper,
		.granter_addr = from,
		.mapper_addr = to,
		.bytes = request->bytes,
		.depth = depth};
	list_add_tail(&vm->safemaps, &map->link);
	granter->safemaps++;
	mapper->safemaps++;
	show(vm, map, request->write != 0);
	space_flush(vm, granter);
	space_flush(vm, mapper);
	return 0;
}

/* Show one page of the source at the target too, for both to be copied when written. */
static int copy_on_write(
	struct vm *vm, struct region *source, vaddr_t from, struct region *target, vaddr_t to)
{
	struct fault fault = {.addr = from};
	pte_t *slot;
	pfn_t pfn;

	if (space_lookup(vm, source->space, from) == 0 &&
		source->type->fault(vm, source, &fault) != 0) {
		return -EAGAIN;
	}
	slot = pt_find(vm, &source->space->pt, from);
	pfn = pte_pfn(*slot);
	if (page_info(&vm->pool, pfn)->maps != 0 ||
		pt_make(vm, &target->space->pt, to, space_class(target->space)) == NULL) {
		return -EAGAIN;
	}
	if (*slot & PTE_WRITE) {
		pt_set(vm, slot, pte_without_write(*slot));
		source->space->must_flush = true;
	}
	page_ref(&vm->pool, pfn);
	return space_map_page(vm, target, to, pfn, false);
}

/* A copy of whole pages (GRT-07). -EAGAIN: it must be made in the ordinary way, from the start. */
static int copy_pages(struct vm *vm, const struct memreq *request)
{
	struct space *source = thread_space(vm, request->source);
	struct space *target = thread_space(vm, request->target);
	vaddr_t from = request->source_address, to = request->address;
	int result = 0;

	if (source == NULL || target == NULL || source == target ||
		!is_ordinary(source, from, from + request->bytes, REGION_PROT_READ) ||
		!is_ordinary(target, to, to + request->bytes, REGION_PROT_WRITE) ||
		find(vm, GRANTER, target, to, to + request->bytes) != NULL ||
		find(vm, MAPPER, target, to, to + request->bytes) != NULL) {
		return -EAGAIN;
	}
	for (uint64_t at = 0; result == 0 && at < request->bytes; at += AXO_PAGE_SIZE) {
		result = copy_on_write(vm, region_find(source, from + at), from + at,
			region_find(target, to + at), to + at);
	}
	space_flush(vm, source);
	space_flush(vm, target);
	return result == 0 ? 0 : -EAGAIN;
}

static int serve(struct vm *vm, const struct memreq *request)
{
	struct space *space = thread_space(vm, request->target);
	uint64_t bytes = u64_max(request->bytes, AXO_PAGE_SIZE);

	if (space == NULL || !is_aligned(request->address | bytes, AXO_PAGE_SIZE) ||
		!range_within(request->address, bytes, USER_BASE, USER_END)) {
		return -EINVAL;
	}
	if (request->kind == MEMREQ_UNMAP) {
		return unmap(vm, space, request->address, request->address + bytes);
	}
	if (request->kind == MEMREQ_REVOKE) {
		return revoke(vm, space, request->address, request->address + bytes);
	}
	if (request->bytes == 0 || !is_aligned(request->source_address, AXO_PAGE_SIZE) ||
		!range_within(request->source_address, bytes, USER_BASE, USER_END)) {
		return -EINVAL;
	}
	return request->kind == MEMREQ_MAP ? map_pages(vm, request) : copy_pages(vm, request);
}

void safemap_request(struct vm *vm, const struct memreq *request)
{
	int result = serve(vm, request);

	(void)sys_vmctl(
		VMCTL_MEMREQ_REPLY, request->requestor, (uint64_t)(int64_t)result, request->id, 0);
}
