/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/fault.h"

#include <errno.h>
#include <string.h>

#include "lib/core/util.h"

/* Pages kept free between a stack that grows and what lies below it (as Linux's stack_guard_gap).
 */
#define STACK_GUARD_BYTES (256 * AXO_PAGE_SIZE)

/* Let the stack above addr grow down to it: the region, or NULL when it must not. */
static struct region *grow_stack(struct vm *vm, struct space *space, vaddr_t addr)
{
	struct region *region = region_at_or_after(space, addr);
	vaddr_t start = AXO_PAGE_DOWN(addr);
	struct region *below;

	if (region == NULL || !(region->flags & REGION_GROWS_DOWN) || addr < vm->kinfo.user_base ||
		region->end - start > space->limit_stack ||
		space_check_limits(vm, space, region->start - start, true) != 0) {
		return NULL;
	}
	below = region_prev(region);
	if (below != NULL && below->end + STACK_GUARD_BYTES > start &&
		!(below->flags & REGION_GROWS_DOWN)) {
		return NULL;
	}
	if (below != NULL && below->end > start) {
		return NULL;
	}
	region_lower_start(region, start);
	return region;
}

static bool is_permitted(const struct region *region, const struct fault *fault)
{
	if (fault->forced) {
		return !(region->flags & REGION_SHARED) && region->type->is_counted;
	}
	if (fault->write) {
		return region->prot & REGION_PROT_WRITE;
	}
	if (fault->execute) {
		return region->prot & REGION_PROT_EXEC;
	}
	return region->prot != 0;
}

int space_fault(struct vm *vm, struct space *space, struct fault *fault)
{
	struct region *region = region_find(space, fault->addr);

	if (region == NULL) {
		region = grow_stack(vm, space, fault->addr);
	}
	if (region == NULL) {
		return -EFAULT;
	}
	if (!is_permitted(region, fault)) {
		return -EACCES;
	}
	return region->type->fault(vm, region, fault);
}

/* Whether the entry already allows the access. */
static bool is_present(pte_t pte, const struct fault *fault)
{
	if (fault->write) {
		return pte_is_writable(pte);
	}
	return fault->execute ? pte_is_executable(pte) : pte_is_present(pte);
}

int space_touch(
	struct vm *vm, struct space *space, vaddr_t addr, uint64_t bytes, struct fault *fault)
{
	uint64_t end;

	if (!checked_add(addr, bytes, &end) || end > vm->kinfo.user_end) {
		fault->addr = addr;
		return -EFAULT;
	}
	for (vaddr_t at = AXO_PAGE_DOWN(addr); at < end; at += AXO_PAGE_SIZE) {
		int result;

		if (is_present(space_lookup(vm, space, at), fault)) {
			continue;
		}
		fault->addr = at;
		result = space_fault(vm, space, fault);
		if (result != 0) {
			return result;
		}
	}
	return 0;
}

void space_populate(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end)
{
	for (vaddr_t at = start; at < end; at += AXO_PAGE_SIZE) {
		const struct region *region = region_find(space, at);
		struct fault fault = {.addr = at};
		int result;

		if (region == NULL || region->prot == 0) {
			continue;
		}
		fault.write =
			(region->prot & REGION_PROT_WRITE) && !(region->flags & REGION_SHARED);
		if (is_present(space_lookup(vm, space, at), &fault)) {
			continue;
		}
		result = space_fault(vm, space, &fault);
		if (result == -ENOMEM) {
			return;
		}
	}
}

/* Bytes from addr to the end of its page, at most `bytes`. */
static uint64_t bytes_in_page(vaddr_t addr, uint64_t bytes)
{
	return u64_min(bytes, AXO_PAGE_SIZE - (addr & AXO_PAGE_MASK));
}

/* The byte at an address that has just been made present. */
static uint8_t *byte_at(struct vm *vm, struct space *space, vaddr_t addr)
{
	pte_t pte = space_lookup(vm, space, addr);

	return (uint8_t *)page_memory(&vm->pool, pte_pfn(pte)) + (addr & AXO_PAGE_MASK);
}

/* Store bytes page by page; from NULL: zeros. */
static int store(
	struct vm *vm, struct space *space, vaddr_t addr, const uint8_t *from, uint64_t bytes)
{
	while (bytes > 0) {
		struct fault fault = {.write = true};
		uint64_t here = bytes_in_page(addr, bytes);

		if (space_touch(vm, space, addr, here, &fault) != 0) {
			return -EFAULT;
		}
		if (from != NULL) {
			memcpy(byte_at(vm, space, addr), from, here);
			from += here;
		} else {
			memset(byte_at(vm, space, addr), 0, here);
		}
		addr += here;
		bytes -= here;
	}
	return 0;
}

int space_copy_out(
	struct vm *vm, struct space *space, vaddr_t addr, const void *from, uint64_t bytes)
{
	return store(vm, space, addr, from, bytes);
}

int space_clear_bytes(struct vm *vm, struct space *space, vaddr_t addr, uint64_t bytes)
{
	return store(vm, space, addr, NULL, bytes);
}

int space_force_out(
	struct vm *vm, struct space *space, vaddr_t addr, const void *from, uint64_t bytes)
{
	struct fault fault = {.addr = addr, .write = true, .forced = true};
	int result;

	if (bytes_in_page(addr, bytes) != bytes) {
		return -EINVAL;
	}
	result = space_fault(vm, space, &fault);
	if (result == 0) {
		memcpy(byte_at(vm, space, addr), from, bytes);
	}
	return result;
}

int space_copy_in(struct vm *vm, struct space *space, void *to, vaddr_t addr, uint64_t bytes)
{
	uint8_t *at = to;

	while (bytes > 0) {
		struct fault fault = {.write = false};
		uint64_t here = bytes_in_page(addr, bytes);

		if (space_touch(vm, space, addr, here, &fault) != 0) {
			return -EFAULT;
		}
		memcpy(at, byte_at(vm, space, addr), here);
		at += here;
		addr += here;
		bytes -= here;
	}
	return 0;
}
