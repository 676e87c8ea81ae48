/* SPDX-License-Identifier: BSD-2-Clause */
/* The process table. Slots are reused in the order in which they became free, so that stale
 * endpoints stay stale long. */
#include "kernel/proc/proc.h"

#include <string.h>

#include "kernel/arch.h"
#include "kernel/debug/panic.h"
#include "kernel/ipc/ipc.h"
#include "kernel/linux/futex.h"
#include "kernel/mem/bootmem.h"
#include "kernel/proc/sched.h"
#include "kernel/state.h"
#include "lib/core/util.h"

static void alarm_expired(struct timer *timer)
{
	struct proc *proc = container_of(timer, struct proc, alarm);

	if (proc_is_service(proc)) {
		proc->priv->alarm_pending = true;
		ipc_notify_pending(proc);
	}
}

void proc_init(void)
{
	uint32_t xsave = (uint32_t)align_up(arch_xsave_bytes(), 64);
	char *areas;
	unsigned i;

	list_init(&kernel.free_slots);
	kernel.procs = bootmem_alloc((uint64_t)kernel.proc_count * sizeof(struct proc));
	areas = bootmem_alloc((uint64_t)kernel.proc_count * xsave);
	for (i = 0; i < kernel.proc_count; i++) {
		struct proc *proc = proc_slot(i);

		proc->rts = RTS_SLOT_FREE;
		proc->endpoint = EP_MAKE(0, (int)i);
		proc->arch.fpu = areas + (uint64_t)i * xsave;
		list_init(&proc->senders);
		list_init(&proc->send_link);
		list_init(&proc->run_link);
		list_init(&proc->memreq_link);
		list_init(&proc->futex_link);
		list_init(&proc->signal_link);
		list_init(&proc->slot_link);
		timer_setup(&proc->alarm, alarm_expired);
		timer_setup(&proc->timeout, futex_expired);
		if (i >= EP_BOOT_COUNT) {
			proc->endpoint = EP_MAKE(0, (int)i);
			list_add_tail(&kernel.free_slots, &proc->slot_link);
		}
	}
}

struct proc *proc_slot(unsigned slot)
{
	return &kernel.procs[slot];
}

struct proc *proc_find(endpoint_t endpoint)
{
	struct proc *proc;

	if (endpoint < 0 || (uint32_t)EP_SLOT(endpoint) >= kernel.proc_count) {
		return NULL;
	}
	proc = proc_slot((unsigned)EP_SLOT(endpoint));
	return proc->endpoint == endpoint && (proc->rts & RTS_SLOT_FREE) == 0 ? proc : NULL;
}

bool proc_is_service(const struct proc *proc)
{
	return proc->priv != NULL && proc->priv != &kernel.privs[PRIV_ID_USER];
}

void proc_set_name(struct proc *proc, const char *name)
{
	size_t i;

	memset(proc->name, 0, sizeof(proc->name));
	for (i = 0; i < sizeof(proc->name) - 1 && name[i] != '\0'; i++) {
		proc->name[i] = name[i];
	}
}

/* The generation that a slot's next user has: from 1 on, never 0 again. */
static endpoint_t next_endpoint(endpoint_t old)
{
	int generation = EP_GEN(old) + 1;

	return EP_MAKE(generation > EP_GEN_MAX ? 1 : generation, EP_SLOT(old));
}

static void reset(struct proc *proc)
{
	proc->flags = 0;
	proc->call = -1;
	proc->priv = priv_user();
	proc->root = 0;
	proc->as_id = 0;
	proc->cpu = 0;
	proc->name[0] = '\0';
	memset(&proc->ids, 0, sizeof(proc->ids));
	proc->priority = PRIORITY_DEFAULT;
	proc->scheduler = EP_KERNEL;
	proc->quantum_ns = QUANTUM_DEFAULT_NS;
	proc->quantum_left_ns = QUANTUM_DEFAULT_NS;
	proc->is_young = false;
	proc->user_cycles = 0;
	proc->system_cycles = 0;
	proc->start_ns = arch_now();
	proc->messages = 0;
	proc->send_to = EP_NONE;
	proc->receive_from = EP_NONE;
	proc->predecessor = EP_NONE;
	proc->signals = 0;
	proc->signal_to = EP_NONE;
	memset(&proc->fault, 0, sizeof(proc->fault));
	proc->clear_tid = 0;
	proc->robust_list = 0;
	proc->robust_bytes = 0;
	proc->futex_deadline_ns = 0;
	arch_proc_reset(&proc->arch);
}

struct proc *proc_alloc(int slot)
{
	struct proc *proc;

	if (slot >= 0) {
		if ((uint32_t)slot >= kernel.proc_count ||
			(proc_slot((unsigned)slot)->rts & RTS_SLOT_FREE) == 0) {
			return NULL;
		}
		proc = proc_slot((unsigned)slot);
		list_remove(&proc->slot_link);
	} else {
		if (list_is_empty(&kernel.free_slots)) {
			return NULL;
		}
		proc = list_first(&kernel.free_slots, struct proc, slot_link);
		list_remove(&proc->slot_link);
	}
	reset(proc);
	proc->rts = RTS_PROC_STOP | RTS_NO_PRIV;
	kernel.procs_used++;
	kernel.forks++;
	return proc;
}

void proc_free(struct proc *proc)
{
	assert(!rts_is_set(proc, RTS_SLOT_FREE));
	if (proc->rts == 0) {
		sched_dequeue(proc);
	}
	timer_stop(&proc->alarm);
	timer_stop(&proc->timeout);
	list_remove(&proc->signal_link);
	assert(list_is_empty(&proc->senders) && !list_is_linked(&proc->send_link));
	assert(!list_is_linked(&proc->futex_link) && !list_is_linked(&proc->memreq_link));
	arch_proc_release(&proc->arch);
	proc->rts = RTS_SLOT_FREE;
	proc->flags = 0;
	proc->priv = NULL;
	proc->endpoint = next_endpoint(proc->endpoint);
	list_add_tail(&kernel.free_slots, &proc->slot_link);
	kernel.procs_used--;
}

void rts_set(struct proc *proc, uint32_t flags)
{
	if (proc->rts == 0 && flags != 0) {
		sched_dequeue(proc);
	}
	proc->rts |= flags;
}

void rts_clear(struct proc *proc, uint32_t flags)
{
	uint32_t before = proc->rts;

	proc->rts &= ~flags;
	if (before != 0 && proc->rts == 0) {
		sched_enqueue(proc);
	}
}
