/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page cache with a file system, VFS and processes of the test's own: random reads, writes,
 * write-back, truncation, mappings, restarts and pressure against a model of each page (VM-34,
 * VM-35, VM-36, VM-38, VM-39).
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "proto/vfs.h"
#include "servers/vm/cache.h"
#include "servers/vm/job.h"
#include "servers/vm/test/fake_fs.h"
#include "servers/vm/test/vm_test.h"
#include "servers/vm/thread.h"

#define DEV     7
#define FS_EP   FAKE_FS_EP
#define FILES   4
#define PAGES   48 /* of a file at most */
#define PROCS   3
#define STEPS   30000
#define MACHINE 1500 /* pages */

struct mapped {
	endpoint_t ep; /* EP_NONE: no process */
	vaddr_t at;    /* 0: nothing mapped */
	int file;
	bool is_shared;
	bool is_copied[PAGES];
	uint64_t copy[PAGES];
};

static struct world {
	struct vm vm;
	uint64_t seed;
	struct vm_cache_open_rep fs, reader; /* windows */
	uint64_t size[FILES];                /* pages */
	uint64_t content[FILES][PAGES];      /* what a reader must see */
	uint64_t disk[FILES][PAGES];
	uint32_t slot[FILES][PAGES]; /* what the file system remembers */
	struct mapped procs[PROCS];
} w;

static uint64_t random_below(uint64_t limit)
{
	return random_next(&w.seed) % limit;
}

static int call(call_fn *fn, endpoint_t source, struct message *req, struct message *rep)
{
	return fake_request(&w.vm, fn, source, req, rep);
}

static uint8_t *memory_of(endpoint_t ep, vaddr_t addr)
{
	return fake_memory_of(&w.vm, ep, addr);
}

static uint8_t *marks_of(endpoint_t ep, const struct vm_cache_open_rep *window, uint32_t slot)
{
	return memory_of(ep, window->marks + slot);
}

static uint64_t *page_of(endpoint_t ep, const struct vm_cache_open_rep *window, uint32_t slot)
{
	return (uint64_t *)(void *)memory_of(ep, window->window + slot * AXO_PAGE_SIZE);
}

static int open_window(endpoint_t ep, uint64_t dev, struct vm_cache_open_rep *window)
{
	struct message req = {.type = VM_CACHE_OPEN}, rep;
	int result;

	MSG(&req, vm_cache_open_req)->dev = dev;
	result = call(vm_call_cache_open, ep, &req, &rep);
	*window = *MSG(&rep, vm_cache_open_rep);
	return result;
}

static int get_pages(
	call_fn *fn, endpoint_t ep, uint64_t ino, uint64_t index, uint32_t count, uint32_t *slots)
{
	struct message req = {.type = VM_CACHE_GET}, rep;
	int result;

	*MSG(&req, vm_cache_get_req) = (struct vm_cache_get_req){
		.dev = DEV, .ino = ino, .index = index, .count = count, .to = FAKE_ANSWERS};
	result = call(fn, ep, &req, &rep);
	if (result != 0) {
		return result;
	}
	memcpy(slots, memory_of(ep, FAKE_ANSWERS), count * sizeof(*slots));
	return (int)MSG(&rep, vm_cache_get_rep)->count;
}

static void bind(void)
{
	struct message req = {.type = VM_CACHE_BIND}, rep;

	*MSG(&req, vm_cache_bind_req) = (struct vm_cache_bind_req){.dev = DEV, .ep = FS_EP};
	CHECK(call(vm_call_cache_bind, EP_VFS, &req, &rep) == 0);
}

static void forget(int file, uint64_t first, uint64_t end)
{
	struct message req = {.type = VM_CACHE_FORGET}, rep;

	*MSG(&req, vm_cache_range_req) = (struct vm_cache_range_req){
		.dev = DEV, .ino = (uint64_t)file + 1, .first = first, .end = end};
	CHECK(call(vm_call_cache_forget, FS_EP, &req, &rep) == 0);
}

/* The file system's own look-up: its memory, then VM, then the disk. The slot is pinned. */
static uint32_t fs_get(int file, uint64_t index)
{
	uint32_t slot = w.slot[file][index];
	uint8_t *marks;

	if (slot != VM_CACHE_NO_SLOT) {
		uint8_t old = __atomic_fetch_or(
			marks_of(FS_EP, &w.fs, slot), VM_CACHE_PINNED, __ATOMIC_SEQ_CST);

		if (!(old & VM_CACHE_EVICTED)) {
			return slot;
		}
	}
	CHECK(get_pages(vm_call_cache_get, FS_EP, (uint64_t)file + 1, index, 1, &slot) == 1);
	for (int f = 0; f < FILES; f++) {
		for (int i = 0; i < PAGES; i++) {
			if (w.slot[f][i] == slot) {
				w.slot[f][i] = VM_CACHE_NO_SLOT;
			}
		}
	}
	w.slot[file][index] = slot;
	marks = marks_of(FS_EP, &w.fs, slot);
	CHECK(*marks & VM_CACHE_PINNED);
	if (!(*marks & VM_CACHE_VALID)) {
		CHECK(page_of(FS_EP, &w.fs, slot)[0] == 0 && page_of(FS_EP, &w.fs, slot)[511] == 0);
		page_of(FS_EP, &w.fs, slot)[0] = w.disk[file][index];
		*marks |= VM_CACHE_VALID;
	}
	return slot;
}

static void fs_unpin(uint32_t slot, uint8_t more)
{
	uint8_t *marks = marks_of(FS_EP, &w.fs, slot);

	*marks = (uint8_t)((*marks | VM_CACHE_USED | more) & ~VM_CACHE_PINNED);
}

static void fs_read(int file, uint64_t index)
{
	uint32_t slot = fs_get(file, index);

	CHECK(page_of(FS_EP, &w.fs, slot)[0] == w.content[file][index]);
	fs_unpin(slot, 0);
}

static void fs_write(int file, uint64_t index)
{
	uint32_t slot = fs_get(file, index);

	w.content[file][index] = random_next(&w.seed);
	page_of(FS_EP, &w.fs, slot)[0] = w.content[file][index];
	fs_unpin(slot, VM_CACHE_DIRTY);
}

static void fs_write_back(int file, uint64_t index)
{
	struct message req = {.type = VM_CACHE_PROTECT}, rep;
	uint32_t slot = w.slot[file][index];
	uint8_t *marks = slot == VM_CACHE_NO_SLOT ? NULL : marks_of(FS_EP, &w.fs, slot);

	if (marks == NULL || (*marks & VM_CACHE_EVICTED) || !(*marks & VM_CACHE_DIRTY)) {
		return;
	}
	if (*marks & VM_CACHE_WMAPPED) {
		memcpy(memory_of(FS_EP, FAKE_ANSWERS), &slot, sizeof(slot));
		*MSG(&req, vm_cache_slots_req) =
			(struct vm_cache_slots_req){.dev = DEV, .slots = FAKE_ANSWERS, .count = 1};
		CHECK(call(vm_call_cache_protect, FS_EP, &req, &rep) == 0);
		CHECK(!(*marks & VM_CACHE_WMAPPED));
	}
	*marks &= (uint8_t)~VM_CACHE_DIRTY;
	w.disk[file][index] = page_of(FS_EP, &w.fs, slot)[0];
}

static void fs_write_all_back(void)
{
	for (int file = 0; file < FILES; file++) {
		for (uint64_t index = 0; index < w.size[file]; index++) {
			fs_write_back(file, index);
		}
	}
}

static void fs_truncate(int file, uint64_t size)
{
	forget(file, size, UINT64_MAX);
	for (uint64_t index = size; index < PAGES; index++) {
		w.content[file][index] = 0;
		w.disk[file][index] = 0;
		w.slot[file][index] = VM_CACHE_NO_SLOT;
		for (int i = 0; i < PROCS; i++) {
			if (w.procs[i].file == file) {
				w.procs[i].is_copied[index] = false;
			}
		}
	}
	w.size[file] = size;
}

/* The process dies, another one takes its place: what was dirty is still there. */
static void fs_restart(void)
{
	struct vm_cache_entry *entries;
	struct message req = {.type = VM_CACHE_LIST}, rep;

	fake_exit(&w.vm, FS_EP);
	CHECK_SOUND(&w.vm);
	fake_service(&w.vm, FS_EP);
	CHECK(open_window(FS_EP, DEV, &w.fs) == 0);
	memset(w.slot, 0xff, sizeof(w.slot));
	*MSG(&req, vm_cache_list_req) =
		(struct vm_cache_list_req){.dev = DEV, .to = FAKE_ANSWERS, .bytes = AXO_PAGE_SIZE};
	do {
		CHECK(call(vm_call_cache_list, FS_EP, &req, &rep) == 0);
		entries = (struct vm_cache_entry *)(void *)memory_of(FS_EP, FAKE_ANSWERS);
		for (uint64_t i = 0; i < MSG(&rep, vm_info_rep)->count; i++) {
			int file = (int)entries[i].ino - 1;

			CHECK(entries[i].marks & VM_CACHE_VALID);
			CHECK(page_of(FS_EP, &w.fs, entries[i].slot)[0] ==
				w.content[file][entries[i].index]);
			w.slot[file][entries[i].index] = entries[i].slot;
		}
		MSG(&req, vm_cache_list_req)->next = MSG(&rep, vm_info_rep)->next;
	} while (MSG(&rep, vm_info_rep)->next != 0);
}

static void vfs_read(int file, uint64_t index)
{
	uint32_t slots[4];
	int count = get_pages(vm_call_cache_map, EP_VFS, (uint64_t)file + 1, index, 4, slots);

	CHECK(count == 4);
	for (int i = 0; i < count; i++) {
		if (slots[i] == VM_CACHE_NO_SLOT) {
			continue;
		}
		CHECK(index + i < w.size[file]);
		CHECK(page_of(EP_VFS, &w.reader, slots[i])[0] == w.content[file][index + i]);
		*marks_of(EP_VFS, &w.reader, slots[i]) &= (uint8_t)~VM_CACHE_PINNED;
	}
}

/* Serve what VM has asked VFS, as VFS and the file system do. */
static void serve_requests(void)
{
	while (fake.vfs_request.type != 0) {
		const struct vfs_vm_request req = *MSG(&fake.vfs_request, vfs_vm_request);
		int file = req.file;
		uint64_t first = req.offset >> AXO_PAGE_SHIFT, count = req.len >> AXO_PAGE_SHIFT;
		uint64_t have = first < w.size[file] ? u64_min(count, w.size[file] - first) : 0;

		CHECK(req.what == VFS_VM_PEEK || req.what == VFS_VM_MKWRITE);
		for (uint64_t i = 0; i < have; i++) {
			fs_unpin(fs_get(file, first + i),
				req.what == VFS_VM_MKWRITE ? VM_CACHE_DIRTY : 0);
		}
		fake_vfs_answer(&w.vm, req.what == VFS_VM_MKWRITE && have == 0 ? -EFAULT : 0,
			have << AXO_PAGE_SHIFT, -1, 0, 0);
	}
}

static void map_file(struct mapped *p)
{
	int64_t result;

	p->file = (int)random_below(FILES);
	p->is_shared = random_below(2);
	memset(p->is_copied, 0, sizeof(p->is_copied));
	result = fake_call(&w.vm, p->ep, LINUX_NR_mmap, 0, PAGES * AXO_PAGE_SIZE,
		PROT_READ | PROT_WRITE, p->is_shared ? MAP_SHARED : MAP_PRIVATE, 3, 0);
	CHECK(result == INT64_MIN);
	fake_vfs_looked_up(
		&w.vm, w.size[p->file] << AXO_PAGE_SHIFT, p->file, DEV, (uint64_t)p->file + 1, 3);
	CHECK(fake.has_reply && fake.reply > 0);
	p->at = (vaddr_t)fake.reply;
}

static void touch(struct mapped *p)
{
	uint64_t index = random_below(PAGES);
	bool write = random_below(2);
	uint8_t *byte = NULL;
	uint64_t *value;

	for (int tries = 0; byte == NULL && fake.signal == 0 && tries < 8; tries++) {
		byte = fake_touch(&w.vm, p->ep, p->at + index * AXO_PAGE_SIZE, write);
		serve_requests();
	}
	if (index >= w.size[p->file]) {
		CHECK(byte == NULL && fake.signal == 7);
		fake.signal = 0;
		return;
	}
	CHECK(byte != NULL);
	value = (uint64_t *)(void *)byte;
	CHECK(*value == (p->is_copied[index] ? p->copy[index] : w.content[p->file][index]));
	if (!write) {
		return;
	}
	*value = random_next(&w.seed);
	if (p->is_shared) {
		w.content[p->file][index] = *value;
	} else {
		p->is_copied[index] = true;
		p->copy[index] = *value;
	}
}

static void step_process(struct mapped *p)
{
	if (p->ep == EP_NONE) {
		p->ep = fake_process(&w.vm);
		p->at = 0;
	} else if (random_below(50) == 0) {
		fake_exit(&w.vm, p->ep);
		p->ep = EP_NONE;
		p->file = -1;
	} else if (p->at == 0) {
		map_file(p);
	} else if (random_below(30) == 0) {
		CHECK(fake_call(&w.vm, p->ep, LINUX_NR_munmap, p->at, PAGES * AXO_PAGE_SIZE, 0, 0,
			      0, 0) == 0);
		p->at = 0;
		p->file = -1;
	} else {
		touch(p);
	}
}

/* A program takes much memory for a while: caches shrink; it is served all the same. */
static void press(void)
{
	endpoint_t ep = fake_process(&w.vm);
	uint64_t pages = 1000;
	int64_t at = fake_call(&w.vm, ep, LINUX_NR_mmap, 0, pages * AXO_PAGE_SIZE,
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);

	fs_write_all_back();
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t *value = (uint64_t *)(void *)fake_touch(
			&w.vm, ep, (vaddr_t)at + i * AXO_PAGE_SIZE, true);

		CHECK(value != NULL && *value == 0);
		*value = i;
	}
	CHECK_SOUND(&w.vm);
	fake_exit(&w.vm, ep);
}

static void boot(uint64_t pages)
{
	memset(&w, 0, sizeof(w));
	fake_boot(&w.vm, pages);
	fake.next_slot = 100; /* away from the servers */
	fake_service(&w.vm, EP_VFS);
	fake_service(&w.vm, FS_EP);
	CHECK(open_window(FS_EP, DEV, &w.fs) == -EPERM);
	bind();
	CHECK(open_window(FS_EP, DEV, &w.fs) == 0);
	CHECK(open_window(EP_VFS, 0, &w.reader) == 0);
	memset(w.slot, 0xff, sizeof(w.slot));
	for (int i = 0; i < PROCS; i++) {
		w.procs[i].ep = EP_NONE;
		w.procs[i].file = -1;
	}
}

static void random_step(void)
{
	int file = (int)random_below(FILES);
	uint64_t index = random_below(PAGES);

	switch (random_below(20)) {
	case 0:
		fs_truncate(file, index);
		break;
	case 1:
	case 2:
		w.size[file] = u64_max(w.size[file], index + 1);
		fs_write(file, index);
		break;
	case 3:
	case 4:
		fs_write_back(file, index);
		break;
	case 5:
		if (random_below(20) == 0) {
			fs_restart();
		}
		break;
	case 6:
		if (random_below(20) == 0) {
			press();
		}
		break;
	case 7:
	case 8:
		vfs_read(file, random_below(PAGES - 4));
		break;
	case 9:
	case 10:
		if (index < w.size[file]) {
			fs_read(file, index);
		}
		break;
	default:
		step_process(&w.procs[random_below(PROCS)]);
		break;
	}
}

static void test_random(uint64_t seed)
{
	boot(MACHINE);
	w.seed = seed;
	for (int i = 0; i < STEPS; i++) {
		random_step();
		if (i % 64 == 0) {
			CHECK_SOUND(&w.vm);
		}
	}
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

/* What a page is not evicted for, and that VFS's pins outlive a truncation. */
static void test_pins(void)
{
	uint32_t slot, reader;

	boot(MACHINE);
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

	boot(700);
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

static void test_errors_and_unbind(void)
{
	struct message req = {.type = VM_CACHE_UNBIND}, rep;
	uint64_t before;
	uint32_t slot;

	boot(MACHINE);
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
	CHECK(call(vm_call_cache_unbind, EP_VFS, &req, &rep) == 0);
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

	boot(MACHINE);
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

	boot(MACHINE);
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
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

/* Each allocation of a scenario fails once in turn: an error or a wait, never damage. */
static void test_no_memory(void)
{
	for (uint64_t n = 1;; n++) {
		uint32_t slots[8];
		bool was_reached;

		boot(MACHINE);
		w.vm.pool.fail_countdown = n;
		w.size[0] = PAGES;
		(void)get_pages(vm_call_cache_get, FS_EP, 1, 0, 8, slots);
		(void)get_pages(vm_call_cache_get, FS_EP, 2, 4096, 8, slots);
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

int main(void)
{
	test_pins();
	test_errors_and_unbind();
	test_pressure();
	test_rights();
	test_waiting_calls();
	test_no_memory();
	for (uint64_t seed = 1; seed <= 4; seed++) {
		test_random(seed);
	}
	puts("vm cache: ok");
	return 0;
}
