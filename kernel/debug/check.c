/* SPDX-License-Identifier: BSD-2-Clause */
/* See check.h. */
#include "kernel/debug/check.h"

#include "kernel/debug/panic.h"
#include "kernel/state.h"

static bool is_in_list(const struct list *head, const struct list *link)
{
	const struct list *at;

	for (at = head->next; at != head; at = at->next) {
		if (at == link) {
			return true;
		}
	}
	return false;
}

static void check_proc(const struct proc *proc)
{
	const struct cpu *cpu = &kernel.cpus[proc->cpu];
	bool is_linked = list_is_linked(&proc->run_link);

	if (rts_is_set(proc, RTS_SLOT_FREE)) {
		assert(!is_linked && !list_is_linked(&proc->send_link) &&
			!list_is_linked(&proc->futex_link) && !list_is_linked(&proc->memreq_link) &&
			!list_is_linked(&proc->signal_link));
		return;
	}
	assert((proc->rts == 0) == is_linked);
	if (is_linked) {
		assert(is_in_list(&cpu->run.queue[proc->priority], &proc->run_link));
	}
	assert(!rts_is_set(proc, RTS_SENDING) || !rts_is_set(proc, RTS_RECEIVING));
	assert(rts_is_set(proc, RTS_SENDING) == list_is_linked(&proc->send_link));
	if (rts_is_set(proc, RTS_SENDING)) {
		const struct proc *to = proc_find(proc->send_to);

		assert(to != NULL && is_in_list(&to->senders, &proc->send_link));
	}
	assert(rts_is_set(proc, RTS_FUTEX) == list_is_linked(&proc->futex_link));
	assert(!list_is_linked(&proc->memreq_link) || rts_is_set(proc, RTS_VMREQUEST));
	assert((proc->signals != 0) == list_is_linked(&proc->signal_link));
	assert((proc->flags & PROC_CALL) == 0 || rts_is_set(proc, RTS_SENDING | RTS_RECEIVING));
	assert(proc->priv != NULL && (proc->priv->id == PRIV_ID_USER || proc->priv->proc == proc));
}

static void check_run_queue(const struct run_queue *run)
{
	unsigned priority;

	for (priority = 0; priority < PRIORITY_COUNT; priority++) {
		assert(((run->ready >> priority) & 1) ==
			(list_is_empty(&run->queue[priority]) ? 0 : 1));
	}
}

static void check_priv(const struct priv *priv)
{
	unsigned i;

	if (!priv->used || priv->id == PRIV_ID_USER) {
		return;
	}
	assert(priv->proc != NULL && priv->proc->priv == priv);
	for (i = PRIV_ID_USER + 1; i < PRIV_MAX; i++) {
		if (kernel.privs[i].used) {
			assert(bitmap_test(priv->spec.send_mask, i) ==
				bitmap_test(kernel.privs[i].spec.send_mask, priv->id));
		}
	}
}

void kernel_check(void)
{
	unsigned i;

	for (i = 0; i < kernel.proc_count; i++) {
		check_proc(proc_slot(i));
	}
	for (i = 0; i < kernel.cpu_count; i++) {
		check_run_queue(&kernel.cpus[i].run);
	}
	for (i = 0; i < PRIV_MAX; i++) {
		check_priv(&kernel.privs[i]);
	}
}
