/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/sched/sched.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/kcall.h"

#define NICE_MIN                (-20)
#define NICE_MAX                19
#define NICE_COUNT              40
#define QUANTUM_TOP_NS          20000000ull /* at the highest priority of programs */
#define QUANTUM_STEP_NS         10000000ull /* more for each lower one */
#define QUANTUM_MIN_NS          5000000ull
#define QUANTUM_SERVICE_NS      200000000ull
#define QUANTUM_DECLARED_MAX_NS 10000000000ull /* and the kernel takes no more */

int sched_init(struct sched *sched, uint32_t slots)
{
	if (slots == 0 || slots > EP_SLOT_MAX) {
		slots = SCHED_SLOTS;
	}
	*sched = (struct sched){
		.slots = slots, .threads = calloc(slots, sizeof(struct sched_thread))};
	if (!sched->threads) {
		return -ENOMEM;
	}
	/* All of it present from now on: a page fault later would wait for VM, which may wait for a
	 * new quantum. */
	for (uint32_t slot = 0; slot < slots; slot++) {
		((volatile struct sched_thread *)sched->threads)[slot].ep = EP_NONE;
	}
	return 0;
}

static int nice_cut(int nice)
{
	return nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
}

int sched_base_of_nice(int nice)
{
	nice = nice_cut(nice);
	if (nice < 0) {
		return SCHED_PRIO_USER + nice * (SCHED_PRIO_USER - SCHED_PRIO_USER_MAX) / -NICE_MIN;
	}
	return SCHED_PRIO_USER + nice * (SCHED_PRIO_USER_MIN - 1 - SCHED_PRIO_USER) / NICE_MAX;
}

uint64_t sched_quantum(const struct sched_thread *thread)
{
	uint64_t quantum;

	if (thread->declared_quantum_ns != 0) {
		return thread->declared_quantum_ns;
	}
	if (thread->is_service) {
		return QUANTUM_SERVICE_NS;
	}
	quantum = QUANTUM_TOP_NS +
		(uint64_t)(thread->priority - SCHED_PRIO_USER_MAX) * QUANTUM_STEP_NS;
	/* Nice 0 has half of what nice -20 has, and 20 times what nice 19 has. */
	quantum = quantum * (uint64_t)(NICE_COUNT / 2 - thread->nice) / (NICE_COUNT / 2);
	return u64_max(quantum, QUANTUM_MIN_NS);
}

static struct sched_thread *find(struct sched *sched, endpoint_t ep)
{
	uint32_t slot = (uint32_t)EP_SLOT(ep);

	if (ep < 0 || slot >= sched->slots || !sched->threads[slot].used ||
		sched->threads[slot].ep != ep) {
		return NULL;
	}
	return &sched->threads[slot];
}

static void alarm_update(struct sched *sched)
{
	if (sched->fallen != 0 && !sched->alarm_set) {
		(void)sys_setalarm(sys_monotonic_ns() + SCHED_PERIOD_NS);
		sched->alarm_set = true;
	} else if (sched->fallen == 0 && sched->alarm_set) {
		(void)sys_setalarm(0);
		sched->alarm_set = false;
	}
}

static void priority_set(struct sched *sched, struct sched_thread *thread, int priority)
{
	sched->fallen -= thread->priority > thread->base;
	thread->priority = priority;
	sched->fallen += thread->priority > thread->base;
}

static void forget(struct sched *sched, struct sched_thread *thread)
{
	priority_set(sched, thread, thread->base);
	thread->used = false;
}

/* The kernel follows; a thread that is gone is forgotten, and so is what the kernel cannot take:
 * false.
 */
static bool tell_kernel(struct sched *sched, struct sched_thread *thread)
{
	if (sys_schedule(thread->ep, thread->priority, sched_quantum(thread)) < 0) {
		forget(sched, thread);
		return false;
	}
	return true;
}

/* A declared priority above the programs' range is a service's. */
static bool is_service_priority(int priority)
{
	return priority < SCHED_PRIO_USER_MAX;
}

/* The slot of an endpoint, free for it; NULL: not one that SCHED cares for. */
static struct sched_thread *slot_take(struct sched *sched, endpoint_t ep)
{
	uint32_t slot = (uint32_t)EP_SLOT(ep);

	if (ep < 0 || slot >= sched->slots || ep == EP_VM || ep == EP_RS || ep == EP_SCHED) {
		return NULL; /* the kernel itself renews the quanta of those that SCHED, and its
				restart, depend on */
	}
	if (sched->threads[slot].used) {
		forget(sched, &sched->threads[slot]);
	}
	return &sched->threads[slot];
}

/* A thread that nobody announced: a program's child, which runs on with what the kernel gave it of
 * its parent's. */
static struct sched_thread *learn(struct sched *sched, endpoint_t ep)
{
	struct sched_thread *thread = slot_take(sched, ep);
	struct proc_info info = {0};

	if (!thread || sys_getinfo(GETINFO_PROC, &info, sizeof(info), ep) < 0) {
		return NULL;
	}
	*thread = (struct sched_thread){
		.ep = ep, .used = true, .is_service = is_service_priority(info.priority)};
	thread->base = thread->priority =
		thread->is_service ? info.priority : sched_base_of_nice(0);
	if (info.priority > thread->base && info.priority <= SCHED_PRIO_USER_MIN) {
		priority_set(sched, thread, info.priority);
	}
	return thread;
}

void sched_start(struct sched *sched, const struct sched_start *request)
{
	const struct sched_thread *parent = find(sched, request->parent);
	struct sched_thread *thread;

	if (request->priority < 0 || request->priority >= SCHED_PRIORITIES) {
		return;
	}
	thread = slot_take(sched, request->ep);
	if (!thread) {
		return;
	}
	*thread = (struct sched_thread){
		.ep = request->ep,
		.used = true,
		.nice = nice_cut(request->nice),
		.declared_quantum_ns = request->quantum_ns,
		.is_service = is_service_priority(request->priority),
	};
	thread->base = thread->is_service ? request->priority : sched_base_of_nice(request->nice);
	thread->priority = thread->base;
	if (!thread->is_service && parent && !parent->is_service &&
		parent->priority > thread->base) {
		/* Who computes does not get away from that by forking. */
		priority_set(sched, thread, parent->priority);
	}
	if (sys_schedctl(thread->ep, EP_SELF) < 0) {
		forget(sched, thread);
	} else {
		(void)tell_kernel(sched, thread);
	}
	alarm_update(sched);
}

void sched_stop(struct sched *sched, endpoint_t ep)
{
	struct sched_thread *thread = find(sched, ep);

	if (thread) {
		forget(sched, thread);
		alarm_update(sched);
	}
}

void sched_nice(struct sched *sched, const struct sched_nice *request)
{
	struct sched_thread *thread = find(sched, request->ep);
	int fallen_by;

	if (!thread) {
		thread = learn(sched, request->ep);
	}
	if (!thread || thread->is_service) {
		return;
	}
	fallen_by = thread->priority - thread->base;
	priority_set(sched, thread, thread->base);
	thread->nice = nice_cut(request->nice);
	thread->base = thread->priority = sched_base_of_nice(request->nice);
	priority_set(sched, thread,
		(int)u64_min((uint64_t)(thread->base + fallen_by), SCHED_PRIO_USER_MIN));
	(void)tell_kernel(sched, thread);
	alarm_update(sched);
}

/* A service that does nothing but compute falls below RS, which may want to end it, and no lower.
 */
static int lowest_of(const struct sched_thread *thread)
{
	if (!thread->is_service) {
		return SCHED_PRIO_USER_MIN;
	}
	return thread->base > SCHED_PRIO_FS ? thread->base : SCHED_PRIO_FS;
}

void sched_no_quantum(struct sched *sched, endpoint_t ep)
{
	struct sched_thread *thread = find(sched, ep);

	if (!thread) {
		thread = learn(sched, ep);
	}
	if (!thread) {
		(void)sys_schedule(ep, SCHED_PRIO_USER_MIN,
			QUANTUM_TOP_NS); /* whatever it is, it must not hang */
		return;
	}
	if (thread->priority < lowest_of(thread)) {
		priority_set(sched, thread, thread->priority + 1);
	}
	if (!tell_kernel(sched, thread)) {
		/* If it is not gone, what was known of it was damaged: it must not hang. */
		thread = learn(sched, ep);
		if (thread) {
			(void)tell_kernel(sched, thread);
		}
	}
	alarm_update(sched);
}

void sched_period(struct sched *sched)
{
	sched->alarm_set = false;
	for (uint32_t slot = 0; slot < sched->slots && sched->fallen != 0; slot++) {
		struct sched_thread *thread = &sched->threads[slot];

		if (thread->used && thread->priority > thread->base) {
			priority_set(sched, thread, thread->priority - 1);
			(void)tell_kernel(sched, thread);
		}
	}
	alarm_update(sched);
}

/* What a dead instance left may be damaged: nobody shall run for ever, or never, by that. */
static bool is_sound(const struct sched_thread *thread, uint32_t slot)
{
	return (uint32_t)EP_SLOT(thread->ep) == slot && thread->base >= 0 &&
		thread->base <= thread->priority && thread->priority <= SCHED_PRIO_USER_MIN &&
		thread->nice == nice_cut(thread->nice) &&
		thread->is_service == is_service_priority(thread->base) &&
		(thread->is_service || thread->base == sched_base_of_nice(thread->nice)) &&
		thread->declared_quantum_ns <= QUANTUM_DECLARED_MAX_NS;
}

int sched_adopt(
	struct sched *sched, uint32_t slots, int (*fetch)(uint64_t address, void *to, size_t bytes))
{
	struct sched old = *sched;
	int r = sched_init(sched, slots);

	if (r < 0 || !old.threads || old.slots != sched->slots) {
		return r;
	}
	if (fetch((uint64_t)old.threads, sched->threads, slots * sizeof(struct sched_thread)) < 0) {
		/* It may have come in part. As new, threads are learnt again. */
		memset(sched->threads, 0, slots * sizeof(struct sched_thread));
		return 0;
	}
	for (uint32_t slot = 0; slot < slots; slot++) {
		struct sched_thread *thread = &sched->threads[slot];

		thread->used = thread->used && is_sound(thread, slot);
		sched->fallen += thread->used && thread->priority > thread->base;
	}
	alarm_update(sched);
	return 0;
}

void sched_rescue(struct sched *sched)
{
	struct proc_info procs[8];

	for (uint32_t slot = 0; slot < sched->slots; slot += sizeof(procs) / sizeof(procs[0])) {
		int64_t bytes = sys_getinfo(GETINFO_PROCTAB, procs, sizeof(procs), slot);

		for (int64_t i = 0; i < bytes / (int64_t)sizeof(procs[0]); i++) {
			uint32_t flags = procs[i].rts_flags;

			if ((flags & RTS_NO_QUANTUM) && !(flags & (RTS_SENDING | RTS_SLOT_FREE))) {
				sched_no_quantum(sched, procs[i].endpoint);
			}
		}
	}
}
