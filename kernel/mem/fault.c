/* SPDX-License-Identifier: BSD-2-Clause */
/* See fault.h. Invariant: a process in kernel.memreqs has RTS_VMREQUEST. */
#include "kernel/mem/fault.h"

#include "abi/bootinfo.h"
#include "kernel/arch.h"
#include "kernel/debug/panic.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/ipc.h"
#include "kernel/linux/traced.h"
#include "kernel/mem/copy.h"
#include "kernel/proc/signal.h"
#include "kernel/state.h"
#include "proto/vm.h"

static bool is_vm(const struct proc *proc)
{
	return proc == proc_find(EP_VM);
}

void fault_report(struct proc *proc, vaddr_t address, uint64_t error)
{
	struct vm_pagefault *fault;
	struct proc *vm = proc_find(EP_VM);

	trace(TRACE_FAULT, address, error);
	if (is_vm(proc)) {
		panic("VM has a page fault at %lx (error %lx), ip %lx", address, error,
			arch_ip(&proc->arch));
	}
	if (address >= USER_END) {
		proc->flags &= ~(uint32_t)PROC_DELIVER;
		signal_fault(proc, LSIGSEGV, LSEGV_MAPERR, address, 14, error);
		return;
	}
	assert(vm != NULL && !rts_is_set(proc, RTS_SENDING | RTS_PAGEFAULT));
	rts_set(proc, RTS_PAGEFAULT);
	proc->send_msg = (struct message){.source = proc->endpoint, .type = VM_PAGEFAULT};
	fault = MSG(&proc->send_msg, vm_pagefault);
	fault->address = address;
	fault->error = error;
	fault->ip = arch_ip(&proc->arch);
	fault->sp = arch_sp(&proc->arch);
	ipc_send_for(proc, vm);
}

int fault_clear(struct proc *proc)
{
	if (!rts_is_set(proc, RTS_PAGEFAULT)) {
		return -EINVAL;
	}
	rts_clear(proc, RTS_PAGEFAULT);
	return 0;
}

int64_t memreq_post(struct proc *caller, const struct memreq *request)
{
	const struct proc *vm = proc_find(EP_VM);

	if (caller == vm || request->target == EP_VM || request->source == EP_VM ||
		request->address >= USER_END) {
		return -EFAULT;
	}
	assert(!rts_is_set(caller, RTS_VMREQUEST));
	caller->memreq = *request;
	caller->memreq.requestor = caller->endpoint;
	caller->memreq.id = kernel.memreq_id == UINT32_MAX ? 1 : kernel.memreq_id + 1;
	kernel.memreq_id = caller->memreq.id;
	rts_set(caller, RTS_VMREQUEST);
	list_add_tail(&kernel.memreqs, &caller->memreq_link);
	ipc_ksig(proc_find(EP_VM), KSIG_MEMREQ);
	return KCALL_SUSPENDED;
}

int64_t memreq_suspend(
	struct proc *caller, struct proc *target, vaddr_t address, uint64_t bytes, bool write)
{
	const struct memreq request = {
		.kind = MEMREQ_CHECK,
		.target = target->endpoint,
		.address = address,
		.bytes = bytes,
		.write = write,
		.source = EP_NONE,
	};

	return memreq_post(caller, &request);
}

bool memreq_fetch(struct memreq *request)
{
	struct proc *proc;

	if (list_is_empty(&kernel.memreqs)) {
		return false;
	}
	proc = list_first(&kernel.memreqs, struct proc, memreq_link);
	list_remove(&proc->memreq_link);
	*request = proc->memreq;
	return true;
}

static void run_again(struct proc *requestor)
{
	list_remove(&requestor->memreq_link);
	traced_run_again(requestor);
	rts_clear(requestor, RTS_VMREQUEST);
}

static void end_call(struct proc *requestor, int64_t result)
{
	list_remove(&requestor->memreq_link);
	arch_set_result(&requestor->arch, result);
	rts_clear(requestor, RTS_VMREQUEST);
}

void memreq_answer(struct proc *requestor, int64_t result, uint32_t id)
{
	if (!rts_is_set(requestor, RTS_VMREQUEST) || (id != 0 && id != requestor->memreq.id)) {
		return;
	}
	switch (requestor->memreq.kind) {
	case MEMREQ_CHECK:
		if (result == 0) {
			run_again(requestor);
		} else {
			end_call(requestor, -EFAULT);
		}
		break;
	case MEMREQ_COW:
		/* The rest has been copied. Where sharing does not do, all is copied. */
		if (result == 0) {
			end_call(requestor, 0);
		} else {
			requestor->flags |= PROC_PLAIN_COPY;
			run_again(requestor);
		}
		break;
	default:
		end_call(requestor, result);
		break;
	}
}

void memreq_cancel(struct proc *proc)
{
	if (rts_is_set(proc, RTS_VMREQUEST)) {
		run_again(proc);
	}
}

static bool is_about(const struct proc *requestor, const struct proc *target)
{
	return rts_is_set(requestor, RTS_VMREQUEST) &&
		(requestor->memreq.target == target->endpoint ||
			requestor->memreq.source == target->endpoint);
}

void memreq_rerun(struct proc *target)
{
	unsigned i;

	for (i = 0; i < kernel.proc_count; i++) {
		struct proc *proc = proc_slot(i);

		if (proc != target && is_about(proc, target)) {
			run_again(proc);
		}
	}
}

void memreq_release(struct proc *proc)
{
	list_remove(&proc->memreq_link);
	list_for_each_safe(other, &kernel.memreqs, struct proc, memreq_link)
	{
		if (is_about(other, proc)) {
			end_call(other, -EFAULT);
		}
	}
}
