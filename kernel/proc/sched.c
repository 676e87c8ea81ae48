/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See sched.h.
 *
 * Invariants:
 *  1. A process is in its processor's queue of its priority if and only if rts is 0 (proc.h); the
 * one that runs stays in.
 *  2. Bit p of run.ready is set if and only if queue p is not empty.
 *  3. A process with quantum_left_ns <= 0 never enters user mode.
 */
#include "kernel/proc/sched.h"

#include "kernel/arch.h"
#include "kernel/debug/panic.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/ipc.h"
#include "kernel/linux/call.h"
#include "kernel/linux/traced.h"
#include "kernel/state.h"
#include "proto/sched.h"

#define QUANTUM_SLACK_NS 50000 /* a rest shorter than this counts as used up: no timer for it */

void sched_init(struct cpu *cpu)
{
	int i;

	for (i = 0; i < PRIORITY_COUNT; i++) {
		list_init(&cpu->run.queue[i]);
	}
	cpu->armed_ns = UINT64_MAX;
}

/*
 * A thread that has quantum left goes before its equals: it gave the processor up to wait, and the
 * message that ended the wait is best served while caches are warm. That starves nobody, because
 * quanta are finite, and because a new thread, whose quantum is a fresh one, begins behind its
 * equals.
 */
void sched_enqueue(struct proc *proc)
{
	struct cpu *cpu = &kernel.cpus[proc->cpu];
	struct list *queue = &cpu->run.queue[proc->priority];

	assert(!list_is_linked(&proc->run_link));
	if (proc->quantum_left_ns > 0 && !proc->is_young) {
		list_add_head(queue, &proc->run_link);
	} else {
		list_add_tail(queue, &proc->run_link);
		proc->is_young = false;
	}
	cpu->run.ready |= 1u << proc->priority;
	cpu->run.count++;
}

void sched_dequeue(struct proc *proc)
{
	struct cpu *cpu = &kernel.cpus[proc->cpu];

	assert(list_is_linked(&proc->run_link));
	list_remove(&proc->run_link);
	if (list_is_empty(&cpu->run.queue[proc->priority])) {
		cpu->run.ready &= ~(1u << proc->priority);
	}
	cpu->run.count--;
}

static void to_tail(struct proc *proc)
{
	if (list_is_linked(&proc->run_link)) {
		list_remove(&proc->run_link);
		list_add_tail(&kernel.cpus[proc->cpu].run.queue[proc->priority], &proc->run_link);
	}
}

int sched_set(struct proc *proc, int priority, uint64_t quantum_ns)
{
	bool queued = list_is_linked(&proc->run_link);

	if (priority < 0 || priority >= PRIORITY_COUNT || quantum_ns > 10000000000ull) {
		return -EINVAL;
	}
	if (queued) {
		sched_dequeue(proc);
	}
	proc->priority = priority;
	if (quantum_ns != 0) {
		proc->quantum_ns = quantum_ns;
	}
	if (queued) {
		sched_enqueue(proc);
	}
	if (rts_is_set(proc, RTS_NO_QUANTUM)) {
		proc->quantum_left_ns = 0; /* behind its equals */
		rts_clear(proc, RTS_NO_QUANTUM);
		proc->quantum_left_ns = (int64_t)proc->quantum_ns;
	}
	kernel.cpus[proc->cpu].resched = true;
	return 0;
}

void sched_yield_current(struct proc *proc)
{
	to_tail(proc);
	kernel.cpus[proc->cpu].resched = true;
}

void sched_orphan(endpoint_t scheduler)
{
	unsigned i;

	for (i = 0; i < kernel.proc_count; i++) {
		struct proc *proc = proc_slot(i);

		if (proc->scheduler == scheduler && !rts_is_set(proc, RTS_SLOT_FREE)) {
			proc->scheduler = EP_KERNEL;
			if (rts_is_set(proc, RTS_NO_QUANTUM)) {
				proc->quantum_left_ns = (int64_t)proc->quantum_ns;
				rts_clear(proc, RTS_NO_QUANTUM);
			}
		}
	}
}

/* The quantum is used up. The process is at a user-mode boundary: it sends nothing else. */
static void out_of_quantum(struct proc *proc)
{
	struct proc *scheduler = proc->scheduler == EP_KERNEL ? NULL : proc_find(proc->scheduler);

	if (scheduler == NULL || scheduler == proc) {
		proc->quantum_left_ns = (int64_t)proc->quantum_ns;
		sched_yield_current(proc);
		return;
	}
	rts_set(proc, RTS_NO_QUANTUM);
	proc->send_msg = (struct message){.source = proc->endpoint, .type = SCHED_NO_QUANTUM};
	MSG(&proc->send_msg, sched_no_quantum)->used_ns = proc->quantum_ns;
	ipc_send_for(proc, scheduler);
}

static struct proc *pick(struct cpu *cpu)
{
	struct proc *current = cpu->current;
	int priority;

	if (cpu->run.ready == 0) {
		return NULL;
	}
	priority = __builtin_ctz(cpu->run.ready);
	/* Equals do not preempt. */
	if (current != NULL && current->rts == 0 && !cpu->resched &&
		current->priority <= priority) {
		return current;
	}
	cpu->resched = false;
	return list_first(&cpu->run.queue[priority], struct proc, run_link);
}

static void charge_kernel(struct cpu *cpu)
{
	uint64_t now = arch_cycles();
	uint64_t spent = now - cpu->mark_cycles;

	if (cpu->current != NULL) {
		cpu->current->system_cycles += spent;
		cpu->current->quantum_left_ns -= (int64_t)arch_ns_from_cycles(spent);
	} else {
		cpu->idle_cycles += spent;
	}
	cpu->mark_cycles = now;
}

void sched_enter(struct proc *proc)
{
	struct cpu *cpu = this_cpu();
	uint64_t now = arch_cycles();
	uint64_t spent = now - cpu->mark_cycles;

	proc->user_cycles += spent;
	if (!proc_is_service(proc)) {
		cpu->program_cycles += spent;
	}
	proc->quantum_left_ns -= (int64_t)arch_ns_from_cycles(spent);
	cpu->mark_cycles = now;
}

/* One timer interrupt for whatever comes first: a kernel timer, or the end of the quantum. An armed
   one that comes early does no harm, so the controller is touched only to make it earlier. */
static void arm_timer(struct cpu *cpu, const struct proc *proc)
{
	uint64_t deadline = timer_next();
	uint64_t end = proc == NULL
		? UINT64_MAX
		: arch_now_at(cpu->mark_cycles) + (uint64_t)proc->quantum_left_ns;

	if (end < deadline) {
		deadline = end;
	}
	if (deadline < cpu->armed_ns) {
		cpu->armed_ns = deadline;
		arch_timer_arm(deadline);
	}
}

static struct proc *wait_for_work(struct cpu *cpu)
{
	struct proc *proc;

	charge_kernel(cpu);
	cpu->current = NULL;
	while ((proc = pick(cpu)) == NULL) {
		arm_timer(cpu, NULL);
		arch_idle();
		charge_kernel(cpu);
	}
	return proc;
}

struct proc *sched_leave(void)
{
	struct cpu *cpu = this_cpu();

	charge_kernel(cpu);
	for (;;) {
		struct proc *proc = pick(cpu);

		if (proc == NULL) {
			proc = wait_for_work(cpu);
		}
		if (proc != cpu->current) {
			kernel.context_switches++;
			cpu->current = proc;
			trace(TRACE_SWITCH, (uint64_t)proc->endpoint, 0);
		}
		if (proc->quantum_left_ns <= QUANTUM_SLACK_NS) {
			out_of_quantum(proc);
			continue;
		}
		arch_load_address_space(proc->root);
		if ((proc->flags & PROC_TRACE_WORK) != 0 && !traced_leave(proc)) {
			continue;
		}
		if ((proc->flags & PROC_RESTART) != 0) {
			linux_call_restart(proc);
		}
		if ((proc->flags & PROC_DELIVER) != 0 && !ipc_deliver(proc)) {
			continue;
		}
		arm_timer(cpu, proc);
		arch_proc_load(cpu, &proc->arch);
		return proc;
	}
}
