/* SPDX-License-Identifier: BSD-2-Clause */
/* See trap.h. */
#include "kernel/trap.h"

#include "abi/trap.h"
#include "kernel/arch.h"
#include "kernel/ipc/ipc.h"
#include "kernel/kcall/kcall.h"
#include "kernel/linux/call.h"

_Static_assert(KCALL_SUSPENDED == IPC_BLOCKED, "one value says: no result to store");

void trap_call(struct proc *proc, uint64_t number, const uint64_t args[6])
{
	int64_t result;

	if (number < TRAP_BASE) {
		result = linux_call(proc, number, args);
	} else if (!proc_is_service(proc)) {
		result = -ENOSYS; /* a program, for which these numbers do not exist */
	} else if (number >= KCALL_BASE && number < KCALL_BASE + KCALL_COUNT) {
		result = kcall_run(proc, (unsigned)(number - KCALL_BASE), args);
	} else {
		result = ipc_trap(proc, number < KCALL_BASE ? (unsigned)number : 0, args);
	}
	if (result != KCALL_SUSPENDED) {
		arch_set_result(&proc->arch, result);
	}
}
