/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/job.h"

#include <errno.h>

#include "lib/core/util.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "servers/vm/cache.h"
#include "servers/vm/call.h"
#include "servers/vm/fault.h"
#include "servers/vm/file.h"
#include "servers/vm/oom.h"
#include "servers/vm/safemap.h"
#include "servers/vm/thread.h"

/* Signals and codes that tell of faults (abi/linux/signal.h has the layouts). */
#define SIGNAL_BUS       7
#define SIGNAL_KILL      9
#define SIGNAL_SEGV      11
#define CODE_SEGV_MAPERR 1
#define CODE_SEGV_ACCERR 2
#define CODE_BUS_ADRERR  2

/* How often a job waits for the same page before it gives up. */
#define ROUNDS_MAX 1000

static void finish_fault(const struct job *job, int result)
{
	switch (result) {
	case 0:
		break;
	case -EACCES:
		(void)sys_kill(job->ep, SIGNAL_SEGV, CODE_SEGV_ACCERR, job->addr);
		break;
	case -EIO:
		(void)sys_kill(job->ep, SIGNAL_BUS, CODE_BUS_ADRERR, job->addr);
		break;
	case -ENOMEM:
		(void)sys_kill(job->ep, SIGNAL_KILL, 0, 0);
		break;
	default:
		(void)sys_kill(job->ep, SIGNAL_SEGV, CODE_SEGV_MAPERR, job->addr);
		break;
	}
	(void)sys_vmctl(VMCTL_CLEAR_PAGEFAULT, job->ep, 0, 0, 0);
}

/* Answer the one who waits: false when there is no memory for the answer, which must come later. */
static bool answer(struct vm *vm, const struct job *job, int result)
{
	struct space *space = thread_space(vm, job->target);
	struct message m;

	if (space != NULL) {
		space_flush(vm, space);
	}
	switch (job->kind) {
	case JOB_FAULT:
		finish_fault(job, result);
		break;
	case JOB_MEMREQ:
		(void)sys_vmctl(VMCTL_MEMREQ_REPLY, job->ep, (uint64_t)(result == 0 ? 0 : -EFAULT),
			job->id, 0);
		break;
	case JOB_PRESENT:
		m = (struct message){.type = VM_MAKE_PRESENT | PROTO_REPLY};
		MSG(&m, vm_make_present_rep)->id = job->id;
		MSG(&m, vm_make_present_rep)->result =
			result == 0 || result == -EIO ? result : -EFAULT;
		return asyn_send(job->ep, &m) != -ENOMEM;
	case JOB_POPULATE:
		ipc_reply_call(job->ep, result == 0 || !job->is_strict ? job->value : result);
		break;
	case JOB_SYNC:
		ipc_reply_call(job->ep, result == 0 ? job->value : result);
		break;
	case JOB_LOOKUP:
		break;
	}
	return true;
}

/* The job is done: true; false: its answer has to wait for memory. */
static bool finish(struct vm *vm, struct job *job, int result)
{
	job->result = result;
	job->wait_for = 0;
	job->is_done = !answer(vm, job, result);
	return !job->is_done;
}

/*
 * Who may wait for a file: programs, and servers that VFS and file systems never wait for. VFS,
 * file systems and drivers would wait for themselves.
 */
static bool may_wait_for_files(struct vm *vm, const struct job *job)
{
	const struct space *space = thread_space(vm, job->ep);

	return job->kind != JOB_MEMREQ || job->ep == EP_PM || job->ep == EP_RS ||
		(space != NULL && !space->is_service);
}

static void count_fault(struct vm *vm, struct space *space, const struct job *job)
{
	if (job->is_major) {
		vm->major_faults++;
		space->major_faults++;
	} else {
		vm->minor_faults++;
		space->minor_faults++;
	}
}

/* Memory has run out under a job: 0: wait for it, else the error to finish with. */
static int out_of_memory(struct vm *vm, struct job *job, const struct space *space)
{
	/* The file systems may need what a service asks for. */
	bool is_cleaning = !space->is_service && cache_is_cleaning(vm);

	if (!is_cleaning && (!oom_relieve(vm) || vm->oom_victim == space)) {
		return -ENOMEM;
	}
	job->wait_for = 0;
	return 0;
}

/* The page came and went again many times, or never came. */
static bool is_stuck(struct job *job, vaddr_t addr)
{
	if (job->stuck_at != addr) {
		job->stuck_at = addr;
		job->rounds = 0;
	}
	return ++job->rounds > ROUNDS_MAX;
}

/* A program's call, that fails for want of memory and not kills. */
static bool is_call(const struct job *job)
{
	return job->kind == JOB_POPULATE || job->kind == JOB_SYNC;
}

/* Where populating goes on: past holes and what cannot be accessed; strict: an error there. */
static int skip_to_region(
	struct space *space, struct job *job, vaddr_t end, const struct region **found)
{
	const struct region *region = region_at_or_after(space, job->addr);

	while (!job->is_strict && region != NULL && region->prot == 0) {
		region = region_next(region);
	}
	*found = region;
	if (job->is_strict) {
		return region == NULL || region->start > job->addr ? -ENOMEM
			: region->prot == 0                        ? -EFAULT
								   : 0;
	}
	job->addr = region == NULL ? end : u64_min(u64_max(job->addr, region->start), end);
	return 0;
}

/* Bring in the pages of a populating call: 0, or as space_fault() what stopped it. */
static int populate(struct vm *vm, struct space *space, struct job *job, struct fault *fault)
{
	vaddr_t end = job->addr + job->bytes;
	int result = 0;

	while (result == 0 && job->addr < end) {
		const struct region *region;

		result = skip_to_region(space, job, end, &region);
		if (result != 0 || job->addr == end) {
			break;
		}
		fault->write = job->is_strict
			? job->write
			: (region->prot & REGION_PROT_WRITE) && !(region->flags & REGION_SHARED);
		result = space_touch(vm, space, job->addr, 1, fault);
		job->addr += result == 0 ? AXO_PAGE_SIZE : 0;
	}
	job->bytes = end - job->addr;
	return result == -EIO || result == -EACCES ? -EFAULT : result;
}

/* Ask for the next file to be written back. */
static int sync_files(struct vm *vm, struct space *space, struct job *job, struct fault *fault)
{
	vaddr_t end = job->addr + job->bytes;

	while (job->addr < end) {
		const struct region *region = region_at_or_after(space, job->addr);
		vaddr_t next = region == NULL ? end : u64_min(region->end, end);

		if (region == NULL || region->start > job->addr) {
			job->value = -ENOMEM;
		}
		job->addr = next;
		job->bytes = end - next;
		if (region != NULL && region->start < end && region->type->is_file &&
			(region->flags & REGION_SHARED) && file_is_peeked(vm, region->file)) {
			return file_sync(vm, region->file, &fault->wait_for);
		}
	}
	return 0;
}

static int step(struct vm *vm, struct space *space, struct job *job, struct fault *fault)
{
	switch (job->kind) {
	case JOB_POPULATE:
		return populate(vm, space, job, fault);
	case JOB_SYNC:
		return sync_files(vm, space, job, fault);
	default:
		return space_touch(vm, space, job->addr, job->bytes, fault);
	}
}

/* Do the job: true when it is finished, false when it has to wait. */
static bool try_job(struct vm *vm, struct job *job)
{
	struct space *space = thread_space(vm, job->target);
	struct fault fault = {.write = job->write, .execute = job->execute};
	int result;

	if (job->is_done || space == NULL) {
		return finish(vm, job, job->is_done ? job->result : -EFAULT);
	}
	result = step(vm, space, job, &fault);
	job->is_major |= fault.is_major;
	if (result == -EAGAIN && is_stuck(job, job->kind == JOB_SYNC ? job->addr : fault.addr)) {
		result = -EIO;
	}
	if (result == -EAGAIN && may_wait_for_files(vm, job)) {
		job->wait_for = fault.wait_for;
		return false;
	}
	if (result == -ENOMEM && !is_call(job)) {
		result = out_of_memory(vm, job, space);
		if (result == 0) {
			return false;
		}
	}
	if (!is_call(job)) {
		count_fault(vm, space, job);
	}
	return finish(vm, job, result);
}

static bool keep(struct vm *vm, const struct job *job)
{
	struct job *copy = heap_alloc(&vm->heap, sizeof(*copy));

	if (copy == NULL) {
		return false;
	}
	*copy = *job;
	list_add_tail(&vm->jobs, &copy->link);
	return true;
}

void job_start(struct vm *vm, const struct job *job)
{
	struct job mine = *job;

	if (!try_job(vm, &mine) && !keep(vm, &mine) && !finish(vm, &mine, -ENOMEM)) {
		diag_printf("no memory to answer endpoint %d", mine.ep);
	}
}

static void remove_job(struct vm *vm, struct job *job)
{
	list_remove(&job->link);
	heap_free(&vm->heap, job);
}

/* Try jobs that wait for `id` again; those that must go on waiting go to the end of the list. */
static void retry(struct vm *vm, uint32_t id, int result)
{
	struct list ready;

	list_init(&ready);
	list_for_each_safe(job, &vm->jobs, struct job, link)
	{
		if (job->kind != JOB_LOOKUP && job->wait_for == id) {
			list_remove(&job->link);
			list_add_tail(&ready, &job->link);
		}
	}
	while (!list_is_empty(&ready)) {
		struct job *job = list_first(&ready, struct job, link);
		struct space *space = thread_space(vm, job->target);

		if (result == -ENOMEM && space != NULL && !is_call(job) &&
			out_of_memory(vm, job, space) == 0) {
			list_remove(&job->link);
			list_add_tail(&vm->jobs, &job->link);
		} else if (result < 0 ? finish(vm, job, result) : try_job(vm, job)) {
			remove_job(vm, job);
		} else {
			list_remove(&job->link);
			list_add_tail(&vm->jobs, &job->link);
		}
	}
}

void job_answer(struct vm *vm, uint32_t id, int result)
{
	retry(vm, id, result);
}

void job_retry_memory(struct vm *vm)
{
	if (vm->memory_was_freed) {
		vm->memory_was_freed = false;
		retry(vm, 0, 0);
	}
}

void job_populate(struct vm *vm, endpoint_t ep, vaddr_t start, vaddr_t end, int64_t value,
	bool is_strict, bool write)
{
	const struct job job = {
		.kind = JOB_POPULATE,
		.ep = ep,
		.target = ep,
		.addr = start,
		.bytes = end - start,
		.value = value,
		.is_strict = is_strict,
		.write = write,
	};

	job_start(vm, &job);
}

void job_sync(struct vm *vm, endpoint_t ep, vaddr_t start, vaddr_t end)
{
	const struct job job = {
		.kind = JOB_SYNC,
		.ep = ep,
		.target = ep,
		.addr = start,
		.bytes = end - start,
	};

	job_start(vm, &job);
}

int job_wait_lookup(struct vm *vm, const struct job *job)
{
	return keep(vm, job) ? 0 : -ENOMEM;
}

struct job *job_take_lookup(struct vm *vm, uint32_t id)
{
	list_for_each(job, &vm->jobs, struct job, link)
	{
		if (job->kind == JOB_LOOKUP && job->wait_for == id) {
			list_remove(&job->link);
			return job;
		}
	}
	return NULL;
}

void job_drop(struct vm *vm, endpoint_t ep)
{
	list_for_each_safe(job, &vm->jobs, struct job, link)
	{
		if (job->ep == ep) {
			remove_job(vm, job);
		} else if (job->target == ep && job->kind != JOB_LOOKUP) {
			if (finish(vm, job, -EFAULT)) {
				remove_job(vm, job);
			}
		}
	}
}

void job_forget_contents(struct vm *vm, endpoint_t ep)
{
	list_for_each_safe(job, &vm->jobs, struct job, link)
	{
		if (job->ep == ep && job->kind != JOB_PRESENT) {
			remove_job(vm, job);
		}
	}
}

void vm_pagefault(struct vm *vm, const struct message *m)
{
	const struct vm_pagefault *fault = MSG(m, vm_pagefault);
	const struct vm_thread *thread = thread_find(vm, m->source);
	const struct job job = {
		.kind = JOB_FAULT,
		.ep = m->source,
		.target = m->source,
		.addr = fault->address,
		.bytes = 1,
		.write = fault->error & PF_ERROR_WRITE,
		.execute = fault->error & PF_ERROR_FETCH,
	};

	/* A thread that is about to die stays where it is. */
	if (thread != NULL && !thread->is_exiting) {
		job_start(vm, &job);
	}
}

void vm_memory_requests(struct vm *vm)
{
	struct memreq request;

	/* What is not a CHECK needs no file and is done at once. */
	while (sys_vmctl(VMCTL_MEMREQ_GET, EP_NONE, (uint64_t)(uintptr_t)&request, 0, 0) == 1) {
		const struct job job = {
			.kind = JOB_MEMREQ,
			.ep = request.requestor,
			.id = request.id,
			.target = request.target,
			.addr = request.address,
			.bytes = request.bytes,
			.write = request.write != 0,
		};

		if (request.kind == MEMREQ_CHECK) {
			job_start(vm, &job);
		} else {
			safemap_request(vm, &request);
		}
	}
}
