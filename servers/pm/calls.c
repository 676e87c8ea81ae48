/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/calls.h"

#include "abi/linux/calls.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "servers/pm/cred.h"
#include "servers/pm/deliver.h"
#include "servers/pm/exec.h"
#include "servers/pm/exit.h"
#include "servers/pm/fork.h"
#include "servers/pm/limits.h"
#include "servers/pm/pm.h"
#include "servers/pm/prctl.h"
#include "servers/pm/priority.h"
#include "servers/pm/ptrace.h"
#include "servers/pm/reboot.h"
#include "servers/pm/session.h"
#include "servers/pm/sigcalls.h"
#include "servers/pm/sleep.h"
#include "servers/pm/system.h"
#include "servers/pm/timers.h"
#include "servers/pm/usage.h"
#include "servers/pm/user.h"
#include "servers/pm/wait.h"

/* One row for each call that the routing table gives to PM; a missing handler does not compile. */
#define ROW_KERNEL(nr, name)
#define ROW_VFS(nr, name)
#define ROW_VM(nr, name)
#define ROW_RS(nr, name)
#define ROW_IPC(nr, name)
#define ROW_NET(nr, name)
#define ROW_PM(nr, name)     [nr] = call_##name,
#define ROW(nr, name, owner) ROW_##owner(nr, name)

static call_fn *const call_table[] = {LINUX_CALLS(ROW)};

void call_handle(struct pm *pm, endpoint_t source, int32_t nr, const uint64_t arg[7])
{
	struct thread *thread = thread_by_ep(pm, source);
	int64_t result = -ENOSYS;

	if (!thread || thread->process->state != PROCESS_ALIVE || thread->process->is_service) {
		diag_printf("call %d of %d, which is no program", nr, source);
		ipc_reply_call(source, -ENOSYS);
		return;
	}
	thread->in_call = true;
	thread->call = nr;
	if (nr >= 0 && (size_t)nr < ARRAY_LEN(call_table) && call_table[nr]) {
		result = call_table[nr](pm, thread, arg);
	}
	if (result == CALL_NO_REPLY) {
		return;
	}
	/* It may have ended itself. */
	thread = thread_by_ep(pm, source);
	if (thread && thread->process->state == PROCESS_ALIVE && thread->in_call) {
		thread_reply(pm, thread, result);
	}
}
