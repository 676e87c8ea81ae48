/* SPDX-License-Identifier: BSD-2-Clause */
/* statectl: a service finds its predecessor's state, and who waits for it. */
#include "kernel/ipc/ipc.h"
#include "kernel/kcall/kcall.h"
#include "kernel/proc/priv.h"
#include "kernel/state.h"

static int64_t get_table(struct proc *caller, const struct proc *predecessor, vaddr_t to)
{
	if (predecessor == NULL) {
		return -ESRCH;
	}
	return copy_out(caller, to, &predecessor->priv->state, sizeof(predecessor->priv->state));
}

static int64_t read_state(
	struct proc *caller, struct proc *predecessor, vaddr_t from, vaddr_t to, uint64_t bytes)
{
	if (predecessor == NULL) {
		return -ESRCH;
	}
	return copy_between(caller, (struct copy_side){predecessor, from},
		(struct copy_side){caller, to}, bytes, 0);
}

static int64_t list_waiters(struct proc *caller, vaddr_t to, uint64_t max, uint64_t first)
{
	uint64_t i, count = 0;

	for (i = first; i < kernel.proc_count && count < max; i++) {
		const struct proc *proc = proc_slot((unsigned)i);
		int64_t error;

		if (!rts_is_set(proc, RTS_RECEIVING) || (proc->flags & PROC_SENDREC) == 0 ||
			proc->receive_from != caller->endpoint) {
			continue;
		}
		error = copy_out(caller, to + count * sizeof(proc->endpoint), &proc->endpoint,
			sizeof(proc->endpoint));
		if (error != 0) {
			return error;
		}
		count++;
	}
	return (int64_t)count;
}

/* statectl(STATE_*, a, b, c): see abi/kcall.h. -EINVAL: no such operation; -ESRCH: no predecessor.
 */
int64_t kcall_statectl(struct proc *caller, const uint64_t args[6])
{
	struct proc *predecessor = proc_find(caller->predecessor);

	switch (args[0]) {
	case STATE_SET_TABLE:
		caller->priv->state = (struct state_table){args[1], args[2]};
		return 0;
	case STATE_GET_TABLE:
		return get_table(caller, predecessor, args[1]);
	case STATE_READ:
		return read_state(caller, predecessor, args[1], args[2], args[3]);
	case STATE_CLEAR_IPC_REFS:
		ipc_forget_requests(caller);
		return 0;
	case STATE_WAITERS:
		return list_waiters(caller, args[1], args[2], args[3]);
	default:
		return -EINVAL;
	}
}
