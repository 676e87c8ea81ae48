/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines and who hears of them.
 *
 * Invariant: a line is unmasked if and only if it has hooks and none of them is disabled (each hook
 * starts disabled and is disabled again when its notification is made, until its owner enables it).
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
};

struct irq_line {
	struct irq_hook hooks[IRQ_HOOKS];
};

/* Called by the architecture when line `line` has interrupted; it has not been masked yet. */
void irq_handle(unsigned line);
/* 0; -EBUSY: the line has no room, or the id is taken; -EINVAL. */
int irq_hook_set(struct priv *owner, unsigned line, unsigned id);
int irq_hook_remove(struct priv *owner, unsigned line, unsigned id);
int irq_hook_enable(struct priv *owner, unsigned line, unsigned id, bool enable);
/* The service is gone: remove all its hooks. */
void irq_release(struct priv *owner);
