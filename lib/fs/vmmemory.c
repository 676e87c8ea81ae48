/* SPDX-License-Identifier: BSD-2-Clause */
/* VM's page cache as the memory of a cache: one call each. */
#include "lib/fs/vmmemory.h"

#include "lib/sys/ipc.h"
#include "proto/vm.h"

static uint64_t dev_of(const struct fs_cache_memory *memory)
{
	return ((const struct fs_vm_memory *)(const void *)memory)->dev;
}

static int vm_open(struct fs_cache_memory *memory, struct fs_window *window)
{
	struct message m = {.type = VM_CACHE_OPEN};
	const struct vm_cache_open_rep *rep = MSG(&m, vm_cache_open_rep);
	int error;

	MSG(&m, vm_cache_open_req)->dev = dev_of(memory);
	error = ipc_call(EP_VM, &m);
	if (error == 0) {
		window->pages = (uint8_t *)rep->window;
		window->marks = (uint8_t *)rep->marks;
		window->slots = (uint32_t)u64_min(rep->slots, VM_CACHE_NO_SLOT);
		window->cached = rep->cached;
	}
	return error;
}

static int vm_get(struct fs_cache_memory *memory, const struct fs_cache_wish *wish, uint32_t *slots,
	struct fs_room *room)
{
	struct message m = {.type = VM_CACHE_GET};
	const struct vm_cache_get_rep *rep = MSG(&m, vm_cache_get_rep);
	int error;

	*MSG(&m, vm_cache_get_req) = (struct vm_cache_get_req){.dev = dev_of(memory),
		.ino = wish->ino,
		.index = wish->index,
		.count = wish->count,
		.to = (uint64_t)slots,
		.names = (uint64_t)wish->names,
		.name_count = wish->name_count};
	error = ipc_call(EP_VM, &m);
	if (error != 0) {
		return error;
	}
	room->free_pages = rep->free_pages;
	room->clean_pages = rep->clean_pages;
	return (int)u64_min(rep->count, wish->count);
}

static int vm_forget(struct fs_cache_memory *memory, uint64_t ino, uint64_t first, uint64_t end)
{
	struct message m = {.type = VM_CACHE_FORGET};

	*MSG(&m, vm_cache_range_req) = (struct vm_cache_range_req){
		.dev = dev_of(memory), .ino = ino, .first = first, .end = end};
	return ipc_call(EP_VM, &m);
}

static int vm_protect(struct fs_cache_memory *memory, const uint32_t *slots, uint32_t count)
{
	struct message m = {.type = VM_CACHE_PROTECT};

	*MSG(&m, vm_cache_slots_req) = (struct vm_cache_slots_req){
		.dev = dev_of(memory), .slots = (uint64_t)slots, .count = count};
	return ipc_call(EP_VM, &m);
}

static int vm_list(struct fs_cache_memory *memory, uint64_t *next, struct vm_cache_entry *entries,
	size_t count)
{
	struct message m = {.type = VM_CACHE_LIST};
	int error;

	*MSG(&m, vm_cache_list_req) = (struct vm_cache_list_req){.dev = dev_of(memory),
		.next = *next,
		.to = (uint64_t)entries,
		.bytes = count * sizeof(entries[0])};
	error = ipc_call(EP_VM, &m);
	if (error != 0) {
		return error;
	}
	*next = MSG(&m, vm_info_rep)->next;
	return (int)u64_min(MSG(&m, vm_info_rep)->count, count);
}

void fs_vm_memory_init(struct fs_vm_memory *memory, uint64_t dev)
{
	memory->memory = (struct fs_cache_memory){vm_open, vm_get, vm_forget, vm_protect, vm_list};
	memory->dev = dev;
}
