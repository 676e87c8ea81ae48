/* SPDX-License-Identifier: BSD-2-Clause */
/* Single calls of VM: errors, limits, files, kernel requests, out of memory. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "proto/vfs.h"
#include "proto/vm.h"
#include "servers/vm/file.h"
#include "servers/vm/job.h"
#include "servers/vm/test/fake_fs.h"
#include "servers/vm/test/vm_test.h"
#include "servers/vm/thread.h"

#define PAGE AXO_PAGE_SIZE
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static struct vm vm;
static endpoint_t ep;

static int64_t map(vaddr_t addr, uint64_t len, int prot, int flags)
{
	return fake_call(
		&vm, ep, LINUX_NR_mmap, addr, len, (uint64_t)prot, (uint64_t)flags, UINT64_MAX, 0);
}

static int64_t unmap(vaddr_t addr, uint64_t len)
{
	return fake_call(&vm, ep, LINUX_NR_munmap, addr, len, 0, 0, 0, 0);
}

static void test_mmap_errors(void)
{
	int64_t at;

	CHECK(map(0, 0, RW, ANON) == -EINVAL);
	CHECK(map(0, PAGE, RW, MAP_ANONYMOUS) == -EINVAL);
	CHECK(map(0, PAGE, 8, ANON) == -EINVAL);
	CHECK(map(0, UINT64_MAX, RW, ANON) == -ENOMEM);
	CHECK(map(0, USER_END, RW, ANON) == -ENOMEM);
	CHECK(map(1, PAGE, RW, ANON | MAP_FIXED) == -EINVAL);
	CHECK(map(0, PAGE, RW, ANON | MAP_FIXED) == -EPERM);
	CHECK(map(USER_END, PAGE, RW, ANON | MAP_FIXED) == -ENOMEM);
	CHECK(map(0, 1ull << 40, RW, ANON) == -ENOMEM);
	at = map(0, 1ull << 40, PROT_NONE, ANON | MAP_NORESERVE);
	CHECK(at > 0 && unmap((vaddr_t)at, 1ull << 40) == 0);
	CHECK(fake_call(&vm, ep, LINUX_NR_mmap, 0, PAGE, RW, ANON, UINT64_MAX, 1) == -EINVAL);
	at = map(0x10000000, 100, RW, ANON);
	CHECK(at == 0x10000000);
	CHECK(map(0x10000000, PAGE, RW, ANON | MAP_FIXED_NOREPLACE) == -EEXIST);
	CHECK(map(0x10000000, PAGE, RW, ANON) != at);
	CHECK(unmap(0x10000001, PAGE) == -EINVAL && unmap(0x10000000, 0) == -EINVAL);
	CHECK(unmap(0x10000000, UINT64_MAX) == -EINVAL);
	CHECK(unmap(0x10000000, PAGE) == 0 && unmap(0x10000000, PAGE) == 0);
	CHECK_SOUND(&vm);
}

/* Mappings are placed downward, one below the other, and come together in one region. */
static void test_placement(void)
{
	struct space *space = thread_space(&vm, ep);
	int64_t first = map(0, 4 * PAGE, RW, ANON);
	int64_t second = map(0, 4 * PAGE, RW, ANON);
	uint32_t count = space->region_count;

	CHECK(second == first - (int64_t)(4 * PAGE));
	CHECK(unmap((vaddr_t)second + 2 * PAGE, 3 * PAGE) == 0);
	CHECK(space->region_count == count + 1);
	CHECK(map(0, 3 * PAGE, RW, ANON) == second + (int64_t)(2 * PAGE));
	CHECK(space->region_count == count);
	CHECK(unmap((vaddr_t)second, 8 * PAGE) == 0);
}

static void test_brk(void)
{
	struct space *space = thread_space(&vm, ep);
	int64_t start;

	space->brk_start = space->brk_end = 0x600123;
	start = fake_call(&vm, ep, LINUX_NR_brk, 0, 0, 0, 0, 0, 0);
	CHECK(start == 0x600123);
	CHECK(fake_call(&vm, ep, LINUX_NR_brk, 0x604567, 0, 0, 0, 0, 0) == 0x604567);
	CHECK(fake_touch(&vm, ep, 0x604fff, true) != NULL);
	CHECK(fake_touch(&vm, ep, 0x605000, true) == NULL);
	CHECK(fake_call(&vm, ep, LINUX_NR_brk, 0x601000, 0, 0, 0, 0, 0) == 0x601000);
	CHECK(fake_touch(&vm, ep, 0x604fff, true) == NULL);
	CHECK(map(0x610000, PAGE, RW, ANON) == 0x610000);
	CHECK(fake_call(&vm, ep, LINUX_NR_brk, 0x620000, 0, 0, 0, 0, 0) == 0x601000);
	CHECK(unmap(0x601000, 0x10000) == 0);
	space->limit_data = space->data_bytes + 2 * PAGE;
	CHECK(fake_call(&vm, ep, LINUX_NR_brk, 0x603000, 0, 0, 0, 0, 0) == 0x603000);
	CHECK(fake_call(&vm, ep, LINUX_NR_brk, 0x604000, 0, 0, 0, 0, 0) == 0x603000);
	CHECK(map(0, PAGE, RW, ANON) == -ENOMEM);
	space->limit_data = SPACE_NO_LIMIT;
	CHECK(fake_call(&vm, ep, LINUX_NR_brk, 0x600123, 0, 0, 0, 0, 0) == 0x600123);
	CHECK_SOUND(&vm);
}

static void test_stack_growth(void)
{
	vaddr_t top = 0x7000000000;

	CHECK(map(top - 2 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN) > 0);
	CHECK(fake_touch(&vm, ep, top - 100 * PAGE, true) != NULL);
	CHECK(fake_touch(&vm, ep, top - 50 * PAGE, true) != NULL);
	CHECK(fake_touch(&vm, ep, top - (9ul << 20), true) == NULL && fake.signal == 11);
	CHECK(map(top - 1000 * PAGE, PAGE, RW, ANON | MAP_FIXED) > 0);
	CHECK(fake_touch(&vm, ep, top - 990 * PAGE, true) == NULL);
	CHECK(fake_touch(&vm, ep, top - 700 * PAGE, true) != NULL);
	CHECK(unmap(top - 1000 * PAGE, 1000 * PAGE) == 0);
}

/* Descriptor 5 is file 77, handle 9: two and a half pages of the byte `version`. */
static int64_t map_file(int prot, int flags, uint64_t len)
{
	CHECK(fake_call(&vm, ep, LINUX_NR_mmap, 0, len, (uint64_t)prot, (uint64_t)flags, 5, 0) ==
		INT64_MIN);
	CHECK(MSG(&fake.vfs_request, vfs_vm_request)->what == VFS_VM_LOOKUP);
	CHECK(MSG(&fake.vfs_request, vfs_vm_request)->fd == 5);
	fake_vfs_answer(&vm, 0, 2 * PAGE + PAGE / 2, 9, 77, 1);
	return fake.reply;
}

static void answer_read(uint8_t version)
{
	const struct vfs_vm_request *req = MSG(&fake.vfs_request, vfs_vm_request);
	uint64_t size = 2 * PAGE + PAGE / 2;
	uint64_t bytes = req->offset < size ? u64_min(req->len, size - req->offset) : 0;

	CHECK(fake.vfs_request.type != 0 && req->what == VFS_VM_PEEK && req->file == 9);
	for (uint64_t at = 0; at < bytes; at += PAGE) {
		fake_fs_put(&vm, 77, (req->offset + at) / PAGE, u64_min(bytes - at, PAGE), version);
	}
	fake_vfs_answer(&vm, 0, bytes, 0, 0, 0);
}

static uint8_t *touch_file(vaddr_t addr, bool write, uint8_t version)
{
	uint8_t *byte = fake_touch(&vm, ep, addr, write);

	if (byte == NULL && !fake.fault_cleared) {
		answer_read(version);
		CHECK(fake.fault_cleared);
		return fake.signal != 0 ? NULL : fake_touch(&vm, ep, addr, write);
	}
	return byte;
}

static void test_file(void)
{
	uint64_t before = vm.pool.count[PAGE_FILE];
	int64_t private = map_file(RW, MAP_PRIVATE, 4 * PAGE);
	int64_t shared = map_file(PROT_READ, MAP_SHARED, 3 * PAGE);
	uint8_t *byte;

	CHECK(private > 0 && shared > 0 && fake.dropped_handles == 1);
	byte = touch_file((vaddr_t) private, false, 1);
	CHECK(byte != NULL && *byte == 1);
	/* The read brought all; the shared mapping needs no other. */
	CHECK(touch_file((vaddr_t)shared + PAGE, false, 99) != NULL);
	CHECK(fake_touch(&vm, ep, (vaddr_t)shared, false) == byte);
	/* The tail of the last page is zero, beyond it is nothing. */
	byte = touch_file((vaddr_t) private + 2 * PAGE + PAGE / 2, false, 99);
	CHECK(byte != NULL && *byte == 0 && byte[-1] == 1);
	CHECK(touch_file((vaddr_t) private + 3 * PAGE, false, 99) == NULL && fake.signal == 7);
	/* A store makes a copy. */
	byte = touch_file((vaddr_t) private, true, 99);
	*byte = 50;
	CHECK(*touch_file((vaddr_t)shared, false, 99) == 1);
	CHECK(fake_call(&vm, ep, LINUX_NR_mprotect, (uint64_t)shared, PAGE, RW, 0, 0, 0) ==
		-EACCES);
	CHECK(fake_touch(&vm, ep, (vaddr_t)shared, true) == NULL && fake.signal == 11);
	CHECK_SOUND(&vm);
	/* Truncated and written again: private copies go too. */
	fake_fs_truncate(&vm, 77, 0);
	CHECK_SOUND(&vm);
	CHECK(*touch_file((vaddr_t)shared, false, 2) == 2);
	CHECK(*touch_file((vaddr_t) private, false, 99) == 2);
	/* Gone again before the fault is tried again: it is read once more. */
	fake_fs_truncate(&vm, 77, 0);
	CHECK(fake_touch(&vm, ep, (vaddr_t)shared, false) == NULL && !fake.fault_cleared);
	fake_vfs_answer(&vm, 0, PAGE, 0, 0, 0);
	CHECK(!fake.fault_cleared);
	answer_read(4);
	CHECK(fake.fault_cleared && *fake_touch(&vm, ep, (vaddr_t)shared, false) == 4);
	/* A thread dies while its page is read. */
	fake_fs_truncate(&vm, 77, 0);
	CHECK(fake_touch(&vm, ep, (vaddr_t)shared, false) == NULL && !fake.fault_cleared);
	job_drop(&vm, ep);
	CHECK(unmap((vaddr_t) private, 4 * PAGE) == 0 && unmap((vaddr_t)shared, 3 * PAGE) == 0);
	CHECK(fake.dropped_handles == 1);
	answer_read(6);
	CHECK(!fake.fault_cleared && fake.dropped_handles == 2);
	/* The pages stay. */
	CHECK(vm.pool.count[PAGE_FILE] == before + 3);
	CHECK_SOUND(&vm);
	fake_fs_truncate(&vm, 77, 0);
	CHECK(vm.pool.count[PAGE_FILE] == before && file_find(&vm, 1, 77) == NULL);
	CHECK_SOUND(&vm);
	/* Refused by VFS; not readable; shared writable. */
	CHECK(fake_call(&vm, ep, LINUX_NR_mmap, 0, PAGE, RW, MAP_PRIVATE, 5, 0) == INT64_MIN);
	fake_vfs_answer(&vm, -EBADF, 0, -1, 0, 0);
	CHECK(fake.reply == -EBADF);
	CHECK(fake_call(&vm, ep, LINUX_NR_mmap, 0, PAGE, RW, MAP_SHARED, 5, 0) == INT64_MIN);
	fake_vfs_answer(&vm, 0, PAGE, 9, 77, 1);
	CHECK(fake.reply == -EACCES && fake.dropped_handles == 3);
}

/* exec's segment: file pages, the last cut at the end of the data, then anonymous pages. */
static void test_mmap_for(void)
{
	struct message req = {.source = EP_VFS, .type = VM_MMAP_FOR}, rep = {.type = 0};
	const struct call call = {.source = EP_VFS, .req = &req, .rep = &rep};
	struct vm_mmap_for_req *map_req = MSG(&req, vm_mmap_for_req);
	uint8_t *byte;

	*map_req = (struct vm_mmap_for_req){
		.ep = ep,
		.dev = 1,
		.ino = 77,
		.file = 9,
		.addr = 0x400000,
		.len = 4 * PAGE,
		.prot = RW,
		.flags = MAP_PRIVATE | MAP_FIXED,
		.file_bytes = PAGE + 100,
	};
	fake.dropped_handles = 0;
	CHECK(vm_call_mmap_for(&vm, &call) == 0 && MSG(&rep, vm_addr_rep)->addr == 0x400000);
	CHECK_SOUND(&vm);
	byte = touch_file(0x400000 + PAGE + 99, false, 7);
	CHECK(byte[0] == 7 && byte[1] == 0);
	CHECK(*touch_file(0x400000 + 2 * PAGE, false, 7) == 0);
	CHECK(fake.vfs_request.type == 0);
	/* A failure leaves the reference with VFS. */
	map_req->addr = 1;
	CHECK(vm_call_mmap_for(&vm, &call) == -EINVAL && fake.dropped_handles == 0);
	map_req->ino = 78;
	CHECK(vm_call_mmap_for(&vm, &call) == -EINVAL && fake.dropped_handles == 0);
	CHECK(unmap(0x400000, 4 * PAGE) == 0 && fake.dropped_handles == 1);
	CHECK_SOUND(&vm);
}

static void test_memory_requests(void)
{
	int64_t at = map(0, 4 * PAGE, RW, ANON);

	fake.memreq = (struct memreq){.requestor = ep,
		.target = ep,
		.address = (vaddr_t)at + 5,
		.bytes = 3 * PAGE,
		.write = 1};
	fake.memreq_result = 1;
	vm_memory_requests(&vm);
	CHECK(fake.memreq_result == 0);
	CHECK(pte_is_writable(space_lookup(&vm, thread_space(&vm, ep), (vaddr_t)at + 3 * PAGE)));
	fake.memreq = (struct memreq){
		.requestor = ep, .target = ep, .address = (vaddr_t)at + 5, .bytes = 1ul << 60};
	vm_memory_requests(&vm);
	CHECK(fake.memreq_result == -EFAULT);
	CHECK(unmap((vaddr_t)at, 4 * PAGE) == 0);
}

/* vfork: the child shares the space until exec clears it, and then leaves the parent's alone. */
static void test_vfork(void)
{
	struct message req = {.source = EP_VFS, .type = VM_CLEAR}, rep = {.type = 0};
	const struct call call = {.source = EP_VFS, .req = &req, .rep = &rep};
	int64_t at = map(0, PAGE, RW, ANON);
	int64_t child = fake_fork(&vm, ep, VM_FORK_VM);

	CHECK(child > 0 && thread_space(&vm, (endpoint_t)child) == thread_space(&vm, ep));
	*fake_touch(&vm, (endpoint_t)child, (vaddr_t)at, true) = 3;
	CHECK(*fake_touch(&vm, ep, (vaddr_t)at, false) == 3);
	MSG(&req, vm_ep_req)->ep = (endpoint_t)child;
	CHECK(vm_call_clear(&vm, &call) == 0);
	CHECK(thread_space(&vm, (endpoint_t)child) != thread_space(&vm, ep));
	CHECK(*fake_touch(&vm, ep, (vaddr_t)at, false) == 3);
	CHECK(fake_touch(&vm, (endpoint_t)child, (vaddr_t)at, false) == NULL);
	fake_exit(&vm, (endpoint_t)child);
	CHECK(unmap((vaddr_t)at, PAGE) == 0);
	CHECK_SOUND(&vm);
}

static void test_contig(void)
{
	struct message req = {.source = ep, .type = VM_ALLOC_CONTIG}, rep = {.type = 0};
	const struct call call = {.source = ep, .req = &req, .rep = &rep};
	uint64_t before = vm.pool.count[PAGE_FREE];
	const struct vm_contig_rep *got = MSG(&rep, vm_contig_rep);
	int64_t child;

	*MSG(&req, vm_alloc_contig_req) =
		(struct vm_alloc_contig_req){.len = 20 * PAGE, .flags = VM_CONTIG_ALIGN64K};
	CHECK(vm_call_alloc_contig(&vm, &call) == 0);
	CHECK(got->paddr % 0x10000 == 0);
	CHECK(fake_touch(&vm, ep, got->addr + 19 * PAGE, true) ==
		fake.memory + got->paddr + 19 * PAGE);
	child = fake_fork(&vm, ep, 0);
	CHECK(fake_touch(&vm, (endpoint_t)child, got->addr, false) == NULL);
	CHECK(fake_touch(&vm, ep, got->addr, true) == fake.memory + got->paddr);
	fake_exit(&vm, (endpoint_t)child);
	CHECK_SOUND(&vm);
	CHECK(unmap(got->addr, 20 * PAGE) == 0 && vm.pool.count[PAGE_FREE] == before);
	MSG(&req, vm_alloc_contig_req)->len = 1ull << 40;
	CHECK(vm_call_alloc_contig(&vm, &call) == -ENOMEM);
}

static void test_advice(void)
{
	int64_t at = map(0, 8 * PAGE, RW, ANON);
	uint8_t *vector;
	int64_t child;

	CHECK(fake_call(&vm, ep, LINUX_NR_madvise, (uint64_t)at, 4 * PAGE, MADV_DONTFORK, 0, 0,
		      0) == 0);
	CHECK(fake_call(&vm, ep, LINUX_NR_madvise, (uint64_t)at, 4 * PAGE, 999, 0, 0, 0) ==
		-EINVAL);
	*fake_touch(&vm, ep, (vaddr_t)at + 4 * PAGE, true) = 1;
	CHECK(fake_call(&vm, ep, LINUX_NR_mincore, (uint64_t)at, 8 * PAGE, (uint64_t)at, 0, 0, 0) ==
		0);
	vector = fake_touch(&vm, ep, (vaddr_t)at, false);
	CHECK(vector[4] == 1 && vector[7] == 0);
	CHECK(fake_call(&vm, ep, LINUX_NR_mincore, (uint64_t)at, 8 * PAGE, 8, 0, 0, 0) == -EFAULT);
	CHECK(fake_call(&vm, ep, LINUX_NR_mincore, (uint64_t)at + 64 * PAGE, PAGE, (uint64_t)at, 0,
		      0, 0) == -ENOMEM);
	child = fake_fork(&vm, ep, 0);
	CHECK(fake_touch(&vm, (endpoint_t)child, (vaddr_t)at, false) == NULL);
	CHECK(*fake_touch(&vm, (endpoint_t)child, (vaddr_t)at + 4 * PAGE, false) == 1);
	fake_exit(&vm, (endpoint_t)child);
	CHECK(fake_call(&vm, ep, LINUX_NR_mlock, (uint64_t)at, 8 * PAGE, 0, 0, 0, 0) == 0);
	CHECK(thread_space(&vm, ep)->locked_bytes == 8 * PAGE);
	CHECK(fake_call(&vm, ep, LINUX_NR_madvise, (uint64_t)at, PAGE, MADV_DONTNEED, 0, 0, 0) ==
		-EINVAL);
	CHECK(fake_call(&vm, ep, LINUX_NR_munlockall, 0, 0, 0, 0, 0, 0) == 0);
	CHECK(unmap((vaddr_t)at, 8 * PAGE) == 0);
	CHECK_SOUND(&vm);
}

/* A file larger than memory is read through: pages that are mapped are given up for others. */
static void test_file_eviction(void)
{
	int64_t at;

	CHECK(fake_call(&vm, ep, LINUX_NR_mmap, 0, 20000 * PAGE, PROT_READ, MAP_PRIVATE, 5, 0) ==
		INT64_MIN);
	fake_vfs_answer(&vm, 0, 20000 * PAGE, 9, 77, 1);
	at = fake.reply;
	CHECK(at > 0);
	for (uint64_t i = 0; i < 20000; i++) {
		uint8_t *byte = fake_touch(&vm, ep, (vaddr_t)at + i * PAGE, false);

		if (byte == NULL) {
			const struct vfs_vm_request *req = MSG(&fake.vfs_request, vfs_vm_request);
			uint64_t pages = req->len / PAGE;

			CHECK(!fake.fault_cleared && req->what == VFS_VM_PEEK);
			for (uint64_t j = 0; j < pages; j++) {
				fake_fs_put(&vm, 77, req->offset / PAGE + j, PAGE, (uint8_t)i);
			}
			fake_vfs_answer(&vm, 0, pages * PAGE, 0, 0, 0);
			byte = fake_touch(&vm, ep, (vaddr_t)at + i * PAGE, false);
		}
		CHECK(byte != NULL);
	}
	CHECK_SOUND(&vm);
	CHECK(unmap((vaddr_t)at, 20000 * PAGE) == 0);
	CHECK_SOUND(&vm);
}

/* A program takes all memory: it is killed, and what it waited for goes on when it is gone. */
static void test_out_of_memory(void)
{
	endpoint_t other = fake_process(&vm);
	int64_t at = map(0, 16200 * PAGE, RW, ANON);
	endpoint_t mine = ep;
	int64_t small;
	uint64_t i;

	ep = other;
	small = map(0, 64 * PAGE, RW, ANON);
	ep = mine;
	CHECK(at > 0 && small > 0);
	for (i = 0; fake_touch(&vm, ep, (vaddr_t)at + i * PAGE, true) != NULL; i++) {
	}
	CHECK(fake.signal == 9 && fake.signal_to == ep && i > 10000);
	/* Until it is gone others wait. */
	CHECK(fake_touch(&vm, other, (vaddr_t)small, true) == NULL && fake.signal == 0 &&
		!fake.fault_cleared);
	fake_exit(&vm, ep);
	job_retry_memory(&vm);
	CHECK(fake.fault_cleared && fake_touch(&vm, other, (vaddr_t)small, true) != NULL);
	fake_exit(&vm, other);
	CHECK_SOUND(&vm);
	ep = fake_process(&vm);
}

/* A little of everything; each step may fail for want of memory and must then have changed nothing
 * it cannot undo. */
static void scenario(void)
{
	int64_t a = map(0x20000000, 600 * PAGE, RW, ANON);
	int64_t b = map(0x30000000, 300 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS);
	int64_t child;

	for (unsigned i = 0; i < 600; i += 37) {
		(void)fake_touch(&vm, ep, 0x20000000 + i * PAGE, true);
		(void)fake_touch(&vm, ep, 0x30000000 + i * PAGE, true);
	}
	(void)fake_call(
		&vm, ep, LINUX_NR_mprotect, 0x20000000 + 50 * PAGE, 50 * PAGE, PROT_READ, 0, 0, 0);
	child = fake_fork(&vm, ep, 0);
	if (child > 0) {
		(void)fake_touch(&vm, (endpoint_t)child, 0x20000000, true);
	}
	(void)unmap(0x20000000 + 10 * PAGE, 5 * PAGE);
	(void)fake_call(&vm, ep, LINUX_NR_mremap, 0x20000000 + 200 * PAGE, 10 * PAGE, 700 * PAGE,
		MREMAP_MAYMOVE, 0, 0);
	CHECK_SOUND(&vm);
	if (child > 0) {
		fake_exit(&vm, (endpoint_t)child);
	}
	(void)a;
	(void)b;
}

static void test_injection(void)
{
	for (uint64_t n = 1;; n++) {
		uint64_t before = vm.pool.count[PAGE_FREE], left;

		ep = fake_process(&vm);
		vm.pool.fail_countdown = n;
		scenario();
		left = vm.pool.fail_countdown;
		vm.pool.fail_countdown = 0;
		fake_exit(&vm, ep);
		job_retry_memory(&vm);
		CHECK_SOUND(&vm);
		CHECK(vm.pool.count[PAGE_FREE] == before);
		if (left != 0) {
			CHECK(n > 40);
			break;
		}
	}
}

int main(void)
{
	fake_boot(&vm, 12288);
	ep = fake_process(&vm);
	fake_fs_start(&vm, 1);
	test_mmap_errors();
	test_placement();
	test_brk();
	test_stack_growth();
	test_file();
	test_mmap_for();
	test_memory_requests();
	test_vfork();
	test_contig();
	test_advice();
	fake_shutdown(&vm);
	fake_boot(&vm, 16384);
	ep = fake_process(&vm);
	fake_fs_start(&vm, 1);
	test_file_eviction();
	test_out_of_memory();
	fake_exit(&vm, ep);
	test_injection();
	fake_shutdown(&vm);
	puts("vm calls: ok");
	return 0;
}
