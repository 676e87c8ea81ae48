/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory runs out at every allocation in turn, of pages and of VM's own memory, in everything that
 * programs, PM, VFS, RS and drivers ask of VM. Whatever fails, VM stays sound, and when all has
 * exited every page is back. (The cache's calls, safemap, update and boot files have the same in
 * tests of their own.)
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "proto/vm.h"
#include "servers/vm/job.h"
#include "servers/vm/test/fake_fs.h"
#include "servers/vm/test/vm_test.h"
#include "servers/vm/thread.h"

#define PAGE AXO_PAGE_SIZE
#define RW   ((uint64_t)(PROT_READ | PROT_WRITE))
#define BASE 0x20000000ull

static struct vm vm;
static endpoint_t ep;

/* The machine's program asks: what comes of it is not of interest here. */
static int64_t call(int nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return fake_call(&vm, ep, nr, a, b, c, d, (uint64_t)-1, 0);
}

static int64_t map(uint64_t at, uint64_t pages, uint64_t flags)
{
	return call(LINUX_NR_mmap, at, pages * PAGE, RW, flags | MAP_ANONYMOUS);
}

static int ask(call_fn *fn, endpoint_t source, const struct message *req, struct message *rep)
{
	const struct call request = {.source = source, .req = req, .rep = rep};

	memset(rep, 0, sizeof(*rep));
	return fn(&vm, &request);
}

static void touch(endpoint_t who, vaddr_t start, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++) {
		(void)fake_touch(&vm, who, start + i * PAGE, true);
	}
}

/* mmap and its family, in every form that allocates. */
static void use_family(void)
{
	(void)map(BASE, 64, MAP_PRIVATE | MAP_FIXED);
	(void)map(BASE + 0x10000000, 600, MAP_SHARED | MAP_FIXED);
	(void)map(0, 8, MAP_PRIVATE | MAP_POPULATE);
	(void)map(0, 8, MAP_PRIVATE | MAP_LOCKED);
	(void)map(BASE + 0x20000000, 8, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN);
	touch(ep, BASE, 20);
	touch(ep, BASE + 0x10000000 + 300 * PAGE, 2);
	(void)fake_touch(&vm, ep, BASE + 0x20000000 - PAGE, true);
	(void)call(LINUX_NR_mprotect, BASE + 3 * PAGE, 2 * PAGE, PROT_READ, 0);
	(void)map(BASE + 8 * PAGE, 2, MAP_PRIVATE | MAP_FIXED);
	(void)call(LINUX_NR_munmap, BASE + 12 * PAGE, 2 * PAGE, 0, 0);
	(void)call(LINUX_NR_mremap, BASE + 16 * PAGE, 4 * PAGE, 700 * PAGE, MREMAP_MAYMOVE);
	(void)call(LINUX_NR_mremap, BASE + 0x10000000, 0, 4 * PAGE, MREMAP_MAYMOVE);
	(void)call(LINUX_NR_mlock, BASE + 30 * PAGE, 3 * PAGE, 0, 0);
	(void)call(LINUX_NR_madvise, BASE + 40 * PAGE, 4 * PAGE, 23 /* MADV_POPULATE_WRITE */, 0);
	(void)call(LINUX_NR_madvise, BASE + 50 * PAGE, 2 * PAGE, MADV_DONTFORK, 0);
	(void)call(LINUX_NR_mincore, BASE, 8 * PAGE, BASE + 60 * PAGE, 0);
	(void)call(LINUX_NR_brk, (uint64_t)call(LINUX_NR_brk, 0, 0, 0, 0) + 5 * PAGE, 0, 0, 0);
}

/* fork, vfork with exec, threads. */
static void use_processes(void)
{
	struct message req = {.type = 0}, rep;
	int64_t child = fake_fork(&vm, ep, 0);

	if (child > 0) {
		touch((endpoint_t)child, BASE, 4);
		fake_exit(&vm, (endpoint_t)child);
	}
	child = fake_fork(&vm, ep, VM_FORK_VM);
	if (child > 0) {
		MSG(&req, vm_ep_req)->ep = (endpoint_t)child;
		(void)ask(vm_call_clear, EP_VFS, &req, &rep);
		fake_exit(&vm, (endpoint_t)child);
	}
	req = (struct message){.type = VM_NEWPROC};
	if (ask(vm_call_newproc, EP_RS, &req, &rep) == 0) {
		fake_exit(&vm, MSG(&rep, vm_newproc_rep)->ep);
	}
}

/* What VFS and RS do for exec, with and without a file behind it, and what the kernel needs. */
static void use_third_party(void)
{
	struct message req = {.type = 0}, rep;

	*MSG(&req, vm_mmap_for_req) = (struct vm_mmap_for_req){.ep = ep,
		.addr = 0x40000000,
		.len = 8 * PAGE,
		.prot = (int32_t)RW,
		.flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS,
		.file = -1};
	(void)ask(vm_call_mmap_for, EP_RS, &req, &rep);
	MSG(&req, vm_mmap_for_req)->file = 3;
	MSG(&req, vm_mmap_for_req)->dev = 1;
	MSG(&req, vm_mmap_for_req)->ino = 77;
	MSG(&req, vm_mmap_for_req)->file_bytes = 2 * PAGE + 5;
	MSG(&req, vm_mmap_for_req)->addr = 0x50000000;
	if (ask(vm_call_mmap_for, EP_VFS, &req, &rep) != 0) {
		/* What exec could not map is not there in part. */
		CHECK(region_find(thread_space(&vm, ep), 0x50000000) == NULL);
	}
	(void)fake_touch(&vm, ep, 0x50000000, false);
	fake.memreq = (struct memreq){.requestor = EP_PM,
		.target = ep,
		.address = 0x40000000,
		.bytes = 3 * PAGE,
		.write = 1};
	vm_memory_requests(&vm);
	*MSG(&req, vm_make_present_req) = (struct vm_make_present_req){
		.ep = ep, .addr = 0x40000000 + 4 * PAGE, .len = PAGE, .write = 1};
	(void)ask(vm_call_make_present, EP_VFS, &req, &rep);
}

/* A driver's memory, and what anybody may ask about it. */
static void use_devices(void)
{
	static const int32_t questions[] = {
		VM_INFO_STATS, VM_INFO_USAGE, VM_INFO_REGIONS, VM_INFO_PAGES};
	struct message req = {.type = 0}, rep;

	*MSG(&req, vm_map_phys_req) =
		(struct vm_map_phys_req){.ep = EP_SELF, .paddr = 10 * PAGE, .len = 2 * PAGE};
	(void)ask(vm_call_map_phys, ep, &req, &rep);
	*MSG(&req, vm_alloc_contig_req) = (struct vm_alloc_contig_req){.len = 6 * PAGE};
	(void)ask(vm_call_alloc_contig, ep, &req, &rep);
	for (unsigned i = 0; i < ARRAY_LEN(questions); i++) {
		*MSG(&req, vm_info_req) = (struct vm_info_req){
			.what = questions[i], .ep = ep, .to = 0x40000000 + 6 * PAGE, .bytes = 512};
		(void)ask(vm_call_info, ep, &req, &rep);
	}
}

static void test_injection(void)
{
	uint64_t left = 0, n;

	for (n = 1; left == 0; n++) {
		uint64_t before = vm.pool.count[PAGE_FREE];

		ep = fake_process(&vm);
		vm.pool.fail_countdown = n;
		use_family();
		use_processes();
		use_third_party();
		use_devices();
		left = vm.pool.fail_countdown;
		vm.pool.fail_countdown = 0;
		CHECK_SOUND(&vm);
		if (fake.vfs_request.type != 0) {
			fake_vfs_answer(&vm, -EIO, 0, -1, 0, 0);
		}
		fake_exit(&vm, ep);
		job_retry_memory(&vm);
		CHECK_SOUND(&vm);
		CHECK(vm.pool.count[PAGE_FREE] == before && list_is_empty(&vm.jobs));
	}
	CHECK(n > 100);
}

/* VFS hears that memory is present also if there was none for the message when it was. */
static void test_late_answer(void)
{
	struct message req = {.type = VM_MAKE_PRESENT}, rep;

	ep = fake_process(&vm);
	CHECK(map(BASE, 4, MAP_PRIVATE | MAP_FIXED) > 0);
	*MSG(&req, vm_make_present_req) =
		(struct vm_make_present_req){.ep = ep, .addr = BASE, .len = PAGE, .write = 1};
	fake.asyn_error = -ENOMEM;
	fake.present_answers = 0;
	CHECK(ask(vm_call_make_present, EP_VFS, &req, &rep) == -EDONTREPLY);
	vm.memory_was_freed = true;
	job_retry_memory(&vm);
	CHECK(!list_is_empty(&vm.jobs) && fake.present_answers == 0);
	fake.asyn_error = 0;
	vm.memory_was_freed = true;
	job_retry_memory(&vm);
	CHECK(list_is_empty(&vm.jobs) && fake.present_answers == 1);
	fake_exit(&vm, ep);
	CHECK_SOUND(&vm);
}

int main(void)
{
	fake_boot(&vm, 16384);
	fake_fs_start(&vm, 1);
	test_late_answer();
	test_injection();
	fake_shutdown(&vm);
	puts("vm nomem: ok");
	return 0;
}
