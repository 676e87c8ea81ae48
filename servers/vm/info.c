/* SPDX-License-Identifier: BSD-2-Clause */
/* What VM tells about memory (VM-40): to services, who make /proc and getrusage of it. */
#include <errno.h>

#include "lib/core/util.h"
#include "servers/vm/call.h"
#include "servers/vm/fault.h"
#include "servers/vm/file.h"
#include "servers/vm/stats.h"
#include "servers/vm/thread.h"

#define PAGES_AT_ONCE 512 /* one answer to VM_INFO_PAGES */

static void add_region_usage(struct vm_usage *usage, const struct region *region)
{
	if (region->flags & REGION_GROWS_DOWN) {
		usage->stack_bytes += region_bytes(region);
	}
	if ((region->prot & REGION_PROT_EXEC) && usage->text_start == 0) {
		usage->text_start = region->start;
		usage->text_end = region->end;
	}
	if (region->prot & REGION_PROT_EXEC) {
		usage->text_bytes += region_bytes(region);
	}
}

/* How often a page is mapped; windows of the cache do not count. */
static uint32_t count_mappings(struct vm *vm, const struct region *region, vaddr_t addr, pfn_t pfn)
{
	uint32_t refs = page_info(&vm->pool, pfn)->refs;
	const struct cache_page *page;

	if (page_info(&vm->pool, pfn)->kind == PAGE_SHARED) {
		return refs - 1; /* the object's own */
	}
	if (page_info(&vm->pool, pfn)->kind != PAGE_FILE || !region->type->is_file) {
		return refs;
	}
	page = cache_find(vm, region->file, region_offset(region, addr) >> AXO_PAGE_SHIFT);
	return page != NULL && page->pfn == pfn && refs > cache_own_refs(vm, page)
		? refs - cache_own_refs(vm, page)
		: 1;
}

/* Count one page into what is known of a region. */
static void weigh_page(
	struct vm *vm, const struct region *region, vaddr_t addr, pte_t pte, void *to)
{
	struct vm_region_info *info = to;
	pfn_t pfn = pte_pfn(pte);
	uint32_t mappings = count_mappings(vm, region, addr, pfn);
	bool is_anon = page_info(&vm->pool, pfn)->kind == PAGE_ANON;
	bool is_dirty = is_anon || (pte & PTE_DIRTY);

	info->resident_pages++;
	info->anonymous += is_anon;
	info->referenced += (pte & PTE_ACCESSED) != 0;
	info->shared_clean += mappings > 1 && !is_dirty;
	info->shared_dirty += mappings > 1 && is_dirty;
	info->private_clean += mappings <= 1 && !is_dirty;
	info->private_dirty += mappings <= 1 && is_dirty;
	info->share_bytes += AXO_PAGE_SIZE / (mappings == 0 ? 1 : mappings);
}

/* Count one resident page by what it is. */
static void add_page(struct vm *vm, const struct region *region, vaddr_t addr, pte_t pte, void *to)
{
	enum page_kind kind = page_info(&vm->pool, pte_pfn(pte))->kind;
	struct vm_usage *usage = to;

	(void)region;
	(void)addr;
	usage->anon_pages += kind == PAGE_ANON;
	usage->file_pages += kind == PAGE_FILE;
	usage->memory_pages += kind == PAGE_SHARED;
}

/* Have each page of a region counted that is one of VM's, the zero page apart. */
static void for_each_page(struct vm *vm, const struct region *region,
	void (*count)(
		struct vm *vm, const struct region *region, vaddr_t addr, pte_t pte, void *to),
	void *to)
{
	struct pt_span span;

	if (!region->type->is_counted) {
		return;
	}
	for (vaddr_t at = region->start;
		pt_next_span(vm, &region->space->pt, &at, region->end, &span);) {
		for (uint64_t i = 0; i < span.count; i++) {
			if (span.pte[i] != 0 && pte_pfn(span.pte[i]) != vm->zero_page) {
				count(vm, region, span.addr + (i << AXO_PAGE_SHIFT), span.pte[i],
					to);
			}
		}
	}
}

static void get_usage(struct vm *vm, const struct space *space, struct vm_usage *usage)
{
	*usage = (struct vm_usage){
		.virtual_bytes = space->virtual_bytes,
		.resident_pages = space->resident,
		.data_bytes = space->data_bytes,
		.max_resident_pages = space->max_resident,
		.minor_faults = space->minor_faults,
		.major_faults = space->major_faults,
		.page_table_pages = space->pt.tables,
		.brk_start = space->brk_start,
		.brk_end = space->brk_end,
		.stack_top = space->stack_top,
		.locked_bytes = space->locked_bytes,
		.max_virtual_bytes = space->max_virtual_bytes,
	};
	for (const struct region *region = region_first(space); region != NULL;
		region = region_next(region)) {
		add_region_usage(usage, region);
		for_each_page(vm, region, add_page, usage);
	}
	usage->shared_pages = usage->file_pages + usage->memory_pages;
}

static void describe_region(struct vm *vm, const struct region *region, struct vm_region_info *info)
{
	*info = (struct vm_region_info){
		.start = region->start,
		.end = region->end,
		.prot = region->prot,
		.offset = region->offset,
		.file = -1,
	};
	info->flags = ((region->flags & REGION_SHARED) ? VM_REGION_SHARED : 0) |
		((region->flags & REGION_HEAP) ? VM_REGION_HEAP : 0) |
		((region->flags & REGION_GROWS_DOWN) ? VM_REGION_STACK : 0) |
		((region->flags & REGION_LOCKED) ? VM_REGION_LOCKED : 0);
	for_each_page(vm, region, weigh_page, info);
	info->locked_pages = (region->flags & REGION_LOCKED) ? info->resident_pages : 0;
	if (region->type->is_file) {
		info->flags |= VM_REGION_FILE;
		info->dev = region->file->dev;
		info->ino = region->file->ino;
		info->file = file_handle(region->file);
	}
}

static int send_regions(struct vm *vm, struct space *space, struct space *reader,
	const struct vm_info_req *req, struct vm_info_rep *rep)
{
	uint64_t room = req->bytes / sizeof(struct vm_region_info);
	const struct region *region = region_at_or_after(space, req->next);

	for (; region != NULL && rep->count < room; region = region_next(region), rep->count++) {
		struct vm_region_info info;

		describe_region(vm, region, &info);
		if (space_copy_out(vm, reader, req->to + rep->count * sizeof(info), &info,
			    sizeof(info)) != 0) {
			return -EFAULT;
		}
	}
	rep->next = region == NULL ? 0 : region->start;
	return 0;
}

static uint64_t describe_page(struct vm *vm, struct space *space, vaddr_t addr)
{
	pte_t pte = space_lookup(vm, space, addr);
	const struct region *region = region_find(space, addr);
	uint64_t flags = VM_PAGE_PRESENT;

	if (pte == 0 || region == NULL) {
		return 0;
	}
	if (!region->type->is_counted) {
		return flags | VM_PAGE_FILE;
	}
	if (page_info(&vm->pool, pte_pfn(pte))->kind != PAGE_ANON) {
		flags |= VM_PAGE_FILE;
	}
	return count_mappings(vm, region, addr, pte_pfn(pte)) == 1 ? flags | VM_PAGE_EXCLUSIVE
								   : flags;
}

static int send_pages(struct vm *vm, struct space *space, struct space *reader,
	const struct vm_info_req *req, struct vm_info_rep *rep)
{
	uint64_t pages[PAGES_AT_ONCE];
	uint64_t count = u64_min(req->bytes / sizeof(*pages), PAGES_AT_ONCE);
	vaddr_t at = AXO_PAGE_DOWN(req->next);

	while (rep->count < count && at < vm->kinfo.user_end) {
		pages[rep->count++] = describe_page(vm, space, at);
		at += AXO_PAGE_SIZE;
	}
	rep->next = at < vm->kinfo.user_end ? at : 0;
	return space_copy_out(vm, reader, req->to, pages, rep->count * sizeof(*pages));
}

/* The kernel and VM have no address space here: what is theirs of the machine. */
static bool get_special_usage(struct vm *vm, endpoint_t ep, struct vm_usage *usage)
{
	struct vm_stats stats;

	if (ep != EP_KERNEL && ep != EP_VM) {
		return false;
	}
	stats_get(vm, &stats);
	*usage = (struct vm_usage){
		.resident_pages = ep == EP_KERNEL ? stats.kernel + stats.boot : stats.vm_heap,
		.page_table_pages = ep == EP_KERNEL ? stats.page_tables : 0,
	};
	usage->virtual_bytes = usage->resident_pages << AXO_PAGE_SHIFT;
	usage->max_resident_pages = usage->resident_pages;
	usage->anon_pages = usage->resident_pages;
	return true;
}

int vm_call_info(struct vm *vm, const struct call *call)
{
	const struct vm_info_req *req = MSG(call->req, vm_info_req);
	struct vm_info_rep *rep = MSG(call->rep, vm_info_rep);
	struct space *reader = thread_space(vm, call->source);
	struct space *space = thread_space(vm, req->ep == EP_SELF ? call->source : req->ep);
	union {
		struct vm_stats stats;
		struct vm_usage usage;
		uint64_t calls;
	} answer;
	uint64_t bytes;

	if (reader == NULL) {
		return -EINVAL;
	}
	if (req->what == VM_INFO_USAGE && get_special_usage(vm, req->ep, &answer.usage)) {
		rep->count = u64_min(sizeof(answer.usage), req->bytes);
		return space_copy_out(vm, reader, req->to, &answer, rep->count);
	}
	if (space == NULL && req->what != VM_INFO_STATS) {
		return -EINVAL;
	}
	switch (req->what) {
	case VM_INFO_STATS:
		stats_get(vm, &answer.stats);
		bytes = sizeof(answer.stats);
		break;
	case VM_INFO_USAGE:
		get_usage(vm, space, &answer.usage);
		bytes = sizeof(answer.usage);
		break;
	case VM_INFO_CALLS:
		answer.calls = space->calls_made;
		bytes = sizeof(answer.calls);
		break;
	case VM_INFO_REGIONS:
		return send_regions(vm, space, reader, req, rep);
	case VM_INFO_PAGES:
		return send_pages(vm, space, reader, req, rep);
	default:
		return -EINVAL;
	}
	rep->count = u64_min(bytes, req->bytes);
	return space_copy_out(vm, reader, req->to, &answer, rep->count);
}
