/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel calls that make, change and end processes: fork, newproc, exec, clear, exit, setids,
 * update, statectl. */
#include <string.h>

#include "abi/bootinfo.h"
#include "kernel/arch.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/panic.h"
#include "kernel/ipc/ipc.h"
#include "kernel/irq/irq.h"
#include "kernel/kcall/kcall.h"
#include "kernel/linux/futex.h"
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
	child->scheduler = parent->scheduler;
	arch_proc_fork(&child->arch, &parent->arch);
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

/* Live update may swap a process that is at rest: without privileges, stopped for a signal, or only
 * receiving. */
static bool is_safe_to_swap(const struct proc *proc)
{
	if (rts_is_set(proc, RTS_SENDING | RTS_PAGEFAULT | RTS_VMREQUEST) ||
		list_is_linked(&proc->memreq_link)) {
		return false;
	}
	return rts_is_set(proc, RTS_NO_PRIV | RTS_SIG_PENDING | RTS_RECEIVING);
}

static void swap_u32(uint32_t *a, uint32_t *b, uint32_t mask)
{
	uint32_t difference = (*a ^ *b) & mask;

	*a ^= difference;
	*b ^= difference;
}

#define SWAP(type, a, b)             \
	do {                         \
		type swapped_ = (a); \
		(a) = (b);           \
		(b) = swapped_;      \
	} while (0)

/* Flags that go with the contents of a process and not with its slot. */
#define CONTENT_RTS                                                                     \
	(RTS_RECEIVING | RTS_PROC_STOP | RTS_NO_PRIV | RTS_SIGNALED | RTS_SIG_PENDING | \
		RTS_VMINHIBIT)
#define CONTENT_FLAGS (PROC_DELIVER | PROC_SENDREC | PROC_EMPTY)

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

/* The asynchronous tables go with the memory they lie in, and with them who waits for their
 * entries. */
static void swap_async(struct priv *a, struct priv *b)
{
	unsigned i;

	SWAP(vaddr_t, a->async_table, b->async_table);
	SWAP(uint32_t, a->async_count, b->async_count);
	for (i = 0; i < PRIV_MAX / 64; i++) {
		SWAP(uint64_t, a->async_receivers[i], b->async_receivers[i]);
	}
	for (i = 0; i < PRIV_MAX; i++) {
		swap_bits(kernel.privs[i].async_pending, a->id, b->id);
	}
}

/*
 * update(ep, ep): the two processes swap contents (registers, address space, name, what they wait
 * for); endpoint, slot, privilege number, scheduling, pending notifications and queued senders
 * stay. -EINVAL: bad endpoint; -EPERM: not both services; -EBUSY: one of them is not at rest.
 */
int64_t kcall_update(struct proc *caller, const uint64_t args[6])
{
	struct proc *a = kcall_proc(caller, args[0]);
	struct proc *b = kcall_proc(caller, args[1]);
	uint32_t a_rts, b_rts;

	if (a == NULL || b == NULL || a == b) {
		return -EINVAL;
	}
	if (!proc_is_service(a) || !proc_is_service(b) || a == caller || b == caller) {
		return -EPERM;
	}
	if (!is_safe_to_swap(a) || !is_safe_to_swap(b)) {
		return -EBUSY;
	}
	a_rts = a->rts;
	b_rts = b->rts;
	swap_u32(&a_rts, &b_rts, CONTENT_RTS);
	rts_set(a, RTS_PROC_STOP);
	rts_set(b, RTS_PROC_STOP);
	arch_proc_swap(&a->arch, &b->arch);
	swap_u32(&a->flags, &b->flags, CONTENT_FLAGS);
	SWAP(paddr_t, a->root, b->root);
	SWAP(uint32_t, a->as_id, b->as_id);
	SWAP(endpoint_t, a->receive_from, b->receive_from);
	SWAP(vaddr_t, a->deliver_to, b->deliver_to);
	SWAP(struct message, a->deliver_msg, b->deliver_msg);
	if ((a->signals == 0) != (b->signals == 0)) {
		struct proc *has = a->signals != 0 ? a : b;

		list_remove(&has->signal_link);
		list_add_tail(&kernel.signalled, &(has == a ? b : a)->signal_link);
	}
	SWAP(uint64_t, a->signals, b->signals);
	SWAP(struct ksig, a->fault, b->fault);
	SWAP(vaddr_t, a->priv->grant_table, b->priv->grant_table);
	SWAP(uint32_t, a->priv->grant_count, b->priv->grant_count);
	swap_async(a->priv, b->priv);
	swap_names(a, b);
	rts_set(a, a_rts);
	rts_set(b, b_rts);
	rts_clear(a, ~a_rts);
	rts_clear(b, ~b_rts);
	ipc_notify_pending(a);
	ipc_notify_pending(b);
	return 0;
}

/* statectl(): nothing to say yet. */
int64_t kcall_statectl(struct proc *caller, const uint64_t args[6])
{
	return -EINVAL;
}
