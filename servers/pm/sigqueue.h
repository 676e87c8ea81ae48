/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pending signals of a thread or of a process, with their siginfo. Standard signals (below 32) are
 * pending at most once, real-time ones queue.
 *
 * Invariant: bit n-1 of `mask` is set if signal n is pending; a pending signal may lack an entry
 * (no memory was left), its siginfo is then that of SI_USER from nobody.
 */
#pragma once

#include "abi/linux/signal.h"
#include "lib/core/list.h"

#define SIGNAL_BIT(n) (1ull << ((n)-1))
#define SIGNAL_RT_MIN 32

struct posix_timer;

struct sigqueue {
	uint64_t mask;
	uint32_t count; /* entries */
	struct list entries;
};

struct sigqueue_entry {
	struct list link;
	struct linux_siginfo info;
	struct posix_timer *timer; /* whose expiry it tells, or NULL */
};

void sigqueue_init(struct sigqueue *queue);
/* Adds; false when a standard one is pending already, or when a real-time one finds `max` entries
 * or no memory. */
bool sigqueue_add(struct sigqueue *queue, const struct linux_siginfo *info,
	struct posix_timer *timer, uint32_t max);
/* Takes the next signal out that is in `set`: faults first, then by number. Its number, 0: none.
 * *timer may be NULL. */
int sigqueue_take(struct sigqueue *queue, uint64_t set, struct linux_siginfo *info,
	struct posix_timer **timer);
/* Drops all signals in the set. */
void sigqueue_drop(struct sigqueue *queue, uint64_t set);
/* The timer is deleted: its entries stay, without it. */
void sigqueue_forget_timer(struct sigqueue *queue, const struct posix_timer *timer);
