/* SPDX-License-Identifier: BSD-2-Clause */
/* The scheduling policy over a fake kernel that remembers the last priority and quantum of each
 * thread. */
#include "servers/sched/sched.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/kcall.h"
#include "lib/sys/trap.h"

#define SLOTS 32

static struct {
	int priority[SLOTS];
	uint64_t quantum[SLOTS];
	uint64_t alarm;
	uint32_t rts[SLOTS];
	int dead_slot;
} kernel;

static int64_t give_proctab(struct proc_info *to, uint64_t bytes, uint64_t slot)
{
	uint64_t count = 0;

	while (slot + count < SLOTS && (count + 1) * sizeof(*to) <= bytes) {
		to[count] = (struct proc_info){.endpoint = (endpoint_t)(slot + count),
			.rts_flags = kernel.rts[slot + count]};
		count++;
	}
	return (int64_t)(count * sizeof(*to));
}

int64_t sys_trap(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	switch (nr - KCALL_BASE) {
	case KCALL_schedule:
		if ((int)a0 == kernel.dead_slot) {
			return -EINVAL;
		}
		kernel.priority[a0 % SLOTS] = (int)a1;
		kernel.quantum[a0 % SLOTS] = a2;
		return 0;
	case KCALL_getinfo:
		if (a0 == GETINFO_PROCTAB) {
			return give_proctab((struct proc_info *)a1, a2, a3);
		}
		if ((int)a3 == kernel.dead_slot) {
			return -EINVAL;
		}
		((struct proc_info *)a1)->priority = kernel.priority[a3 % SLOTS];
		return sizeof(struct proc_info);
	case KCALL_setalarm:
		kernel.alarm = a0;
		return 0;
	case KCALL_times:
		((struct proc_times *)a1)->uptime_ns = 1000;
		return 0;
	default:
		return 0;
	}
}

static void add(struct sched *sched, endpoint_t ep, endpoint_t parent, int priority, int nice)
{
	struct sched_start request = {
		.ep = ep, .parent = parent, .priority = priority, .nice = nice};

	sched_start(sched, &request);
}

static void test_hog_sinks_and_rises(struct sched *sched)
{
	add(sched, 10, EP_NONE, SCHED_PRIO_USER, 0);
	add(sched, 11, 10, SCHED_PRIO_USER, 0);
	assert(kernel.priority[10] == SCHED_PRIO_USER && kernel.alarm == 0);
	for (int i = 0; i < 20; i++) {
		uint64_t before = kernel.quantum[10];

		sched_no_quantum(sched, 10);
		assert(kernel.quantum[10] >= before); /* longer turns further down */
	}
	assert(kernel.priority[10] == SCHED_PRIO_USER_MIN &&
		kernel.priority[11] == SCHED_PRIO_USER);
	assert(kernel.alarm != 0 && sched->fallen == 1);
	/* Its children start where it is. */
	add(sched, 12, 10, SCHED_PRIO_USER, 0);
	assert(kernel.priority[12] == SCHED_PRIO_USER_MIN && sched->fallen == 2);
	for (int i = 0; i < SCHED_PRIO_USER_MIN - SCHED_PRIO_USER; i++) {
		assert(sched->alarm_set);
		sched_period(sched);
	}
	assert(kernel.priority[10] == SCHED_PRIO_USER && kernel.priority[12] == SCHED_PRIO_USER);
	assert(sched->fallen == 0 && !sched->alarm_set);
}

/* One that computes falls below RS, and comes back. */
static void test_services(struct sched *sched)
{
	add(sched, 1, EP_NONE, SCHED_PRIO_DRIVER, 0);
	add(sched, 8, EP_NONE, SCHED_PRIO_FS, 0);
	sched_no_quantum(sched, 8);
	for (int i = 0; i < 5; i++) {
		sched_no_quantum(sched, 1);
	}
	assert(kernel.priority[1] == SCHED_PRIO_FS && sched->fallen == 1);
	assert(sched->threads[8].priority == SCHED_PRIO_FS);
	sched_period(sched);
	sched_period(sched);
	assert(kernel.priority[1] == SCHED_PRIO_DRIVER && sched->fallen == 0);
}

static void test_nice(struct sched *sched)
{
	struct sched_nice request = {.ep = 20, .nice = 19};
	uint64_t ordinary;

	assert(sched_base_of_nice(-20) == SCHED_PRIO_USER_MAX &&
		sched_base_of_nice(0) == SCHED_PRIO_USER);
	assert(sched_base_of_nice(19) == SCHED_PRIO_USER_MIN - 1 &&
		sched_base_of_nice(100) == SCHED_PRIO_USER_MIN - 1);
	add(sched, 20, EP_NONE, SCHED_PRIO_USER, 0);
	ordinary = kernel.quantum[20];
	sched_nice(sched, &request);
	assert(kernel.priority[20] == SCHED_PRIO_USER_MIN - 1 && kernel.quantum[20] < ordinary);
	for (int i = 0; i < 10; i++) {
		sched_no_quantum(sched, 20);
	}
	request.nice = -20;
	sched_nice(sched, &request);
	assert(kernel.priority[20] < SCHED_PRIO_USER_MIN && kernel.quantum[20] > ordinary);
	sched_stop(sched, 20);
	assert(sched->fallen == 0);
}

static void test_strangers(struct sched *sched)
{
	kernel.dead_slot = 25;
	add(sched, 25, EP_NONE, SCHED_PRIO_USER, 0);
	assert(!sched->threads[25].used);
	kernel.dead_slot = 0;
	add(sched, 5000, EP_NONE, SCHED_PRIO_USER, 0);
	add(sched, -3, EP_NONE, SCHED_PRIO_USER, 0);
	add(sched, 26, EP_NONE, 99, 0);
	assert(!sched->threads[26].used);
	/* Never announced: taken up with the priority it has. */
	kernel.priority[27] = SCHED_PRIO_USER + 2;
	sched_no_quantum(sched, 27);
	assert(kernel.quantum[27] != 0 && kernel.priority[27] == SCHED_PRIO_USER + 3 &&
		sched->fallen == 1);
	/* Its successor in the slot is another thread. */
	kernel.priority[27] = SCHED_PRIO_USER;
	sched_no_quantum(sched, EP_MAKE(1, 27));
	assert(sched->threads[27].ep == EP_MAKE(1, 27) &&
		sched->threads[27].priority == SCHED_PRIO_USER + 1);
	sched_stop(sched, EP_MAKE(1, 27));
	assert(sched->fallen == 0);
	sched_stop(sched, 28);
}

static int fetch_here(uint64_t address, void *to, size_t bytes)
{
	memcpy(to, (void *)address, bytes);
	return 0;
}

static int fetch_fails(uint64_t address, void *to, size_t bytes)
{
	memset(to, 0xff, bytes / 2); /* ... half way */
	return -EFAULT;
}

/* A successor goes on with the table, but for what is not sound; without it threads are learnt. */
static void test_successor(struct sched *sched)
{
	struct sched_thread *old = sched->threads;

	add(sched, 10, EP_NONE, SCHED_PRIO_USER, 5);
	add(sched, 11, EP_NONE, SCHED_PRIO_USER, 0);
	sched_no_quantum(sched, 10);
	old[11].priority = 99;
	add(sched, 13, EP_NONE, SCHED_PRIO_USER, 0);
	old[13].base = old[13].priority = 0; /* before all services */
	add(sched, 14, EP_NONE, SCHED_PRIO_USER, 0);
	old[14].declared_quantum_ns = 1ull << 40;
	kernel.alarm = 0;
	assert(sched_adopt(sched, SLOTS, fetch_here) == 0 && sched->threads != old);
	assert(sched->threads[10].used && sched->threads[10].nice == 5 && sched->fallen == 1);
	assert(!sched->threads[11].used && kernel.alarm != 0);
	assert(!sched->threads[13].used && !sched->threads[14].used);
	free(old);
	/* Two used their quantum up; of one of them the predecessor had been told. */
	kernel.rts[11] = RTS_NO_QUANTUM;
	kernel.rts[12] = RTS_NO_QUANTUM | RTS_SENDING;
	kernel.quantum[11] = kernel.quantum[12] = 0;
	sched_rescue(sched);
	assert(kernel.quantum[11] != 0 && kernel.quantum[12] == 0);
	old = sched->threads;
	assert(sched_adopt(sched, SLOTS, fetch_fails) == 0 && !sched->threads[0].used &&
		!sched->threads[10].used);
	free(old);
}

int main(void)
{
	struct sched sched;

	assert(sched_init(&sched, SLOTS) == 0);
	test_hog_sinks_and_rises(&sched);
	test_services(&sched);
	test_nice(&sched);
	test_strangers(&sched);
	test_successor(&sched);
	free(sched.threads);
	puts("ok");
	return 0;
}
