/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update: two services swap their contents, so that the endpoint of a dead or outdated one names
 * its successor and nobody notices.
 *
 * With the contents go: registers, address space, name, grant table, table of asynchronous
 * messages, table of registered state, what it waits for, signals that its manager has to deal
 * with. With the endpoint stay: the slot, all privileges, interrupt hooks, pending notifications,
 * interrupts and alarm, scheduling, and whoever sends to it or waits for its answer.
 */
#include <string.h>

#include "kernel/arch.h"
#include "kernel/ipc/ipc.h"
#include "kernel/irq/irq.h"
#include "kernel/kcall/kcall.h"
#include "kernel/linux/futex.h"
#include "kernel/mem/fault.h"
#include "kernel/state.h"

/* Flags that go with the contents of a process. */
#define CONTENT_RTS                                                                     \
	(RTS_RECEIVING | RTS_PROC_STOP | RTS_NO_PRIV | RTS_SIGNALED | RTS_SIG_PENDING | \
		RTS_P_STOP | RTS_VMINHIBIT)
#define CONTENT_FLAGS (PROC_DELIVER | PROC_SENDREC | PROC_EMPTY)

#define SWAP(type, a, b)             \
	do {                         \
		type swapped_ = (a); \
		(a) = (b);           \
		(b) = swapped_;      \
	} while (0)

/* Its contents will never run again: a manager has to deal with its end. */
static bool is_dead(const struct proc *proc)
{
	return rts_is_set(proc, RTS_SIG_PENDING);
}

/* Between two things: nothing of it is under way but a wait for a message. */
static bool is_at_rest(const struct proc *proc)
{
	return !rts_is_set(proc, RTS_SENDING | RTS_PAGEFAULT | RTS_VMREQUEST | RTS_FUTEX) &&
		(proc->flags & PROC_CALL) == 0 && rts_is_set(proc, RTS_NO_PRIV | RTS_RECEIVING);
}

/*
 * A server still works at a request of the dead contents: its answer must not reach the new ones,
 * who may have asked the same server something by then. RS and VM know of the death and answer
 * nothing.
 */
static void expect_stale_answer(struct proc *proc)
{
	struct proc *server = proc_find(proc->receive_from);

	if (server != NULL && proc_is_service(server) && server->endpoint != EP_RS &&
		server->endpoint != EP_VM) {
		bitmap_set(proc->priv->stale_answers, server->priv->id);
		proc->flags |= PROC_STALE_ANSWERS;
	}
}

static void end_send(struct proc *proc)
{
	if (rts_is_set(proc, RTS_NO_QUANTUM)) {
		/* Its scheduler has not been told: the new contents will tell it. */
		proc->quantum_left_ns = 0;
	}
	list_remove(&proc->send_link);
	proc->send_to = EP_NONE;
	rts_clear(proc, RTS_SENDING | RTS_NO_QUANTUM);
}

/* What the contents were about is over, in the middle of whatever it was. */
static void cancel_all(struct proc *proc)
{
	rts_set(proc, RTS_PROC_STOP);
	if ((proc->flags & PROC_DELIVER) != 0) {
		/* A message that it has accepted belongs to its memory, which may be inherited. */
		(void)copy_poke(
			proc, proc->deliver_to, &proc->deliver_msg, sizeof(proc->deliver_msg));
		proc->flags &= ~(uint32_t)PROC_DELIVER;
	}
	memreq_cancel(proc);
	if (rts_is_set(proc, RTS_FUTEX)) {
		futex_cancel(proc, 0);
	}
	if (rts_is_set(proc, RTS_SENDING)) {
		end_send(proc);
	} else if (rts_is_set(proc, RTS_RECEIVING) && (proc->flags & PROC_SENDREC) != 0) {
		expect_stale_answer(proc);
	}
	proc->receive_from = EP_NONE;
	proc->flags &= ~(uint32_t)(PROC_SENDREC | PROC_CALL | PROC_FROM_KERNEL | PROC_RESTART |
		PROC_STOP_NOTICE);
	rts_clear(proc, RTS_RECEIVING | RTS_PAGEFAULT);
	async_forget(proc);
	list_remove(&proc->signal_link);
	proc->signals = 0;
	rts_clear(proc, RTS_SIGNALED);
}

static void swap_u32(uint32_t *a, uint32_t *b, uint32_t mask)
{
	uint32_t difference = (*a ^ *b) & mask;

	*a ^= difference;
	*b ^= difference;
}

static void swap_bits(uint64_t *map, unsigned a, unsigned b)
{
	bool had_a = bitmap_test(map, a), had_b = bitmap_test(map, b);

	if (had_a != had_b) {
		(had_b ? bitmap_set : bitmap_clear)(map, a);
		(had_a ? bitmap_set : bitmap_clear)(map, b);
	}
}

static void swap_names(struct proc *a, struct proc *b)
{
	char name[sizeof(a->name)];

	memcpy(name, a->name, sizeof(name));
	memcpy(a->name, b->name, sizeof(name));
	memcpy(b->name, name, sizeof(name));
}

/* The tables that lie in the memory of the contents. */
static void swap_tables(struct priv *a, struct priv *b)
{
	unsigned i;

	SWAP(vaddr_t, a->grant_table, b->grant_table);
	SWAP(uint32_t, a->grant_count, b->grant_count);
	SWAP(struct state_table, a->state, b->state);
	SWAP(vaddr_t, a->async_table, b->async_table);
	SWAP(uint32_t, a->async_count, b->async_count);
	SWAP(uint32_t, a->async_first, b->async_first);
	for (i = 0; i < PRIV_MAX / 64; i++) {
		SWAP(uint64_t, a->async_receivers[i], b->async_receivers[i]);
	}
	for (i = 0; i < PRIV_MAX; i++) {
		swap_bits(kernel.privs[i].async_pending, a->id, b->id);
	}
}

static void swap_signals(struct proc *a, struct proc *b)
{
	if ((a->signals == 0) != (b->signals == 0)) {
		struct proc *has = a->signals != 0 ? a : b;

		list_remove(&has->signal_link);
		list_add_tail(&kernel.signalled, &(has == a ? b : a)->signal_link);
	}
	SWAP(uint64_t, a->signals, b->signals);
	SWAP(endpoint_t, a->signal_to, b->signal_to);
	SWAP(struct ksig, a->fault, b->fault);
}

static void swap_contents(struct proc *a, struct proc *b)
{
	uint32_t a_rts = a->rts, b_rts = b->rts;

	swap_u32(&a_rts, &b_rts, CONTENT_RTS);
	rts_set(a, RTS_PROC_STOP);
	rts_set(b, RTS_PROC_STOP);
	arch_proc_swap(&a->arch, &b->arch);
	swap_u32(&a->flags, &b->flags, CONTENT_FLAGS);
	swap_names(a, b);
	SWAP(paddr_t, a->root, b->root);
	SWAP(uint32_t, a->as_id, b->as_id);
	SWAP(uint64_t, a->start_ns, b->start_ns);
	SWAP(int32_t, a->call, b->call);
	SWAP(endpoint_t, a->receive_from, b->receive_from);
	SWAP(vaddr_t, a->deliver_to, b->deliver_to);
	SWAP(struct message, a->deliver_msg, b->deliver_msg);
	SWAP(vaddr_t, a->clear_tid, b->clear_tid);
	SWAP(vaddr_t, a->robust_list, b->robust_list);
	SWAP(uint64_t, a->robust_bytes, b->robust_bytes);
	SWAP(uint64_t, a->futex_deadline_ns, b->futex_deadline_ns);
	swap_signals(a, b);
	swap_tables(a->priv, b->priv);
	rts_set(a, a_rts);
	rts_set(b, b_rts);
	rts_clear(a, ~a_rts);
	rts_clear(b, ~b_rts);
}

/*
 * Taken back: what was told to the failed contents in between must not be lost for the former ones.
 * They hear of an alarm and of interrupts that may not have been, which does no harm.
 */
static void tell_again(struct proc *proc)
{
	proc->priv->alarm_pending = true;
	irq_tell_again(proc->priv);
}

/*
 * update(old, successor, UPDATE_*): see above and abi/kcall.h. `old` may be dead, in whatever it
 * was about: that is given up. -EINVAL: bad endpoint or flags; -EPERM: the caller is not VM, or
 * they are not both services other than VM; -EBUSY: one of them is not at rest.
 */
int64_t kcall_update(struct proc *caller, const uint64_t args[6])
{
	struct proc *old = kcall_proc(caller, args[0]);
	struct proc *successor = kcall_proc(caller, args[1]);
	bool rollback = args[2] == UPDATE_ROLLBACK;

	if (old == NULL || successor == NULL || old == successor || args[2] > UPDATE_ROLLBACK) {
		return -EINVAL;
	}
	if ((caller->priv->spec.flags & PRIV_FLAG_VM) == 0 || old == caller ||
		successor == caller || !proc_is_service(old) || !proc_is_service(successor)) {
		return -EPERM;
	}
	if (!is_at_rest(successor) || (!rollback && !is_dead(old) && !is_at_rest(old))) {
		return -EBUSY;
	}
	if (rollback) {
		/* The former contents go on: they still answer what they were asked. */
		cancel_all(old);
		rts_set(old, RTS_NO_PRIV); /* never to run again, under whatever endpoint */
	} else if (is_dead(old)) {
		cancel_all(old);
		ipc_forget_stale(old);
	}
	memreq_rerun(old);
	memreq_rerun(successor);
	swap_contents(old, successor);
	old->flags &= ~(uint32_t)PROC_SWAPPED_OUT;
	successor->flags |= PROC_SWAPPED_OUT;
	old->predecessor = rollback ? EP_NONE : successor->endpoint;
	successor->predecessor = EP_NONE;
	if (rollback) {
		tell_again(old);
	}
	ipc_receive_again(old);
	async_retry(old);
	return 0;
}
