/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs' calls of the mmap family (and services' brk, mmap and munmap, which libc's malloc
 * makes). */
#include "servers/vm/linux.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "lib/core/util.h"
#include "lib/sys/asyn.h"
#include "lib/sys/ipc.h"
#include "proto/vfs.h"
#include "servers/vm/call.h"
#include "servers/vm/file.h"
#include "servers/vm/job.h"
#include "servers/vm/mapping.h"
#include "servers/vm/thread.h"

/* Flags that MAP_SHARED_VALIDATE may be combined with. */
#define KNOWN_MAP_FLAGS                                                                      \
	(MAP_TYPE | MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS | MAP_GROWSDOWN |        \
		MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | \
		MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | 0x40 /* MAP_32BIT */)

/* VFS's LOOKUP: bits of vm_vfs_reply.mode. */
#define LOOKUP_READABLE    1
#define LOOKUP_WRITABLE    2
#define LOOKUP_ZERO_DEVICE 4
#define LOOKUP_SEALED      8

static struct mapping mapping_of(const struct linux_call *call)
{
	return (struct mapping){
		.addr = call->arg[0],
		.len = call->arg[1],
		.prot = (int)call->arg[2],
		.flags = (int)call->arg[3],
		.offset = call->arg[5],
		.file_limit = UINT64_MAX,
		.max_prot = REGION_PROT_ALL,
	};
}

/* Ask VFS about the descriptor; the answer goes on in vm_lookup_done(). */
static int64_t start_lookup(struct vm *vm, const struct linux_call *call, endpoint_t ep)
{
	struct job job = {.kind = JOB_LOOKUP, .ep = ep, .target = ep, .call = *call};
	struct message m = {.type = VFS_VM_REQUEST};
	struct vfs_vm_request *req = MSG(&m, vfs_vm_request);

	job.wait_for = ++vm->next_request;
	req->id = job.wait_for;
	req->what = VFS_VM_LOOKUP;
	req->ep = ep;
	req->fd = (int32_t)call->arg[4];
	req->len = call->arg[2];
	req->offset = call->arg[3];
	if (job_wait_lookup(vm, &job) != 0) {
		return -ENOMEM;
	}
	if (asyn_send(EP_VFS, &m) != 0) {
		heap_free(&vm->heap, job_take_lookup(vm, job.wait_for));
		return -ENOMEM;
	}
	return -EDONTREPLY;
}

static int64_t linux_mmap(
	struct vm *vm, struct space *space, const struct linux_call *call, endpoint_t ep)
{
	struct mapping mapping = mapping_of(call);
	vaddr_t addr;
	int result;

	if (mapping.offset & AXO_PAGE_MASK) {
		return -EINVAL;
	}
	result = linux_may_map_locked(space, ep, (uint64_t)mapping.flags, mapping.len);
	if (result != 0) {
		return result;
	}
	if (!(mapping.flags & MAP_ANONYMOUS)) {
		return space->is_service ? -ENODEV : start_lookup(vm, call, ep);
	}
	if ((mapping.flags & MAP_TYPE) == MAP_SHARED_VALIDATE) {
		return -EINVAL;
	}
	result = mapping_create(vm, space, &mapping, &addr);
	return result != 0 ? result : (int64_t)addr;
}

/* Whether a file may be mapped so; the rights that the mapping may ever have go to max_prot. */
static int check_file(struct vm *vm, struct mapping *mapping, const struct vm_vfs_reply *reply)
{
	int type = mapping->flags & MAP_TYPE;
	bool is_shared = type != MAP_PRIVATE;
	bool is_stored = is_shared && (mapping->prot & PROT_WRITE);

	if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE) {
		return -EINVAL;
	}
	if (mapping->offset > INT64_MAX - u64_min(mapping->len, INT64_MAX)) {
		return -EOVERFLOW;
	}
	if (type == MAP_SHARED_VALIDATE && (mapping->flags & ~KNOWN_MAP_FLAGS)) {
		return -EOPNOTSUPP;
	}
	if (!(reply->mode & LOOKUP_READABLE) || (is_stored && !(reply->mode & LOOKUP_WRITABLE))) {
		return -EACCES;
	}
	if (is_stored && (reply->mode & LOOKUP_SEALED)) {
		return -EPERM;
	}
	if (!cache_client_is_open(cache_client_find(vm, reply->dev))) {
		return -ENODEV; /* its file system keeps no pages here */
	}
	if (is_shared && (!(reply->mode & LOOKUP_WRITABLE) || (reply->mode & LOOKUP_SEALED))) {
		mapping->max_prot &= ~REGION_PROT_WRITE;
	}
	return 0;
}

/* Whether stores through the mapping can ever reach the file. */
static bool may_store(const struct mapping *mapping)
{
	return (mapping->flags & MAP_TYPE) != MAP_PRIVATE &&
		(mapping->max_prot & REGION_PROT_WRITE);
}

/* The mapping of a file that VFS has looked up; its reference is VM's now. */
static int64_t map_looked_up(struct vm *vm, struct space *space, const struct linux_call *call,
	endpoint_t ep, const struct vm_vfs_reply *reply)
{
	struct mapping mapping = mapping_of(call);
	vaddr_t addr;
	int result;

	if (reply->mode & LOOKUP_ZERO_DEVICE) {
		file_drop_handle(reply->file);
		mapping.flags |= MAP_ANONYMOUS;
		result = mapping_create(vm, space, &mapping, &addr);
		return result != 0 ? result : (int64_t)addr;
	}
	result = check_file(vm, &mapping, reply);
	if (result != 0) {
		file_drop_handle(reply->file);
		return result;
	}
	mapping.file = file_get(vm, reply->dev, reply->ino, -1);
	if (mapping.file == NULL) {
		file_drop_handle(reply->file);
		return -ENOMEM;
	}
	result = mapping_create(vm, space, &mapping, &addr);
	if (result == 0) {
		file_adopt(mapping.file, reply->file, may_store(&mapping));
	} else {
		file_drop_handle(reply->file);
	}
	file_put(vm, mapping.file);
	if (result != 0) {
		return result;
	}
	if (((mapping.flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE) ||
		(mapping.flags & MAP_LOCKED) || (space->lock_future && !space->lock_on_fault)) {
		job_populate(
			vm, ep, addr, addr + AXO_PAGE_UP(mapping.len), (int64_t)addr, false, false);
		return -EDONTREPLY;
	}
	return (int64_t)addr;
}

void vm_lookup_done(struct vm *vm, const struct vm_vfs_reply *reply)
{
	struct job *job = job_take_lookup(vm, reply->id);
	struct space *space = job == NULL ? NULL : thread_space(vm, job->ep);

	if (space == NULL) {
		if (reply->result == 0) {
			file_drop_handle(reply->file);
		}
	} else if (reply->result < 0) {
		ipc_reply_call(job->ep, reply->result);
	} else {
		int64_t result = map_looked_up(vm, space, &job->call, job->ep, reply);

		space_flush(vm, space);
		if (result != -EDONTREPLY) {
			ipc_reply_call(job->ep, result);
		}
	}
	heap_free(&vm->heap, job);
}

static int64_t dispatch(
	struct vm *vm, struct space *space, int nr, const struct linux_call *call, endpoint_t ep)
{
	const uint64_t *arg = call->arg;

	switch (nr) {
	case LINUX_NR_mmap:
		return linux_mmap(vm, space, call, ep);
	case LINUX_NR_munmap:
		return mapping_remove(vm, space, arg[0], arg[1]);
	case LINUX_NR_mprotect:
		return mapping_protect(vm, space, arg[0], arg[1], (int)arg[2]);
	case LINUX_NR_brk:
		return (int64_t)mapping_brk(vm, space, arg[0]);
	case LINUX_NR_mremap:
		return linux_mremap(vm, space, arg);
	case LINUX_NR_madvise:
		return linux_madvise(vm, space, ep, arg);
	case LINUX_NR_msync:
		return linux_msync(vm, space, ep, arg);
	case LINUX_NR_mincore:
		return linux_mincore(vm, space, arg);
	case LINUX_NR_mlock:
	case LINUX_NR_mlock2:
		return linux_mlock(
			vm, space, ep, arg[0], arg[1], nr == LINUX_NR_mlock2 ? arg[2] : 0);
	case LINUX_NR_munlock:
		return linux_munlock(vm, space, arg[0], arg[1]);
	case LINUX_NR_mlockall:
		return linux_mlockall(vm, space, ep, arg[0]);
	case LINUX_NR_munlockall:
		return linux_munlockall(vm, space);
	default:
		return -ENOSYS;
	}
}

void vm_linux_call(struct vm *vm, const struct message *m)
{
	struct space *space = thread_space(vm, m->source);
	int64_t result = -ESRCH;

	if (space != NULL) {
		result = dispatch(vm, space, LINUX_CALL_NR(m->type), &m->call, m->source);
		space_flush(vm, space);
	}
	if (result != -EDONTREPLY) {
		ipc_reply_call(m->source, result);
	}
}
