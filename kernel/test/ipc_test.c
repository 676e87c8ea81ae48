/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host test of message passing: primitives, order, errors, deadlocks (KRN-03), death, message
 * buffers that are absent (KRN-04) and page faults as messages (KRN-21, KRN-24, NEG-04), programs'
 * calls, stopping a thread wherever it is (KRN-29).
 */
#include <string.h>

#include "abi/linux/calls.h"
#include "kernel/arch.h"
#include "kernel/ipc/ipc.h"
#include "kernel/kcall/kcall.h"
#include "kernel/mem/fault.h"
#include "kernel/test/check.h"
#include "kernel/test/fake_arch.h"
#include "proto/vm.h"

#define AT    FAKE_BASE          /* a message in a process' memory */
#define TABLE (FAKE_BASE + 4096) /* an asynchronous table */

static struct proc *vm, *a, *b, *c;

static void boot(void)
{
	fake_boot(64);
	vm = fake_proc(true);
	a = fake_proc(true);
	b = fake_proc(true);
	c = fake_proc(true);
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
}

/* The process has run since: its message is in its memory. */
static void settle(struct proc *proc)
{
	arch_load_address_space(proc->root);
	if ((proc->flags & PROC_DELIVER) != 0) {
		CHECK(ipc_deliver(proc));
	}
}

static void test_send_receive(void)
{
	boot();
	receive(b, EP_ANY);
	CHECK(b->rts == RTS_RECEIVING);
	send(a, TRAP_SEND, b, 7);
	settle(b);
	CHECK(a->rts == 0 && fake_result(a) == 0);
	CHECK(b->rts == 0 && fake_result(b) == 0 && message_of(b)->type == 7 &&
		message_of(b)->source == a->endpoint);

	send(a, TRAP_SEND, b, 8);
	CHECK(a->rts == RTS_SENDING);
	send(c, TRAP_SEND, b, 9);
	receive(b, EP_ANY);
	settle(b);
	CHECK(message_of(b)->type == 8 && a->rts == 0 && c->rts == RTS_SENDING);
	receive(b, c->endpoint);
	settle(b);
	CHECK(message_of(b)->type == 9 && c->rts == 0);
}

static void test_sendrec(void)
{
	boot();
	send(a, TRAP_SENDREC, b, 1);
	CHECK(a->rts == RTS_SENDING);
	receive(b, EP_ANY);
	settle(b);
	CHECK(fake_result(b) == IPC_STATUS_SENDREC && a->rts == RTS_RECEIVING &&
		a->receive_from == b->endpoint);
	send(c, TRAP_NOTIFY, a, 0);
	CHECK(a->rts == RTS_RECEIVING); /* notifications wait for the answer */
	message_of(b)->type = 2;
	fake_trap(b, TRAP_REPLY_RECEIVE, (uint64_t)a->endpoint, AT, 0, 0, 0, 0);
	settle(a);
	CHECK(a->rts == 0 && fake_result(a) == 0 && message_of(a)->type == 2 &&
		b->rts == RTS_RECEIVING);
	receive(a, EP_ANY);
	settle(a);
	CHECK(fake_result(a) == IPC_STATUS_NOTIFY && message_of(a)->source == c->endpoint);
}

static void test_order(void)
{
	struct asyn_entry *table;

	boot();
	send(a, TRAP_SEND, b, 1);
	table = fake_memory(c, TABLE);
	table[0] = (struct asyn_entry){.flags = ASYN_VALID, .dst = b->endpoint, .msg = {.type = 2}};
	table[1] = (struct asyn_entry){.flags = ASYN_VALID, .dst = b->endpoint, .msg = {.type = 3}};
	fake_trap(c, TRAP_SENDA, TABLE, 2, 0, 0, 0, 0);
	CHECK(fake_result(c) == 0 && table[0].flags == ASYN_VALID);
	send(c, TRAP_NOTIFY, b, 0);
	send(c, TRAP_NOTIFY, b, 0);
	ipc_ksig(b, KSIG_SIGNAL);
	receive(b, EP_ANY);
	settle(b);
	CHECK(message_of(b)->source == EP_KERNEL && message_of(b)->notify.signals == KSIG_SIGNAL);
	receive(b, EP_ANY);
	settle(b);
	CHECK(fake_result(b) == IPC_STATUS_NOTIFY && message_of(b)->source == c->endpoint);
	receive(b, EP_ANY);
	settle(b);
	CHECK(fake_result(b) == IPC_STATUS_ASYNC && message_of(b)->type == 2 &&
		table[0].flags == 3);
	receive(b, EP_ANY);
	settle(b);
	CHECK(message_of(b)->type == 3);
	receive(b, EP_ANY);
	settle(b);
	CHECK(message_of(b)->type == 1 && a->rts == 0);
}

static void test_errors(void)
{
	boot();
	send(a, TRAP_SENDNB, b, 1);
	CHECK(fake_result(a) == -ENOTREADY);
	send(a, TRAP_SEND, a, 1);
	CHECK(fake_result(a) == -ELOCKED);
	fake_trap(a, TRAP_SEND, (uint64_t)EP_MAKE(3, 20), AT, 0, 0, 0, 0);
	CHECK(fake_result(a) == -EDEADSRCDST);
	receive(b, EP_ANY);
	send(a, TRAP_SEND, b, LINUX_CALL(9));
	CHECK(fake_result(a) == -EPERM && rts_is_set(b, RTS_RECEIVING)); /* forged */
	send(a, TRAP_SENDREC, b, LINUX_CALL(9));
	CHECK(fake_result(a) == -EPERM);
	send(a, TRAP_SENDNB, b, 1);
	settle(b);
	fake_trap(a, TRAP_SEND, EP_ANY, AT, 0, 0, 0, 0);
	CHECK(fake_result(a) == -EINVAL);
	fake_trap(a, TRAP_LAST, 0, AT, 0, 0, 0, 0);
	CHECK(fake_result(a) == -EBADCALL);
	fake_trap(a, KCALL_BASE + 63, 0, 0, 0, 0, 0, 0);
	CHECK(fake_result(a) == -EBADREQUEST);
	a->priv->spec.trap_mask &= ~(1u << (TRAP_NOTIFY - TRAP_BASE));
	send(a, TRAP_NOTIFY, b, 0);
	CHECK(fake_result(a) == -ETRAPDENIED);
	bitmap_clear(a->priv->spec.send_mask, b->priv->id);
	bitmap_clear(b->priv->spec.send_mask, a->priv->id);
	send(a, TRAP_SEND, b, 0);
	CHECK(fake_result(a) == -ECALLDENIED);
	a->priv->spec.kcall_mask = 0;
	fake_trap(a, KCALL_BASE + KCALL_getinfo, 0, 0, 0, 0, 0, 0);
	CHECK(fake_result(a) == -ECALLDENIED);
}

static void test_deadlock(void)
{
	boot();
	send(a, TRAP_SEND, b, 1);
	send(b, TRAP_SEND, c, 1);
	send(c, TRAP_SEND, a, 1);
	CHECK(fake_result(c) == -ELOCKED && c->rts == 0);
	receive(c, a->endpoint);
	CHECK(fake_result(c) == -ELOCKED && c->rts == 0); /* a waits for b, b waits for c */
	receive(c, b->endpoint);
	settle(c);
	CHECK(fake_result(c) == 0 && b->rts == 0);
}

static void test_death(void)
{
	endpoint_t old;

	boot();
	send(a, TRAP_SENDREC, c, 1);
	receive(c, EP_ANY);
	send(b, TRAP_SEND, c, 1);
	CHECK(a->rts == RTS_RECEIVING && b->rts == RTS_SENDING);
	old = c->endpoint;
	fake_trap(vm, KCALL_BASE + KCALL_clear, (uint64_t)old, 0, 0, 0, 0, 0);
	CHECK(fake_result(vm) == 0);
	CHECK(a->rts == 0 && fake_result(a) == -EDEADSRCDST && b->rts == 0 &&
		fake_result(b) == -EDEADSRCDST);
	fake_trap(a, TRAP_SEND, (uint64_t)old, AT, 0, 0, 0, 0);
	CHECK(fake_result(a) == -EDEADSRCDST);
	CHECK(c->endpoint != old && EP_SLOT(c->endpoint) == EP_SLOT(old) &&
		EP_GEN(c->endpoint) == EP_GEN(old) + 1);
}

static void test_faults(void)
{
	boot();
	receive(b, EP_ANY);
	fake_map(fake_space_of(a), AT, 0, false);
	fake_trap(a, TRAP_SEND, (uint64_t)b->endpoint, AT, 0, 0, 0, 0);
	CHECK(a->rts == (RTS_PAGEFAULT | RTS_SENDING) && a->arch.frame.rip == 1000 &&
		a->arch.frame.rax == TRAP_SEND);
	receive(vm, EP_ANY);
	settle(vm);
	CHECK(message_of(vm)->type == VM_PAGEFAULT && message_of(vm)->source == a->endpoint &&
		fake_result(vm) == IPC_STATUS_FROM_KERNEL && a->rts == RTS_PAGEFAULT);
	fake_trap(vm, KCALL_BASE + KCALL_vmctl, VMCTL_CLEAR_PAGEFAULT, (uint64_t)a->endpoint, 0, 0,
		0, 0);
	CHECK(fake_result(vm) == 0 && a->rts == 0);
	/* Outside of user space nobody can help: a signal for its manager. */
	a->priv->spec.sig_mgr = c->endpoint;
	fake_trap(a, TRAP_SEND, (uint64_t)b->endpoint, USER_END, 0, 0, 0, 0);
	CHECK(rts_is_set(a, RTS_SIGNALED) && (a->signals & 1ull << 11) != 0);
}

static void test_program_call(void)
{
	struct proc *program;

	boot();
	program = fake_proc(false);
	fake_trap(program, LINUX_NR_brk, 5, 6, 7, 8, 9, 10);
	CHECK(program->rts == RTS_SENDING && (program->flags & PROC_CALL) != 0);
	receive(vm, EP_ANY);
	settle(vm);
	CHECK(message_of(vm)->type == LINUX_CALL(LINUX_NR_brk) &&
		message_of(vm)->call.arg[5] == 10 &&
		fake_result(vm) == (IPC_STATUS_FROM_KERNEL | IPC_STATUS_SENDREC));
	CHECK(program->rts == RTS_RECEIVING);
	message_of(vm)->reply.result = 77;
	send(vm, TRAP_SENDNB, program, 0);
	CHECK(fake_result(vm) == 0 && program->rts == 0 && fake_result(program) == 77);
	send(vm, TRAP_SEND, program, 0);
	CHECK(fake_result(vm) == -ENOTREADY); /* no service waits for a program */
	fake_trap(program, 999, 0, 0, 0, 0, 0, 0);
	CHECK(fake_result(program) == -ENOSYS);
	fake_trap(program, TRAP_SEND, (uint64_t)a->endpoint, AT, 0, 0, 0, 0);
	CHECK(fake_result(program) == -ENOSYS);

	/* A restart code makes the call run again when the program next runs. */
	receive(vm, EP_ANY);
	fake_trap(program, LINUX_NR_brk, 5, 0, 0, 0, 0, 0);
	settle(vm);
	rts_set(program, RTS_PROC_STOP);
	message_of(vm)->reply.result = -ERESTARTSYS;
	send(vm, TRAP_SENDNB, program, 0);
	CHECK((program->flags & PROC_RESTART) != 0 && program->arch.frame.rip == 1002);
	rts_set(a, RTS_PROC_STOP);
	rts_set(b, RTS_PROC_STOP);
	rts_set(c, RTS_PROC_STOP);
	rts_clear(program, RTS_PROC_STOP);
	receive(vm, EP_ANY); /* VM waits: the program is picked */
	CHECK(program->arch.frame.rip == 1000 && program->arch.frame.rax == LINUX_NR_brk);
}

static void test_stop(void)
{
	struct stop_info *info;
	struct proc *program;

	boot();
	program = fake_proc(false);
	info = fake_memory(a, AT);
	fake_trap(program, LINUX_NR_brk, 5, 0, 0, 0, 0, 0);
	fake_trap(a, KCALL_BASE + KCALL_stop, (uint64_t)program->endpoint, AT, 0, 0, 0, 0);
	CHECK(fake_result(a) == 0 && info->where == STOP_USER && program->rts == RTS_PROC_STOP &&
		(program->flags & PROC_RESTART) != 0 && list_is_empty(&vm->senders));
	fake_trap(a, KCALL_BASE + KCALL_resume, (uint64_t)program->endpoint, 0, 0, 0, 0, 0);
	program->flags = 0;
	fake_trap(program, LINUX_NR_brk, 5, 0, 0, 0, 0, 0);
	receive(vm, EP_ANY);
	settle(vm);
	fake_trap(a, KCALL_BASE + KCALL_stop, (uint64_t)program->endpoint, AT, 0, 0, 0, 0);
	CHECK(info->where == STOP_IN_CALL && info->server == EP_VM && info->call == LINUX_NR_brk);
	kernel.privs[PRIV_ID_USER].spec.sig_mgr = c->endpoint;
	message_of(vm)->reply.result = 0;
	send(vm, TRAP_SENDNB, program, 0);
	CHECK(program->rts == RTS_PROC_STOP && program->signals == 1 &&
		(c->priv->ksig_pending & KSIG_SIGNAL) != 0);
}

/* Random traps by random processes: the invariants are checked after each. */
static void test_random(void)
{
	static const unsigned traps[] = {TRAP_SEND, TRAP_RECEIVE, TRAP_SENDREC, TRAP_NOTIFY,
		TRAP_SENDNB, TRAP_REPLY_RECEIVE};
	struct proc *procs[4];
	int i;

	boot();
	memcpy(procs, (struct proc *[]){a, b, c, fake_proc(true)}, sizeof(procs));
	srand(1);
	for (i = 0; i < 20000; i++) {
		struct proc *proc = procs[rand() % 4], *peer = procs[rand() % 4];
		unsigned trap = traps[rand() % 6];
		bool any = trap == TRAP_RECEIVE && rand() % 2 == 0;

		if (proc->rts != 0) {
			continue;
		}
		settle(proc);
		fake_trap(proc, trap, (uint64_t)(any ? EP_ANY : peer->endpoint), AT, 0, 0, 0, 0);
		if (i % 100 == 0) {
			/* Nobody may be stuck for good: start over with fresh ones. */
			int k;

			for (k = 0; k < 4; k++) {
				kcall_destroy(procs[k]);
				kernel.cpus[0].current = NULL;
			}
			boot();
			memcpy(procs, (struct proc *[]){a, b, c, fake_proc(true)}, sizeof(procs));
		}
	}
}

int main(void)
{
	RUN(test_send_receive);
	RUN(test_sendrec);
	RUN(test_order);
	RUN(test_errors);
	RUN(test_deadlock);
	RUN(test_death);
	RUN(test_faults);
	RUN(test_program_call);
	RUN(test_stop);
	RUN(test_random);
	return 0;
}
