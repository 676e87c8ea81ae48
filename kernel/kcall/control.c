/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel calls by which managers stop threads and pass signals: stop, resume, kill, getksig,
 * endksig, sigsend, sigreturn. */
#include <string.h>

#include "abi/bootinfo.h"
#include "kernel/arch.h"
#include "kernel/ipc/ipc.h"
#include "kernel/kcall/kcall.h"
#include "kernel/linux/call.h"
#include "kernel/linux/futex.h"
#include "kernel/linux/traced.h"
#include "kernel/mem/fault.h"
#include "kernel/proc/signal.h"
#include "proto/vm.h"

#define SIGNAL_MAX      LINUX_NSIG
#define TRAP_PAGE_FAULT 14 /* sigcontext trapno of a page fault */

/* A call that its server has not taken yet: as if it had not been made, but for the restart rule.
 */
static void take_call_back(struct proc *proc)
{
	ipc_cancel_call(proc);
	arch_set_result(&proc->arch, -ERESTARTNOINTR);
	proc->flags |= PROC_RESTART;
}

static void fill_stop_info(struct proc *proc, struct stop_info *info)
{
	info->where = STOP_USER;
	info->server = EP_NONE;
	info->call = -1;
	info->traced = STOP_NO_CALL;
	if ((proc->flags & PROC_CALL) != 0) {
		info->where = STOP_IN_CALL;
		info->server = proc->receive_from;
		info->call = proc->call;
	} else {
		info->traced = traced_stopped(proc);
	}
}

/* stop(ep, struct stop_info *): see abi/kcall.h. -EINVAL: no such process. */
int64_t kcall_stop(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);
	struct stop_info info = {.where = STOP_DEAD, .server = EP_NONE, .call = -1};
	int64_t error = copy_out(
		caller, args[1], &info, sizeof(info)); /* brings the memory in, before any change */

	if (error != 0) {
		return error;
	}
	if (proc == NULL || proc == caller) {
		return -EINVAL;
	}
	rts_set(proc, RTS_PROC_STOP);
	memreq_cancel(proc);
	if (rts_is_set(proc, RTS_FUTEX)) {
		futex_cancel(
			proc, proc->futex_deadline_ns != 0 ? -ERESTART_RESTARTBLOCK : -ERESTARTSYS);
	}
	if ((proc->flags & PROC_CALL) != 0 && rts_is_set(proc, RTS_SENDING)) {
		take_call_back(proc);
	}
	fill_stop_info(proc, &info);
	if (info.where == STOP_IN_CALL && info.server != EP_PM && info.server != EP_VFS) {
		proc->flags |= PROC_STOP_NOTICE;
	}
	return copy_out(caller, args[1], &info, sizeof(info));
}

/* resume(ep). -EINVAL. */
int64_t kcall_resume(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);

	if (proc == NULL) {
		return -EINVAL;
	}
	proc->flags &= ~(uint32_t)PROC_STOP_NOTICE;
	rts_clear(proc, RTS_PROC_STOP);
	return 0;
}

/* kill(ep, signo, code, address): to the signal manager. -EINVAL. */
int64_t kcall_kill(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);
	int signo = (int)args[1];

	if (proc == NULL || signo < 1 || signo >= SIGNAL_MAX) {
		return -EINVAL;
	}
	if (args[2] != 0) {
		/* VM's verdict on a page fault, whose message still says what kind of access it
		 * was. */
		uint64_t error = rts_is_set(proc, RTS_PAGEFAULT)
			? MSG(&proc->send_msg, vm_pagefault)->error
			: FAULT_USER;

		signal_fault(proc, signo, (int)args[2], args[3], TRAP_PAGE_FAULT, error);
	} else {
		signal_raise(proc, signo);
	}
	return 0;
}

/* getksig(struct ksig *) -> 1: filled in; 0: there is none. */
int64_t kcall_getksig(struct proc *caller, const uint64_t args[6])
{
	struct ksig ksig = {0};
	int64_t error = copy_out(caller, args[0], &ksig, sizeof(ksig));

	if (error != 0) {
		return error;
	}
	if (!signal_fetch(caller, &ksig)) {
		return 0;
	}
	error = copy_out(caller, args[0], &ksig, sizeof(ksig));
	return error != 0 ? error : 1;
}

/* endksig(ep). -EINVAL: nothing to end; -EPERM: not the caller's. */
int64_t kcall_endksig(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);

	return proc == NULL ? -EINVAL : signal_end(caller, proc);
}

/* A frame is built or taken only at a user-mode boundary: outside of any call. */
static bool is_at_boundary(const struct proc *proc)
{
	return (proc->flags & (PROC_CALL | PROC_DELIVER)) == 0 &&
		!rts_is_set(proc, RTS_RECEIVING | RTS_FUTEX | RTS_VMREQUEST) &&
		(!rts_is_set(proc, RTS_SENDING) ||
			rts_is_set(proc, RTS_PAGEFAULT | RTS_NO_QUANTUM));
}

/* sigsend(ep, const struct sigsend_spec *). -EINVAL; -EBUSY: in a call; -EFAULT: no room on its
 * stack. */
int64_t kcall_sigsend(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);
	struct sigsend_spec spec;
	int64_t error = copy_in(caller, &spec, args[1], sizeof(spec));

	if (error != 0) {
		return error;
	}
	if (proc == NULL || proc == caller || spec.signo < 1 || spec.signo > SIGNAL_MAX ||
		spec.handler >= USER_END || spec.restorer >= USER_END) {
		return -EINVAL;
	}
	if (!is_at_boundary(proc)) {
		return -EBUSY;
	}
	error = arch_signal_send(caller, proc, &spec);
	if (error == 0) {
		rts_clear(proc, RTS_PROC_STOP);
	}
	return error;
}

/* sigreturn(ep, struct sigreturn_info *): the thread is in its rt_sigreturn call; ends that call.
 * -EFAULT: bad frame. */
int64_t kcall_sigreturn(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);
	struct sigreturn_info info = {0};
	int64_t error = copy_out(caller, args[1], &info, sizeof(info));

	if (error != 0) {
		return error;
	}
	if (proc == NULL || proc == caller) {
		return -EINVAL;
	}
	error = arch_signal_return(caller, proc, &info);
	if (error != 0) {
		return error;
	}
	if ((proc->flags & PROC_CALL) != 0) {
		ipc_cancel_call(proc);
	}
	return copy_out(caller, args[1], &info, sizeof(info));
}

/* cleartid(ep, CLEARTID_*, address): see abi/kcall.h. -EINVAL. */
int64_t kcall_cleartid(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);

	if (proc == NULL) {
		return -EINVAL;
	}
	switch (args[1]) {
	case CLEARTID_SET:
		proc->clear_tid = args[2];
		return 0;
	case CLEARTID_RUN:
		return futex_thread_exit(caller, proc);
	default:
		return -EINVAL;
	}
}
