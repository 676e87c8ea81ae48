/* SPDX-License-Identifier: BSD-2-Clause */
/* Single operations of the page cache: pins, pressure, rights, errors, refused stores, no memory.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "proto/vfs.h"
#include "servers/vm/job.h"
#include "servers/vm/test/cache_world.h"
#include "servers/vm/thread.h"

#define PAGE AXO_PAGE_SIZE

/* What a page is not evicted for, and that VFS's pins outlive a truncation. */
static void test_pins(void)
{
	uint32_t slot, reader;

	world_boot(MACHINE);
	w.size[0] = 8;
	fs_write(0, 0);
	slot = fs_get(0, 1);
	CHECK(cache_evict(&w.vm, 100) == 0);
	CHECK(!(*marks_of(FS_EP, &w.fs, slot) & VM_CACHE_EVICTED));
	fs_unpin(slot, 0);
	CHECK(get_pages(vm_call_cache_map, EP_VFS, 1, 1, 1, &reader) == 1);
	CHECK(cache_evict(&w.vm, 100) == 0);
	*marks_of(EP_VFS, &w.reader, reader) &= (uint8_t)~VM_CACHE_PINNED;
	CHECK(cache_evict(&w.vm, 100) == 1);
	CHECK(*marks_of(FS_EP, &w.fs, slot) & VM_CACHE_EVICTED);
	CHECK(*marks_of(EP_VFS, &w.reader, reader) & VM_CACHE_EVICTED);
	CHECK_SOUND(&w.vm);

	CHECK(get_pages(vm_call_cache_map, EP_VFS, 1, 0, 1, &reader) == 1);
	fs_truncate(0, 0);
	CHECK(page_of(EP_VFS, &w.reader, reader)[0] != 0);
	CHECK(*marks_of(EP_VFS, &w.reader, reader) & VM_CACHE_EVICTED);
	CHECK_SOUND(&w.vm);
	*marks_of(EP_VFS, &w.reader, reader) &= (uint8_t)~VM_CACHE_PINNED;
	cache_sweep(&w.vm);
	CHECK(w.vm.pool.count[PAGE_FILE] == 0);
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

/* Dirty pages in the way: the file system is asked, and the waiting fault goes on when it is done.
 */
static void test_pressure(void)
{
	endpoint_t ep;
	int64_t at;
	uint64_t i;

	world_boot(700);
	for (int file = 0; file < FILES; file++) {
		w.size[file] = PAGES;
		for (uint64_t index = 0; index < PAGES; index++) {
			fs_write(file, index);
		}
	}
	ep = fake_process(&w.vm);
	at = fake_call(&w.vm, ep, LINUX_NR_mmap, 0, 600 * AXO_PAGE_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);
	for (i = 0; i < 600; i++) {
		if (fake_touch(&w.vm, ep, (vaddr_t)at + i * AXO_PAGE_SIZE, true) == NULL) {
			break;
		}
	}
	CHECK(i < 600 && fake.signal == 0 && fake.notified == FS_EP);
	fs_write_all_back();
	cache_cleaned(&w.vm, FS_EP);
	job_retry_memory(&w.vm);
	CHECK(fake.fault_cleared && fake.signal == 0);
	CHECK(fake_touch(&w.vm, ep, (vaddr_t)at + i * AXO_PAGE_SIZE, true) != NULL);
	CHECK_SOUND(&w.vm);
	fake_exit(&w.vm, ep);
	fake_shutdown(&w.vm);
}

/* A file system that does not write back is waited for only so long, one that does longer. */
static void test_pressure_and_silence(void)
{
	world_boot(MACHINE);
	w.size[0] = 3;
	fs_write(0, 0);
	fs_write(0, 1);
	CHECK(cache_evict(&w.vm, 10) == 0 && fake.notified == FS_EP && cache_is_cleaning(&w.vm));
	fs_write_back(0, 1);
	cache_alarm(&w.vm);
	CHECK(cache_is_cleaning(&w.vm));
	w.vm.memory_was_freed = false;
	cache_alarm(&w.vm);
	CHECK(!cache_is_cleaning(&w.vm) && w.vm.memory_was_freed);
	fake.notified = EP_NONE;
	(void)cache_evict(&w.vm, 10);
	CHECK(fake.notified == EP_NONE && !cache_is_cleaning(&w.vm));
	fs_write(0, 2);
	(void)cache_evict(&w.vm, 10);
	CHECK(fake.notified == FS_EP && cache_is_cleaning(&w.vm));
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

/* Its window stays whole or goes as a whole, whatever the file system does to its own memory. */
static void test_window_stays_whole(void)
{
	const uint64_t rw = PROT_READ | PROT_WRITE;
	const uint64_t fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	vaddr_t at;

	world_boot(MACHINE);
	w.size[0] = 2;
	fs_write(0, 0);
	at = w.fs.window;
	CHECK(fake_call(&w.vm, FS_EP, LINUX_NR_munmap, at, PAGE, 0, 0, 0, 0) == -EINVAL);
	CHECK(fake_call(&w.vm, FS_EP, LINUX_NR_munmap, at + PAGE, PAGE, 0, 0, 0, 0) == -EINVAL);
	CHECK(fake_call(&w.vm, FS_EP, LINUX_NR_mprotect, at, PAGE, PROT_READ, 0, 0, 0) == -EINVAL);
	CHECK(fake_call(&w.vm, FS_EP, LINUX_NR_mlock, at + PAGE, PAGE, 0, 0, 0, 0) == -EINVAL);
	CHECK(fake_call(&w.vm, FS_EP, LINUX_NR_mmap, at + PAGE, PAGE, rw, fixed, -1ull, 0) ==
		-EINVAL);
	CHECK(fake_call(&w.vm, FS_EP, LINUX_NR_mremap, at, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0, 0) <
		0);
	fs_read(0, 0);
	CHECK_SOUND(&w.vm);
	CHECK(fake_call(&w.vm, FS_EP, LINUX_NR_munmap, at, w.fs.marks - at, 0, 0, 0, 0) == 0);
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

/* A file system that dies over it is asked again when its successor has its memory. */
static void test_pressure_and_restart(void)
{
	struct message req = {.type = VM_UPDATE}, rep;
	const endpoint_t successor = EP_MAKE(1, 1001);

	world_boot(MACHINE);
	w.size[0] = 1;
	fs_write(0, 0);
	fake_service(&w.vm, successor);
	CHECK(cache_evict(&w.vm, 10) == 0 && fake.notified == FS_EP && cache_is_cleaning(&w.vm));
	*MSG(&req, vm_update_req) = (struct vm_update_req){.old = FS_EP, .successor = successor};
	CHECK(world_call(vm_call_update, EP_RS, &req, &rep) == 0);
	req = (struct message){.type = VM_INHERIT};
	CHECK(world_call(vm_call_inherit, FS_EP, &req, &rep) == 0);
	CHECK(!cache_is_cleaning(&w.vm) && w.vm.memory_was_freed);
	fake.notified = EP_NONE;
	CHECK(cache_evict(&w.vm, 10) == 0 && fake.notified == FS_EP);
	fs_read(0, 0);
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

/* The second name of a page: its place on the device (VM-34). */
static void test_places(void)
{
	struct message req = {.type = VM_CACHE_GET}, rep;
	uint32_t slot, own, reader;

	world_boot(MACHINE);
	w.size[0] = w.size[1] = 4;
	fs_write(0, 1);
	fs_place(0, 1, 7);
	CHECK(vfs_read_device(7) && !vfs_read_device(8));
	CHECK(get_pages(vm_call_cache_map, EP_VFS, 0, 7, 1, &reader) == 1);
	*marks_of(EP_VFS, &w.reader, reader) &= (uint8_t)~VM_CACHE_PINNED;
	/* Told anew, the name is the later page's, and VFS does not go on with the one it knew. */
	fs_write(1, 2);
	fs_place(1, 2, 7);
	CHECK(*marks_of(EP_VFS, &w.reader, reader) & VM_CACHE_EVICTED);
	CHECK(vfs_read_device(7));
	/* A page of the device's own takes the place, and keeps it. */
	fs_own(7);
	CHECK(vfs_read_device(7) && w.place[1][2] == VM_CACHE_NO_INDEX);
	slot = fs_get(1, 2);
	CHECK(fs_tell_place(slot, 7) == 0);
	fs_unpin(slot, 0);
	CHECK(vfs_read_device(7));
	fs_free_own(7);
	CHECK(!vfs_read_device(7));
	/* A freed block, a truncated file, an evicted page have no place any more. */
	fs_place(1, 2, 9);
	CHECK(fs_tell_place(fs_get(1, 2), VM_CACHE_NO_INDEX) == 0);
	CHECK(!vfs_read_device(9));
	fs_place(1, 2, 9);
	fs_truncate(1, 0);
	CHECK(!vfs_read_device(9));
	fs_place(0, 1, 9);
	fs_write_all_back();
	CHECK(cache_evict(&w.vm, 100) > 0 && !vfs_read_device(9));
	/* What no page of a file is has no second name; nonsense is refused. */
	CHECK(get_pages(vm_call_cache_get, FS_EP, 0, 3, 1, &own) == 1);
	CHECK(fs_tell_place(own, 5) == 0 && !vfs_read_device(5));
	CHECK(fs_tell_place(UINT32_MAX, 5) == 0 && fs_tell_place(slot, UINT64_MAX / 2) == 0);
	*MSG(&req, vm_cache_get_req) = (struct vm_cache_get_req){
		.dev = DEV, .names = FAKE_ANSWERS, .name_count = VM_CACHE_BATCH + 1};
	CHECK(world_call(vm_call_cache_get, FS_EP, &req, &rep) == -EINVAL);
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

static void test_errors_and_unbind(void)
{
	struct message req = {.type = VM_CACHE_UNBIND}, rep;
	uint64_t before;
	uint32_t slot;

	world_boot(MACHINE);
	CHECK(get_pages(vm_call_cache_get, EP_VFS, 1, 0, 1, &slot) == -EPERM);
	CHECK(get_pages(vm_call_cache_get, FS_EP, 1, 0, 0, &slot) == -EINVAL);
	CHECK(get_pages(vm_call_cache_get, FS_EP, 1, 0, VM_CACHE_BATCH + 1, &slot) == -EINVAL);
	CHECK(get_pages(vm_call_cache_get, FS_EP, 1, UINT64_MAX, 1, &slot) == -EINVAL);
	w.size[1] = PAGES;
	before = w.vm.pool.count[PAGE_FREE];
	for (uint64_t index = 0; index < PAGES; index++) {
		fs_write(1, index);
		vfs_read(1, u64_min(index, PAGES - 4));
	}
	CHECK(w.vm.pool.count[PAGE_FREE] <= before - PAGES);
	*MSG(&req, vm_cache_bind_req) = (struct vm_cache_bind_req){.dev = DEV};
	CHECK(world_call(vm_call_cache_unbind, EP_VFS, &req, &rep) == 0);
	CHECK(w.vm.pool.count[PAGE_FILE] == 0 && w.vm.cache.pages == 0);
	CHECK(get_pages(vm_call_cache_get, FS_EP, 1, 0, 1, &slot) == -EPERM);
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

/* mmap of the file with these rights by descriptor; VFS answers. */
static int64_t map_as(endpoint_t ep, uint64_t len, int prot, int flags, uint64_t offset,
	uint64_t dev, uint32_t mode)
{
	CHECK(fake_call(&w.vm, ep, LINUX_NR_mmap, 0, len, (uint64_t)prot, (uint64_t)flags, 3,
		      offset) == INT64_MIN);
	fake_vfs_looked_up(&w.vm, w.size[0] << AXO_PAGE_SHIFT, 0, dev, 1, mode);
	return fake.has_reply ? fake.reply : INT64_MIN;
}

/* Rights and errors of mappings of files (VM-33). */
static void test_rights(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	unsigned dropped;
	endpoint_t ep;
	int64_t at;

	world_boot(MACHINE);
	w.size[0] = 4;
	ep = fake_process(&w.vm);
	CHECK(map_as(ep, 4096, rw, MAP_SHARED, 0, DEV, 1) == -EACCES);
	CHECK(map_as(ep, 4096, PROT_READ, MAP_PRIVATE, 0, DEV, 2) == -EACCES);
	CHECK(map_as(ep, 4096, rw, MAP_SHARED, 0, DEV, 3 | 8) == -EPERM);
	CHECK(map_as(ep, 4096, rw, MAP_SHARED_VALIDATE | 1 << 22, 0, DEV, 3) == -EOPNOTSUPP);
	CHECK(map_as(ep, 4096, rw, 0, 0, DEV, 3) == -EINVAL);
	CHECK(map_as(ep, 8192, rw, MAP_SHARED, 0x7ffffffffffff000, DEV, 3) == -EOVERFLOW);
	CHECK(map_as(ep, 4096, rw, MAP_SHARED, 0, DEV + 1, 3) == -ENODEV);
	CHECK(fake.dropped_handles == 7);
	at = map_as(ep, 4096, PROT_READ, MAP_SHARED, 0, DEV, 1);
	CHECK(at > 0);
	CHECK(fake_call(&w.vm, ep, LINUX_NR_mprotect, (uint64_t)at, 4096, (uint64_t)rw, 0, 0, 0) ==
		-EACCES);
	/* VFS keeps the handle of a mapping that may be stored to as long as there is one. */
	dropped = fake.dropped_handles;
	at = map_as(ep, 4096, PROT_READ, MAP_SHARED, 0, DEV, 3);
	CHECK(at > 0 && fake.dropped_handles == dropped);
	CHECK(fake_call(&w.vm, ep, LINUX_NR_munmap, (uint64_t)at, 4096, 0, 0, 0, 0) == 0);
	CHECK(fake.dropped_handles == dropped + 1);
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

/* VFS answers a request about the file with an error. */
static void refuse(int what, int32_t result)
{
	CHECK(fake.vfs_request.type != 0);
	CHECK(MSG(&fake.vfs_request, vfs_vm_request)->what == what);
	fake_vfs_answer(&w.vm, result, 0, -1, 0, 0);
}

/* Stores that the file system refuses, msync, populating (VM-26, VM-39). */
static void test_waiting_calls(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	endpoint_t ep;
	int64_t at;

	world_boot(MACHINE);
	w.size[0] = 3;
	ep = fake_process(&w.vm);
	at = map_as(ep, 4 * 4096, rw, MAP_SHARED, 0, DEV, 3);
	CHECK(at > 0);
	CHECK(fake_touch(&w.vm, ep, (vaddr_t)at, false) == NULL);
	serve_requests();
	CHECK(fake_touch(&w.vm, ep, (vaddr_t)at, true) == NULL && fake.signal == 0);
	refuse(VFS_VM_MKWRITE, -ENOSPC);
	CHECK(fake.signal == 7 && fake.signal_address == (uint64_t)at && fake.fault_cleared);
	CHECK(fake_touch(&w.vm, ep, (vaddr_t)at + 3 * 4096, true) == NULL);
	serve_requests();
	CHECK(fake.signal == 7);

	CHECK(fake_call(&w.vm, ep, LINUX_NR_msync, (uint64_t)at, 4096, MS_SYNC, 0, 0, 0) ==
		INT64_MIN);
	refuse(VFS_VM_SYNC, -EIO);
	CHECK(fake.has_reply && fake.reply == -EIO);
	CHECK(fake_call(&w.vm, ep, LINUX_NR_msync, (uint64_t)at, 8 * 4096, MS_SYNC, 0, 0, 0) ==
		INT64_MIN);
	refuse(VFS_VM_SYNC, 0);
	CHECK(fake.has_reply && fake.reply == -ENOMEM);
	CHECK(fake_call(&w.vm, ep, LINUX_NR_msync, (uint64_t)at, 4096, MS_ASYNC, 0, 0, 0) == 0);

	fs_truncate(0, 0);
	w.size[0] = 40;
	CHECK(map_as(ep, 40 * 4096, PROT_READ, MAP_SHARED | MAP_POPULATE, 0, DEV, 3) == INT64_MIN);
	serve_requests();
	CHECK(fake.has_reply && fake.reply > 0);
	for (uint64_t i = 0; i < 40; i++) {
		CHECK(space_lookup(&w.vm, thread_space(&w.vm, ep),
			      (vaddr_t)fake.reply + i * AXO_PAGE_SIZE) != 0);
	}
	/* MCL_ONFAULT: what comes later is locked when it is touched. */
	fs_truncate(0, 0);
	w.size[0] = 40;
	CHECK(fake_call(&w.vm, ep, LINUX_NR_mlockall, MCL_FUTURE | MCL_ONFAULT, 0, 0, 0, 0, 0) ==
		0);
	CHECK(map_as(ep, 4096, PROT_READ, MAP_SHARED, 0, DEV, 3) > 0);
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

/* Each allocation of a scenario fails once in turn: an error or a wait, never damage. */
static void test_no_memory(void)
{
	for (uint64_t n = 1;; n++) {
		uint32_t slots[8];
		bool was_reached;

		world_boot(MACHINE);
		w.vm.pool.fail_countdown = n;
		w.size[0] = PAGES;
		(void)get_pages(vm_call_cache_get, FS_EP, 1, 0, 8, slots);
		(void)get_pages(vm_call_cache_get, FS_EP, 2, 4096, 8, slots);
		(void)fs_tell_place(0, 3);
		(void)get_pages(vm_call_cache_map, EP_VFS, 0, 0, 8, slots);
		(void)get_pages(vm_call_cache_map, EP_VFS, 1, 0, 8, slots);
		was_reached = w.vm.pool.fail_countdown == 0;
		w.vm.pool.fail_countdown = 0;
		CHECK_SOUND(&w.vm);
		fs_write(0, 0);
		vfs_read(0, 0);
		CHECK_SOUND(&w.vm);
		fake_shutdown(&w.vm);
		if (!was_reached) {
			break;
		}
	}
}

/* Page `index` of file 9 is cached, and VFS has it in its window; nobody uses it. */
static void show_page(uint64_t index)
{
	uint32_t slot, reader;

	CHECK(get_pages(vm_call_cache_get, FS_EP, 9, index, 1, &slot) == 1);
	*marks_of(FS_EP, &w.fs, slot) = VM_CACHE_VALID;
	CHECK(get_pages(vm_call_cache_map, EP_VFS, 9, index, 1, &reader) == 1);
	*marks_of(EP_VFS, &w.reader, reader) = VM_CACHE_VALID;
}

/* The page table for a slot is made of evicted pages: their slots are found again. */
static void test_slots_freed_meanwhile(void)
{
	const uint64_t table = AXO_PAGE_SIZE * PT_ENTRIES;
	uint64_t count;
	uint32_t slot;

	world_boot(2 * MACHINE);
	count = (align_down(w.reader.window, table) + table - w.reader.window) >> AXO_PAGE_SHIFT;
	for (uint64_t i = 0; i < count; i++) {
		show_page(i);
	}
	CHECK(get_pages(vm_call_cache_get, FS_EP, 9, count, 1, &slot) == 1);
	*marks_of(FS_EP, &w.fs, slot) |= VM_CACHE_VALID;
	while (w.vm.pool.count[PAGE_FREE] > w.vm.pool.reserve_vm) {
		CHECK(page_alloc(&w.vm.pool, PAGE_MODULE, PAGE_FOR_VM) != PFN_NONE);
	}
	CHECK(get_pages(vm_call_cache_map, EP_VFS, 9, count, 1, &slot) == 1 && slot == count);
	CHECK(cache_client_find(&w.vm, 0)->pages < count);
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

/* What VFS had pinned when the page was forgotten goes when another process takes VFS's place. */
static void test_pins_of_the_dead(void)
{
	struct message req = {.type = VM_CACHE_OPEN}, rep;
	uint32_t slot;

	world_boot(MACHINE);
	w.size[0] = 4;
	fs_write(0, 0);
	CHECK(get_pages(vm_call_cache_map, EP_VFS, 1, 0, 1, &slot) == 1);
	fs_truncate(0, 0);
	CHECK(w.vm.pool.count[PAGE_FILE] == 1);
	fake_exit(&w.vm, EP_VFS);
	fake_service(&w.vm, EP_VFS);
	CHECK(world_call(vm_call_cache_open, EP_VFS, &req, &rep) == 0);
	cache_sweep(&w.vm);
	CHECK(w.vm.pool.count[PAGE_FILE] == 0);
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

int main(void)
{
	test_pins();
	test_slots_freed_meanwhile();
	test_pins_of_the_dead();
	test_places();
	test_errors_and_unbind();
	test_pressure();
	test_pressure_and_silence();
	test_window_stays_whole();
	test_pressure_and_restart();
	test_rights();
	test_waiting_calls();
	test_no_memory();
	puts("vm cache calls: ok");
	return 0;
}
