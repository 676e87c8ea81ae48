/* SPDX-License-Identifier: BSD-2-Clause */
/* See irq.h. */
#include "kernel/irq/irq.h"

#include "abi/linux/errno.h"
#include "kernel/arch.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/ipc.h"
#include "kernel/proc/priv.h"
#include "kernel/state.h"

/* Restore the invariants of irq.h after a change of the hooks. */
static void update_mask(unsigned line)
{
	const struct irq_line *irq = &kernel.irqs[line];
	bool hooked = false, ready = true, started = false;
	int i;

	for (i = 0; i < IRQ_HOOKS; i++) {
		if (irq->hooks[i].owner != NULL) {
			hooked = true;
			ready = ready && irq->hooks[i].enabled;
			started = started || irq->hooks[i].started;
		}
	}
	if (arch_irq_is_edge(line) ? started : hooked && ready) {
		arch_irq_unmask(line);
	} else {
		arch_irq_mask(line);
	}
}

static void deliver(struct irq_hook *hook)
{
	hook->enabled = false;
	hook->missed = false;
	hook->owner->irq_pending |= 1ull << hook->id;
	ipc_notify_pending(hook->owner->proc);
}

static struct irq_hook *find_hook(struct priv *owner, unsigned line, unsigned id)
{
	int i;

	for (i = 0; line < IRQ_LINES && i < IRQ_HOOKS; i++) {
		struct irq_hook *hook = &kernel.irqs[line].hooks[i];

		if (hook->owner == owner && hook->id == id) {
			return hook;
		}
	}
	return NULL;
}

void irq_handle(unsigned line)
{
	struct irq_line *irq = &kernel.irqs[line];
	int i;

	kernel.interrupts++;
	trace(TRACE_IRQ, line, 0);
	if (!arch_irq_is_edge(line)) {
		arch_irq_mask(line);
	}
	for (i = 0; i < IRQ_HOOKS; i++) {
		struct irq_hook *hook = &irq->hooks[i];

		if (hook->owner == NULL) {
			continue;
		}
		if (hook->enabled) {
			deliver(hook);
		} else {
			hook->missed = true;
		}
	}
}

int irq_hook_set(struct priv *owner, unsigned line, unsigned id)
{
	struct irq_hook *hook = find_hook(owner, line, id);
	int i;

	if (line >= IRQ_LINES || id >= 64) {
		return -EINVAL;
	}
	if (hook != NULL) {
		hook->enabled = false;
		update_mask(line);
		return 0;
	}
	for (i = 0; i < IRQ_HOOKS; i++) {
		hook = &kernel.irqs[line].hooks[i];
		if (hook->owner == NULL) {
			*hook = (struct irq_hook){.owner = owner, .id = (uint8_t)id};
			update_mask(line);
			return 0;
		}
	}
	return -EBUSY;
}

int irq_hook_remove(struct priv *owner, unsigned line, unsigned id)
{
	struct irq_hook *hook = find_hook(owner, line, id);

	if (hook == NULL) {
		return -EINVAL;
	}
	hook->owner = NULL;
	owner->irq_pending &= ~(1ull << id);
	update_mask(line);
	return 0;
}

int irq_hook_enable(struct priv *owner, unsigned line, unsigned id, bool enable)
{
	struct irq_hook *hook = find_hook(owner, line, id);

	if (hook == NULL) {
		return -EINVAL;
	}
	hook->enabled = enable;
	hook->started = hook->started || enable;
	if (enable && hook->missed && arch_irq_is_edge(line)) {
		deliver(hook);
	}
	hook->missed = false;
	update_mask(line);
	return 0;
}

void irq_tell_again(struct priv *owner)
{
	unsigned line;
	int i;

	for (line = 0; line < IRQ_LINES; line++) {
		for (i = 0; i < IRQ_HOOKS; i++) {
			if (kernel.irqs[line].hooks[i].owner == owner) {
				deliver(&kernel.irqs[line].hooks[i]);
			}
		}
	}
}

void irq_release(struct priv *owner)
{
	unsigned line;
	int i;

	for (line = 0; line < IRQ_LINES; line++) {
		for (i = 0; i < IRQ_HOOKS; i++) {
			if (kernel.irqs[line].hooks[i].owner == owner) {
				kernel.irqs[line].hooks[i].owner = NULL;
				update_mask(line);
			}
		}
	}
}
