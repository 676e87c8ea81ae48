/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of another process: what VFS and RS do for exec, and VFS's part in mappings of files. */
#include <errno.h>
#include <sys/mman.h>

#include "lib/sys/kcall.h"
#include "servers/vm/call.h"
#include "servers/vm/fault.h"
#include "servers/vm/file.h"
#include "servers/vm/job.h"
#include "servers/vm/mapping.h"
#include "servers/vm/thread.h"

/* Map the pages that come from the file, then anonymous ones for the rest. The file's reference is
 * the caller's. */
static int map_file_part(struct vm *vm, struct space *space, const struct vm_mmap_for_req *req,
	struct file *file, vaddr_t *addr)
{
	uint64_t file_len = AXO_PAGE_UP(req->file_bytes);
	struct mapping mapping = {
		.addr = req->addr,
		.len = req->len,
		.prot = req->prot,
		.flags = req->flags,
		.file = file,
		.offset = req->offset,
		.file_limit = req->offset + req->file_bytes,
		.max_prot = REGION_PROT_ALL,
	};
	vaddr_t rest;
	int result;

	if ((mapping.flags & MAP_TYPE) != MAP_PRIVATE) {
		mapping.max_prot &= ~REGION_PROT_WRITE;
		if (mapping.prot & PROT_WRITE) {
			return -ENODEV;
		}
	}
	if (file_len < req->len) {
		/* The whole range first, so that the rest cannot fail to find its place. */
		mapping.file = NULL;
		mapping.offset = 0;
		result = mapping_create(vm, space, &mapping, &rest);
		if (result != 0) {
			return result;
		}
		mapping.addr = rest;
		mapping.len = file_len;
		mapping.offset = req->offset;
		mapping.file = file;
		mapping.flags = (mapping.flags & ~MAP_FIXED_NOREPLACE) | MAP_FIXED;
	}
	result = mapping_create(vm, space, &mapping, addr);
	if (result != 0 && file_len < req->len) {
		(void)space_unmap(vm, space, rest, rest + AXO_PAGE_UP(req->len));
	}
	return result;
}

/* VFS's reference to the file becomes VM's if all goes well, else it stays VFS's. */
static int map_file(
	struct vm *vm, struct space *space, const struct vm_mmap_for_req *req, vaddr_t *addr)
{
	struct file *file = file_find(vm, req->dev, req->ino);
	bool is_known = file != NULL;
	int result;

	if (is_known) {
		file_hold(file);
	} else {
		file = file_get(vm, req->dev, req->ino, req->file);
		if (file == NULL) {
			return -ENOMEM;
		}
	}
	result = map_file_part(vm, space, req, file, addr);
	if (is_known && result == 0) {
		file_adopt(file, req->file, false);
	} else if (!is_known && result != 0) {
		file->handle = -1;
	}
	file_put(vm, file);
	return result;
}

int vm_call_mmap_for(struct vm *vm, const struct call *call)
{
	const struct vm_mmap_for_req *req = MSG(call->req, vm_mmap_for_req);
	struct space *space = thread_space(vm, req->ep);
	struct mapping mapping = {
		.addr = req->addr,
		.len = req->len,
		.prot = req->prot,
		.flags = req->flags,
		.max_prot = REGION_PROT_ALL,
	};
	vaddr_t addr;
	int result;

	if (space == NULL) {
		return -ESRCH;
	}
	if (req->file < 0 || req->file_bytes == 0) {
		result = mapping_create(vm, space, &mapping, &addr);
		if (result == 0 && req->file >= 0) {
			file_drop_handle(req->file);
		}
	} else {
		if ((req->offset & AXO_PAGE_MASK) || req->file_bytes > req->len ||
			req->offset > UINT64_MAX - AXO_PAGE_UP(req->len)) {
			return -EINVAL;
		}
		result = map_file(vm, space, req, &addr);
	}
	space_flush(vm, space);
	MSG(call->rep, vm_addr_rep)->addr = result == 0 ? addr : 0;
	return result;
}

int vm_call_munmap_for(struct vm *vm, const struct call *call)
{
	const struct vm_munmap_for_req *req = MSG(call->req, vm_munmap_for_req);
	struct space *space = thread_space(vm, req->ep);
	int result;

	if (space == NULL) {
		return -ESRCH;
	}
	result = mapping_remove(vm, space, req->addr, req->len);
	space_flush(vm, space);
	return result;
}

int vm_call_mprotect_for(struct vm *vm, const struct call *call)
{
	const struct vm_mprotect_for_req *req = MSG(call->req, vm_mprotect_for_req);
	struct space *space = thread_space(vm, req->ep);
	int result;

	if (space == NULL) {
		return -ESRCH;
	}
	result = mapping_protect(vm, space, req->addr, req->len, req->prot);
	space_flush(vm, space);
	return result;
}

/* Give a thread that shares its space with others (vfork) an empty one of its own. */
static int detach(struct vm *vm, struct vm_thread *thread)
{
	struct space *old = thread->space;
	struct space *own = space_create(vm, old->is_service);
	int result;

	if (own == NULL) {
		return -ENOMEM;
	}
	result = (int)sys_vmctl(
		VMCTL_SETADDRSPACE, thread->ep, own->id, own->pt.root << AXO_PAGE_SHIFT, 0);
	if (result != 0) {
		space_destroy(vm, own);
		return result;
	}
	own->limit_as = old->limit_as;
	own->limit_data = old->limit_data;
	own->limit_stack = old->limit_stack;
	own->limit_memlock = old->limit_memlock;
	own->owner = thread->ep;
	own->threads = 1;
	old->threads--;
	thread->space = own;
	space_clear(vm, own);
	return 0;
}

int vm_call_clear(struct vm *vm, const struct call *call)
{
	struct vm_thread *thread = thread_find(vm, MSG(call->req, vm_ep_req)->ep);

	if (thread == NULL) {
		return -ESRCH;
	}
	if (thread->space->threads > 1) {
		return detach(vm, thread);
	}
	space_clear(vm, thread->space);
	space_flush(vm, thread->space);
	return 0;
}

int vm_call_setbrk(struct vm *vm, const struct call *call)
{
	const struct vm_setbrk_req *req = MSG(call->req, vm_setbrk_req);
	struct space *space = thread_space(vm, req->ep);

	if (space == NULL) {
		return -ESRCH;
	}
	if (req->start >= USER_END || req->stack_top > USER_END) {
		return -EINVAL;
	}
	space->brk_start = req->start;
	space->brk_end = req->start;
	space->stack_top = req->stack_top;
	if (req->stack_limit != 0) {
		space->limit_stack = req->stack_limit;
	}
	return 0;
}

int vm_call_vfs_reply(struct vm *vm, const struct call *call)
{
	const struct vm_vfs_reply *reply = MSG(call->req, vm_vfs_reply);
	int result;

	if (file_answer(vm, reply, &result)) {
		job_answer(vm, reply->id, result);
	} else {
		vm_lookup_done(vm, reply);
	}
	return 0;
}

int vm_call_make_present(struct vm *vm, const struct call *call)
{
	const struct vm_make_present_req *req = MSG(call->req, vm_make_present_req);
	const struct job job = {
		.kind = JOB_PRESENT,
		.ep = call->source,
		.target = req->ep,
		.id = req->id,
		.write = req->write != 0,
		.addr = req->addr,
		.bytes = req->len,
	};

	job_start(vm, &job);
	return -EDONTREPLY;
}

int vm_call_force_store(struct vm *vm, const struct call *call)
{
	const struct vm_force_store_req *req = MSG(call->req, vm_force_store_req);
	struct space *space = thread_space(vm, req->ep);
	int result;

	if (space == NULL) {
		return -ESRCH;
	}
	if (req->bytes == 0 || req->bytes > sizeof(req->data)) {
		return -EINVAL;
	}
	result = space_force_out(vm, space, req->address, req->data, req->bytes);
	space_flush(vm, space);
	return result;
}
