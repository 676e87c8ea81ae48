/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live update and recovery of services (VM-42): two services swap their endpoints, the successor
 * takes over its predecessor's memory, and RS itself is replaced when it dies.
 */
#include "servers/vm/update.h"

#include <errno.h>

#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "servers/vm/cache.h"
#include "servers/vm/call.h"
#include "servers/vm/job.h"
#include "servers/vm/renew.h"
#include "servers/vm/safemap.h"
#include "servers/vm/thread.h"

_Static_assert(VM_UPDATE_ROLLBACK == UPDATE_ROLLBACK, "VM passes RS's flags on to the kernel");

/* A service with a space of its own, or NULL. */
static struct vm_thread *find_service(struct vm *vm, endpoint_t ep)
{
	struct vm_thread *thread = thread_find(vm, ep);

	if (thread == NULL || ep == EP_VM || !thread->space->is_service ||
		thread->space->threads != 1) {
		return NULL;
	}
	return thread;
}

/* Privileges belong to the endpoint, and so does the right to ask VM; all else goes with the space.
 */
static void swap_threads(struct vm_thread *a, struct vm_thread *b)
{
	struct space *space = a->space;
	bool is_exiting = a->is_exiting;
	uint64_t mask = space->call_mask, made = space->calls_made;

	a->space = b->space;
	a->is_exiting = b->is_exiting;
	b->space = space;
	b->is_exiting = is_exiting;
	b->space->call_mask = a->space->call_mask;
	a->space->call_mask = mask;
	b->space->calls_made = a->space->calls_made;
	a->space->calls_made = made;
	a->space->owner = a->ep;
	b->space->owner = b->ep;
}

int update_swap(struct vm *vm, endpoint_t old_ep, endpoint_t successor_ep, uint32_t flags)
{
	struct vm_thread *old = find_service(vm, old_ep);
	struct vm_thread *successor = find_service(vm, successor_ep);
	int result;

	if (old == NULL || successor == NULL || old == successor) {
		return -EINVAL;
	}
	if (flags & VM_UPDATE_ROLLBACK) {
		if (old->predecessor != successor_ep) {
			return -EINVAL;
		}
		if (old->has_inherited) {
			return -ESTALE;
		}
	}
	result = sys_update(old_ep, successor_ep, flags);
	if (result != 0) {
		return result;
	}
	job_forget_contents(vm, old_ep);
	swap_threads(old, successor);
	old->predecessor = (flags & VM_UPDATE_ROLLBACK) ? EP_NONE : successor_ep;
	old->has_inherited = false;
	return 0;
}

int vm_call_update(struct vm *vm, const struct call *call)
{
	const struct vm_update_req *req = MSG(call->req, vm_update_req);

	if (req->flags & ~(uint32_t)VM_UPDATE_ROLLBACK) {
		return -EINVAL;
	}
	return update_swap(vm, req->old, req->successor, req->flags);
}

/* A process that the boot loads may grow its stack; one that RS loads has it at the end. */
static bool is_stack(const struct region *region)
{
	return (region->flags & REGION_GROWS_DOWN) || region->end == USER_END ||
		region->end == region->space->stack_top;
}

/* What a successor of the same binary does not need: text, read-only parts of the image, stack. */
static bool is_inherited(const struct region *region)
{
	bool is_constant = region->prot != 0 && !(region->prot & REGION_PROT_WRITE);

	if (is_stack(region) || (region->prot & REGION_PROT_EXEC)) {
		return false;
	}
	return (region->flags & REGION_SAFEMAPPED) || !is_constant || !region->type->is_anonymous ||
		(region->space->brk_start != 0 && region->start >= region->space->brk_start);
}

/* Prepare all that may fail: borders and page tables of the heir for one region. */
static int prepare_heir(struct vm *vm, struct space *heir, const struct region *region)
{
	struct pt_span span;
	int result = region_cut(vm, heir, region->start);

	if (result == 0) {
		result = region_cut(vm, heir, region->end);
	}
	for (struct region *at = region_at_or_after(heir, region->start);
		result == 0 && at != NULL && at->start < region->end; at = region_next(at)) {
		if (is_stack(at) || (at->prot & REGION_PROT_EXEC)) {
			result = -EEXIST;
		}
	}
	for (vaddr_t at = region->start;
		result == 0 && pt_next_span(vm, &region->space->pt, &at, region->end, &span);) {
		if (pt_make(vm, &heir->pt, span.addr, PAGE_FOR_SERVICE) == NULL) {
			result = -ENOMEM;
		}
	}
	return result;
}

/* Drop what the heir has in whole regions of a range; its page tables stay. */
static void clear_heir(struct vm *vm, struct space *heir, vaddr_t start, vaddr_t end)
{
	struct region *region = region_at_or_after(heir, start);

	while (region != NULL && region->start < end) {
		struct region *next = region_next(region);

		space_drop_pages(vm, region, region->start, region->end);
		region_remove(region);
		region_delete(vm, region);
		region = next;
	}
}

/* Hand a region with its pages to a space where its range is free and has page tables. */
static void hand_over(struct vm *vm, struct region *region, struct space *heir)
{
	struct space *from = region->space;
	struct pt_span span;

	for (vaddr_t at = region->start; pt_next_span(vm, &from->pt, &at, region->end, &span);) {
		pte_t *target = pt_find(vm, &heir->pt, span.addr);

		for (uint64_t i = 0; i < span.count; i++) {
			pte_t pte = span.pte[i];

			if (pte == 0) {
				continue;
			}
			pt_set(vm, &target[i], pte);
			pt_set(vm, &span.pte[i], 0);
			if (region->type->is_counted) {
				space_count_page(vm, from, pte_pfn(pte), -1);
				space_count_page(vm, heir, pte_pfn(pte), 1);
			}
		}
	}
	from->must_flush = true;
	region_remove(region);
	region_insert(heir, region);
	safemap_moved(vm, from, heir, region->start, region->end);
}

static void prune(struct vm *vm, struct space *space)
{
	space->must_flush |= pt_prune(vm, &space->pt, 0, vm->kinfo.user_end);
}

/* Move all that a successor of the same program needs. */
static int inherit_by_move(struct vm *vm, struct space *from, struct space *heir)
{
	struct region *next;

	for (struct region *region = region_first(from); region != NULL;
		region = region_next(region)) {
		int result = is_inherited(region) ? prepare_heir(vm, heir, region) : 0;

		if (result != 0) {
			prune(vm, heir);
			return result;
		}
	}
	for (struct region *region = region_first(from); region != NULL; region = next) {
		next = region_next(region);
		if (is_inherited(region)) {
			clear_heir(vm, heir, region->start, region->end);
			hand_over(vm, region, heir);
		}
	}
	heir->brk_start = from->brk_start;
	heir->brk_end = from->brk_end;
	heir->must_flush = true;
	prune(vm, from);
	prune(vm, heir);
	space_flush(vm, from);
	space_flush(vm, heir);
	return 0;
}

/* What a successor of another program may have: the image and the heap behind it are the
 * program's own. */
static bool is_passed_on(const struct region *region)
{
	return region->start >= region->space->brk_end && region->space->brk_end != 0 &&
		!is_stack(region) && !(region->prot & REGION_PROT_EXEC);
}

/* Both have what the predecessor mapped; nothing has changed after an error. */
static int inherit_by_copy(struct vm *vm, struct space *from, struct space *heir)
{
	struct region *region;
	int result = from->safemaps != 0 ? -EBUSY : 0;

	for (region = region_first(from); result == 0 && region != NULL;
		region = region_next(region)) {
		if (is_passed_on(region) &&
			!space_is_free(heir, region->start, region_bytes(region))) {
			result = -EEXIST;
		}
	}
	for (region = region_first(from); result == 0 && region != NULL;
		region = region_next(region)) {
		result = is_passed_on(region) ? space_pass_on(vm, region, heir) : 0;
	}
	if (result == -ENOMEM) {
		for (region = region_first(from); region != NULL; region = region_next(region)) {
			if (is_passed_on(region)) {
				clear_heir(vm, heir, region->start, region->end);
			}
		}
		prune(vm, heir);
	}
	space_flush(vm, from);
	space_flush(vm, heir);
	return result;
}

int vm_call_inherit(struct vm *vm, const struct call *call)
{
	uint32_t how = MSG(call->req, vm_inherit_req)->how;
	struct vm_thread *heir = thread_find(vm, call->source);
	struct space *from = heir == NULL ? NULL : thread_space(vm, heir->predecessor);
	int result;

	if (how > VM_INHERIT_COPY) {
		return -EINVAL;
	}
	if (from == NULL || heir->has_inherited) {
		return -ESRCH;
	}
	if (how == VM_INHERIT_MOVE && call->source == EP_RS && renew_is_on(vm)) {
		return -EBUSY; /* there would be no way back */
	}
	if (how == VM_INHERIT_COPY) {
		result = inherit_by_copy(vm, from, heir->space);
	} else {
		result = inherit_by_move(vm, from, heir->space);
		heir->has_inherited = result == 0;
	}
	if (result == 0) {
		cache_client_replaced(vm, call->source);
	}
	return result;
}

void update_forget(struct vm *vm, endpoint_t ep)
{
	if (vm->standby == ep) {
		vm->standby = EP_NONE;
	}
	if (vm->renewing == ep) {
		vm->renewing = EP_NONE;
	}
	for (uint32_t slot = 0; slot < vm->kinfo.procs_max; slot++) {
		if (vm->threads[slot].predecessor == ep) {
			vm->threads[slot].predecessor = EP_NONE;
		}
	}
}

int update_set_standby(struct vm *vm, endpoint_t ep)
{
	if (ep != EP_NONE && (ep == EP_RS || find_service(vm, ep) == NULL)) {
		return -EINVAL;
	}
	vm->standby = ep;
	return 0;
}

int vm_call_standby(struct vm *vm, const struct call *call)
{
	return update_set_standby(vm, MSG(call->req, vm_ep_req)->ep);
}

/* RS is dead: the standby takes its place and goes on with its memory, or nothing goes on. */
static void replace_rs(struct vm *vm)
{
	endpoint_t standby = vm->standby;
	int result = standby == EP_NONE ? -ESRCH : update_swap(vm, EP_RS, standby, 0);

	vm->standby = EP_NONE;
	if (result == 0) {
		result = sys_privctl(PRIV_ALLOW, EP_RS, NULL);
	}
	if (result != 0) {
		diag_printf("rs died and cannot be replaced: error %d", result);
		(void)sys_abort(ABORT_PANIC);
		return;
	}
	diag_printf("rs died: its standby takes over");
}

void vm_signals(struct vm *vm)
{
	struct ksig ksig;

	while (sys_getksig(&ksig) == 1) {
		if (ksig.endpoint != EP_RS) {
			(void)sys_endksig(ksig.endpoint);
		} else if (!renew_died(vm)) {
			replace_rs(vm);
		}
	}
}
