/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that others give or share: devices (VM-07, VM-21), shared memory (VM-08, VM-22), memory of
 * another process for exec (VM-18, VM-25, VM-29: VM knows ranges, no program format), page tables
 * (VM-27), and privileges (VM-30, VM-43).
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "proto/vm.h"
#include "servers/vm/test/vm_test.h"
#include "servers/vm/thread.h"

#define PAGE AXO_PAGE_SIZE
#define RW   (PROT_READ | PROT_WRITE)
#define BASE 0x20000000ull

static struct vm vm;

static int call_vm(call_fn *fn, endpoint_t source, const struct message *req, struct message *rep)
{
	const struct call call = {.source = source, .req = req, .rep = rep};

	memset(rep, 0, sizeof(*rep));
	return fn(&vm, &call);
}

static int64_t map_phys(endpoint_t ep, paddr_t paddr, uint64_t len, uint32_t flags)
{
	struct message req = {.type = VM_MAP_PHYS}, rep;
	int result;

	*MSG(&req, vm_map_phys_req) =
		(struct vm_map_phys_req){.ep = EP_SELF, .paddr = paddr, .len = len, .flags = flags};
	result = call_vm(vm_call_map_phys, ep, &req, &rep);
	return result != 0 ? result : (int64_t)MSG(&rep, vm_addr_rep)->addr;
}

static void unmap_phys(endpoint_t ep, vaddr_t addr, int expected)
{
	struct message req = {.type = VM_UNMAP_PHYS}, rep;

	*MSG(&req, vm_munmap_for_req) = (struct vm_munmap_for_req){.ep = EP_SELF, .addr = addr};
	CHECK(call_vm(vm_call_unmap_phys, ep, &req, &rep) == expected);
}

/* VM-07, VM-21: rounded outward, never counted or freed, kept by fork; only with the right. */
static void test_device_memory(void)
{
	endpoint_t ep = fake_process(&vm), child;
	uint64_t before = vm.pool.count[PAGE_FREE], tables = vm.pool.count[PAGE_TABLE];
	paddr_t device = 10 * PAGE; /* none of VM's */
	int64_t at, second;

	fake.query_mem_error = -EPERM;
	CHECK(map_phys(ep, device, PAGE, 0) == -EPERM);
	fake.query_mem_error = 0;
	CHECK(map_phys(ep, device, 0, 0) == -EINVAL);
	CHECK(map_phys(ep, UINT64_MAX - 5, 10, 0) == -EINVAL);
	at = map_phys(ep, device + 100, PAGE, VM_PHYS_UNCACHED);
	CHECK(at > 0 && at % (int64_t)PAGE == 100);
	CHECK(space_lookup(&vm, thread_space(&vm, ep), (vaddr_t)at + PAGE) & PTE_UNCACHED);
	*fake_touch(&vm, ep, (vaddr_t)at, true) = 77;
	CHECK(fake.memory[device + 100] == 77);
	second = map_phys(ep, device, PAGE, VM_PHYS_READONLY);
	CHECK(*fake_touch(&vm, ep, (vaddr_t)second + 100, false) == 77);
	CHECK(fake_touch(&vm, ep, (vaddr_t)second, true) == NULL && fake.signal == 11);
	child = (endpoint_t)fake_fork(&vm, ep, 0);
	*fake_touch(&vm, child, (vaddr_t)at, true) = 78;
	CHECK(*fake_touch(&vm, ep, (vaddr_t)at, false) == 78);
	fake_exit(&vm, child);
	CHECK(vm.pool.count[PAGE_FREE] + (vm.pool.count[PAGE_TABLE] - tables) <= before);
	unmap_phys(ep, (vaddr_t)at, 0);
	unmap_phys(ep, (vaddr_t)at, -EFAULT);
	unmap_phys(ep, (vaddr_t)second, 0);
	CHECK_SOUND(&vm);
	fake_exit(&vm, ep);
}

/* VM-08, VM-22: attached twice, by a child, after the first is gone; read-only views stay so. */
static void test_shared_memory(void)
{
	endpoint_t ep = fake_process(&vm), child;
	uint64_t pages = vm.pool.count[PAGE_SHARED];
	int64_t view;

	CHECK(fake_call(&vm, ep, LINUX_NR_mmap, BASE, 4 * PAGE, RW,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, UINT64_MAX, 0) == (int64_t)BASE);
	*fake_touch(&vm, ep, BASE + PAGE, true) = 5;
	/* A view in the very place of what it shows. */
	CHECK(fake_call(&vm, ep, LINUX_NR_mremap, BASE, 0, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		      BASE, 0) == (int64_t)BASE);
	CHECK(*fake_touch(&vm, ep, BASE + PAGE, false) == 5);
	CHECK_SOUND(&vm);
	/* Views count against the limit. */
	thread_space(&vm, ep)->limit_as = 7 * PAGE;
	CHECK(fake_call(&vm, ep, LINUX_NR_mremap, BASE, 0, 4 * PAGE, MREMAP_MAYMOVE, 0, 0) ==
		-ENOMEM);
	thread_space(&vm, ep)->limit_as = SPACE_NO_LIMIT;
	view = fake_call(&vm, ep, LINUX_NR_mremap, BASE, 0, 4 * PAGE, MREMAP_MAYMOVE, 0, 0);
	CHECK(view > 0 && *fake_touch(&vm, ep, (vaddr_t)view + PAGE, false) == 5);
	CHECK(fake_call(&vm, ep, LINUX_NR_mprotect, (uint64_t)view, 4 * PAGE, PROT_READ, 0, 0, 0) ==
		0);
	CHECK(fake_touch(&vm, ep, (vaddr_t)view + PAGE, true) == NULL && fake.signal == 11);
	child = (endpoint_t)fake_fork(&vm, ep, 0);
	fake_exit(&vm, ep);
	CHECK_SOUND(&vm);
	CHECK(*fake_touch(&vm, child, BASE + PAGE, true) == 5);
	*fake_touch(&vm, child, BASE + 2 * PAGE, true) = 6;
	CHECK(*fake_touch(&vm, child, (vaddr_t)view + 2 * PAGE, false) == 6);
	CHECK(fake_call(&vm, child, LINUX_NR_munmap, BASE, 4 * PAGE, 0, 0, 0, 0) == 0);
	CHECK(*fake_touch(&vm, child, (vaddr_t)view + 2 * PAGE, false) == 6);
	fake_exit(&vm, child);
	CHECK(vm.pool.count[PAGE_SHARED] == pages);
	CHECK_SOUND(&vm);
}

/* VM-18, VM-25: map, protect, make present, unmap and clear for another process. */
static void test_for_another(void)
{
	endpoint_t ep = fake_process(&vm);
	struct space *space = thread_space(&vm, ep);
	struct message req = {.type = VM_MMAP_FOR}, rep;

	*MSG(&req, vm_mmap_for_req) = (struct vm_mmap_for_req){.ep = ep,
		.addr = BASE,
		.len = 4 * PAGE,
		.prot = RW,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		.file = -1};
	CHECK(call_vm(vm_call_mmap_for, EP_VFS, &req, &rep) == 0);
	CHECK(MSG(&rep, vm_addr_rep)->addr == BASE);
	MSG(&req, vm_mmap_for_req)->ep = EP_MAKE(1, 900);
	CHECK(call_vm(vm_call_mmap_for, EP_VFS, &req, &rep) == -ESRCH);
	*MSG(&req, vm_make_present_req) = (struct vm_make_present_req){
		.ep = ep, .addr = BASE + 5, .len = 2 * PAGE, .write = 1};
	CHECK(call_vm(vm_call_make_present, EP_VFS, &req, &rep) == -EDONTREPLY);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(pte_is_writable(space_lookup(&vm, space, BASE + i * PAGE)));
	}
	*MSG(&req, vm_mprotect_for_req) = (struct vm_mprotect_for_req){
		.ep = ep, .addr = BASE, .len = PAGE, .prot = PROT_READ};
	CHECK(call_vm(vm_call_mprotect_for, EP_VFS, &req, &rep) == 0);
	CHECK(fake_touch(&vm, ep, BASE, true) == NULL);
	*MSG(&req, vm_munmap_for_req) =
		(struct vm_munmap_for_req){.ep = ep, .addr = BASE, .len = 2 * PAGE};
	CHECK(call_vm(vm_call_munmap_for, EP_VFS, &req, &rep) == 0);
	CHECK(space->region_count == 1 && space->virtual_bytes == 2 * PAGE);
	MSG(&req, vm_ep_req)->ep = ep;
	CHECK(call_vm(vm_call_clear, EP_VFS, &req, &rep) == 0);
	CHECK(space->region_count == 0 && space->resident == 0 && space->pt.tables == 1);
	MSG(&req, vm_ep_req)->ep = EP_MAKE(1, 900);
	CHECK(call_vm(vm_call_clear, EP_VFS, &req, &rep) == -ESRCH);
	CHECK_SOUND(&vm);
	fake_exit(&vm, ep);
}

/* VM-27: the kernel's half of each page table is that of the boot table. */
static void test_page_tables(void)
{
	endpoint_t ep = fake_process(&vm);
	pte_t *boot = page_memory(&vm.pool, vm.kinfo.boot_root >> AXO_PAGE_SHIFT);
	const pte_t *root = page_memory(&vm.pool, thread_space(&vm, ep)->pt.root);

	CHECK(memcmp(root + PT_USER_ENTRIES, boot + PT_USER_ENTRIES,
		      (PT_ENTRIES - PT_USER_ENTRIES) * sizeof(*root)) == 0);
	for (unsigned i = 0; i < PT_USER_ENTRIES; i++) {
		CHECK(root[i] == 0);
	}
	fake_exit(&vm, ep);
}

/* VM-30, VM-43: the mask of what a service may ask is RS's to set. */
static void test_call_mask(void)
{
	endpoint_t ep = fake_process(&vm);
	struct message req = {.type = VM_SETPRIV}, rep;

	*MSG(&req, vm_setpriv_req) =
		(struct vm_setpriv_req){.ep = ep, .mask = 5, .memory_max = 3 * PAGE};
	CHECK(call_vm(vm_call_setpriv, EP_RS, &req, &rep) == 0);
	CHECK(thread_space(&vm, ep)->call_mask == 5);
	CHECK(thread_space(&vm, ep)->limit_as == 3 * PAGE);
	MSG(&req, vm_setpriv_req)->ep = EP_MAKE(1, 900);
	CHECK(call_vm(vm_call_setpriv, EP_RS, &req, &rep) == -EINVAL);
	fake_exit(&vm, ep);
}

int main(void)
{
	fake_boot(&vm, 2048);
	memset(page_memory(&vm.pool, vm.kinfo.boot_root >> AXO_PAGE_SHIFT), 0xa5, PAGE);
	test_device_memory();
	test_shared_memory();
	test_for_another();
	test_page_tables();
	test_call_mask();
	fake_shutdown(&vm);
	puts("vm mapped: ok");
	return 0;
}
