/* SPDX-License-Identifier: BSD-2-Clause */
/* What VM tells about memory (VM-40): to services, who make /proc and getrusage of it. */
#include <errno.h>

#include "lib/core/util.h"
#include "servers/vm/call.h"
#include "servers/vm/fault.h"
#include "servers/vm/file.h"
#include "servers/vm/thread.h"

static uint64_t pages_of(uint64_t bytes)
{
	return AXO_PAGE_UP(bytes) >> AXO_PAGE_SHIFT;
}

static uint64_t committed_pages(struct vm *vm)
{
	uint64_t bytes = 0;

	list_for_each(space, &vm->spaces, struct space, link)
	{
		bytes += space->data_bytes;
	}
	return bytes >> AXO_PAGE_SHIFT;
}

static void get_stats(struct vm *vm, struct vm_stats *stats)
{
	const struct page_pool *pool = &vm->pool;
	uint64_t boot = pages_of(vm->kinfo.kernel_boot_bytes) + pages_of(vm->kinfo.vm_boot_bytes);
	uint64_t reserve =
		u64_min(pool->count[PAGE_FREE], pool->reserve_vm + pool->reserve_service);

	boot = u64_min(boot, pool->kernel_pages);
	*stats = (struct vm_stats){
		.page_size = AXO_PAGE_SIZE,
		.total = pool->total,
		.free = pool->count[PAGE_FREE] - reserve,
		.reserve = reserve,
		.cached = pool->count[PAGE_FILE],
		.kernel = pool->kernel_pages - boot,
		/* VM's own memory and the boot archive's rest belong to what the system itself
		   took. */
		.boot = boot + pool->count[PAGE_MODULE] + pool->count[PAGE_HEAP] +
			pool->count[PAGE_HEAP_RUN] + pool->count[PAGE_HEAP_TAIL],
		.page_tables = pool->count[PAGE_TABLE],
		.anon = pool->count[PAGE_ANON],
		.shared = pool->count[PAGE_SHARED],
		.largest_contig = page_longest_run(pool),
		.faults_minor = vm->minor_faults,
		.faults_major = vm->major_faults,
		.committed = committed_pages(vm),
	};
}

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

/* Pages that somebody else has too. */
static uint64_t count_shared(struct vm *vm, const struct space *space)
{
	uint64_t count = 0;

	for (const struct region *region = region_first(space); region != NULL;
		region = region_next(region)) {
		struct pt_span span;

		if (!region->type->is_counted) {
			continue;
		}
		for (vaddr_t at = region->start;
			pt_next_span(vm, &space->pt, &at, region->end, &span);) {
			for (uint64_t i = 0; i < span.count; i++) {
				pfn_t pfn = pte_pfn(span.pte[i]);

				count += span.pte[i] != 0 && pfn != vm->zero_page &&
					page_info(&vm->pool, pfn)->refs > 1;
			}
		}
	}
	return count;
}

static void get_usage(struct vm *vm, const struct space *space, struct vm_usage *usage)
{
	*usage = (struct vm_usage){
		.virtual_bytes = space->virtual_bytes,
		.resident_pages = space->resident,
		.shared_pages = count_shared(vm, space),
		.data_bytes = space->data_bytes,
		.max_resident_pages = space->max_resident,
		.minor_faults = space->minor_faults,
		.major_faults = space->major_faults,
		.page_table_pages = space->pt.tables,
		.brk_start = space->brk_start,
		.brk_end = space->brk_end,
		.stack_top = space->stack_top,
	};
	for (const struct region *region = region_first(space); region != NULL;
		region = region_next(region)) {
		add_region_usage(usage, region);
	}
}

static uint64_t count_resident(struct vm *vm, const struct region *region)
{
	struct pt_span span;
	uint64_t count = 0;

	for (vaddr_t at = region->start;
		pt_next_span(vm, &region->space->pt, &at, region->end, &span);) {
		for (uint64_t i = 0; i < span.count; i++) {
			count += span.pte[i] != 0;
		}
	}
	return count;
}

static void describe_region(struct vm *vm, const struct region *region, struct vm_region_info *info)
{
	*info = (struct vm_region_info){
		.start = region->start,
		.end = region->end,
		.prot = region->prot,
		.offset = region->offset,
		.file = -1,
		.resident_pages = (uint32_t)count_resident(vm, region),
	};
	info->flags = ((region->flags & REGION_SHARED) ? VM_REGION_SHARED : 0) |
		((region->flags & REGION_HEAP) ? VM_REGION_HEAP : 0) |
		((region->flags & REGION_GROWS_DOWN) ? VM_REGION_STACK : 0);
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

int vm_call_info(struct vm *vm, const struct call *call)
{
	const struct vm_info_req *req = MSG(call->req, vm_info_req);
	struct vm_info_rep *rep = MSG(call->rep, vm_info_rep);
	struct space *reader = thread_space(vm, call->source);
	struct space *space = thread_space(vm, req->ep == EP_SELF ? call->source : req->ep);
	union {
		struct vm_stats stats;
		struct vm_usage usage;
	} answer;
	uint64_t bytes;

	if (reader == NULL || (space == NULL && req->what != VM_INFO_STATS)) {
		return -EINVAL;
	}
	switch (req->what) {
	case VM_INFO_STATS:
		get_stats(vm, &answer.stats);
		bytes = sizeof(answer.stats);
		break;
	case VM_INFO_USAGE:
		get_usage(vm, space, &answer.usage);
		bytes = sizeof(answer.usage);
		break;
	case VM_INFO_REGIONS:
		return send_regions(vm, space, reader, req, rep);
	default:
		return -EINVAL;
	}
	rep->count = u64_min(bytes, req->bytes);
	return space_copy_out(vm, reader, req->to, &answer, rep->count);
}
