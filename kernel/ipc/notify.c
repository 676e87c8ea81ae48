/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notifications: bits that wait in the receiver's privilege structure and become a message when it
 * receives. They never block the sender and merge while they wait. A process in the second half of
 * a sendrec gets none: it waits for an answer.
 */
#include <string.h>

#include "kernel/arch.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/ipc.h"
#include "kernel/state.h"

static bool accepts(endpoint_t from, endpoint_t source)
{
	return from == EP_ANY || from == source;
}

static void hand_over(struct proc *proc, struct message *message, uint32_t status)
{
	message->type = NOTIFY_MESSAGE;
	message->notify.timestamp_ns = arch_now();
	trace(TRACE_NOTIFY, (uint64_t)proc->endpoint, (uint64_t)message->source);
	ipc_hand_over(proc, message, IPC_STATUS_NOTIFY | status);
}

bool notify_take(struct proc *proc, endpoint_t from)
{
	struct priv *priv = proc->priv;
	struct message message = {.source = EP_NONE};
	size_t id;

	if (!proc_is_service(proc) || (proc->flags & PROC_SENDREC) != 0) {
		return false;
	}
	if (priv->ksig_pending != 0 && accepts(from, EP_KERNEL)) {
		message.source = EP_KERNEL;
		message.notify.signals = priv->ksig_pending;
		if ((priv->ksig_pending & KSIG_SELF) != 0) {
			message.u64[3] = priv->self_signals;
			priv->self_signals = 0;
		}
		priv->ksig_pending = 0;
		hand_over(proc, &message, IPC_STATUS_FROM_KERNEL);
		return true;
	}
	if (priv->irq_pending != 0 && accepts(from, EP_HARDWARE)) {
		message.source = EP_HARDWARE;
		message.notify.irqs = priv->irq_pending;
		priv->irq_pending = 0;
		hand_over(proc, &message, IPC_STATUS_FROM_KERNEL);
		return true;
	}
	if (priv->alarm_pending && accepts(from, EP_CLOCK)) {
		message.source = EP_CLOCK;
		priv->alarm_pending = false;
		hand_over(proc, &message, IPC_STATUS_FROM_KERNEL);
		return true;
	}
	for (id = bitmap_next_set(priv->notify_pending, PRIV_MAX, 0); id < PRIV_MAX;
		id = bitmap_next_set(priv->notify_pending, PRIV_MAX, id + 1)) {
		const struct proc *source = kernel.privs[id].proc;

		if (source == NULL) {
			bitmap_clear(priv->notify_pending, id);
		} else if (accepts(from, source->endpoint)) {
			bitmap_clear(priv->notify_pending, id);
			message.source = source->endpoint;
			hand_over(proc, &message, 0);
			return true;
		}
	}
	return false;
}

void ipc_notify_pending(struct proc *proc)
{
	if (proc != NULL && rts_is_set(proc, RTS_RECEIVING) && (proc->flags & PROC_SENDREC) == 0) {
		notify_take(proc, proc->receive_from);
	}
}

void ipc_ksig(struct proc *proc, uint32_t bits)
{
	proc->priv->ksig_pending |= bits;
	ipc_notify_pending(proc);
}

int64_t notify_send(struct proc *caller, struct proc *dst)
{
	if (!proc_is_service(dst)) {
		return -ECALLDENIED; /* programs receive no notifications */
	}
	bitmap_set(dst->priv->notify_pending, caller->priv->id);
	ipc_notify_pending(dst);
	return 0;
}
