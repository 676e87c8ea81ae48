/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host test of the process table, of privileges, and of what VM and RS do with processes: KRN-01,
 * KRN-02, KRN-06 to KRN-12, KRN-23, KRN-25 to KRN-27 (as far as one processor goes: a request
 * to stop another process is complete when it returns, and nobody is interrupted for it).
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/linux/calls.h"
#include "kernel/arch.h"
#include "kernel/ipc/ipc.h"
#include "kernel/kcall/kcall.h"
#include "kernel/proc/sched.h"
#include "kernel/test/check.h"
#include "kernel/test/fake_arch.h"

#define AT   FAKE_BASE
#define DATA (FAKE_BASE + 4 * 4096)

static struct proc *vm, *rs, *a;

static void boot(void)
{
	fake_boot(200);
	vm = fake_proc(true);
	rs = fake_rs();
	a = fake_proc(true);
}

static int64_t call(struct proc *proc, unsigned number, uint64_t a0, uint64_t a1, uint64_t a2,
	uint64_t a3, uint64_t a4)
{
	fake_trap(proc, KCALL_BASE + number, a0, a1, a2, a3, a4, 0);
	return fake_result(proc);
}

static int64_t newproc(void)
{
	return call(vm, KCALL_newproc, 9, fake_root(9), (uint64_t)-1, 0, 0);
}

/* KRN-01: a slot's next user has another endpoint; the generation wraps to 1; reserved values are
 * nobody. */
static void test_endpoints(void)
{
	endpoint_t first, next;
	struct proc *proc;
	int i;

	boot();
	CHECK(proc_find(EP_ANY) == NULL && proc_find(EP_NONE) == NULL &&
		proc_find(EP_SELF) == NULL);
	CHECK(proc_find(EP_KERNEL) == NULL && proc_find(EP_HARDWARE) == NULL);
	CHECK(proc_find(INT32_MAX) == NULL && proc_find(INT32_MIN) == NULL);
	proc = proc_alloc(40);
	first = proc->endpoint;
	CHECK(EP_SLOT(first) == 40 && proc_find(first) == proc);
	proc_free(proc);
	CHECK(proc_find(first) == NULL);
	for (i = 0; i < EP_GEN_MAX; i++) {
		CHECK(proc_alloc(40) == proc && proc->endpoint > 0 &&
			EP_SLOT(proc->endpoint) == 40);
		CHECK(EP_GEN(proc->endpoint) != 0);
		next = proc->endpoint;
		proc_free(proc);
		CHECK(proc_alloc(40)->endpoint != next);
		proc_free(proc);
	}
	CHECK(call(rs, KCALL_clear, (uint64_t)next, 0, 0, 0, 0) == -EINVAL);
	fake_trap(a, TRAP_SENDREC, (uint64_t)next, AT, 0, 0, 0, 0);
	CHECK(fake_result(a) == -EDEADSRCDST);
}

/* KRN-02: the first flag takes it off the queue, the last one puts it back. */
static void test_flags(void)
{
	static const uint32_t flags[] = {RTS_PROC_STOP, RTS_SIGNALED, RTS_SIG_PENDING, RTS_P_STOP,
		RTS_NO_PRIV, RTS_VMINHIBIT, RTS_PAGEFAULT, RTS_NO_QUANTUM, RTS_BOOTINHIBIT};
	unsigned i;

	boot();
	for (i = 0; i < AXO_ARRAY_LEN(flags); i++) {
		rts_set(a, flags[i]);
		CHECK(!list_is_linked(&a->run_link));
		rts_set(a, RTS_PROC_STOP);
		rts_clear(a, flags[i]);
		CHECK(list_is_linked(&a->run_link) == (flags[i] == RTS_PROC_STOP));
		rts_clear(a, RTS_PROC_STOP);
		CHECK(a->rts == 0 && list_is_linked(&a->run_link));
	}
}

/* KRN-06, KRN-07, KRN-08: privileges are given to what has none, by RS alone. */
static void test_privileges(void)
{
	struct priv_spec *spec;
	uint64_t ep;
	struct proc *proc;
	int64_t error = 0;
	int used;

	boot();
	ep = (uint64_t)newproc();
	proc = proc_find((endpoint_t)ep);
	spec = fake_memory(rs, AT);
	memset(spec, 0, sizeof(*spec));
	spec->sig_mgr = EP_RS;
	spec->backup_mgr = EP_NONE;
	a->priv->spec.flags = 0;
	CHECK(call(a, KCALL_privctl, PRIV_ALLOW, ep, 0, 0, 0) == -EPERM);
	CHECK(call(rs, KCALL_privctl, 99, ep, AT, 0, 0) == -EINVAL);
	CHECK(call(rs, KCALL_privctl, PRIV_SET, (uint64_t)EP_MAKE(9, 50), AT, 0, 0) == -EINVAL);
	CHECK(call(rs, KCALL_privctl, PRIV_SET, (uint64_t)a->endpoint, AT, 0, 0) == -EPERM);
	spec->io_count = PRIV_RANGES + 1;
	CHECK(call(rs, KCALL_privctl, PRIV_SET, ep, AT, 0, 0) == -EINVAL);
	spec->io_count = 0;
	CHECK(call(rs, KCALL_privctl, PRIV_SET, ep, AT, 0, 0) == proc->priv->id);
	CHECK(proc->priv->id != PRIV_ID_USER && proc->priv->spec.kcall_mask == KCALL_BASIC);
	CHECK(priv_may_kcall(proc->priv, KCALL_safecopyfrom) &&
		priv_may_kcall(proc->priv, KCALL_safemap) &&
		priv_may_kcall(proc->priv, KCALL_statectl) &&
		!priv_may_kcall(proc->priv, KCALL_vircopy) &&
		!priv_may_kcall(proc->priv, KCALL_physcopy));
	CHECK(call(rs, KCALL_privctl, PRIV_ALLOW, ep, 0, 0, 0) == 0);
	CHECK(call(rs, KCALL_privctl, PRIV_ALLOW, ep, 0, 0, 0) == -EPERM);
	CHECK(call(rs, KCALL_privctl, PRIV_DISALLOW, ep, 0, 0, 0) == 0);
	CHECK(call(rs, KCALL_privctl, PRIV_DISALLOW, ep, 0, 0, 0) == -EPERM);
	CHECK(rts_is_set(proc, RTS_NO_PRIV));
	/* There are only so many. */
	for (used = 0; used < PRIV_MAX; used++) {
		ep = (uint64_t)newproc();
		error = call(rs, KCALL_privctl, PRIV_SET, ep, AT, 0, 0);
		if (error < 0) {
			break;
		}
	}
	CHECK(used > PRIV_MAX - 10 && used < PRIV_MAX && error == -EBUSY);
}

/* RS-04, KRN-07: an update narrows, for both sides; a quota; what has been called is known. */
static void test_privileges_again(void)
{
	struct priv_spec *spec;
	uint64_t *made;

	boot();
	spec = fake_memory(rs, AT);
	*spec = a->priv->spec;
	CHECK(priv_may_send(a->priv, vm->priv) && priv_may_send(vm->priv, a->priv));
	bitmap_clear(spec->send_mask, vm->priv->id);
	spec->kcall_mask &= ~(1ull << KCALL_vircopy);
	spec->grants_max = 3;
	CHECK(call(rs, KCALL_privctl, PRIV_UPDATE, (uint64_t)a->endpoint, AT, 0, 0) == a->priv->id);
	CHECK(!priv_may_send(a->priv, vm->priv) && !priv_may_send(vm->priv, a->priv));
	CHECK(priv_may_send(a->priv, rs->priv) && priv_may_send(rs->priv, a->priv));
	CHECK(call(a, KCALL_setgrant, AT, 4, 0, 0, 0) == -ENOSPC);
	CHECK(call(a, KCALL_setgrant, AT, 3, 0, 0, 0) == 0);
	CHECK(call(a, KCALL_vircopy, 0, 0, 0, 0, 0) == -ECALLDENIED);
	/* What a bus driver gave stays, once, behind what is declared. */
	a->priv->spec.irq[a->priv->spec.irq_count++] = 11;
	a->priv->spec.mem[a->priv->spec.mem_count++] = (struct priv_range){0x5000, 0x5fff};
	bitmap_set(spec->send_mask, vm->priv->id);
	spec->irq[0] = 3;
	spec->irq_count = 1;
	CHECK(call(rs, KCALL_privctl, PRIV_UPDATE, (uint64_t)a->endpoint, AT, 0, 0) > 0);
	CHECK(a->priv->spec.irq_count == 2 && priv_may_irq(a->priv, 3) &&
		priv_may_irq(a->priv, 11));
	spec->irq_count = 0;
	CHECK(call(rs, KCALL_privctl, PRIV_UPDATE, (uint64_t)a->endpoint, AT, 0, 0) > 0);
	CHECK(priv_may_send(a->priv, vm->priv) && priv_may_send(vm->priv, a->priv));
	CHECK(a->priv->spec.irq_count == 1 && !priv_may_irq(a->priv, 3) &&
		priv_may_irq(a->priv, 11));
	CHECK(priv_may_mem(a->priv, 0x5000, 0x5fff));
	made = fake_memory(rs, AT);
	CHECK(call(rs, KCALL_getinfo, GETINFO_KCALLS, AT, sizeof(*made), (uint64_t)a->endpoint,
		      0) == sizeof(*made));
	CHECK(*made == 1ull << KCALL_setgrant);
}

/* KRN-09: what a child has and has not of its parent. */
static void test_fork(void)
{
	struct proc *program, *child;

	boot();
	program = fake_proc(false);
	program->ids.pid = 77;
	program->signals = 0;
	program->arch.frame.rip = 4444;
	CHECK(call(vm, KCALL_fork, (uint64_t)program->endpoint, 0, 5, fake_root(5), 0) > 0);
	child = proc_find((endpoint_t)fake_result(vm));
	CHECK(child != NULL && child->endpoint != program->endpoint && child->rts == RTS_PROC_STOP);
	CHECK(child->arch.frame.rax == 0 && child->arch.frame.rip == 4444 && child->ids.pid == 77);
	CHECK(child->as_id == 5 && child->root == fake_root(5) && child->signals == 0);
	CHECK(!timer_is_armed(&child->alarm));
	/* A service's child is nobody until RS says so. */
	CHECK(call(vm, KCALL_fork, (uint64_t)a->endpoint, 0, 6, fake_root(6), 0) > 0);
	child = proc_find((endpoint_t)fake_result(vm));
	CHECK(rts_is_set(child, RTS_NO_PRIV) && !proc_is_service(child));
	CHECK(call(vm, KCALL_fork, (uint64_t)EP_MAKE(5, 60), 0, 6, fake_root(6), 0) == -EINVAL);
	CHECK(call(vm, KCALL_fork, (uint64_t)a->endpoint, 0, 6, 123, 0) == -EINVAL);
}

/* KRN-10, KRN-11: physical memory is for physcopy alone; umap is for own memory in one piece. */
static void test_umap(void)
{
	paddr_t *paddr;

	boot();
	paddr = fake_memory(a, AT);
	CHECK(call(a, KCALL_vircopy, EP_NONE, 0, EP_SELF, DATA, 8) == -EINVAL);
	CHECK(call(a, KCALL_vircopy, EP_SELF, DATA, EP_NONE, 0, 8) == -EINVAL);
	CHECK(call(a, KCALL_umap, DATA + 5, 4096, AT, 0, 0) == 0);
	CHECK(arch_phys(*paddr) == fake_memory(a, DATA + 5));
	fake_map(fake_space_of(a), DATA + 4096, 1999, true);
	CHECK(call(a, KCALL_umap, DATA + 5, 4096, AT, 0, 0) == -EFAULT);
	CHECK(call(a, KCALL_umap, KERNEL_BASE, 8, AT, 0, 0) == -EFAULT);
}

/* KRN-12: exec sets name and registers, nothing else. */
static void test_exec(void)
{
	struct exec_spec *spec;
	uint64_t ep;
	struct proc *proc;

	boot();
	ep = (uint64_t)newproc();
	proc = proc_find((endpoint_t)ep);
	spec = fake_memory(vm, AT);
	*spec = (struct exec_spec){.name = "a-long-name-xyz", .ip = 0x5000, .sp = 0x7000};
	CHECK(call(vm, KCALL_exec, ep, AT, 0, 0, 0) == 0);
	CHECK(arch_ip(&proc->arch) == 0x5000 && arch_sp(&proc->arch) == 0x7000);
	CHECK(strcmp(proc->name, "a-long-name-xyz") == 0 && proc->root == fake_root(9));
	CHECK(proc->rts == RTS_NO_PRIV); /* held for RS alone now */
	spec->ip = USER_END;
	CHECK(call(vm, KCALL_exec, ep, AT, 0, 0, 0) == -EINVAL);
}

/* KRN-23, KRN-25: VM's control, and nobody else's. */
static void test_vmctl(void)
{
	uint64_t ep;

	boot();
	ep = (uint64_t)a->endpoint;
	CHECK(call(a, KCALL_vmctl, VMCTL_VMINHIBIT_SET, (uint64_t)rs->endpoint, 0, 0, 0) == -EPERM);
	CHECK(call(vm, KCALL_vmctl, VMCTL_VMINHIBIT_SET, ep, 0, 0, 0) == 0);
	CHECK(rts_is_set(a, RTS_VMINHIBIT) && !list_is_linked(&a->run_link));
	CHECK(call(vm, KCALL_vmctl, VMCTL_VMINHIBIT_CLEAR, ep, 0, 0, 0) == 0 && a->rts == 0);
	CHECK(call(vm, KCALL_vmctl, VMCTL_SETADDRSPACE, ep, 7, 0, 0) == 0);
	CHECK(a->root == 0 &&
		rts_is_set(a, RTS_VMINHIBIT)); /* it cannot run without a page table */
	CHECK(call(vm, KCALL_vmctl, VMCTL_SETADDRSPACE, ep, 7, fake_root(3), 0) == 0 &&
		a->rts == 0);
	CHECK(call(vm, KCALL_vmctl, VMCTL_SETADDRSPACE, ep, 7, 100, 0) == -EINVAL);
	CHECK(call(vm, KCALL_vmctl, VMCTL_CLEAR_PAGEFAULT, ep, 0, 0, 0) == -EINVAL);
	CHECK(call(vm, KCALL_vmctl, 99, ep, 0, 0, 0) == -EINVAL);
	CHECK(call(vm, KCALL_vmctl, VMCTL_VMINHIBIT_SET, (uint64_t)EP_MAKE(8, 50), 0, 0, 0) ==
		-EINVAL);
}

/* KRN-26: two that stop each other's processes for ever; each request holds when it returns,
 * whatever other holds the target, and there is always one that goes on. */
static void test_stopping_each_other(void)
{
	struct proc *x, *y, *next;

	boot();
	x = a;
	y = fake_proc(true);
	for (int i = 0; i < 1000; i++) {
		uint64_t ep = (uint64_t)y->endpoint;

		next = fake_trap(x, KCALL_BASE + KCALL_stop, ep, AT, 0, 0, 0, 0);
		CHECK(fake_result(x) == 0 && y->rts == RTS_PROC_STOP);
		CHECK(next != NULL && next != y && !list_is_linked(&y->run_link));
		CHECK(call(vm, KCALL_vmctl, VMCTL_VMINHIBIT_SET, ep, 0, 0, 0) == 0);
		next = fake_trap(x, KCALL_BASE + KCALL_resume, ep, 0, 0, 0, 0, 0);
		CHECK(y->rts == RTS_VMINHIBIT && next != NULL && next != y);
		CHECK(call(vm, KCALL_vmctl, VMCTL_VMINHIBIT_CLEAR, ep, 0, 0, 0) == 0);
		CHECK(y->rts == 0 && list_is_linked(&y->run_link));
		next = x;
		x = y;
		y = next;
	}
}

/* KRN-27, NEG-21: one that cannot run is flagged; the processor does not hear of it. */
static void test_blocked_is_flagged_only(void)
{
	struct cpu before;

	boot();
	fake_trap(a, TRAP_RECEIVE, EP_ANY, AT, 0, 0, 0, 0);
	CHECK(rts_is_set(a, RTS_RECEIVING));
	memcpy(&before, &kernel.cpus[0], sizeof(before));
	rts_set(a, RTS_VMINHIBIT);
	rts_set(a, RTS_PROC_STOP);
	CHECK(memcmp(&before, &kernel.cpus[0], sizeof(before)) == 0);
	rts_clear(a, RTS_VMINHIBIT);
	rts_clear(a, RTS_PROC_STOP);
	CHECK(memcmp(&before, &kernel.cpus[0], sizeof(before)) == 0);
	CHECK(a->rts == RTS_RECEIVING);
	rts_set(rs, RTS_VMINHIBIT); /* of one that can run it does */
	CHECK(memcmp(&before, &kernel.cpus[0], sizeof(before)) != 0);
}

int main(void)
{
	RUN(test_endpoints);
	RUN(test_flags);
	RUN(test_privileges);
	RUN(test_privileges_again);
	RUN(test_fork);
	RUN(test_umap);
	RUN(test_exec);
	RUN(test_vmctl);
	RUN(test_stopping_each_other);
	RUN(test_blocked_is_flagged_only);
	return 0;
}
