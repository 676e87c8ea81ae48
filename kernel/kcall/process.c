/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel calls that make, change and end processes: fork, newproc, exec, clear, exit, setids. */
#include <string.h>

#include "abi/bootinfo.h"
#include "kernel/arch.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/panic.h"
#include "kernel/ipc/ipc.h"
#include "kernel/irq/irq.h"
#include "kernel/kcall/kcall.h"
#include "kernel/linux/futex.h"
#include "kernel/linux/traced.h"
#include "kernel/mem/fault.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/signal.h"
#include "kernel/state.h"
#include "lib/core/util.h"

/* fork(thread ep, FORK_*, as_id, root paddr, stack, tls) -> child ep. -EINVAL: bad endpoint;
 * -EAGAIN: no slot. */
int64_t kcall_fork(struct proc *caller, const uint64_t args[6])
{
	struct proc *parent = kcall_proc(caller, args[0]);
	uint32_t flags = (uint32_t)args[1];
	struct proc *child;

	if (parent == NULL || !is_aligned(args[3], AXO_PAGE_SIZE)) {
		return -EINVAL;
	}
	child = proc_alloc(-1);
	if (child == NULL) {
		return -EAGAIN;
	}
	proc_set_name(child, parent->name);
	child->as_id = (uint32_t)args[2];
	child->root = args[3];
	child->ids = parent->ids;
	child->priority = parent->priority;
	child->quantum_ns = parent->quantum_ns;
	child->quantum_left_ns = (int64_t)parent->quantum_ns;
	child->is_young = true;
	child->scheduler = parent->scheduler;
	arch_proc_fork(&child->arch, &parent->arch);
	if ((parent->flags & PROC_TRACE_STEP) != 0) {
		arch_step(&child->arch, false);
	}
	if ((flags & FORK_SETSTACK) != 0) {
		arch_proc_set_stack(&child->arch, args[4]);
	}
	if ((flags & FORK_SETTLS) != 0) {
		arch_proc_set_tls(&child->arch, args[5]);
	}
	if (!proc_is_service(parent)) {
		rts_clear(child,
			RTS_NO_PRIV); /* a program's child is a program; a service's waits for RS */
	}
	return child->endpoint;
}

/* newproc(as_id, root paddr, slot or -1) -> ep. -EAGAIN: no slot, or it is taken; -EINVAL. */
int64_t kcall_newproc(struct proc *caller, const uint64_t args[6])
{
	int32_t slot = (int32_t)args[2];
	struct proc *proc;

	if (!is_aligned(args[1], AXO_PAGE_SIZE)) {
		return -EINVAL;
	}
	proc = proc_alloc(slot);
	if (proc == NULL) {
		return -EAGAIN;
	}
	proc->as_id = (uint32_t)args[0];
	proc->root = args[1];
	proc->flags |= PROC_EMPTY;
	return proc->endpoint;
}

/* exec(ep, struct exec_spec *). -EINVAL. */
int64_t kcall_exec(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);
	struct exec_spec spec;
	int64_t error = copy_in(caller, &spec, args[1], sizeof(spec));

	if (error != 0) {
		return error;
	}
	if (proc == NULL || spec.ip >= USER_END || spec.sp > USER_END) {
		return -EINVAL;
	}
	memreq_cancel(proc);
	if (rts_is_set(proc, RTS_FUTEX)) {
		futex_cancel(proc, 0);
	}
	if ((proc->flags & PROC_CALL) != 0) {
		ipc_cancel_call(proc);
	}
	spec.name[sizeof(spec.name) - 1] = '\0';
	proc_set_name(proc, spec.name);
	proc->call = -1;
	proc->flags &= ~(uint32_t)(PROC_RESTART | PROC_DELIVER | PROC_STOP_NOTICE);
	proc->clear_tid = 0;
	proc->robust_list = 0;
	proc->futex_deadline_ns = 0;
	arch_proc_exec(&proc->arch, spec.ip, spec.sp);
	if ((proc->flags & PROC_TRACE_CALLS) != 0) {
		traced_exec(proc);
	}
	if ((proc->flags & PROC_EMPTY) != 0) {
		proc->flags &= ~(uint32_t)PROC_EMPTY;
		rts_clear(proc, RTS_PROC_STOP);
	}
	return 0;
}

void kcall_destroy(struct proc *proc)
{
	struct priv *priv = proc->priv;

	rts_set(proc, RTS_PROC_STOP | RTS_NO_ENDPOINT);
	if (rts_is_set(proc, RTS_FUTEX)) {
		futex_cancel(proc, 0);
	}
	memreq_release(proc);
	ipc_release(proc);
	if (proc_is_service(proc)) {
		irq_release(priv);
		sched_orphan(proc->endpoint);
		priv_free(priv);
	}
	proc_free(proc);
}

/* clear(ep). -EINVAL: no such process; -EPERM: the caller itself, or VM. */
int64_t kcall_clear(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);

	if (proc == NULL) {
		return -EINVAL;
	}
	if (proc == caller || proc == proc_find(EP_VM)) {
		return -EPERM;
	}
	kcall_destroy(proc);
	return 0;
}

/* exit(): the signal manager gets SIGABRT; never returns. */
int64_t kcall_exit(struct proc *caller, const uint64_t args[6])
{
	diag_printf("%s (%d): exits\n", caller->name, caller->endpoint);
	signal_raise(caller, LSIGABRT);
	return KCALL_SUSPENDED;
}

/* setids(ep, const struct proc_ids *). -EINVAL. */
int64_t kcall_setids(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);
	struct proc_ids ids;
	int64_t error = copy_in(caller, &ids, args[1], sizeof(ids));

	if (error != 0) {
		return error;
	}
	if (proc == NULL) {
		return -EINVAL;
	}
	proc->ids = ids;
	return 0;
}
