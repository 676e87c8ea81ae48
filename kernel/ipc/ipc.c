/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Send, receive, sendrec and their variants: see ipc.h, and docs/ipc.md for the states.
 *
 *	runnable --send, peer waits--> runnable (direct hand-over: the message goes into the peer's
 *deliver_msg) runnable --send, peer busy--> SENDING --peer receives--> runnable, or RECEIVING if it
 *was a sendrec runnable --receive, nothing there--> RECEIVING --message--> runnable with
 *PROC_DELIVER
 *
 * A message is copied once into the kernel and once out of it, the second time when the receiver is
 *about to run, in its own address space.
 */
#include "kernel/ipc/ipc.h"

#include "kernel/arch.h"
#include "kernel/debug/panic.h"
#include "kernel/debug/trace.h"
#include "kernel/linux/call.h"
#include "kernel/mem/fault.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/signal.h"
#include "kernel/state.h"

bool ipc_is_waiting_for(const struct proc *dst, endpoint_t from)
{
	return rts_is_set(dst, RTS_RECEIVING) &&
		(dst->receive_from == EP_ANY || dst->receive_from == from);
}

void ipc_wake_with(struct proc *proc, int64_t result)
{
	arch_set_result(&proc->arch, result);
	proc->flags &= ~(uint32_t)(PROC_SENDREC | PROC_FROM_KERNEL);
	proc->receive_from = EP_NONE;
	rts_clear(proc, RTS_RECEIVING | RTS_SENDING);
}

/* The wait of `dst` is over: it gets the message. */
void ipc_hand_over(struct proc *dst, const struct message *message, uint32_t status)
{
	bool is_answer = (dst->flags & PROC_SENDREC) != 0;

	assert(rts_is_set(dst, RTS_RECEIVING));
	if ((dst->flags & PROC_CALL) != 0) {
		linux_call_finish(dst, message->reply.result);
		return;
	}
	message_copy(&dst->deliver_msg, message);
	dst->flags |= PROC_DELIVER;
	ipc_wake_with(dst, is_answer ? 0 : (int64_t)status);
}

/*
 * Would `caller` wait for `peer` in a circle? Follow what each blocked one waits for. A wait for
 * anybody ends the walk, as does a program, for which nobody waits.
 */
bool ipc_would_deadlock(const struct proc *caller, const struct proc *peer)
{
	unsigned steps = 0;

	while (peer != NULL && peer != caller && steps++ < kernel.proc_count) {
		if (rts_is_set(peer, RTS_SENDING)) {
			peer = proc_find(peer->send_to);
		} else if (rts_is_set(peer, RTS_RECEIVING)) {
			peer = proc_find(peer->receive_from);
		} else {
			return false;
		}
	}
	return peer == caller;
}

static void start_receive(struct proc *proc, endpoint_t from)
{
	proc->receive_from = from;
	rts_set(proc, RTS_RECEIVING);
}

/* The message of a SENDING process has been taken. */
static void sending_done(struct proc *sender)
{
	endpoint_t to = sender->send_to;

	list_remove(&sender->send_link);
	sender->send_to = EP_NONE;
	sender->flags &= ~(uint32_t)PROC_FROM_KERNEL;
	if ((sender->flags & PROC_SENDREC) != 0) {
		start_receive(sender, to);
		rts_clear(sender, RTS_SENDING);
		return;
	}
	rts_clear(sender, RTS_SENDING);
}

static uint32_t sender_status(const struct proc *sender)
{
	uint32_t status = 0;

	if ((sender->flags & PROC_FROM_KERNEL) != 0) {
		status |= IPC_STATUS_FROM_KERNEL;
	}
	if ((sender->flags & PROC_SENDREC) != 0) {
		status |= IPC_STATUS_SENDREC;
	}
	return status;
}

static void count_message(struct proc *sender, const struct proc *dst)
{
	sender->messages++;
	kernel.messages++;
	trace(TRACE_SEND, (uint64_t)dst->endpoint, (uint64_t)sender->send_msg.type);
}

/* `server` still owes the sender's former contents an answer: what the new ones ask waits for that,
 * or else the one answer could not be told from the other. */
static bool is_held_back(const struct proc *sender, const struct proc *server)
{
	return (sender->flags & PROC_STALE_ANSWERS) != 0 &&
		bitmap_test(sender->priv->stale_answers, server->priv->id);
}

/* Hand sender->send_msg over, or queue. The flags of the sender say what kind of send it is. */
static void send_or_queue(struct proc *sender, struct proc *dst)
{
	count_message(sender, dst);
	if (ipc_is_waiting_for(dst, sender->endpoint) && !is_held_back(sender, dst)) {
		uint32_t status = sender_status(sender);

		sender->flags &= ~(uint32_t)PROC_FROM_KERNEL;
		if ((sender->flags & PROC_SENDREC) != 0) {
			start_receive(sender, dst->endpoint);
		}
		ipc_hand_over(dst, &sender->send_msg, status);
		return;
	}
	sender->send_to = dst->endpoint;
	list_add_tail(&dst->senders, &sender->send_link);
	rts_set(sender, RTS_SENDING);
}

void ipc_send_for(struct proc *proc, struct proc *dst)
{
	proc->flags = (proc->flags & ~(uint32_t)PROC_SENDREC) | PROC_FROM_KERNEL;
	send_or_queue(proc, dst);
}

void ipc_call_for(struct proc *proc, struct proc *dst)
{
	proc->flags |= PROC_FROM_KERNEL | PROC_SENDREC | PROC_CALL;
	send_or_queue(proc, dst);
}

void ipc_cancel_call(struct proc *proc)
{
	if (rts_is_set(proc, RTS_SENDING)) {
		list_remove(&proc->send_link);
		proc->send_to = EP_NONE;
	}
	proc->receive_from = EP_NONE;
	proc->flags &= ~(uint32_t)(PROC_SENDREC | PROC_CALL | PROC_FROM_KERNEL);
	rts_clear(proc, RTS_SENDING | RTS_RECEIVING);
}

int ipc_answer_call(struct proc *program, endpoint_t server, int64_t result)
{
	if ((program->flags & PROC_CALL) == 0 || !rts_is_set(program, RTS_RECEIVING) ||
		program->receive_from != server) {
		return -ENOTREADY;
	}
	linux_call_finish(program, result);
	return 0;
}

static bool owes_answer(const struct proc *caller, const struct proc *dst)
{
	return (dst->flags & PROC_SENDREC) != 0 && rts_is_set(dst, RTS_RECEIVING) &&
		dst->receive_from == caller->endpoint;
}

/* The common checks of everything that sends. A process that waits for the caller's answer may
 * always get it. */
static int64_t check_send(struct proc *caller, endpoint_t to, struct proc **dst)
{
	*dst = proc_find(to);
	if (*dst == NULL || rts_is_set(*dst, RTS_NO_ENDPOINT)) {
		return to == EP_ANY || to == EP_SELF ? -EINVAL : -EDEADSRCDST;
	}
	if (*dst == caller) {
		return -ELOCKED;
	}
	if (!priv_may_send(caller->priv, (*dst)->priv) && !owes_answer(caller, *dst)) {
		return -ECALLDENIED;
	}
	return 0;
}

/* The caller's message into send_msg. False: the caller waits for its memory and will come again.
 */
static bool fetch_message(struct proc *caller, vaddr_t from)
{
	vaddr_t fault;

	if (!arch_message_from_user(&caller->send_msg, from, &fault)) {
		arch_rewind_call(&caller->arch, arch_call_number(&caller->arch));
		fault_report(caller, fault, FAULT_USER);
		return false;
	}
	caller->send_msg.source = caller->endpoint;
	return true;
}

/* The answer to a request of contents that have died since (kcall/update.c). */
static bool drop_stale_answer(const struct proc *server, struct proc *dst)
{
	uint64_t *stale = dst->priv->stale_answers;

	if (!is_held_back(dst, server)) {
		return false;
	}
	bitmap_clear(stale, server->priv->id);
	if (bitmap_next_set(stale, PRIV_MAX, 0) >= PRIV_MAX) {
		dst->flags &= ~(uint32_t)PROC_STALE_ANSWERS;
	}
	return true;
}

static int64_t do_send(struct proc *caller, endpoint_t to, vaddr_t from, bool wait, bool sendrec)
{
	struct proc *dst;
	int64_t error = check_send(caller, to, &dst);

	if (error != 0) {
		return error;
	}
	if (!wait && (dst->flags & PROC_STALE_ANSWERS) != 0 && drop_stale_answer(caller, dst)) {
		return -ENOTREADY;
	}
	if (!fetch_message(caller, from)) {
		return IPC_BLOCKED;
	}
	if (IS_LINUX_CALL(caller->send_msg.type) && !owes_answer(caller, dst)) {
		return -EPERM; /* those are made by the kernel for who executes the call */
	}
	if (!ipc_is_waiting_for(dst, caller->endpoint) || is_held_back(caller, dst)) {
		/* Services do not wait for programs: what they owe one is an answer it waits for.
		 */
		if (!wait || !proc_is_service(dst)) {
			return -ENOTREADY;
		}
		if (ipc_would_deadlock(caller, dst)) {
			return -ELOCKED;
		}
	}
	caller->flags &= ~(uint32_t)PROC_FROM_KERNEL;
	if (sendrec) {
		caller->flags |= PROC_SENDREC;
		caller->deliver_to = from;
	}
	arch_set_result(&caller->arch, 0);
	send_or_queue(caller, dst);
	return caller->rts == 0 ? 0 : IPC_BLOCKED;
}

/* The oldest sender that `from` allows. */
static struct proc *find_sender(struct proc *caller, endpoint_t from)
{
	list_for_each(sender, &caller->senders, struct proc, send_link)
	{
		if ((from == EP_ANY || sender->endpoint == from) && !is_held_back(sender, caller)) {
			return sender;
		}
	}
	return NULL;
}

/* The caller has begun to receive: give it what is there for it. */
static bool take_pending(struct proc *caller, endpoint_t from)
{
	struct proc *sender;

	if (notify_take(caller, from) || async_take(caller, from)) {
		return true;
	}
	sender = find_sender(caller, from);
	if (sender == NULL) {
		return false;
	}
	trace(TRACE_RECEIVE, (uint64_t)sender->endpoint, (uint64_t)sender->send_msg.type);
	ipc_hand_over(caller, &sender->send_msg, sender_status(sender));
	sending_done(sender);
	return true;
}

void ipc_receive_again(struct proc *proc)
{
	if (rts_is_set(proc, RTS_RECEIVING) && (proc->flags & PROC_SENDREC) == 0) {
		take_pending(proc, proc->receive_from);
	}
}

static int64_t do_receive(struct proc *caller, endpoint_t from, vaddr_t to)
{
	struct proc *src = NULL;

	if (from != EP_ANY && from != EP_KERNEL && from != EP_HARDWARE && from != EP_CLOCK) {
		src = proc_find(from);
		if (src == NULL || rts_is_set(src, RTS_NO_ENDPOINT)) {
			return -EDEADSRCDST;
		}
	}
	caller->deliver_to = to;
	start_receive(caller, from);
	if (take_pending(caller, from)) {
		return IPC_BLOCKED; /* the result is stored */
	}
	if (src != NULL && ipc_would_deadlock(caller, src)) {
		ipc_wake_with(caller, -ELOCKED);
		return -ELOCKED;
	}
	return IPC_BLOCKED;
}

static int64_t do_reply_receive(struct proc *caller, endpoint_t to, vaddr_t message)
{
	int64_t result;

	if (to != EP_NONE) {
		result = do_send(caller, to, message, false, false);
		if (result == IPC_BLOCKED && caller->rts != 0) {
			return result; /* the message's memory is being brought in */
		}
	}
	return do_receive(caller, EP_ANY, message);
}

int64_t ipc_trap(struct proc *caller, unsigned trap, const uint64_t args[6])
{
	endpoint_t peer = (endpoint_t)args[0];
	struct proc *dst;
	int64_t error;

	if (trap <= TRAP_BASE || trap >= TRAP_LAST) {
		return -EBADCALL;
	}
	if (!priv_may_trap(caller->priv, trap)) {
		return -ETRAPDENIED;
	}
	if (peer == EP_ANY && trap != TRAP_RECEIVE && trap != TRAP_SENDA) {
		return -EINVAL;
	}
	switch (trap) {
	case TRAP_SEND:
		return do_send(caller, peer, args[1], true, false);
	case TRAP_SENDNB:
		return do_send(caller, peer, args[1], false, false);
	case TRAP_SENDREC:
		return do_send(caller, peer, args[1], true, true);
	case TRAP_RECEIVE:
		return do_receive(caller, peer, args[1]);
	case TRAP_REPLY_RECEIVE:
		return do_reply_receive(caller, peer, args[1]);
	case TRAP_NOTIFY:
		error = check_send(caller, peer, &dst);
		return error != 0 ? error : notify_send(caller, dst);
	case TRAP_SENDA:
		return async_send(caller, args[0], args[1]);
	default:
		return -EBADCALL;
	}
}

bool ipc_deliver(struct proc *proc)
{
	vaddr_t fault;

	if (!arch_message_to_user(proc->deliver_to, &proc->deliver_msg, &fault)) {
		fault_report(proc, fault, FAULT_USER | FAULT_WRITE);
		return false;
	}
	proc->flags &= ~(uint32_t)PROC_DELIVER;
	return true;
}

/* A message to the dead process is not going to be taken: end what its sender was about. */
static void sender_failed(struct proc *sender)
{
	bool kernel_made = (sender->flags & PROC_FROM_KERNEL) != 0;

	list_remove(&sender->send_link);
	sender->send_to = EP_NONE;
	if ((sender->flags & PROC_CALL) != 0) {
		linux_call_finish(sender, -EIO);
	} else if (kernel_made) {
		/* Out of quantum (the scheduler died; sched_orphan lets it go), or a fault in a
		 * dead VM. */
		sender->flags &= ~(uint32_t)PROC_FROM_KERNEL;
		rts_clear(sender, RTS_SENDING);
	} else {
		ipc_wake_with(sender, -EDEADSRCDST);
	}
}

/* Nobody is going to answer it. */
static void end_wait(struct proc *proc)
{
	if ((proc->flags & PROC_CALL) != 0) {
		linux_call_finish(proc, -EIO);
	} else {
		ipc_wake_with(proc, -EDEADSRCDST);
	}
}

void ipc_release(struct proc *proc)
{
	unsigned i;

	if (rts_is_set(proc, RTS_SENDING)) {
		list_remove(&proc->send_link);
		proc->send_to = EP_NONE;
	}
	proc->flags &= ~(uint32_t)(PROC_DELIVER | PROC_CALL | PROC_SENDREC | PROC_FROM_KERNEL);
	while (!list_is_empty(&proc->senders)) {
		sender_failed(list_first(&proc->senders, struct proc, send_link));
	}
	if (!proc_is_service(proc)) {
		return; /* nobody receives from a program */
	}
	async_release(proc);
	for (i = 0; i < kernel.proc_count; i++) {
		struct proc *other = proc_slot(i);

		if (other != proc && rts_is_set(other, RTS_RECEIVING) &&
			other->receive_from == proc->endpoint) {
			end_wait(other);
		}
	}
}

void ipc_forget_stale(const struct proc *server)
{
	unsigned i;

	for (i = 0; i < PRIV_MAX; i++) {
		bitmap_clear(kernel.privs[i].stale_answers, server->priv->id);
	}
}

void ipc_forget_requests(struct proc *proc)
{
	unsigned i;

	ipc_forget_stale(proc);
	for (i = 0; i < kernel.proc_count; i++) {
		struct proc *other = proc_slot(i);

		if (rts_is_set(other, RTS_RECEIVING) && (other->flags & PROC_SENDREC) != 0 &&
			other->receive_from == proc->endpoint) {
			end_wait(other);
		}
	}
}
