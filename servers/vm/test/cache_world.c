/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/test/cache_world.h"

#include <errno.h>
#include <string.h>

#include "proto/vfs.h"
#include "servers/vm/thread.h"

struct world w;

uint64_t random_below(uint64_t limit)
{
	return random_next(&w.seed) % limit;
}

int world_call(call_fn *fn, endpoint_t source, struct message *req, struct message *rep)
{
	return fake_request(&w.vm, fn, source, req, rep);
}

static uint8_t *memory_of(endpoint_t ep, vaddr_t addr)
{
	return fake_memory_of(&w.vm, ep, addr);
}

uint8_t *marks_of(endpoint_t ep, const struct vm_cache_open_rep *window, uint32_t slot)
{
	return memory_of(ep, window->marks + slot);
}

uint64_t *page_of(endpoint_t ep, const struct vm_cache_open_rep *window, uint32_t slot)
{
	return (uint64_t *)(void *)memory_of(ep, window->window + slot * AXO_PAGE_SIZE);
}

static int open_window(endpoint_t ep, uint64_t dev, struct vm_cache_open_rep *window)
{
	struct message req = {.type = VM_CACHE_OPEN}, rep;
	int result;

	MSG(&req, vm_cache_open_req)->dev = dev;
	result = world_call(vm_call_cache_open, ep, &req, &rep);
	*window = *MSG(&rep, vm_cache_open_rep);
	return result;
}

int get_pages(
	call_fn *fn, endpoint_t ep, uint64_t ino, uint64_t index, uint32_t count, uint32_t *slots)
{
	struct message req = {.type = VM_CACHE_GET}, rep;
	int result;

	*MSG(&req, vm_cache_get_req) = (struct vm_cache_get_req){
		.dev = DEV, .ino = ino, .index = index, .count = count, .to = FAKE_ANSWERS};
	result = world_call(fn, ep, &req, &rep);
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
	CHECK(world_call(vm_call_cache_bind, EP_VFS, &req, &rep) == 0);
}

static void forget(uint64_t ino, uint64_t first, uint64_t end)
{
	struct message req = {.type = VM_CACHE_FORGET}, rep;

	*MSG(&req, vm_cache_range_req) =
		(struct vm_cache_range_req){.dev = DEV, .ino = ino, .first = first, .end = end};
	CHECK(world_call(vm_call_cache_forget, FS_EP, &req, &rep) == 0);
}

int fs_tell_place(uint32_t slot, uint64_t place)
{
	struct vm_cache_name name = {.slot = slot, .index = place};
	struct message req = {.type = VM_CACHE_GET}, rep;

	memcpy(memory_of(FS_EP, FAKE_ANSWERS), &name, sizeof(name));
	*MSG(&req, vm_cache_get_req) =
		(struct vm_cache_get_req){.dev = DEV, .names = FAKE_ANSWERS, .name_count = 1};
	return world_call(vm_call_cache_get, FS_EP, &req, &rep);
}

/* Slots that VM gives out are no longer what they were. */
static void forget_slot(uint32_t slot)
{
	for (int f = 0; f < FILES; f++) {
		for (int i = 0; i < PAGES; i++) {
			if (w.slot[f][i] == slot) {
				w.slot[f][i] = VM_CACHE_NO_SLOT;
			}
		}
	}
}

/* The file system's own look-up: its memory, then VM, then the disk. The slot is pinned. */
uint32_t fs_get(int file, uint64_t index)
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
	forget_slot(slot);
	w.slot[file][index] = slot;
	marks = marks_of(FS_EP, &w.fs, slot);
	CHECK(*marks & VM_CACHE_PINNED);
	if (!(*marks & VM_CACHE_VALID)) {
		CHECK(page_of(FS_EP, &w.fs, slot)[0] == 0 && page_of(FS_EP, &w.fs, slot)[511] == 0);
		page_of(FS_EP, &w.fs, slot)[0] = w.disk[file][index];
		*marks |= VM_CACHE_VALID;
		CHECK(fs_tell_place(slot, w.place[file][index]) == 0);
	}
	return slot;
}

void fs_place(int file, uint64_t index, uint64_t place)
{
	uint32_t slot;

	for (int f = 0; f < FILES; f++) {
		for (int i = 0; i < PAGES; i++) {
			if (w.place[f][i] == place) {
				w.place[f][i] = VM_CACHE_NO_INDEX;
			}
		}
	}
	fs_free_own(place);
	w.place[file][index] = place;
	slot = fs_get(file, index);
	CHECK(fs_tell_place(slot, place) == 0);
	fs_unpin(slot, 0);
}

/* The device's own page, pinned. */
static uint32_t get_own(uint64_t place)
{
	uint32_t slot;
	uint8_t *marks;

	CHECK(get_pages(vm_call_cache_get, FS_EP, 0, place, 1, &slot) == 1);
	forget_slot(slot);
	marks = marks_of(FS_EP, &w.fs, slot);
	if (!(*marks & VM_CACHE_VALID)) {
		CHECK(page_of(FS_EP, &w.fs, slot)[0] == 0);
		page_of(FS_EP, &w.fs, slot)[0] = w.own[place];
		*marks |= VM_CACHE_VALID;
	}
	CHECK(page_of(FS_EP, &w.fs, slot)[0] == w.own[place]);
	return slot;
}

void fs_own(uint64_t place)
{
	for (int f = 0; f < FILES; f++) {
		for (int i = 0; i < PAGES; i++) {
			if (w.place[f][i] == place) {
				w.place[f][i] = VM_CACHE_NO_INDEX;
			}
		}
	}
	if (!w.is_own[place]) {
		w.is_own[place] = true;
		w.own[place] = random_next(&w.seed);
	}
	fs_unpin(get_own(place), 0);
}

void fs_free_own(uint64_t place)
{
	if (w.is_own[place]) {
		forget(0, place, place + 1);
		w.is_own[place] = false;
	}
}

bool device_content(uint64_t place, uint64_t *content)
{
	*content = w.own[place];
	for (int f = 0; f < FILES && !w.is_own[place]; f++) {
		for (uint64_t i = 0; i < w.size[f]; i++) {
			if (w.place[f][i] == place) {
				*content = w.content[f][i];
				return true;
			}
		}
	}
	return w.is_own[place];
}

void fs_unpin(uint32_t slot, uint8_t more)
{
	uint8_t *marks = marks_of(FS_EP, &w.fs, slot);

	*marks = (uint8_t)((*marks | VM_CACHE_USED | more) & ~VM_CACHE_PINNED);
}

void fs_read(int file, uint64_t index)
{
	uint32_t slot = fs_get(file, index);

	CHECK(page_of(FS_EP, &w.fs, slot)[0] == w.content[file][index]);
	fs_unpin(slot, 0);
}

void fs_write(int file, uint64_t index)
{
	uint32_t slot = fs_get(file, index);

	w.content[file][index] = random_next(&w.seed);
	page_of(FS_EP, &w.fs, slot)[0] = w.content[file][index];
	fs_unpin(slot, VM_CACHE_DIRTY);
}

void fs_write_back(int file, uint64_t index)
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
		CHECK(world_call(vm_call_cache_protect, FS_EP, &req, &rep) == 0);
		CHECK(!(*marks & VM_CACHE_WMAPPED));
	}
	*marks &= (uint8_t)~VM_CACHE_DIRTY;
	w.disk[file][index] = page_of(FS_EP, &w.fs, slot)[0];
}

void fs_write_all_back(void)
{
	for (int file = 0; file < FILES; file++) {
		for (uint64_t index = 0; index < w.size[file]; index++) {
			fs_write_back(file, index);
		}
	}
}

void fs_truncate(int file, uint64_t size)
{
	forget((uint64_t)file + 1, size, UINT64_MAX);
	for (uint64_t index = size; index < PAGES; index++) {
		w.content[file][index] = 0;
		w.disk[file][index] = 0;
		w.slot[file][index] = VM_CACHE_NO_SLOT;
		w.place[file][index] = VM_CACHE_NO_INDEX;
		for (int i = 0; i < PROCS; i++) {
			if (w.procs[i].file == file) {
				w.procs[i].is_copied[index] = false;
			}
		}
	}
	w.size[file] = size;
}

/* The process dies, another one takes its place: what was dirty is still there. */
void fs_restart(void)
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
		CHECK(world_call(vm_call_cache_list, FS_EP, &req, &rep) == 0);
		entries = (struct vm_cache_entry *)(void *)memory_of(FS_EP, FAKE_ANSWERS);
		for (uint64_t i = 0; i < MSG(&rep, vm_info_rep)->count; i++) {
			int file = (int)entries[i].ino - 1;

			CHECK(entries[i].marks & VM_CACHE_VALID);
			if (entries[i].ino == 0) {
				CHECK(w.is_own[entries[i].index]);
				CHECK(entries[i].device_index == VM_CACHE_NO_INDEX);
				continue;
			}
			CHECK(entries[i].device_index == w.place[file][entries[i].index]);
			CHECK(page_of(FS_EP, &w.fs, entries[i].slot)[0] ==
				w.content[file][entries[i].index]);
			w.slot[file][entries[i].index] = entries[i].slot;
		}
		MSG(&req, vm_cache_list_req)->next = MSG(&rep, vm_info_rep)->next;
	} while (MSG(&rep, vm_info_rep)->next != 0);
}

void vfs_read(int file, uint64_t index)
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

bool vfs_read_device(uint64_t place)
{
	uint64_t content;
	uint32_t slot;

	CHECK(get_pages(vm_call_cache_map, EP_VFS, 0, place, 1, &slot) == 1);
	if (slot == VM_CACHE_NO_SLOT) {
		return false;
	}
	CHECK(device_content(place, &content));
	CHECK(page_of(EP_VFS, &w.reader, slot)[0] == content);
	*marks_of(EP_VFS, &w.reader, slot) &= (uint8_t)~VM_CACHE_PINNED;
	return true;
}

/* A fault on the device: the page of the file that lies there, or one of the device's own. */
static bool peek_device(uint64_t place)
{
	for (int f = 0; f < FILES; f++) {
		for (uint64_t i = 0; i < w.size[f]; i++) {
			if (w.place[f][i] == place) {
				uint32_t slot = fs_get(f, i);

				CHECK(fs_tell_place(slot, place) == 0);
				fs_unpin(slot, 0);
				return true;
			}
		}
	}
	if (w.is_own[place]) {
		fs_unpin(get_own(place), 0);
	}
	return w.is_own[place];
}

/* Serve what VM has asked VFS, as VFS and the file system do. */
void serve_requests(void)
{
	while (fake.vfs_request.type != 0) {
		const struct vfs_vm_request req = *MSG(&fake.vfs_request, vfs_vm_request);
		int file = req.file;
		uint64_t first = req.offset >> AXO_PAGE_SHIFT, count = req.len >> AXO_PAGE_SHIFT;
		uint64_t size = file == DEVICE ? 0 : w.size[file];
		uint64_t have = first < size ? u64_min(count, size - first) : 0;

		CHECK(req.what == VFS_VM_PEEK || (req.what == VFS_VM_MKWRITE && file != DEVICE));
		while (file == DEVICE && have < count && peek_device(first + have)) {
			have++;
		}
		for (uint64_t i = 0; i < have && file != DEVICE; i++) {
			fs_unpin(fs_get(file, first + i),
				req.what == VFS_VM_MKWRITE ? VM_CACHE_DIRTY : 0);
		}
		fake_vfs_answer(&w.vm, req.what == VFS_VM_MKWRITE && have == 0 ? -EFAULT : 0,
			have << AXO_PAGE_SHIFT, -1, 0, 0);
	}
}
void world_boot(uint64_t pages)
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
	memset(w.place, 0xff, sizeof(w.place));
	for (int i = 0; i < PROCS; i++) {
		w.procs[i].ep = EP_NONE;
		w.procs[i].file = -1;
	}
}
