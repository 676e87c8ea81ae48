/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/thread.h"

#include <errno.h>

#include "servers/vm/update.h"

struct vm_thread *thread_find(struct vm *vm, endpoint_t ep)
{
	uint32_t slot = (uint32_t)EP_SLOT(ep);

	if (ep < 0 || slot >= vm->kinfo.procs_max || vm->threads[slot].ep != ep) {
		return NULL;
	}
	return &vm->threads[slot];
}

struct space *thread_space(struct vm *vm, endpoint_t ep)
{
	struct vm_thread *thread = thread_find(vm, ep);

	return thread == NULL ? NULL : thread->space;
}

endpoint_t thread_of_space(struct vm *vm, const struct space *space)
{
	if (thread_space(vm, space->owner) == space) {
		return space->owner;
	}
	for (uint32_t slot = 0; slot < vm->kinfo.procs_max; slot++) {
		if (vm->threads[slot].ep != EP_NONE && vm->threads[slot].space == space) {
			return vm->threads[slot].ep;
		}
	}
	return EP_NONE;
}

int thread_add(struct vm *vm, endpoint_t ep, struct space *space)
{
	uint32_t slot = (uint32_t)EP_SLOT(ep);
	struct vm_thread *thread;

	if (ep < 0 || slot >= vm->kinfo.procs_max) {
		return -EINVAL;
	}
	thread = &vm->threads[slot];
	if (thread->ep != EP_NONE) {
		return -EINVAL;
	}
	*thread = (struct vm_thread){.ep = ep, .space = space, .predecessor = EP_NONE};
	if (space->threads++ == 0) {
		space->owner = ep;
	}
	return 0;
}

void thread_remove(struct vm *vm, struct vm_thread *thread)
{
	struct space *space = thread->space;

	if (space->is_service) {
		update_forget(vm, thread->ep);
	}
	thread->ep = EP_NONE;
	thread->space = NULL;
	if (--space->threads == 0) {
		space_destroy(vm, space);
	}
}
