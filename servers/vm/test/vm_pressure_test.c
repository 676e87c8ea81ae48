/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is short (VM-06, VM-11 to VM-14): the page allocator, the heap, the reserve. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/linux/calls.h"
#include "proto/vm.h"
#include "servers/vm/job.h"
#include "servers/vm/test/vm_test.h"
#include "servers/vm/thread.h"

#define PAGE AXO_PAGE_SIZE
#define RW   (PROT_READ | PROT_WRITE)
#define BASE 0x20000000ll
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static struct vm vm;

static int64_t map(endpoint_t ep, vaddr_t addr, uint64_t len, int prot, int flags)
{
	return fake_call(
		&vm, ep, LINUX_NR_mmap, addr, len, (uint64_t)prot, (uint64_t)flags, UINT64_MAX, 0);
}

static uint64_t free_pages(void)
{
	return vm.pool.count[PAGE_FREE];
}

/* VM-11: constraints; exhaustion and recovery. */
static void test_constraints(void)
{
	static const struct {
		unsigned flags;
		uint64_t limit, alignment;
	} rows[] = {
		{0, UINT64_MAX, 1},
		{PAGE_BELOW_1M, 256, 1},
		{PAGE_BELOW_16M, 4096, 1},
		{PAGE_BELOW_4G, 1u << 20, 1},
		{PAGE_ALIGN_64K, UINT64_MAX, 16},
		{PAGE_BELOW_16M | PAGE_ALIGN_64K, 4096, 16},
	};
	struct page_pool *pool = &vm.pool;
	uint64_t before = free_pages();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		pfn_t first = page_alloc_run(pool, 20, PAGE_ANON, PAGE_FOR_VM, rows[i].flags);

		CHECK(first != PFN_NONE && first + 20 <= rows[i].limit);
		CHECK(first % rows[i].alignment == 0);
		for (pfn_t pfn = first; pfn < first + 20; pfn++) {
			CHECK(page_info(pool, pfn)->refs == 1);
			page_unref(pool, pfn);
		}
	}
	CHECK(page_alloc_run(pool, 300, PAGE_ANON, PAGE_FOR_VM, PAGE_BELOW_1M) == PFN_NONE);
	CHECK(page_alloc_run(pool, 1u << 20, PAGE_ANON, PAGE_FOR_VM, 0) == PFN_NONE);
	CHECK(free_pages() == before && page_longest_run(pool) <= before);
}

/* VM-11: a page that is freed twice ends VM at once in the build with checks. */
static void test_double_free(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		pfn_t pfn = page_alloc(&vm.pool, PAGE_ANON, PAGE_FOR_VM);

		(void)!freopen("/dev/null", "w", stderr);
		page_free(&vm.pool, pfn);
		page_free(&vm.pool, pfn);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}

/* VM-13, VM-14: programs leave the reserve to services, these the last of it to VM. */
static void test_classes(void)
{
	static const enum page_class classes[] = {PAGE_FOR_PROGRAM, PAGE_FOR_SERVICE, PAGE_FOR_VM};
	struct page_pool *pool = &vm.pool;
	uint64_t left[] = {pool->reserve_vm + pool->reserve_service, pool->reserve_vm, 0};
	uint64_t before = free_pages(), count = 0;
	pfn_t *taken = calloc(pool->frames, sizeof(*taken));
	pfn_t pfn;

	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		while ((pfn = page_alloc(pool, PAGE_ANON, classes[i])) != PFN_NONE) {
			taken[count++] = pfn;
		}
		CHECK(free_pages() == left[i]);
	}
	CHECK(page_missing(pool) == left[0]);
	for (uint64_t i = 0; i < count; i++) {
		page_unref(pool, taken[i]);
	}
	free(taken);
	CHECK(free_pages() == before && page_missing(pool) == 0);
}

/* VM-13: what the reserve lacks comes from page tables that are empty. */
static void test_refill(void)
{
	endpoint_t ep = fake_process(&vm), hog = fake_process(&vm);
	uint64_t before = free_pages();
	int64_t sparse = map(ep, 0, 64ull << 21, RW, ANON | MAP_NORESERVE);
	int64_t all = map(hog, 0, (before - 1) * PAGE, RW, ANON | MAP_NORESERVE);
	uint64_t tables, i;
	pfn_t taken[64];

	CHECK(sparse > 0 && all > 0);
	for (i = 0; i < 64; i++) {
		CHECK(fake_touch(&vm, ep, (vaddr_t)sparse + (i << 21), true) != NULL);
	}
	tables = vm.pool.count[PAGE_TABLE];
	/* As eviction does: the pages go, the tables stay. */
	space_drop_pages(&vm, region_find(thread_space(&vm, ep), (vaddr_t)sparse), (vaddr_t)sparse,
		(vaddr_t)sparse + (64ull << 21));
	CHECK(vm.pool.count[PAGE_TABLE] == tables);
	vm_refill(&vm);
	CHECK(vm.pool.count[PAGE_TABLE] == tables); /* nothing is missing */
	for (i = 0; fake_touch(&vm, hog, (vaddr_t)all + i * PAGE, true) != NULL; i++) {
	}
	for (i = 0; i < 64; i++) {
		taken[i] = page_alloc(&vm.pool, PAGE_ANON, PAGE_FOR_VM);
		CHECK(taken[i] != PFN_NONE);
	}
	CHECK(page_missing(&vm.pool) >= 64);
	vm_refill(&vm);
	CHECK(vm.pool.count[PAGE_TABLE] < tables - 60 + 64);
	for (i = 0; i < 64; i++) {
		page_unref(&vm.pool, taken[i]);
	}
	fake_exit(&vm, hog);
	fake_exit(&vm, ep);
	CHECK_SOUND(&vm);
}

/* VM-09: half of memory is free in single pages, and most of that can be used. */
static void test_fragmented(void)
{
	endpoint_t ep = fake_process(&vm), other = fake_process(&vm);
	uint64_t keep = vm.pool.reserve_vm + vm.pool.reserve_service;
	uint64_t pages = free_pages() - keep - 100, more;

	CHECK(map(ep, BASE, pages * PAGE, RW, ANON | MAP_FIXED) == BASE);
	for (uint64_t i = 0; i < pages; i++) {
		CHECK(fake_touch(&vm, ep, BASE + i * PAGE, true) != NULL);
	}
	for (uint64_t i = 1; i < pages; i += 2) {
		CHECK(fake_call(&vm, ep, LINUX_NR_madvise, BASE + i * PAGE, PAGE, MADV_DONTNEED, 0,
			      0, 0) == 0);
	}
	more = (free_pages() - keep) * 9 / 10;
	CHECK(more > pages / 3 && page_longest_run(&vm.pool) < more / 8);
	CHECK(map(other, BASE, more * PAGE, RW, ANON | MAP_FIXED) == BASE);
	for (uint64_t i = 0; i < more; i++) {
		CHECK(fake_touch(&vm, other, BASE + i * PAGE, true) != NULL);
	}
	CHECK_SOUND(&vm);
	fake_exit(&vm, ep);
	fake_exit(&vm, other);
}

/* VM-12: many regions; VM's own memory shrinks again when they go. */
static void test_many_regions(void)
{
	endpoint_t a = fake_process(&vm), b = fake_process(&vm);
	uint64_t heap = vm.pool.count[PAGE_HEAP];
	int64_t result = 0;

	for (vaddr_t at = 0x10000000; result >= 0; at += 2 * PAGE) {
		result = map(a, at, PAGE, PROT_READ, ANON | MAP_FIXED);
	}
	CHECK(result == -ENOMEM && thread_space(&vm, a)->region_count == SPACE_REGIONS_MAX);
	for (vaddr_t at = 0x10000000; thread_space(&vm, b)->region_count < 40000; at += 2 * PAGE) {
		CHECK(map(b, at, PAGE, PROT_READ, ANON | MAP_FIXED) > 0);
	}
	CHECK(vm.pool.count[PAGE_HEAP] > heap + 2000);
	fake_exit(&vm, a);
	fake_exit(&vm, b);
	CHECK(vm.pool.count[PAGE_HEAP] <= heap + 2);
	CHECK_SOUND(&vm);
}

static int contig(endpoint_t ep, uint64_t len, uint32_t flags, struct vm_contig_rep *got)
{
	struct message req = {.source = ep, .type = VM_ALLOC_CONTIG}, rep = {.type = 0};
	const struct call call = {.source = ep, .req = &req, .rep = &rep};
	int result;

	*MSG(&req, vm_alloc_contig_req) = (struct vm_alloc_contig_req){.len = len, .flags = flags};
	result = vm_call_alloc_contig(&vm, &call);
	*got = *MSG(&rep, vm_contig_rep);
	return result;
}

/* VM-06: zeroed, whole from the start, below the limits that were asked for; never resized. */
static void test_contiguous(void)
{
	endpoint_t ep = fake_process(&vm);
	struct vm_contig_rep low, high;
	uint64_t before = free_pages();

	CHECK(contig(ep, 3 * PAGE + 1, VM_CONTIG_LOWER1M, &low) == 0 && low.paddr < 1u << 20);
	CHECK(contig(ep, 8 * PAGE, VM_CONTIG_LOWER16M | VM_CONTIG_ALIGN64K, &high) == 0);
	CHECK(high.paddr + 8 * PAGE <= 1u << 24 && high.paddr % 0x10000 == 0);
	for (uint64_t at = 0; at < 4 * PAGE; at += 64) {
		CHECK(fake.memory[low.paddr + at] == 0);
		CHECK(space_lookup(&vm, thread_space(&vm, ep), low.addr + at) != 0);
	}
	CHECK(fake_call(&vm, ep, LINUX_NR_mremap, high.addr, 8 * PAGE, 16 * PAGE, MREMAP_MAYMOVE, 0,
		      0) == -ENOMEM);
	CHECK(contig(ep, 300 * PAGE, VM_CONTIG_LOWER1M, &low) == -ENOMEM);
	CHECK(contig(ep, 0, 0, &low) == -EINVAL && contig(ep, UINT64_MAX, 0, &low) == -EINVAL);
	fake_exit(&vm, ep);
	CHECK(free_pages() >= before);
	CHECK_SOUND(&vm);
}

/* Memory runs out: the largest program dies, never a service, never init. */
static void test_choice(void)
{
	endpoint_t small = fake_process(&vm), large = fake_process(&vm),
		   service = fake_process(&vm);
	int64_t at;

	thread_space(&vm, service)->is_service = true;
	at = map(service, 0, 4000 * PAGE, RW, ANON);
	for (uint64_t i = 0; i < 4000; i++) {
		CHECK(fake_touch(&vm, service, (vaddr_t)at + i * PAGE, true) != NULL);
	}
	at = map(large, 0, 2000 * PAGE, RW, ANON);
	for (uint64_t i = 0; i < 2000; i++) {
		CHECK(fake_touch(&vm, large, (vaddr_t)at + i * PAGE, true) != NULL);
	}
	/* What is left is more than the large one has, but it is the small one who asks. */
	at = map(small, 0, (free_pages() + 100) * PAGE, RW, ANON | MAP_NORESERVE);
	CHECK(at > 0);
	thread_space(&vm, small)->limit_data = SPACE_NO_LIMIT;
	for (uint64_t i = 0; fake_touch(&vm, small, (vaddr_t)at + i * PAGE, true) != NULL; i++) {
		if (i == 1500) {
			/* Take the rest away at once. */
			while (page_alloc(&vm.pool, PAGE_ANON, PAGE_FOR_PROGRAM) != PFN_NONE) {
			}
		}
	}
	CHECK(fake.signal_to == large);
}

int main(void)
{
	fake_boot(&vm, 16384);
	test_constraints();
	test_double_free();
	test_classes();
	test_refill();
	test_fragmented();
	test_many_regions();
	test_contiguous();
	test_choice();
	fake_shutdown(&vm);
	puts("vm pressure: ok");
	return 0;
}
