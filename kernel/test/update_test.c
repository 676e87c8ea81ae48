/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host test of update, statectl and the signals of services: KRN-13 to KRN-19, KRN-28, GRT-02.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/grant.h"
#include "abi/linux/calls.h"
#include "kernel/arch.h"
#include "kernel/ipc/ipc.h"
#include "kernel/kcall/kcall.h"
#include "kernel/mem/fault.h"
#include "kernel/proc/signal.h"
#include "kernel/test/check.h"
#include "kernel/test/fake_arch.h"

#define AT    FAKE_BASE
#define TABLE (FAKE_BASE + 4096)
#define DATA  (FAKE_BASE + 8 * 4096)

/* a is the service that is replaced by b; c is a client or a server of it. */
static struct proc *vm, *rs, *a, *b, *c;

static void boot(void)
{
	fake_boot(64);
	vm = fake_proc(true);
	rs = fake_rs();
	a = fake_proc(true);
	b = fake_proc(true);
	c = fake_proc(true);
	rts_set(b, RTS_NO_PRIV);
}

static int64_t call(struct proc *proc, unsigned number, uint64_t a0, uint64_t a1, uint64_t a2)
{
	fake_trap(proc, KCALL_BASE + number, a0, a1, a2, 0, 0, 0);
	return fake_result(proc);
}

static int64_t update(struct proc *old, struct proc *successor, unsigned flags)
{
	return call(
		vm, KCALL_update, (uint64_t)old->endpoint, (uint64_t)successor->endpoint, flags);
}

static struct message *message_of(const struct proc *proc)
{
	return fake_memory(proc, AT);
}

static void send(struct proc *proc, unsigned trap, struct proc *to, int32_t type)
{
	message_of(proc)->type = type;
	fake_trap(proc, trap, (uint64_t)to->endpoint, AT, 0, 0, 0, 0);
}

static void receive(struct proc *proc, endpoint_t from)
{
	fake_trap(proc, TRAP_RECEIVE, (uint64_t)from, AT, 0, 0, 0, 0);
	arch_load_address_space(proc->root);
	if ((proc->flags & PROC_DELIVER) != 0) {
		CHECK(ipc_deliver(proc));
	}
}

static bool is_running(const struct proc *proc)
{
	return proc->rts == 0;
}

static void put_async(struct proc *proc, unsigned index, struct proc *to, int32_t type)
{
	struct asyn_entry *table = fake_memory(proc, TABLE);

	table[index] = (struct asyn_entry){
		.flags = ASYN_VALID, .dst = to->endpoint, .msg = {.type = type}};
}

/* KRN-28: what stays and what goes. */
static void test_swap(void)
{
	endpoint_t a_ep, b_ep;
	paddr_t a_root, b_root;
	struct priv *a_priv;

	boot();
	a_ep = a->endpoint;
	b_ep = b->endpoint;
	a_root = a->root;
	b_root = b->root;
	a_priv = a->priv;
	a->priv->spec.irq_count = 1;
	proc_set_name(a, "one");
	proc_set_name(b, "two");
	CHECK(call(c, KCALL_update, (uint64_t)a_ep, (uint64_t)b_ep, 0) == -EPERM);
	CHECK(update(a, b, 0) == -EBUSY);
	CHECK(update(a, b, 2) == -EINVAL && update(a, a, 0) == -EINVAL);
	CHECK(call(vm, KCALL_update, (uint64_t)a_ep, (uint64_t)EP_MAKE(9, 40), 0) == -EINVAL);
	CHECK(update(a, vm, 0) == -EPERM);
	CHECK(update(a, fake_proc(false), 0) == -EPERM);
	receive(a, EP_ANY);
	send(c, TRAP_SEND, b, 3); /* waits for whoever has the endpoint */
	CHECK(update(a, b, 0) == 0);
	CHECK(a->endpoint == a_ep && b->endpoint == b_ep && a->root == b_root && b->root == a_root);
	CHECK(a->rts == RTS_NO_PRIV && b->rts == RTS_RECEIVING && c->send_to == b_ep);
	CHECK(strcmp(a->name, "two") == 0 && strcmp(b->name, "one") == 0);
	CHECK(a->priv == a_priv && a->priv->spec.irq_count == 1);
	CHECK(call(vm, KCALL_privctl, PRIV_ALLOW, (uint64_t)a_ep, 0) == 0 && is_running(a));
	/* And back again. */
	CHECK(update(a, b, UPDATE_ROLLBACK) == 0);
	CHECK(a->root == a_root && is_running(a) && rts_is_set(b, RTS_NO_PRIV));
	arch_load_address_space(a->root);
	CHECK(ipc_deliver(a) && message_of(a)->source == EP_CLOCK); /* told again, to be sure */
}

/* Whatever the dead one was about is given up: sending, waiting for an answer, for memory, for VM.
 */
static void test_dead(void)
{
	struct asyn_entry *table;

	boot();
	send(a, TRAP_SENDREC, c, 1); /* not taken */
	signal_raise(a, LSIGKILL);
	CHECK(update(a, b, 0) == 0 && list_is_empty(&c->senders));
	CHECK(a->rts == RTS_NO_PRIV && rts_is_set(b, RTS_SIG_PENDING) && !is_running(b));
	CHECK(!signal_fetch(rs, &(struct ksig){0}));    /* nothing is left to be told of it */
	CHECK(update(a, b, UPDATE_ROLLBACK) == -EBUSY); /* there is no way back to the dead */

	boot();
	fake_map(fake_space_of(c), DATA, 0, false);
	fake_trap(a, KCALL_BASE + KCALL_vircopy, (uint64_t)c->endpoint, DATA, EP_SELF, DATA, 8, 0);
	CHECK(rts_is_set(a, RTS_VMREQUEST));
	signal_raise(a, LSIGKILL);
	CHECK(update(a, b, 0) == 0 && list_is_empty(&kernel.memreqs) && a->rts == RTS_NO_PRIV);

	boot();
	fault_report(a, DATA + 123, FAULT_USER);
	signal_raise(a, LSIGSEGV);
	CHECK(update(a, b, 0) == 0 && list_is_empty(&vm->senders) && a->rts == RTS_NO_PRIV);
	CHECK(fault_clear(a) == -EINVAL);

	/* A message that it has accepted is in its memory; what it had not sent yet is not sent. */
	boot();
	receive(a, EP_ANY);
	send(c, TRAP_SEND, a, 77);
	put_async(a, 0, c, 5);
	a->priv->async_table = TABLE;
	a->priv->async_count = 1;
	CHECK((a->flags & PROC_DELIVER) != 0);
	signal_raise(a, LSIGSEGV);
	CHECK(update(a, b, 0) == 0);
	CHECK(message_of(b)->type == 77 && message_of(b)->source == c->endpoint);
	CHECK(((a->flags | b->flags) & PROC_DELIVER) == 0 && b->priv->async_count == 0);
	table = fake_memory(b, TABLE);
	CHECK(table[0].flags == ASYN_VALID);
}

/*
 * A server's answer to the dead one does not reach its successor, and what the successor asks waits
 * for it: a server need not answer in order.
 */
static void test_stale_answer(void)
{
	boot();
	receive(c, EP_ANY);
	send(a, TRAP_SENDREC, c, 1);
	receive(c, EP_ANY); /* has it, and receives on */
	signal_raise(a, LSIGSEGV);
	CHECK(update(a, b, 0) == 0);
	rts_clear(a, RTS_NO_PRIV);
	CHECK(rts_is_set(c, RTS_RECEIVING));
	send(a, TRAP_SENDREC, c, 2);
	CHECK(rts_is_set(a, RTS_SENDING) && rts_is_set(c, RTS_RECEIVING));
	ipc_wake_with(c, 0); /* an interrupt, say */
	receive(c, EP_ANY);
	CHECK(rts_is_set(c, RTS_RECEIVING));
	ipc_wake_with(c, 0);
	send(c, TRAP_SENDNB, a, 100);
	CHECK(fake_result(c) == -ENOTREADY && rts_is_set(a, RTS_SENDING));
	receive(c, EP_ANY);
	CHECK(message_of(c)->type == 2);
	send(c, TRAP_SENDNB, a, 200);
	CHECK(fake_result(c) == 0 && is_running(a));
	arch_load_address_space(a->root);
	CHECK(ipc_deliver(a) && message_of(a)->type == 200);
	/* A server that forgot what it was asked owes nothing. */
	boot();
	receive(c, EP_ANY);
	send(a, TRAP_SENDREC, c, 1);
	receive(c, vm->endpoint);
	signal_raise(a, LSIGSEGV);
	CHECK(update(a, b, 0) == 0);
	rts_clear(a, RTS_NO_PRIV);
	ipc_wake_with(c, 0);
	CHECK(call(c, KCALL_statectl, STATE_CLEAR_IPC_REFS, 0, 0) == 0);
	send(a, TRAP_SENDREC, c, 2);
	receive(c, EP_ANY);
	CHECK(message_of(c)->type == 2);
}

/* Queued senders, waiting clients, notifications, alarms and interrupts find the successor. */
static void test_clients(void)
{
	endpoint_t *waiters;
	struct proc *program, *d;

	boot();
	d = fake_proc(true);
	program = fake_proc(false);
	receive(a, EP_ANY);
	send(c, TRAP_SENDREC, a, 1);
	receive(a, EP_SELF - 100); /* an error: a runs on */
	send(d, TRAP_SENDREC, a, 2);
	program->flags |= PROC_SENDREC | PROC_CALL;
	program->receive_from = a->endpoint;
	rts_set(program, RTS_RECEIVING);
	send(vm, TRAP_NOTIFY, a, 0);
	a->priv->spec.irq[0] = 9;
	a->priv->spec.irq_count = 1;
	CHECK(call(a, KCALL_irqctl, IRQ_SET, 9, 3) == 0);
	CHECK(call(a, KCALL_irqctl, IRQ_ENABLE, 9, 3) == 0);
	CHECK(call(a, KCALL_setalarm, fake_now_ns + 50, 0, 0) == 0);
	signal_raise(a, LSIGSEGV);
	CHECK(update(a, b, 0) == 0);
	rts_clear(a, RTS_NO_PRIV);
	irq_handle(9);
	timer_run(fake_now_ns + 60);
	CHECK(a->priv->irq_pending == 8 && a->priv->alarm_pending);
	/* A hook may be set as if there were none. */
	CHECK(call(a, KCALL_irqctl, IRQ_SET, 9, 3) == 0);
	CHECK(call(a, KCALL_irqctl, IRQ_ENABLE, 9, 3) == 0 && fake_unmasked == 1ull << 9);
	waiters = fake_memory(a, DATA);
	CHECK(call(a, KCALL_statectl, STATE_WAITERS, DATA, 10) == 2);
	CHECK((waiters[0] == c->endpoint || waiters[1] == c->endpoint) &&
		(waiters[0] == program->endpoint || waiters[1] == program->endpoint));
	CHECK(call(a, KCALL_statectl, STATE_WAITERS, DATA, 1) == 1);
	fake_trap(a, KCALL_BASE + KCALL_statectl, STATE_WAITERS, DATA, 10,
		(uint64_t)EP_SLOT(waiters[0]) + 1, 0, 0);
	CHECK(fake_result(a) == 1);
	fake_trap(a, KCALL_BASE + KCALL_statectl, STATE_WAITERS, DATA, 10, UINT64_MAX, 0, 0);
	CHECK(fake_result(a) == 0);
	CHECK(call(a, KCALL_statectl, STATE_CLEAR_IPC_REFS, 0, 0) == 0);
	CHECK(is_running(c) && fake_result(c) == -EDEADSRCDST);
	CHECK(is_running(program) && fake_result(program) == -EIO);
	CHECK(d->send_to == a->endpoint); /* not asked yet: it is served by the new one */
	receive(a, EP_HARDWARE);
	receive(a, EP_CLOCK);
	receive(a, vm->endpoint);
	CHECK(message_of(a)->source == vm->endpoint);
	receive(a, EP_ANY);
	CHECK(message_of(a)->source == d->endpoint);
	CHECK(call(a, KCALL_statectl, 77, 0, 0) == -EINVAL);
}

/* State is read from the predecessor until that is cleared. */
static void test_state(void)
{
	struct state_table *table;

	boot();
	CHECK(call(a, KCALL_statectl, STATE_SET_TABLE, TABLE, 3) == 0);
	memcpy(fake_memory(a, DATA + 4090), "kept state", 11);
	CHECK(call(a, KCALL_statectl, STATE_GET_TABLE, AT, 0) == -ESRCH);
	signal_raise(a, LSIGSEGV);
	CHECK(update(a, b, 0) == 0);
	rts_clear(a, RTS_NO_PRIV);
	table = fake_memory(a, AT);
	CHECK(call(a, KCALL_statectl, STATE_GET_TABLE, AT, 0) == 0);
	CHECK(table->address == TABLE && table->count == 3);
	fake_trap(a, KCALL_BASE + KCALL_statectl, STATE_READ, DATA + 4090, DATA + 100, 11, 0, 0);
	CHECK(fake_result(a) == 0 && strcmp(fake_memory(a, DATA + 100), "kept state") == 0);
	CHECK(call(b, KCALL_statectl, STATE_GET_TABLE, AT, 0) == -ESRCH);
	CHECK(call(rs, KCALL_clear, (uint64_t)b->endpoint, 0, 0) == 0);
	CHECK(call(a, KCALL_statectl, STATE_GET_TABLE, AT, 0) == -ESRCH);
	fake_trap(a, KCALL_BASE + KCALL_statectl, STATE_READ, DATA, DATA + 100, 11, 0, 0);
	CHECK(fake_result(a) == -ESRCH);
}

/* GRT-02: grants of the other instance are not there now, rather than wrong. */
static void test_grants(void)
{
	struct grant *grants;

	boot();
	grants = fake_memory(a, TABLE);
	grants[1] = (struct grant){
		GRANT_USED | GRANT_VALID | GRANT_DIRECT | GRANT_READ, 3, EP_ANY, 0, DATA, 100};
	CHECK(call(a, KCALL_setgrant, TABLE, 4, 0) == 0);
	receive(a, rs->endpoint);
	CHECK(update(a, b, 0) == 0);
	rts_clear(a, RTS_NO_PRIV);
	fake_trap(c, KCALL_BASE + KCALL_safecopyfrom, (uint64_t)a->endpoint,
		(uint64_t)GRANT_ID(3, 1), 0, DATA, 8, 0);
	CHECK(fake_result(c) == -ENOTREADY);
	CHECK(call(a, KCALL_setgrant, TABLE, 4, 0) == 0);
	fake_trap(c, KCALL_BASE + KCALL_safecopyfrom, (uint64_t)a->endpoint,
		(uint64_t)GRANT_ID(3, 1), 0, DATA, 8, 0);
	CHECK(fake_result(c) == -EPERM);
	CHECK(update(a, b, UPDATE_ROLLBACK) == 0);
	fake_trap(c, KCALL_BASE + KCALL_safecopyfrom, (uint64_t)a->endpoint,
		(uint64_t)GRANT_ID(3, 1), 0, DATA, 8, 0);
	CHECK(fake_result(c) == 0);
}

/* Asynchronous messages of contents that are out of the way are held back until they come back. */
static void test_async(void)
{
	struct asyn_entry *table;

	boot();
	table = fake_memory(a, TABLE);
	put_async(a, 0, c, 55);
	fake_trap(a, TRAP_SENDA, TABLE, 1, 0, 0, 0, 0);
	receive(a, rs->endpoint);
	CHECK(update(a, b, 0) == 0);
	receive(c, EP_ANY);
	CHECK(rts_is_set(c, RTS_RECEIVING) && table[0].flags == ASYN_VALID);
	CHECK(update(a, b, UPDATE_ROLLBACK) == 0);
	arch_load_address_space(c->root);
	CHECK(is_running(c) && ipc_deliver(c));
	CHECK(message_of(c)->type == 55 && message_of(c)->source == a->endpoint);
	CHECK(table[0].flags == (ASYN_VALID | ASYN_DONE));
}

/* The failed version is rolled back in the middle of a send, or while it runs for ever. */
static void test_rollback(void)
{
	paddr_t root;

	boot();
	root = a->root;
	send(a, TRAP_SENDREC, rs, 1);
	receive(rs, EP_ANY);
	CHECK(rts_is_set(a, RTS_RECEIVING));
	CHECK(update(a, b, 0) == 0);
	rts_clear(a, RTS_NO_PRIV);
	CHECK(is_running(a));
	CHECK(update(a, b, UPDATE_ROLLBACK) == 0 && a->root == root && !is_running(b));
	send(rs, TRAP_SENDNB, a, 42);
	CHECK(is_running(a)); /* the answer that it waited for */

	boot();
	root = a->root;
	receive(a, rs->endpoint);
	CHECK(update(a, b, 0) == 0);
	rts_clear(a, RTS_NO_PRIV);
	send(a, TRAP_SEND, c, 1);
	CHECK(rts_is_set(a, RTS_SENDING));
	CHECK(update(a, b, UPDATE_ROLLBACK) == 0 && a->root == root);
	CHECK(list_is_empty(&c->senders) && a->rts == RTS_RECEIVING);
}

/* A server that comes back still answers a client's dead contents: not the client's successor. */
static void test_rollback_stale(void)
{
	struct proc *newer;

	boot();
	newer = fake_proc(true);
	receive(c, EP_ANY);
	send(a, TRAP_SENDREC, c, 1);
	receive(c, EP_ANY);
	signal_raise(a, LSIGSEGV);
	CHECK(update(a, b, 0) == 0);
	rts_clear(a, RTS_NO_PRIV);
	send(a, TRAP_SENDREC, c, 2);
	rts_set(newer, RTS_NO_PRIV);
	CHECK(update(c, newer, 0) == 0 && update(c, newer, UPDATE_ROLLBACK) == 0);
	ipc_wake_with(c, 0);
	c->flags &= ~(uint32_t)PROC_DELIVER;
	send(c, TRAP_SENDNB, a, 100);
	CHECK(fake_result(c) == -ENOTREADY && rts_is_set(a, RTS_SENDING));
	receive(c, EP_ANY);
	CHECK(message_of(c)->type == 2);
	send(c, TRAP_SENDNB, a, 200);
	CHECK(fake_result(c) == 0 && is_running(a));
}

/* A replica that waits for its first message has it when it takes over. */
static void test_replica(void)
{
	boot();
	rts_clear(b, RTS_NO_PRIV);
	receive(b, rs->endpoint);
	put_async(rs, 0, a, 9);
	fake_trap(rs, TRAP_SENDA, TABLE, 1, 0, 0, 0, 0);
	signal_raise(a, LSIGABRT);
	CHECK(update(a, b, 0) == 0 && is_running(a));
	arch_load_address_space(a->root);
	CHECK(ipc_deliver(a) && message_of(a)->type == 9);
}

/* KRN-14, KRN-17: lethal signals of a self-managed service go to its backup, others to itself. */
static void test_self_managed(void)
{
	struct ksig ksig;

	boot();
	rs->priv->spec.backup_mgr = vm->endpoint;
	signal_raise(rs, LSIGTERM);
	CHECK(rs->priv->ksig_pending == KSIG_SELF && is_running(rs));
	CHECK(rs->priv->self_signals == 1ull << LSIGTERM);
	signal_fault(rs, LSIGSEGV, LSEGV_MAPERR, 0x123, 14, 6);
	CHECK(rts_is_set(rs, RTS_SIGNALED) && (vm->priv->ksig_pending & KSIG_SIGNAL) != 0);
	CHECK(!signal_fetch(rs, &ksig) && signal_fetch(vm, &ksig));
	CHECK(ksig.endpoint == rs->endpoint && ksig.address == 0x123);
	CHECK(update(rs, b, 0) == 0 && rs->rts == RTS_NO_PRIV);
	CHECK(rs->priv->spec.sig_mgr == EP_SELF);
	rts_clear(rs, RTS_NO_PRIV);
	CHECK(signal_end(vm, b) == 0 || signal_end(vm, b) == -EINVAL);
	signal_raise(rs, LSIGKILL);
	CHECK(!is_running(rs) && signal_fetch(vm, &ksig) && ksig.endpoint == rs->endpoint);
	CHECK(signal_end(vm, rs) == 0 && is_running(rs));
	/* It manages the others as before. */
	signal_raise(c, LSIGTERM);
	CHECK(signal_fetch(rs, &ksig) && ksig.endpoint == c->endpoint);
}

/* KRN-15, KRN-16: a manager gets each signal once; new ones keep the process waiting. */
static void test_manager(void)
{
	struct ksig ksig;
	struct proc *d;

	boot();
	d = fake_proc(true);
	CHECK(call(rs, KCALL_kill, (uint64_t)a->endpoint, 0, 0) == -EINVAL);
	CHECK(call(rs, KCALL_kill, (uint64_t)a->endpoint, 64, 0) == -EINVAL);
	CHECK(call(rs, KCALL_kill, (uint64_t)EP_MAKE(7, 50), 9, 0) == -EINVAL);
	CHECK(call(rs, KCALL_kill, (uint64_t)(int64_t)EP_CLOCK, 9, 0) == -EINVAL);
	CHECK(call(rs, KCALL_kill, (uint64_t)a->endpoint, LSIGTERM, 0) == 0);
	CHECK(call(rs, KCALL_kill, (uint64_t)c->endpoint, LSIGKILL, 0) == 0);
	CHECK(!signal_fetch(d, &ksig) && signal_end(d, a) == -EPERM);
	CHECK(signal_fetch(rs, &ksig) && ksig.endpoint == a->endpoint);
	CHECK(ksig.signals == 1ull << LSIGTERM);
	signal_raise(a, LSIGHUP);
	CHECK(signal_end(rs, a) == 0 && !is_running(a));
	CHECK(signal_fetch(rs, &ksig) && ksig.endpoint == c->endpoint);
	CHECK(signal_fetch(rs, &ksig) && ksig.endpoint == a->endpoint);
	CHECK(!signal_fetch(rs, &ksig));
	CHECK(signal_end(rs, a) == 0 && is_running(a) && signal_end(rs, a) == -EINVAL);
	/* KRN-18: another manager from now on. */
	a->priv->spec.sig_mgr = d->endpoint;
	signal_raise(a, LSIGTERM);
	CHECK(!signal_fetch(rs, &ksig) || ksig.endpoint != a->endpoint);
	CHECK(signal_fetch(d, &ksig) && ksig.endpoint == a->endpoint);
	/* KRN-19, KRN-20: exit is a signal, and leaves the slot; clear frees it. */
	fake_trap(d, KCALL_BASE + KCALL_exit, 0, 0, 0, 0, 0, 0);
	CHECK(signal_fetch(rs, &ksig) && ksig.signals == 1ull << LSIGABRT);
	CHECK(rts_is_set(d, RTS_SIG_PENDING) && !rts_is_set(d, RTS_SLOT_FREE));
	CHECK(call(rs, KCALL_clear, (uint64_t)d->endpoint, 0, 0) == 0);
	CHECK(rts_is_set(d, RTS_SLOT_FREE));
}

/* A service that complains without end is heard only so much. */
static void test_diagnostics(void)
{
	uint64_t end;
	int i;

	boot();
	memcpy(fake_memory(a, AT), "complaint", 9);
	for (i = 0; i < 2000; i++) {
		CHECK(call(a, KCALL_diagctl, DIAG_WRITE, AT, 9) == 9);
	}
	end = kernel.diag_end;
	CHECK(end < 1000 * 40);
	CHECK(call(c, KCALL_diagctl, DIAG_WRITE, AT, 9) == 9 && kernel.diag_end > end);
	end = kernel.diag_end;
	fake_now_ns += 1000000000;
	CHECK(call(a, KCALL_diagctl, DIAG_WRITE, AT, 9) == 9 && kernel.diag_end > end);
}

int main(void)
{
	RUN(test_swap);
	RUN(test_dead);
	RUN(test_stale_answer);
	RUN(test_clients);
	RUN(test_state);
	RUN(test_grants);
	RUN(test_async);
	RUN(test_rollback);
	RUN(test_rollback_stale);
	RUN(test_replica);
	RUN(test_self_managed);
	RUN(test_manager);
	RUN(test_diagnostics);
	return 0;
}
