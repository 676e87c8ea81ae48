/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot services' files: RS takes those that it wants to start again, the others are freed
 * (BOOT-08). */
#include <errno.h>
#include <string.h>

#include "servers/vm/boot.h"
#include "servers/vm/call.h"
#include "servers/vm/thread.h"

void boot_keep_file(struct vm *vm, const char *name, paddr_t start, uint64_t bytes)
{
	for (unsigned i = 0; i < VM_BOOT_FILES; i++) {
		struct boot_file *file = &vm->boot_files[i];

		if (file->range.bytes == 0) {
			strncpy(file->name, name, sizeof(file->name) - 1);
			file->range = (struct mem_range){start, AXO_PAGE_UP(bytes)};
			file->bytes = bytes;
			return;
		}
	}
}

static bool is_within(const struct mem_range *range, paddr_t at)
{
	return at >= range->start && at - range->start < range->bytes;
}

static bool is_kept(const struct vm *vm, paddr_t at)
{
	bool kept = is_within(&vm->bootdisk, at);

	for (unsigned i = 0; i < VM_BOOT_FILES; i++) {
		kept |= is_within(&vm->boot_files[i].range, at);
	}
	return kept;
}

void boot_free_rest(struct vm *vm)
{
	const struct mem_range *module = &vm->kinfo.module;

	for (uint64_t at = 0; at < AXO_PAGE_UP(module->bytes); at += AXO_PAGE_SIZE) {
		if (!is_kept(vm, module->start + at)) {
			page_free_range(&vm->pool, module->start + at, AXO_PAGE_SIZE);
		}
	}
}

static void forget(struct vm *vm, struct boot_file *file)
{
	page_free_range(&vm->pool, file->range.start, file->range.bytes);
	memset(file, 0, sizeof(*file));
	vm->memory_was_freed = true;
}

/* Make the file's pages anonymous memory of the space; what does not get there stays as it was. */
static int give(struct vm *vm, struct space *space, const struct boot_file *file, vaddr_t at)
{
	struct region *region =
		region_new(vm, &memtype_anon, at, file->range.bytes, REGION_PROT_READ, 0);
	pfn_t first = file->range.start >> AXO_PAGE_SHIFT;

	if (region == NULL) {
		return -ENOMEM;
	}
	region_insert(space, region);
	for (uint64_t i = 0; i < file->range.bytes >> AXO_PAGE_SHIFT; i++) {
		page_set_kind(&vm->pool, first + i, PAGE_ANON);
		page_info(&vm->pool, first + i)->refs = 1;
		if (space_map_page(vm, region, at + (i << AXO_PAGE_SHIFT), first + i, false) != 0) {
			(void)space_unmap(vm, space, at, at + file->range.bytes);
			return -ENOMEM;
		}
	}
	return 0;
}

int vm_call_bootbinary(struct vm *vm, const struct call *call)
{
	const struct vm_bootbinary_req *req = MSG(call->req, vm_bootbinary_req);
	struct vm_bootdisk_rep *rep = MSG(call->rep, vm_bootdisk_rep);
	struct space *space = thread_space(vm, call->source);

	if (space == NULL || memchr(req->name, '\0', sizeof(req->name)) == NULL) {
		return -EINVAL;
	}
	for (unsigned i = 0; i < VM_BOOT_FILES; i++) {
		struct boot_file *file = &vm->boot_files[i];
		int result;

		if (file->range.bytes == 0) {
			continue;
		}
		if (req->name[0] == '\0') {
			forget(vm, file);
		} else if (strcmp(file->name, req->name) == 0) {
			rep->addr = space_find_room(space, 0, file->range.bytes);
			rep->len = file->bytes;
			result = rep->addr == 0 ? -ENOMEM : give(vm, space, file, rep->addr);
			/* Only what was not given is still the module's. */
			forget(vm, file);
			return result;
		}
	}
	return req->name[0] == '\0' ? 0 : -ENOENT;
}
