/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy of the scheduler, apart from messages and kernel calls.
 *
 * A program starts at a base priority that its nice value gives. Each time it uses up a whole
 * quantum it falls by one, down to the lowest, where quanta are longest; once a period all that
 * have fallen rise by one towards their base. So who computes sinks below who waits for input, and
 * a shell is served at once beside any number of them. At the same priority threads take turns, and
 * the length of a turn goes by the nice value. Services have the priority that they were declared
 * with; one that uses up whole quanta falls in the same way, but only to just below RS's: a driver
 * that loops cannot keep RS from ending it.
 *
 * Programs' threads are not announced one by one: a child runs on with the priority and quantum
 * that the kernel copied from its parent, and SCHED takes it up when it first uses up a quantum.
 * Nor are their ends: a slot is forgotten when its thread turns out to be gone, or another has it.
 *
 * Invariants: 1. base <= priority <= SCHED_PRIO_USER_MIN for programs, SCHED_PRIO_FS (or base) for
 * services; 2. `fallen` is the number of threads with priority > base; the alarm is set if and only
 * if it is not 0.
 */
#pragma once

#include "lib/core/util.h"
#include "proto/sched.h"

#define SCHED_PERIOD_NS 500000000ull
#define SCHED_SLOTS     4096

struct sched_thread {
	endpoint_t ep;
	bool used;
	bool is_service;
	int32_t base, priority; /* 0 is the highest */
	int32_t nice;
	uint64_t declared_quantum_ns; /* 0: by priority and nice */
};

struct sched {
	struct sched_thread *threads; /* by endpoint slot */
	uint32_t slots;
	uint32_t fallen;
	bool alarm_set;
};

/* slots: size of the kernel's table. 0 or -ENOMEM. */
int sched_init(struct sched *sched, uint32_t slots);
/* *sched is that of a predecessor, its table to be had by fetch: makes it this one's. 0 or -ENOMEM.
 */
int sched_adopt(struct sched *sched, uint32_t slots,
	int (*fetch)(uint64_t address, void *to, size_t bytes));
/* Threads whose quantum is used up, and of which a predecessor had been told: they go on. */
void sched_rescue(struct sched *sched);
/* Base priority of a program. nice: -20 to 19, others are cut. */
int sched_base_of_nice(int nice);
/* Length of its turns, ns. */
uint64_t sched_quantum(const struct sched_thread *thread);

/* Requests; each tells the kernel what follows. Unknown endpoints and bad numbers are ignored. */
void sched_start(struct sched *sched, const struct sched_start *request);
void sched_stop(struct sched *sched, endpoint_t ep);
void sched_nice(struct sched *sched, const struct sched_nice *request);
void sched_no_quantum(struct sched *sched, endpoint_t ep);
/* The period is over. */
void sched_period(struct sched *sched);
