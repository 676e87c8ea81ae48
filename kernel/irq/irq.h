/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines and who hears of them.
 *
 * Each hook starts disabled, is disabled again when its notification is made, and enabled by its
 * owner when it has served the device. In between a level-triggered line is masked, else it would
 * interrupt for ever. An edge-triggered one is not: the controller would lose an edge that comes
 * while it is masked, and with it the device; such an edge is kept in the hook (`missed`) and told
 * at the next enabling.
 *
 * Invariants:
 *  1. A level-triggered line is unmasked if and only if it has hooks and none of them is disabled.
 *  2. An edge-triggered line is unmasked if and only if one of its hooks has ever been enabled.
 */
#pragma once

#include "abi/types.h"

#define IRQ_LINES 64
#define IRQ_HOOKS 4 /* owners that can share a line */

struct priv;

struct irq_hook {
	struct priv *owner; /* NULL: free */
	uint8_t id;         /* bit in the owner's pending set */
	bool enabled;
	bool started; /* has ever been enabled */
	bool missed;  /* an edge came while it was disabled */
};

struct irq_line {
	struct irq_hook hooks[IRQ_HOOKS];
};

/* Called by the architecture when line `line` has interrupted; it has not been masked. */
void irq_handle(unsigned line);
/* 0; -EBUSY: the line has no room; -EINVAL. A hook that is there already starts as new: its owner
 * was restarted. */
int irq_hook_set(struct priv *owner, unsigned line, unsigned id);
int irq_hook_remove(struct priv *owner, unsigned line, unsigned id);
int irq_hook_enable(struct priv *owner, unsigned line, unsigned id, bool enable);
/* All hooks of the owner are enabled, and it is told of each as if it had fired. */
void irq_tell_again(struct priv *owner);
/* The service is gone: remove all its hooks. */
void irq_release(struct priv *owner);
