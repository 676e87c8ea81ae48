/* SPDX-License-Identifier: BSD-2-Clause */
/* Host test of run queues and quanta, timers, privileges, interrupts (KRN-07), futexes. */
#include <string.h>

#include "abi/errno.h"
#include "abi/linux/calls.h"
#include "kernel/arch.h"
#include "kernel/ipc/ipc.h"
#include "kernel/kcall/kcall.h"
#include "kernel/proc/sched.h"
#include "kernel/test/check.h"
#include "kernel/test/fake_arch.h"
#include "proto/sched.h"

#define AT FAKE_BASE

static struct proc *vm, *a, *b, *c;

static void boot(void)
{
	fake_boot(64);
	vm = fake_proc(true);
	a = fake_proc(true);
	b = fake_proc(true);
	c = fake_proc(true);
	rts_set(vm, RTS_PROC_STOP);
}

static int64_t call(struct proc *proc, unsigned number, uint64_t a0, uint64_t a1, uint64_t a2)
{
	fake_trap(proc, KCALL_BASE + number, a0, a1, a2, 0, 0, 0);
	return fake_result(proc);
}

static void test_priorities(void)
{
	boot();
	CHECK(sched_set(a, 5, 0) == 0 && sched_set(b, 3, 0) == 0 && sched_set(c, 5, 0) == 0);
	CHECK(sched_set(a, PRIORITY_COUNT, 0) == -EINVAL);
	CHECK(fake_trap(a, LINUX_NR_sched_yield, 0, 0, 0, 0, 0, 0) == b);
	rts_set(b, RTS_PROC_STOP);
	CHECK(fake_trap(a, LINUX_NR_sched_yield, 0, 0, 0, 0, 0, 0) == c);
	CHECK(fake_trap(c, LINUX_NR_sched_yield, 0, 0, 0, 0, 0, 0) == a);
	/* An equal that wakes up does not preempt; a higher one does. */
	rts_set(c, RTS_PROC_STOP);
	rts_clear(c, RTS_PROC_STOP);
	CHECK(fake_trap(a, KCALL_BASE + KCALL_statectl, 0, 0, 0, 0, 0, 0) == a);
	rts_clear(b, RTS_PROC_STOP);
	CHECK(fake_trap(a, KCALL_BASE + KCALL_statectl, 0, 0, 0, 0, 0, 0) == b);
}

/* Each child has a quantum of its own: it must not go before those that wait for long. */
static void test_forks(void)
{
	struct proc *program, *child;

	boot();
	rts_set(a, RTS_PROC_STOP);
	rts_set(b, RTS_PROC_STOP);
	program = fake_proc(false);
	CHECK(sched_set(c, 8, 0) == 0);
	CHECK(call(c, KCALL_fork, (uint64_t)program->endpoint, 0, 9) > 0);
	child = proc_find((endpoint_t)fake_result(c));
	child->root = program->root;
	rts_clear(child, RTS_PROC_STOP);
	CHECK(fake_trap(c, LINUX_NR_sched_yield, 0, 0, 0, 0, 0, 0) == program);
	CHECK(fake_trap(program, LINUX_NR_sched_yield, 0, 0, 0, 0, 0, 0) != program);
	rts_set(c, RTS_PROC_STOP);
	rts_set(program, RTS_PROC_STOP);
	rts_clear(program, RTS_PROC_STOP); /* it has waited, and has quantum left */
	CHECK(fake_trap(child, LINUX_NR_sched_yield, 0, 0, 0, 0, 0, 0) == program);
}

static void test_quantum(void)
{
	boot();
	CHECK(call(b, KCALL_schedctl, (uint64_t)a->endpoint, EP_SELF, 0) == 0);
	CHECK(call(c, KCALL_schedule, (uint64_t)a->endpoint, 7, 0) == -EPERM);
	rts_set(c, RTS_PROC_STOP);
	fake_trap(b, TRAP_RECEIVE, EP_ANY, AT, 0, 0, 0, 0);
	/* a runs its quantum off: its scheduler is told, in its name. */
	kernel.cpus[0].current = a;
	kernel.cpus[0].mark_cycles = fake_now_ns;
	fake_now_ns += a->quantum_ns;
	sched_enter(a);
	CHECK(fake_trap(a, KCALL_BASE + KCALL_statectl, 0, 0, 0, 0, 0, 0) == b);
	CHECK(a->rts == RTS_NO_QUANTUM);
	CHECK(((struct message *)fake_memory(b, AT))->type == SCHED_NO_QUANTUM &&
		((struct message *)fake_memory(b, AT))->source == a->endpoint);
	CHECK(call(b, KCALL_schedule, (uint64_t)a->endpoint, 9, 2000000) == 0);
	CHECK(a->rts == 0 && a->priority == 9 && a->quantum_left_ns == 2000000);
	/* The scheduler dies: the kernel takes over. */
	rts_set(a, RTS_NO_QUANTUM);
	kcall_destroy(b);
	CHECK(a->rts == 0 && a->scheduler == EP_KERNEL);
}

static unsigned expired_order[8], expired_count;
static struct timer timers[8];

static void on_expired(struct timer *timer)
{
	expired_order[expired_count++] = (unsigned)(timer - timers);
}

static void test_timers(void)
{
	static const uint64_t deadlines[8] = {50, 10, 40, 20, 80, 30, 70, 60};
	unsigned i;

	boot();
	for (i = 0; i < 8; i++) {
		timer_setup(&timers[i], on_expired);
		timer_start(&timers[i], deadlines[i]);
	}
	timer_stop(&timers[3]);
	timer_start(&timers[1], 75);
	CHECK(timer_next() == 30);
	timer_run(60);
	CHECK(expired_count == 4 && expired_order[0] == 5 && expired_order[1] == 2 &&
		expired_order[2] == 0 && expired_order[3] == 7);
	timer_run(1000);
	CHECK(expired_count == 7 && expired_order[5] == 1 && timer_next() == UINT64_MAX);
}

static void test_privileges(void)
{
	struct priv_spec *spec;
	struct proc *new;

	boot();
	spec = fake_memory(a, AT);
	memset(spec, 0, sizeof(*spec));
	new = proc_alloc(-1);
	bitmap_set(spec->send_mask, b->priv->id);
	CHECK(call(a, KCALL_privctl, PRIV_ALLOW, (uint64_t)a->endpoint, 0) == -EPERM);
	CHECK(call(a, KCALL_privctl, PRIV_SET, (uint64_t) new->endpoint, AT) > 0);
	CHECK(bitmap_test(b->priv->spec.send_mask, new->priv->id)); /* symmetric */
	CHECK(priv_may_kcall(new->priv, KCALL_getinfo) &&
		!priv_may_kcall(new->priv, KCALL_vircopy));
	CHECK(call(a, KCALL_privctl, PRIV_SET_USER, (uint64_t) new->endpoint, 0) == -EPERM);
	CHECK(call(a, KCALL_privctl, PRIV_ADD_IRQ, (uint64_t) new->endpoint, 5) == 0);
	CHECK(priv_may_irq(new->priv, 5) && !priv_may_irq(new->priv, 6));
	new->priv->spec.io[0] = (struct priv_range){0x3f8, 0x3ff};
	new->priv->spec.io_count = 1;
	CHECK(priv_may_io(new->priv, 0x3f8, 1) && priv_may_io(new->priv, 0x3fc, 4) &&
		!priv_may_io(new->priv, 0x3fd, 4) && !priv_may_io(new->priv, 0x2f8, 1) &&
		!priv_may_io(new->priv, UINT64_MAX, 2));
	spec->io_count = PRIV_RANGES + 1;
	CHECK(call(a, KCALL_privctl, PRIV_UPDATE, (uint64_t) new->endpoint, AT) == -EINVAL);
	kcall_destroy(new);
	CHECK(new->priv == NULL);
}

static void test_irq(void)
{
	struct message *m;

	boot();
	m = fake_memory(a, AT);
	a->priv->spec.irq[0] = 9;
	a->priv->spec.irq_count = 1;
	b->priv->spec.irq[0] = 9;
	b->priv->spec.irq_count = 1;
	CHECK(call(c, KCALL_irqctl, IRQ_SET, 9, 1) == -EPERM);
	CHECK(call(a, KCALL_irqctl, IRQ_SET, 9, 3) == 0 &&
		call(a, KCALL_irqctl, IRQ_SET, 9, 3) == 0); /* restarted */
	CHECK(fake_unmasked == 0);
	CHECK(call(a, KCALL_irqctl, IRQ_ENABLE, 9, 3) == 0 && fake_unmasked == 1ull << 9);
	/* A second owner of the line: masked until both are ready. */
	CHECK(call(b, KCALL_irqctl, IRQ_SET, 9, 0) == 0 && fake_unmasked == 0);
	CHECK(call(b, KCALL_irqctl, IRQ_ENABLE, 9, 0) == 0 && fake_unmasked == 1ull << 9);
	irq_handle(9);
	CHECK(fake_unmasked == 0 && a->priv->irq_pending == 8 && b->priv->irq_pending == 1);
	fake_trap(a, TRAP_RECEIVE, EP_ANY, AT, 0, 0, 0, 0);
	arch_load_address_space(a->root);
	CHECK(ipc_deliver(a) && m->source == EP_HARDWARE && m->notify.irqs == 8);
	CHECK(call(a, KCALL_irqctl, IRQ_ENABLE, 9, 3) == 0 && fake_unmasked == 0);
	kcall_destroy(b);
	CHECK(fake_unmasked == 1ull << 9);
}

/* Edge-triggered: never masked while somebody listens, and what comes meanwhile is told later. */
static void test_irq_edge(void)
{
	boot();
	a->priv->spec.irq[0] = 4;
	a->priv->spec.irq_count = 1;
	CHECK(call(a, KCALL_irqctl, IRQ_SET, 4, 0) == 0 && fake_unmasked == 0);
	CHECK(call(a, KCALL_irqctl, IRQ_ENABLE, 4, 0) == 0 && fake_unmasked == 1ull << 4);
	irq_handle(4);
	CHECK(fake_unmasked == 1ull << 4 && a->priv->irq_pending == 1);
	a->priv->irq_pending = 0;
	irq_handle(4);
	CHECK(a->priv->irq_pending == 0);
	CHECK(call(a, KCALL_irqctl, IRQ_ENABLE, 4, 0) == 0 && a->priv->irq_pending == 1);
	a->priv->irq_pending = 0;
	CHECK(call(a, KCALL_irqctl, IRQ_ENABLE, 4, 0) == 0 && a->priv->irq_pending == 0);
	CHECK(call(a, KCALL_irqctl, IRQ_REMOVE, 4, 0) == 0 && fake_unmasked == 0);
}

static void test_futex(void)
{
	struct proc *x, *y;
	uint32_t *word;

	boot();
	x = fake_proc(false);
	y = fake_proc(false);
	word = fake_memory(x, AT);
	*word = 4;
	fake_trap(x, LINUX_NR_futex, AT, 0, 5, 0, 0, 0);
	CHECK(fake_result(x) == -EAGAIN);
	fake_trap(x, LINUX_NR_futex, AT, 0, 4, 0, 0, 0);
	CHECK(x->rts == RTS_FUTEX);
	fake_trap(y, LINUX_NR_futex, AT, 1, 1, 0, 0, 0);
	CHECK(fake_result(y) == 0); /* the same address of another space is another word */
	fake_map(fake_space_of(y), AT + 0x3000, 0, false);
	fake_map(fake_space_of(y), AT + 0x3000,
		(unsigned)((uint8_t *)word - (uint8_t *)fake_page(0)) / 4096, true);
	fake_trap(y, LINUX_NR_futex, AT + 0x3000, 1, 1, 0, 0, 0);
	CHECK(fake_result(y) == 1 && x->rts == 0 && fake_result(x) == 0); /* shared memory */
	/* A timeout. */
	((int64_t *)fake_memory(x, AT + 64))[0] = 0;
	((int64_t *)fake_memory(x, AT + 64))[1] = 500;
	fake_trap(x, LINUX_NR_futex, AT, 0, 4, AT + 64, 0, 0);
	CHECK(x->rts == RTS_FUTEX && timer_next() == fake_now_ns + 500);
	timer_run(fake_now_ns + 500);
	CHECK(x->rts == 0 && fake_result(x) == -ETIMEDOUT);
	fake_trap(x, LINUX_NR_futex, AT + 1, 0, 4, 0, 0, 0);
	CHECK(fake_result(x) == -EINVAL);
	fake_trap(x, LINUX_NR_futex, KERNEL_BASE, 0, 4, 0, 0, 0);
	CHECK(fake_result(x) == -EFAULT);
	/* The end of a thread that somebody joins. */
	fake_trap(x, LINUX_NR_futex, AT, 0, 4, 0, 0, 0);
	y->root = x->root;
	y->as_id = x->as_id;
	y->clear_tid = AT;
	CHECK(call(a, KCALL_cleartid, (uint64_t)y->endpoint, CLEARTID_RUN, 0) == 0 && x->rts == 0 &&
		*word == 0);
}

int main(void)
{
	RUN(test_priorities);
	RUN(test_forks);
	RUN(test_quantum);
	RUN(test_timers);
	RUN(test_privileges);
	RUN(test_irq);
	RUN(test_irq_edge);
	RUN(test_futex);
	return 0;
}
