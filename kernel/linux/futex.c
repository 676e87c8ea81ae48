/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See futex.h. Waiters hang in buckets chosen by the offset of the word in its page, which is the
 * same under every address that the word may have; the comparison decides.
 */
#include "kernel/linux/futex.h"

#include "abi/errno.h"
#include "abi/linux/errno.h"
#include "abi/bootinfo.h"
#include "kernel/arch.h"
#include "kernel/debug/panic.h"
#include "kernel/linux/call.h"
#include "kernel/mem/copy.h"
#include "kernel/state.h"
#include "lib/core/util.h"

#define FUTEX_WAIT           0
#define FUTEX_WAKE           1
#define FUTEX_REQUEUE        3
#define FUTEX_CMP_REQUEUE    4
#define FUTEX_WAKE_OP        5
#define FUTEX_WAIT_BITSET    9
#define FUTEX_WAKE_BITSET    10
#define FUTEX_PRIVATE_FLAG   128
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_ANY            0xffffffffu

#define NS_PER_S 1000000000ull

/* One futex word, as a caller names it. */
struct futex_key {
	struct proc *proc;
	vaddr_t address;
	bool shared;
};

void futex_init(void)
{
	int i;

	for (i = 0; i < FUTEX_BUCKETS; i++) {
		list_init(&kernel.futexes[i]);
	}
}

static struct list *bucket_of(vaddr_t address)
{
	return &kernel.futexes[(address & AXO_PAGE_MASK) / 4 % FUTEX_BUCKETS];
}

static bool same_memory(const struct futex_key *key, const struct proc *waiter)
{
	paddr_t a, b;
	uint64_t bytes = 4;

	return key->proc->root != 0 && waiter->root != 0 &&
		arch_translate(key->proc->root, key->address, false, &a, &bytes) &&
		arch_translate(waiter->root, waiter->futex_address, false, &b, &bytes) && a == b;
}

static bool matches(const struct futex_key *key, const struct proc *waiter)
{
	if (waiter->as_id == key->proc->as_id) {
		return waiter->futex_address == key->address;
	}
	return key->shared && waiter->futex_shared && same_memory(key, waiter);
}

static void stop_waiting(struct proc *proc, int64_t result)
{
	list_remove(&proc->futex_link);
	timer_stop(&proc->timeout);
	arch_set_result(&proc->arch, result);
	rts_clear(proc, RTS_FUTEX);
}

static int64_t wake(const struct futex_key *key, uint32_t max, uint32_t bits)
{
	uint32_t woken = 0;

	list_for_each_safe(waiter, bucket_of(key->address), struct proc, futex_link)
	{
		if (woken >= max) {
			break;
		}
		if ((waiter->futex_bits & bits) != 0 && matches(key, waiter)) {
			waiter->futex_deadline_ns = 0;
			stop_waiting(waiter, 0);
			woken++;
		}
	}
	return woken;
}

static void sleep_on(struct proc *proc)
{
	list_add_tail(bucket_of(proc->futex_address), &proc->futex_link);
	if (proc->futex_deadline_ns != 0) {
		timer_start(&proc->timeout, proc->futex_deadline_ns);
	}
	rts_set(proc, RTS_FUTEX);
}

void futex_expired(struct timer *timer)
{
	struct proc *proc = container_of(timer, struct proc, timeout);

	assert(rts_is_set(proc, RTS_FUTEX));
	proc->futex_deadline_ns = 0;
	stop_waiting(proc, -ETIMEDOUT);
}

void futex_cancel(struct proc *proc, int64_t result)
{
	stop_waiting(proc, result);
	if (result == -ERESTARTSYS || result == -ERESTART_RESTARTBLOCK) {
		proc->flags |= PROC_RESTART;
	}
}

/* The deadline of a wait in monotonic ns, 0: none. */
static int64_t read_deadline(
	struct proc *proc, vaddr_t address, bool absolute, bool realtime, uint64_t *deadline)
{
	int64_t time[2], error;
	uint64_t ns;

	*deadline = 0;
	if (address == 0) {
		return 0;
	}
	error = copy_in(proc, time, address, sizeof(time));
	if (error != 0) {
		return error;
	}
	if (time[0] < 0 || time[1] < 0 || time[1] >= (int64_t)NS_PER_S) {
		return -EINVAL;
	}
	ns = (uint64_t)time[0] > UINT64_MAX / 4 / NS_PER_S
		? UINT64_MAX / 4
		: (uint64_t)time[0] * NS_PER_S + (uint64_t)time[1];
	if (!absolute) {
		ns += arch_now();
	} else if (realtime) {
		ns = ns > (uint64_t)kernel.realtime_offset_ns
			? ns - (uint64_t)kernel.realtime_offset_ns
			: 1;
	}
	*deadline = ns == 0 ? 1 : ns;
	return 0;
}

static int64_t wait(struct proc *proc, const struct futex_key *key, uint32_t expected,
	uint64_t deadline, uint32_t bits)
{
	uint32_t value;
	int64_t error = copy_in(proc, &value, key->address, sizeof(value));

	if (error != 0) {
		return error;
	}
	proc->futex_deadline_ns = 0;
	if (value != expected) {
		return -EAGAIN;
	}
	if (deadline != 0 && deadline <= arch_now()) {
		return -ETIMEDOUT;
	}
	proc->futex_address = key->address;
	proc->futex_shared = key->shared;
	proc->futex_bits = bits;
	proc->futex_deadline_ns = deadline;
	sleep_on(proc);
	return KCALL_SUSPENDED;
}

int64_t futex_resume(struct proc *proc)
{
	if (proc->futex_deadline_ns <= arch_now()) {
		proc->futex_deadline_ns = 0;
		return -ETIMEDOUT;
	}
	sleep_on(proc);
	return KCALL_SUSPENDED;
}

static int64_t requeue(const struct futex_key *key, const struct futex_key *to, uint32_t max_wake,
	uint32_t max_move)
{
	int64_t moved = 0, woken = wake(key, max_wake, FUTEX_ANY);

	list_for_each_safe(waiter, bucket_of(key->address), struct proc, futex_link)
	{
		if ((uint64_t)moved >= max_move) {
			break;
		}
		if (matches(key, waiter)) {
			list_remove(&waiter->futex_link);
			waiter->futex_address = to->address;
			list_add_tail(bucket_of(to->address), &waiter->futex_link);
			moved++;
		}
	}
	return woken + moved;
}

/* FUTEX_WAKE_OP: change the second word, wake the first, and the second if the old value compares.
 */
static int64_t wake_op(struct proc *proc, const struct futex_key *key,
	const struct futex_key *second, uint32_t max, uint32_t max_second, uint32_t operation)
{
	uint32_t kind = operation >> 28 & 7, compare = operation >> 24 & 15;
	int32_t argument = (int32_t)(operation << 8) >> 20,
		against = (int32_t)(operation << 20) >> 20;
	int32_t old, new;
	int64_t error = copy_in(proc, &old, second->address, sizeof(old));
	bool holds;

	if (error != 0) {
		return error;
	}
	if ((operation >> 31) != 0) {
		argument = (int32_t)(1u << (argument & 31));
	}
	new = kind == 0     ? argument
		: kind == 1 ? (int32_t)((uint32_t)old + (uint32_t)argument)
		: kind == 2 ? old | argument
		: kind == 3 ? old & ~argument
			    : old ^ argument;
	if (kind > 4 || compare > 5) {
		return -ENOSYS;
	}
	error = copy_out(proc, second->address, &new, sizeof(new));
	if (error != 0) {
		return error;
	}
	holds = compare == 0   ? old == against
		: compare == 1 ? old != against
		: compare == 2 ? old < against
		: compare == 3 ? old <= against
		: compare == 4 ? old > against
			       : old >= against;
	return wake(key, max, FUTEX_ANY) + (holds ? wake(second, max_second, FUTEX_ANY) : 0);
}

static bool is_word(vaddr_t address)
{
	return is_aligned(address, 4) && address < USER_END;
}

int64_t futex_call(struct proc *proc, const uint64_t args[6])
{
	uint32_t operation =
		(uint32_t)args[1] & ~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	bool shared = (args[1] & FUTEX_PRIVATE_FLAG) == 0;
	bool realtime = (args[1] & FUTEX_CLOCK_REALTIME) != 0;
	struct futex_key key = {proc, args[0], shared}, second = {proc, args[4], shared};
	uint32_t value = (uint32_t)args[2], third = (uint32_t)args[5], current;
	uint64_t deadline;
	int64_t error;

	if (!is_word(key.address)) {
		return is_aligned(key.address, 4) ? -EFAULT : -EINVAL;
	}
	switch (operation) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		if (operation == FUTEX_WAIT_BITSET && third == 0) {
			return -EINVAL;
		}
		error = read_deadline(
			proc, args[3], operation == FUTEX_WAIT_BITSET, realtime, &deadline);
		return error != 0 ? error
				  : wait(proc, &key, value, deadline,
					    operation == FUTEX_WAIT ? FUTEX_ANY : third);
	case FUTEX_WAKE:
		return wake(&key, value, FUTEX_ANY);
	case FUTEX_WAKE_BITSET:
		return third == 0 ? -EINVAL : wake(&key, value, third);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_WAKE_OP:
		if (!is_word(second.address)) {
			return -EINVAL;
		}
		if (operation == FUTEX_WAKE_OP) {
			return wake_op(proc, &key, &second, value, (uint32_t)args[3], third);
		}
		if (operation == FUTEX_CMP_REQUEUE) {
			error = copy_in(proc, &current, key.address, sizeof(current));
			if (error != 0) {
				return error;
			}
			if (current != third) {
				return -EAGAIN;
			}
		}
		return requeue(&key, &second, value, (uint32_t)args[3]);
	default:
		return -ENOSYS;
	}
}

#define ROBUST_MAX        2048 /* entries: the list is the program's, and may be a circle */
#define ROBUST_TID_MASK   0x3fffffffu
#define ROBUST_OWNER_DIED 0x40000000u
#define ROBUST_WAITERS    0x80000000u
#define ROBUST_PI         1ul /* low bit of an entry's address */

/* struct robust_list_head */
struct robust_head {
	uint64_t first;
	int64_t word_offset; /* from an entry to its futex word */
	uint64_t pending;
};

/* Only the memory that cannot be brought in is passed over: it is the program's mistake. */
static int64_t robust_release(struct proc *caller, struct proc *proc, vaddr_t address)
{
	struct futex_key key = {proc, address, true};
	uint32_t word;
	int64_t error;

	if (!is_word(address)) {
		return 0;
	}
	error = copy_from(caller, proc, address, &word, sizeof(word));
	if (error != 0) {
		return error == KCALL_SUSPENDED ? error : 0;
	}
	if ((word & ROBUST_TID_MASK) != (uint32_t)proc->ids.tid) {
		return 0;
	}
	word = (word & ROBUST_WAITERS) | ROBUST_OWNER_DIED;
	error = copy_to(caller, proc, address, &word, sizeof(word));
	if (error != 0) {
		return error == KCALL_SUSPENDED ? error : 0;
	}
	if ((word & ROBUST_WAITERS) != 0) {
		wake(&key, 1, FUTEX_ANY);
	}
	return 0;
}

static int64_t robust_walk(struct proc *caller, struct proc *proc)
{
	struct robust_head head;
	uint64_t entry;
	int64_t error;
	int count = 0;

	if (proc->robust_list == 0) {
		return 0;
	}
	error = copy_from(caller, proc, proc->robust_list, &head, sizeof(head));
	if (error != 0) {
		return error == KCALL_SUSPENDED ? error : 0;
	}
	entry = head.first;
	while ((entry & ~ROBUST_PI) != proc->robust_list && count++ < ROBUST_MAX) {
		uint64_t next;

		error = copy_from(caller, proc, entry & ~ROBUST_PI, &next, sizeof(next));
		if (error == 0 && entry != head.pending) {
			error = robust_release(
				caller, proc, (entry & ~ROBUST_PI) + (uint64_t)head.word_offset);
		}
		if (error != 0) {
			return error == KCALL_SUSPENDED ? error : 0;
		}
		entry = next;
	}
	if (head.pending != 0) {
		return robust_release(
			caller, proc, (head.pending & ~ROBUST_PI) + (uint64_t)head.word_offset);
	}
	return 0;
}

int64_t futex_thread_exit(struct proc *caller, struct proc *proc)
{
	struct futex_key key = {proc, proc->clear_tid, true};
	uint32_t zero = 0;
	int64_t error = robust_walk(caller, proc);

	if (error == 0 && proc->clear_tid != 0 && is_word(proc->clear_tid)) {
		error = copy_to(caller, proc, proc->clear_tid, &zero, sizeof(zero));
		if (error == 0) {
			wake(&key, 1, FUTEX_ANY);
		}
	}
	if (error == KCALL_SUSPENDED) {
		return error;
	}
	proc->clear_tid = 0;
	proc->robust_list = 0;
	return 0;
}
