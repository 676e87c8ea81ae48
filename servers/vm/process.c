/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes and threads come and go: what PM and RS ask. */
#include <errno.h>

#include "lib/sys/kcall.h"
#include "servers/vm/call.h"
#include "servers/vm/job.h"
#include "servers/vm/thread.h"

/* Make the kernel's slot for a child in `space`; the thread is entered. Returns its endpoint or an
 * error. */
static int64_t make_child(
	struct vm *vm, const struct vm_fork_req *req, struct space *space, uint32_t flags)
{
	int64_t child;

	if (req->flags & VM_FORK_SETTLS) {
		flags |= FORK_SETTLS;
	}
	if (req->stack != 0) {
		flags |= FORK_SETSTACK;
	}
	child = sys_fork(req->parent, flags, space->id, space->pt.root << AXO_PAGE_SHIFT,
		req->stack, req->tls);
	if (child >= 0) {
		int result = thread_add(vm, (endpoint_t)child, space);

		if (result != 0) {
			(void)sys_clear((endpoint_t)child);
			return result;
		}
	}
	return child;
}

/* The child's space: a copy of the parent's. NULL when memory does not suffice. */
static struct space *copy_space(struct vm *vm, struct space *parent)
{
	struct space *child = space_create(vm, parent->is_service);

	if (child == NULL) {
		return NULL;
	}
	if (space_fork(vm, parent, child) != 0) {
		space_destroy(vm, child);
		child = NULL;
	}
	space_flush(vm, parent);
	return child;
}

int vm_call_fork(struct vm *vm, const struct call *call)
{
	const struct vm_fork_req *req = MSG(call->req, vm_fork_req);
	struct space *parent = thread_space(vm, req->parent);
	struct space *space;
	int64_t child;

	if (parent == NULL) {
		return -EINVAL;
	}
	if (req->flags & (VM_FORK_THREAD | VM_FORK_VM)) {
		child = make_child(vm, req, parent, FORK_THREAD);
	} else {
		space = copy_space(vm, parent);
		if (space == NULL) {
			return -ENOMEM;
		}
		child = make_child(vm, req, space, 0);
		if (child < 0) {
			space_destroy(vm, space);
		}
	}
	if (child < 0) {
		return (int)child;
	}
	MSG(call->rep, vm_fork_rep)->child = (endpoint_t)child;
	return 0;
}

int vm_call_willexit(struct vm *vm, const struct call *call)
{
	struct vm_thread *thread = thread_find(vm, MSG(call->req, vm_ep_req)->ep);

	if (thread == NULL) {
		return -EINVAL;
	}
	thread->is_exiting = true;
	job_drop(vm, thread->ep);
	return 0;
}

int vm_call_exit(struct vm *vm, const struct call *call)
{
	struct vm_thread *thread = thread_find(vm, MSG(call->req, vm_ep_req)->ep);

	if (thread == NULL) {
		return -EINVAL;
	}
	job_drop(vm, thread->ep);
	/* The kernel's slot outlives the tables: nothing may walk them any more. */
	(void)sys_vmctl(VMCTL_SETADDRSPACE, thread->ep, 0, 0, 0);
	thread_remove(vm, thread);
	return 0;
}

int vm_call_thread_exit(struct vm *vm, const struct call *call)
{
	return vm_call_exit(vm, call);
}

int vm_call_setlimit(struct vm *vm, const struct call *call)
{
	const struct vm_setlimit_req *req = MSG(call->req, vm_setlimit_req);
	struct space *space = thread_space(vm, req->ep);

	if (space == NULL) {
		return -EINVAL;
	}
	switch (req->which) {
	case VM_LIMIT_AS:
		space->limit_as = req->limit;
		return 0;
	case VM_LIMIT_DATA:
		space->limit_data = req->limit;
		return 0;
	case VM_LIMIT_STACK:
		space->limit_stack = req->limit;
		return 0;
	case VM_LIMIT_MEMLOCK:
		space->limit_memlock = req->limit;
		return 0;
	default:
		return -EINVAL;
	}
}

int vm_call_newproc(struct vm *vm, const struct call *call)
{
	const struct vm_newproc_req *req = MSG(call->req, vm_newproc_req);
	struct space *space = space_create(vm, true);
	int64_t ep;
	int result;

	if (space == NULL) {
		return -ENOMEM;
	}
	ep = sys_newproc(space->id, space->pt.root << AXO_PAGE_SHIFT, req->slot);
	if (ep < 0) {
		space_destroy(vm, space);
		return (int)ep;
	}
	result = thread_add(vm, (endpoint_t)ep, space);
	if (result != 0) {
		(void)sys_clear((endpoint_t)ep);
		space_destroy(vm, space);
		return result;
	}
	MSG(call->rep, vm_newproc_rep)->ep = (endpoint_t)ep;
	return 0;
}

int vm_call_setpriv(struct vm *vm, const struct call *call)
{
	const struct vm_setpriv_req *req = MSG(call->req, vm_setpriv_req);
	struct space *space = thread_space(vm, req->ep);

	if (req->ep == EP_VM) {
		return 0; /* RS treats all boot services alike; VM asks nothing of itself */
	}
	if (space == NULL) {
		return -EINVAL;
	}
	space->call_mask = req->mask;
	space->limit_as = req->memory_max;
	return 0;
}
