/* SPDX-License-Identifier: BSD-2-Clause */
/* See call.h. */
#include "kernel/linux/call.h"

#include "abi/errno.h"
#include "abi/linux/calls.h"
#include "kernel/arch.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/panic.h"
#include "kernel/ipc/ipc.h"
#include "kernel/kcall/kcall.h"
#include "kernel/linux/futex.h"
#include "kernel/linux/traced.h"
#include "kernel/mem/copy.h"
#include "kernel/proc/signal.h"
#include "kernel/state.h"

/* Owners of calls in the routing table, as the endpoint of the server plus one; 0: nobody. */
#define OWNER_NONE   0
#define OWNER_KERNEL 0xff
#define OWNER_PM     (EP_PM + 1)
#define OWNER_VFS    (EP_VFS + 1)
#define OWNER_VM     (EP_VM + 1)
#define OWNER_RS     (EP_RS + 1)
#define OWNER_IPC    OWNER_NONE
#define OWNER_NET    OWNER_NONE

#define CALL(number, name, owner) [number] = OWNER_##owner,
static const uint8_t owners[LINUX_NR_END] = {LINUX_CALLS(CALL)};
#undef CALL

static bool is_restart_code(int64_t result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
		result == -ERESTART_RESTARTBLOCK;
}

#define CALL(number, name, owner) [number] = #name,
static const char *const names[LINUX_NR_END] = {LINUX_CALLS(CALL)};
#undef CALL

static const char *call_name(uint64_t number)
{
	return number < LINUX_NR_END && names[number] != NULL ? names[number] : "?";
}

/* With the option `strace`. */
static void show_call(const struct proc *proc, uint64_t number, const uint64_t args[6])
{
	if (kernel.show_calls && !proc_is_service(proc)) {
		diag_printf("%s %d: %s(%lx, %lx, %lx, %lx)\n", proc->name, proc->ids.tid,
			call_name(number), args[0], args[1], args[2], args[3]);
	}
}

static void show_result(const struct proc *proc, int64_t result)
{
	if (kernel.show_calls && !proc_is_service(proc)) {
		diag_printf("%s %d: %s = %ld\n", proc->name, proc->ids.tid,
			call_name((uint64_t)proc->call), result);
	}
}

/* What libc's start-up and malloc need; all else is not for services. */
static int64_t service_call(struct proc *proc, uint64_t number, const uint64_t args[6])
{
	switch (number) {
	case LINUX_NR_exit:
	case LINUX_NR_exit_group:
		signal_raise(proc, LSIGABRT);
		return KCALL_SUSPENDED;
	case LINUX_NR_brk:
	case LINUX_NR_mmap:
	case LINUX_NR_munmap:
	case LINUX_NR_mprotect:
	case LINUX_NR_mremap:
	case LINUX_NR_madvise:
		return proc->priv->spec.linux_mem != 0 ? 0 : -ENOSYS;
	default:
		return linux_kernel_call(number) != NULL ? 0 : -ENOSYS;
	}
}

static void send_to_server(
	struct proc *proc, uint64_t number, const uint64_t args[6], struct proc *server)
{
	struct linux_call *call = &proc->send_msg.call;
	int i;

	proc->send_msg.source = proc->endpoint;
	proc->send_msg.type = (int32_t)LINUX_CALL(number);
	for (i = 0; i < 6; i++) {
		call->arg[i] = args[i];
	}
	call->sp = arch_sp(&proc->arch);
	ipc_call_for(proc, server);
}

int64_t linux_call(struct proc *proc, uint64_t number, const uint64_t args[6])
{
	struct proc *server;
	int64_t result;

	if (traced_call_begins(proc, number)) {
		return KCALL_SUSPENDED;
	}
	show_call(proc, number, args);
	if (number >= LINUX_NR_END || owners[number] == OWNER_NONE) {
		return -ENOSYS;
	}
	if (proc_is_service(proc)) {
		result = service_call(proc, number, args);
		if (result != 0) {
			return result;
		}
	}
	proc->call = (int32_t)number;
	if (owners[number] == OWNER_KERNEL) {
		linux_call_fn call = linux_kernel_call(number);

		return call != NULL ? call(proc, args) : -ENOSYS;
	}
	if (number == LINUX_NR_restart_syscall && proc->futex_deadline_ns != 0) {
		return futex_resume(proc);
	}
	server = proc_find(owners[number] - 1);
	if (server == NULL) {
		return -ENOSYS;
	}
	if (server == proc) {
		return -ENOSYS; /* VM's malloc does not come this way */
	}
	send_to_server(proc, number, args, server);
	return KCALL_SUSPENDED;
}

void linux_call_finish(struct proc *proc, int64_t result)
{
	proc->flags &= ~(uint32_t)(PROC_CALL | PROC_SENDREC | PROC_FROM_KERNEL);
	proc->receive_from = EP_NONE;
	show_result(proc, result);
	arch_set_result(&proc->arch, result);
	if (is_restart_code(result)) {
		proc->flags |= PROC_RESTART;
	}
	if ((proc->flags & PROC_STOP_NOTICE) != 0) {
		proc->flags &= ~(uint32_t)PROC_STOP_NOTICE;
		signal_stopped(proc);
	}
	rts_clear(proc, RTS_SENDING | RTS_RECEIVING);
}

void linux_call_restart(struct proc *proc)
{
	int64_t result = arch_result(&proc->arch);

	proc->flags &= ~(uint32_t)PROC_RESTART;
	if (is_restart_code(result)) {
		arch_rewind_call(&proc->arch,
			result == -ERESTART_RESTARTBLOCK ? LINUX_NR_restart_syscall
							 : (uint64_t)proc->call);
	}
}

void linux_call_interrupt(struct proc *proc, bool restart)
{
	int64_t result = arch_result(&proc->arch);

	if ((proc->flags & PROC_RESTART) == 0) {
		return;
	}
	proc->flags &= ~(uint32_t)PROC_RESTART;
	if (result == -ERESTARTNOINTR || (result == -ERESTARTSYS && restart)) {
		arch_rewind_call(&proc->arch, (uint64_t)proc->call);
	} else if (is_restart_code(result)) {
		arch_set_result(&proc->arch, -EINTR);
	}
}
