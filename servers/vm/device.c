/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for drivers: device registers, contiguous memory for DMA, the boot ramdisk. */
#include <errno.h>
#include <string.h>

#include "lib/core/util.h"
#include "lib/sys/kcall.h"
#include "servers/vm/call.h"
#include "servers/vm/fault.h"
#include "servers/vm/mapping.h"
#include "servers/vm/thread.h"

/* Direct mappings up to this size are entered in the page table at once. */
#define EAGER_BYTES (4ull << 20)

/* Map whole physical pages somewhere in a space. */
static int map_direct(struct vm *vm, struct space *space, paddr_t paddr, uint64_t len, int prot,
	unsigned flags, vaddr_t *addr)
{
	struct region *region;
	vaddr_t at = space_find_room(space, 0, len);

	if (at == 0) {
		return -ENOMEM;
	}
	region = region_new(vm, &memtype_direct, at, len, prot, flags);
	if (region == NULL) {
		return -ENOMEM;
	}
	region->max_prot = (uint8_t)prot;
	region->paddr = paddr;
	region_insert(space, region);
	if (len <= EAGER_BYTES) {
		space_populate(vm, space, at, at + len);
	}
	*addr = at;
	return 0;
}

int vm_call_map_phys(struct vm *vm, const struct call *call)
{
	const struct vm_map_phys_req *req = MSG(call->req, vm_map_phys_req);
	endpoint_t ep = req->ep == EP_SELF ? call->source : req->ep;
	struct space *space = thread_space(vm, ep);
	struct priv_range range = {req->paddr, req->paddr + req->len - 1};
	int prot = REGION_PROT_READ | ((req->flags & VM_PHYS_READONLY) ? 0 : REGION_PROT_WRITE);
	paddr_t start = AXO_PAGE_DOWN(req->paddr);
	uint64_t end;
	vaddr_t addr;
	int result;

	if (space == NULL || req->len == 0 || !checked_add(req->paddr, req->len, &end) ||
		end > PTE_ADDRESS) {
		return -EINVAL;
	}
	if (ep != call->source && call->source != EP_RS && call->source != EP_TTY) {
		return -EPERM;
	}
	if (sys_privctl(PRIV_QUERY_MEM, call->source, &range) != 0) {
		return -EPERM;
	}
	result = map_direct(vm, space, start, AXO_PAGE_UP(end) - start, prot,
		(req->flags & VM_PHYS_UNCACHED) ? REGION_UNCACHED : 0, &addr);
	if (result == 0) {
		MSG(call->rep, vm_addr_rep)->addr = addr + (req->paddr - start);
	}
	return result;
}

int vm_call_unmap_phys(struct vm *vm, const struct call *call)
{
	const struct vm_munmap_for_req *req = MSG(call->req, vm_munmap_for_req);
	struct space *space = thread_space(vm, call->source);
	const struct region *region = space == NULL ? NULL : region_find(space, req->addr);
	int result;

	/* The whole region goes, whatever length is given. */
	if (region == NULL || region->type->is_counted) {
		return -EFAULT;
	}
	result = space_unmap(vm, space, region->start, region->end);
	space_flush(vm, space);
	return result;
}

static unsigned constraints_of(uint32_t flags)
{
	return ((flags & VM_CONTIG_LOWER16M) ? PAGE_BELOW_16M : 0u) |
		((flags & VM_CONTIG_LOWER1M) ? PAGE_BELOW_1M : 0u) |
		((flags & VM_CONTIG_LOWER4G) ? PAGE_BELOW_4G : 0u) |
		((flags & VM_CONTIG_ALIGN64K) ? PAGE_ALIGN_64K : 0u);
}

/* Enter `count` pages from `first` in a region; each page's reference goes to its entry or is given
 * back. */
static int enter_run(struct vm *vm, struct region *region, pfn_t first, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if (space_map_page(vm, region, region->start + (i << AXO_PAGE_SHIFT), first + i,
			    true) != 0) {
			while (++i < count) {
				page_unref(&vm->pool, first + i);
			}
			return -ENOMEM;
		}
	}
	return 0;
}

int vm_call_alloc_contig(struct vm *vm, const struct call *call)
{
	const struct vm_alloc_contig_req *req = MSG(call->req, vm_alloc_contig_req);
	struct space *space = thread_space(vm, call->source);
	struct region *region;
	uint64_t len, count;
	vaddr_t at;
	pfn_t first;

	if (space == NULL || req->len == 0 || !checked_align_up(req->len, AXO_PAGE_SIZE, &len)) {
		return -EINVAL;
	}
	at = space_find_room(space, 0, len);
	if (at == 0) {
		return -ENOMEM;
	}
	region = region_new(vm, &memtype_contig, at, len, REGION_PROT_READ | REGION_PROT_WRITE, 0);
	if (region == NULL) {
		return -ENOMEM;
	}
	count = len >> AXO_PAGE_SHIFT;
	first = page_alloc_run(
		&vm->pool, count, PAGE_ANON, PAGE_FOR_SERVICE, constraints_of(req->flags));
	if (first == PFN_NONE) {
		region_delete(vm, region);
		return -ENOMEM;
	}
	memset(page_memory(&vm->pool, first), 0, len);
	region_insert(space, region);
	if (enter_run(vm, region, first, count) != 0) {
		(void)space_unmap(vm, space, at, at + len);
		return -ENOMEM;
	}
	MSG(call->rep, vm_contig_rep)->addr = at;
	MSG(call->rep, vm_contig_rep)->paddr = first << AXO_PAGE_SHIFT;
	return 0;
}

int vm_call_bootdisk(struct vm *vm, const struct call *call)
{
	struct space *space = thread_space(vm, call->source);
	vaddr_t addr = 0;
	int result = 0;

	if (space == NULL) {
		return -EINVAL;
	}
	if (vm->bootdisk.bytes != 0) {
		result = map_direct(vm, space, vm->bootdisk.start, vm->bootdisk.bytes,
			REGION_PROT_READ | REGION_PROT_WRITE, 0, &addr);
	}
	MSG(call->rep, vm_bootdisk_rep)->addr = addr;
	MSG(call->rep, vm_bootdisk_rep)->len = result == 0 ? vm->bootdisk.bytes : 0;
	return result;
}

/* Unmap the ramdisk wherever it is mapped, so that its pages can be given to others. */
static int unmap_bootdisk(struct vm *vm)
{
	list_for_each(space, &vm->spaces, struct space, link)
	{
		struct region *region = region_first(space);

		while (region != NULL) {
			struct region *next = region_next(region);

			if (!region->type->is_counted &&
				range_overlaps(region->paddr, region_bytes(region),
					vm->bootdisk.start, vm->bootdisk.bytes)) {
				int result = space_unmap(vm, space, region->start, region->end);

				if (result != 0) {
					return result;
				}
			}
			region = next;
		}
		space_flush(vm, space);
	}
	return 0;
}

int vm_call_bootdisk_free(struct vm *vm, const struct call *call)
{
	int result;

	(void)call;
	if (vm->bootdisk.bytes == 0) {
		return 0;
	}
	result = unmap_bootdisk(vm);
	if (result == 0) {
		page_free_range(&vm->pool, vm->bootdisk.start, vm->bootdisk.bytes);
		vm->bootdisk = (struct mem_range){0, 0};
		vm->memory_was_freed = true;
	}
	return result;
}
