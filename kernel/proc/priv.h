/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Privileges: what a process may do, apart from what it is. Number 0 is shared by all programs.
 *
 * Invariants:
 *  1. A structure other than number 0 belongs to exactly one process (`proc`), or is free (`proc`
 * NULL).
 *  2. Pending notifications, interrupts, signals and asynchronous senders are kept here and not in
 * the process, so that they stay with the service when its process is swapped.
 *  3. send_mask is symmetric among services: if a may send to b, b may send to a.
 */
#pragma once

#include "abi/kcall.h"
#include "abi/trap.h"
#include "lib/core/bitmap.h"

struct proc;

struct priv {
	struct proc *proc;
	uint16_t id;
	bool used;
	struct priv_spec spec;
	/* Of spec's ranges and lines: those behind were added by a bus driver (PRIV_ADD_*). */
	uint16_t declared_io, declared_mem, declared_irq;
	uint64_t kcalls_made; /* bit: kernel call that it has made, being allowed to */

	uint64_t notify_pending[PRIV_MAX / 64]; /* bit: privilege number of the notifier */
	/* bit: privilege number of a sender with entries for this one */
	uint64_t async_pending[PRIV_MAX / 64];
	/* bit: privilege number of a receiver whose async_pending may have this one's bit */
	uint64_t async_receivers[PRIV_MAX / 64];
	uint64_t irq_pending;  /* bit: hook id */
	uint64_t self_signals; /* bit signo: KSIG_SELF */
	uint32_t ksig_pending; /* KSIG_* */
	bool alarm_pending;
	/* bit: privilege number of a server that still works at a request of dead contents: its
	 * next answer is dropped */
	uint64_t stale_answers[PRIV_MAX / 64];

	/* Lines of diagnostics: written lately, up to when that has been counted, dropped since. */
	uint32_t diag_lines, diag_dropped;
	uint64_t diag_since_ns;

	vaddr_t grant_table;
	uint32_t grant_count;
	struct state_table state;
	vaddr_t async_table;
	uint32_t async_count;
	uint32_t async_first; /* those before it are done */
};

void priv_init(void);
struct priv *priv_user(void);
/* A free structure for the process, or NULL. */
struct priv *priv_alloc(struct proc *proc);
/* Freed: its number disappears from all masks and pending sets. No effect on the programs' one. */
void priv_free(struct priv *priv);
/* Checked against the limits of the structure: 0 or -EINVAL. */
int priv_spec_check(const struct priv_spec *spec);
/* Take the masks and ranges; keeps invariant 3: whom others may send to may send back. */
void priv_apply(struct priv *priv, const struct priv_spec *spec);
/* The same for one that is known to all: who is not in its mask may not send to it any more. What
 * was added to its ranges and lines stays: they are put behind those of spec. */
void priv_replace(struct priv *priv, struct priv_spec *spec);
bool priv_may_send(const struct priv *from, const struct priv *to);
bool priv_may_kcall(const struct priv *priv, unsigned call);
bool priv_may_trap(const struct priv *priv, unsigned trap);
bool priv_may_io(const struct priv *priv, uint64_t port, unsigned bytes);
bool priv_may_mem(const struct priv *priv, uint64_t first, uint64_t last);
bool priv_may_irq(const struct priv *priv, int irq);
