/* SPDX-License-Identifier: BSD-2-Clause */
/* See traced.h. */
#include "kernel/linux/traced.h"

#include "abi/errno.h"
#include "abi/linux/calls.h"
#include "abi/linux/errno.h"
#include "abi/linux/signal.h"
#include "kernel/arch.h"
#include "kernel/linux/call.h"
#include "kernel/mem/copy.h"
#include "kernel/proc/signal.h"

#define TRAP_DEBUG 1 /* sigcontext trapno of a single step */

static void stand(struct proc *proc)
{
	arch_keep_registers(&proc->arch);
	rts_set(proc, RTS_P_STOP);
	signal_stopped(proc);
}

bool traced_call_begins(struct proc *proc, uint64_t number)
{
	if ((proc->flags & (PROC_TRACE_CALLS | PROC_TRACE_STEP)) == 0 ||
		(proc->flags & PROC_CALL_ENDS) != 0 || proc_is_service(proc)) {
		return false;
	}
	proc->flags |= PROC_CALL_ENDS;
	if ((proc->flags & PROC_TRACE_CALLS) == 0) {
		return false;
	}
	proc->call = (int32_t)number;
	proc->flags |= PROC_CALL_BEGINS;
	arch_set_result(&proc->arch, -ENOSYS);
	stand(proc);
	return true;
}

/* The arguments are those that the registers hold now; without a number (the tracer has taken it
 * out) the result is what is in the result register. */
static void make_call(struct proc *proc)
{
	uint64_t args[6];
	int64_t result;

	proc->flags &= ~(uint32_t)PROC_CALL_AGAIN;
	if (proc->call < 0) {
		return;
	}
	arch_call_args(&proc->arch, args);
	result = linux_call(proc, (uint64_t)proc->call, args);
	if (result != KCALL_SUSPENDED) {
		arch_set_result(&proc->arch, result);
	}
}

void traced_go(struct proc *caller, struct proc *proc, uint32_t flags)
{
	bool begins = (proc->flags & PROC_CALL_BEGINS) != 0;

	proc->flags &= ~(uint32_t)(PROC_TRACE_CALLS | PROC_TRACE_STEP | PROC_CALL_BEGINS);
	if ((flags & TRACEE_CALLS) != 0) {
		proc->flags |= PROC_TRACE_CALLS;
	}
	if ((flags & TRACEE_STEP) != 0) {
		proc->flags |= PROC_TRACE_STEP;
	}
	if (flags != 0 && (proc->flags & PROC_CALL) != 0) {
		proc->flags |= PROC_CALL_ENDS;
	}
	arch_step(&proc->arch, (flags & TRACEE_STEP) != 0);
	rts_clear(proc, RTS_P_STOP);
	if (begins) {
		arch_load_address_space(proc->root);
		make_call(proc);
		arch_load_address_space(caller->root);
	}
}

bool traced_leave(struct proc *proc)
{
	if ((proc->flags & PROC_CALL_AGAIN) != 0) {
		make_call(proc);
		return false;
	}
	proc->flags &= ~(uint32_t)PROC_CALL_ENDS;
	if ((proc->flags & PROC_TRACE_CALLS) != 0) {
		proc->flags |= PROC_CALL_ENDS;
		stand(proc);
		return false;
	}
	if ((proc->flags & PROC_TRACE_STEP) != 0) {
		proc->flags &= ~(uint32_t)PROC_TRACE_STEP;
		arch_keep_registers(&proc->arch);
		arch_step(&proc->arch, false);
		signal_fault(proc, LSIGTRAP, LTRAP_BRKPT, arch_ip(&proc->arch), TRAP_DEBUG, 0);
		return false;
	}
	return true;
}

void traced_run_again(struct proc *proc)
{
	if ((proc->flags & PROC_CALL_ENDS) != 0) {
		proc->flags |= PROC_CALL_AGAIN;
	} else {
		arch_rewind_call(&proc->arch, arch_call_number(&proc->arch));
	}
}

void traced_exec(struct proc *proc)
{
	proc->call = LINUX_NR_execve;
	proc->flags |= PROC_CALL_ENDS;
	arch_enter_call(&proc->arch);
}

int traced_stopped(struct proc *proc)
{
	if ((proc->flags & PROC_CALL_AGAIN) != 0) {
		proc->flags &= ~(uint32_t)PROC_CALL_AGAIN;
		proc->flags |= PROC_RESTART;
		arch_set_result(&proc->arch, -ERESTARTNOINTR);
	}
	if ((proc->flags & PROC_CALL_BEGINS) != 0) {
		return STOP_CALL_BEGINS;
	}
	if ((proc->flags & PROC_CALL_ENDS) == 0) {
		return STOP_NO_CALL;
	}
	if ((proc->flags & PROC_TRACE_CALLS) == 0) {
		return STOP_NO_CALL; /* a step: traced_leave tells it */
	}
	proc->flags &= ~(uint32_t)PROC_CALL_ENDS;
	arch_keep_registers(&proc->arch);
	return STOP_CALL_ENDS;
}
