/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of timers over the one alarm that the kernel gives a server, and timers of processor
 * time over that. Times are nanoseconds of the monotonic clock.
 *
 * Invariants: 1. a timer is in the tree if and only if it is armed; 2. the kernel's alarm is never
 * later than the first timer (it may be earlier: then it fires for nothing, and is set anew).
 */
#pragma once

#include "lib/core/tree.h"

struct pm;
struct process;
struct thread;

/* What a timer is for. Numbers, not functions: another version of PM goes on with armed timers.
 * New ones at the end. */
enum timer_kind {
	TIMER_CPU,         /* part of a struct cpu_timer, whose own kind tells more */
	TIMER_REAL,        /* ITIMER_REAL of a process */
	TIMER_SLEEP,       /* of a thread */
	TIMER_SIGNAL_WAIT, /* rt_sigtimedwait of a thread */
	TIMER_POSIX,
	TIMER_SHUTDOWN,
	TIMER_EVENT /* services that do not answer events */
};
enum cpu_timer_kind {
	CPU_TIMER_VIRTUAL, /* ITIMER_VIRTUAL and ITIMER_PROF of a process */
	CPU_TIMER_PROF,
	CPU_TIMER_LIMIT, /* RLIMIT_CPU of a process */
	CPU_TIMER_SLEEP, /* of a thread */
	CPU_TIMER_POSIX
};

struct pm_timer {
	struct tree_node node;
	uint64_t expires_ns;
	uint64_t order; /* of arming, among equals */
	enum timer_kind kind;
	bool armed;
};

struct timer_queue {
	struct tree tree;
	uint64_t order;
	uint64_t alarm_ns; /* what the kernel was told; 0: nothing */
};

/* (Re)arm; a time in the past fires at once from the main loop. */
void timerq_arm(struct pm *pm, struct pm_timer *timer, uint64_t expires_ns);
/* Harmless for a timer that is not armed (or all zero). */
void timerq_disarm(struct pm *pm, struct pm_timer *timer);
/* The order of the tree. */
int timerq_compare(const struct tree_node *a, const struct tree_node *b);
/* The kernel's alarm rang: fire what is due, and set it for the next. */
void timerq_run(struct pm *pm);
/* PM has come back with its memory: the kernel's alarm is set again. */
void timerq_restart(struct pm *pm);

/*
 * A timer of processor time: fires when the time used by a process (or one thread of it) reaches
 * `target_ns`. It looks when that can have happened at the earliest, and with growing distances
 * while the process does not run.
 */
struct cpu_timer {
	struct pm_timer timer;
	struct process *process;
	struct thread *thread; /* NULL: of the whole process */
	bool user_only;        /* ITIMER_VIRTUAL */
	uint64_t target_ns;    /* 0: not armed */
	uint64_t last_ns;      /* processor time at the last look */
	uint64_t pause_ns;     /* between looks */
	enum cpu_timer_kind kind;
};

void cpu_timer_arm(struct pm *pm, struct cpu_timer *timer, uint64_t target_ns);
void cpu_timer_disarm(struct pm *pm, struct cpu_timer *timer);
/* Processor time that counts for this timer, so far. */
uint64_t cpu_timer_now(struct pm *pm, const struct cpu_timer *timer);
