/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/stats.h"

#include "lib/core/bitmap.h"
#include "lib/core/util.h"
#include "servers/vm/cache.h"
#include "servers/vm/file.h"

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

/* Memory of processes in a region that was not seen before. */
static uint64_t count_region(struct vm *vm, const struct region *region, uint64_t *seen)
{
	struct pt_span span;
	uint64_t count = 0;

	for (vaddr_t at = region->start;
		pt_next_span(vm, &region->space->pt, &at, region->end, &span);) {
		for (uint64_t i = 0; i < span.count; i++) {
			pfn_t pfn = pte_pfn(span.pte[i]);
			enum page_kind kind =
				span.pte[i] == 0 ? PAGE_FREE : page_info(&vm->pool, pfn)->kind;

			if ((kind == PAGE_ANON || kind == PAGE_SHARED) && pfn != vm->zero_page &&
				!bitmap_test(seen, pfn)) {
				bitmap_set(seen, pfn);
				count++;
			}
		}
	}
	return count;
}

/* Pages that services have mapped, each once; what they share with programs is theirs too. */
static uint64_t count_service_pages(struct vm *vm)
{
	uint64_t *seen = heap_alloc(&vm->heap, BITMAP_WORDS(vm->pool.frames) * sizeof(*seen));
	uint64_t count = 0;

	list_for_each(space, &vm->spaces, struct space, link)
	{
		for (struct region *region = region_first(space);
			seen != NULL && space->is_service && region != NULL;
			region = region_next(region)) {
			if (region->type->is_counted && region->type != &memtype_cache) {
				count += count_region(vm, region, seen);
			}
		}
	}
	heap_free(&vm->heap, seen);
	return count;
}

/* Device numbers of file systems without a device have no major number. */
static bool is_memory_device(uint64_t dev)
{
	return (dev & 0xfffff00000000000ull) == 0 && ((dev >> 8) & 0xfff) == 0;
}

static void count_cache_page(struct vm *vm, struct vm_stats *stats, const struct cache_page *page)
{
	const struct cache_client *owner = cache_window_client(vm, page, CACHE_OWNER);

	stats->mapped += page_info(&vm->pool, page->pfn)->refs > cache_own_refs(vm, page);
	stats->buffers += page->file->ino == 0 || page->file->ino == VM_CACHE_INO_BLOCKS;
	if (owner == NULL) {
		return;
	}
	if (is_memory_device(page->file->dev)) {
		stats->memory_files++;
	} else if (__atomic_load_n(
			   cache_marks(vm, owner, page->slot[CACHE_OWNER]), __ATOMIC_RELAXED) &
		VM_CACHE_DIRTY) {
		stats->dirty++;
	}
}

static void count_cache(struct vm *vm, struct vm_stats *stats)
{
	for (unsigned i = 0; i < VM_FILE_BUCKETS; i++) {
		list_for_each(file, &vm->file_buckets[i], struct file, bucket_link)
		{
			list_for_each(page, &file->pages, struct cache_page, file_link)
			{
				count_cache_page(vm, stats, page);
			}
		}
	}
	stats->cache_active = vm->cache.counts[CACHE_ACTIVE];
}

void stats_get(struct vm *vm, struct vm_stats *stats)
{
	const struct page_pool *pool = &vm->pool;
	uint64_t boot = pages_of(vm->kinfo.kernel_boot_bytes) + pages_of(vm->kinfo.vm_boot_bytes);
	uint64_t processes = pool->count[PAGE_ANON] + pool->count[PAGE_SHARED] - 1;
	/* Counting takes memory and may cost pages of the cache: the heap comes after it. */
	uint64_t service = u64_min(count_service_pages(vm), processes);
	uint64_t heap =
		pool->count[PAGE_HEAP] + pool->count[PAGE_HEAP_RUN] + pool->count[PAGE_HEAP_TAIL];

	boot = u64_min(boot, pool->kernel_pages);
	*stats = (struct vm_stats){
		.page_size = AXO_PAGE_SIZE,
		.total = pool->total,
		.reserve =
			u64_min(pool->count[PAGE_FREE], pool->reserve_vm + pool->reserve_service),
		.cached = pool->count[PAGE_FILE],
		.kernel = pool->kernel_pages - boot,
		.boot = boot + pool->count[PAGE_MODULE],
		.page_tables = pool->count[PAGE_TABLE],
		/* VM is a service; its heap and the zero page are its memory. */
		.service = service + heap + 1,
		.program = processes - service,
		.anon = pool->count[PAGE_ANON],
		.shared = pool->count[PAGE_SHARED],
		.largest_contig = page_longest_run(pool),
		.faults_minor = vm->minor_faults,
		.faults_major = vm->major_faults,
		.committed = committed_pages(vm),
		.vm_heap = heap,
	};
	stats->free = pool->count[PAGE_FREE] - stats->reserve;
	count_cache(vm, stats);
}
