/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/test/fake_fs.h"

#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "servers/vm/test/vm_test.h"
#include "servers/vm/thread.h"

static struct {
	uint64_t dev;
	struct vm_cache_open_rep window;
} fs;

uint8_t *fake_memory_of(struct vm *vm, endpoint_t ep, vaddr_t addr)
{
	pte_t pte = space_lookup(vm, thread_space(vm, ep), addr);

	CHECK(pte_is_present(pte));
	return fake.memory + pte_paddr(pte) + (addr & AXO_PAGE_MASK);
}

int fake_request(
	struct vm *vm, call_fn *fn, endpoint_t source, struct message *req, struct message *rep)
{
	const struct call call = {.source = source, .req = req, .rep = rep};

	req->source = source;
	memset(rep, 0, sizeof(*rep));
	return fn(vm, &call);
}

void fake_service(struct vm *vm, endpoint_t ep)
{
	struct space *space = space_create(vm, true);

	CHECK(space != NULL && thread_add(vm, ep, space) == 0);
	CHECK(fake_call(vm, ep, LINUX_NR_mmap, FAKE_ANSWERS, AXO_PAGE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, UINT64_MAX, 0) == FAKE_ANSWERS);
	CHECK(fake_touch(vm, ep, FAKE_ANSWERS, true) != NULL);
}

void fake_fs_start(struct vm *vm, uint64_t dev)
{
	struct message req, rep;

	fs.dev = dev;
	fake_service(vm, FAKE_FS_EP);
	*MSG(&req, vm_cache_bind_req) = (struct vm_cache_bind_req){.dev = dev, .ep = FAKE_FS_EP};
	CHECK(fake_request(vm, vm_call_cache_bind, EP_VFS, &req, &rep) == 0);
	MSG(&req, vm_cache_open_req)->dev = dev;
	CHECK(fake_request(vm, vm_call_cache_open, FAKE_FS_EP, &req, &rep) == 0);
	fs.window = *MSG(&rep, vm_cache_open_rep);
}

void fake_fs_put(struct vm *vm, uint64_t ino, uint64_t index, uint64_t bytes, uint8_t byte)
{
	struct message req, rep;
	uint32_t slot;
	uint8_t *page, *marks;

	*MSG(&req, vm_cache_get_req) = (struct vm_cache_get_req){
		.dev = fs.dev, .ino = ino, .index = index, .count = 1, .to = FAKE_ANSWERS};
	CHECK(fake_request(vm, vm_call_cache_get, FAKE_FS_EP, &req, &rep) == 0);
	memcpy(&slot, fake_memory_of(vm, FAKE_FS_EP, FAKE_ANSWERS), sizeof(slot));
	page = fake_memory_of(vm, FAKE_FS_EP, fs.window.window + slot * AXO_PAGE_SIZE);
	marks = fake_memory_of(vm, FAKE_FS_EP, fs.window.marks + slot);
	memset(page, 0, AXO_PAGE_SIZE);
	memset(page, byte, bytes);
	*marks = VM_CACHE_VALID | VM_CACHE_USED;
}

void fake_fs_truncate(struct vm *vm, uint64_t ino, uint64_t first)
{
	struct message req, rep;

	*MSG(&req, vm_cache_range_req) = (struct vm_cache_range_req){
		.dev = fs.dev, .ino = ino, .first = first, .end = UINT64_MAX};
	CHECK(fake_request(vm, vm_call_cache_forget, FAKE_FS_EP, &req, &rep) == 0);
}
