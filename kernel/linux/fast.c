/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls of programs that the kernel answers itself: ids, clocks, thread registers. */
#include "abi/linux/calls.h"
#include "abi/linux/errno.h"
#include "kernel/arch.h"
#include "kernel/linux/call.h"
#include "kernel/linux/futex.h"
#include "kernel/mem/copy.h"
#include "kernel/proc/sched.h"
#include "kernel/state.h"

#define NS_PER_S 1000000000ull

enum linux_clock {
	CLOCK_REALTIME = 0,
	CLOCK_MONOTONIC = 1,
	CLOCK_PROCESS_CPUTIME_ID = 2,
	CLOCK_THREAD_CPUTIME_ID = 3,
	CLOCK_MONOTONIC_RAW = 4,
	CLOCK_REALTIME_COARSE = 5,
	CLOCK_MONOTONIC_COARSE = 6,
	CLOCK_BOOTTIME = 7,
	CLOCK_TAI = 11
};

struct linux_timespec {
	int64_t seconds;
	int64_t nanoseconds;
};

static int64_t call_getpid(struct proc *proc, const uint64_t args[6])
{
	return proc->ids.pid;
}

static int64_t call_gettid(struct proc *proc, const uint64_t args[6])
{
	return proc->ids.tid;
}

static int64_t call_getppid(struct proc *proc, const uint64_t args[6])
{
	return proc->ids.ppid;
}

static int64_t call_getpgrp(struct proc *proc, const uint64_t args[6])
{
	return proc->ids.pgid;
}

static int64_t call_getuid(struct proc *proc, const uint64_t args[6])
{
	return proc->ids.uid;
}

static int64_t call_geteuid(struct proc *proc, const uint64_t args[6])
{
	return proc->ids.euid;
}

static int64_t call_getgid(struct proc *proc, const uint64_t args[6])
{
	return proc->ids.gid;
}

static int64_t call_getegid(struct proc *proc, const uint64_t args[6])
{
	return proc->ids.egid;
}

static int64_t call_sched_yield(struct proc *proc, const uint64_t args[6])
{
	sched_yield_current(proc);
	return 0;
}

static uint64_t realtime_ns(void)
{
	return arch_now() + (uint64_t)kernel.realtime_offset_ns;
}

/* -EINVAL: no such clock. */
static int read_clock(struct proc *proc, uint64_t clock, uint64_t *ns)
{
	int32_t id = (int32_t)clock;

	/* Linux's encoding of "CPU time of a process": the caller's own, by pid 0 or its pid. */
	if (id < 0) {
		id = (id & 4) != 0 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID;
	}
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		*ns = realtime_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = arch_now();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = arch_ns_from_cycles(proc->user_cycles + proc->system_cycles);
		return 0;
	default:
		return -EINVAL;
	}
}

static int64_t call_clock_gettime(struct proc *proc, const uint64_t args[6])
{
	struct linux_timespec time;
	uint64_t ns;
	int error = read_clock(proc, args[0], &ns);

	if (error != 0) {
		return error;
	}
	time.seconds = (int64_t)(ns / NS_PER_S);
	time.nanoseconds = (int64_t)(ns % NS_PER_S);
	return copy_out(proc, args[1], &time, sizeof(time));
}

static int64_t call_clock_getres(struct proc *proc, const uint64_t args[6])
{
	struct linux_timespec resolution = {0, 1};
	uint64_t ns;
	int error = read_clock(proc, args[0], &ns);

	if (error != 0 || args[1] == 0) {
		return error;
	}
	return copy_out(proc, args[1], &resolution, sizeof(resolution));
}

static int64_t call_gettimeofday(struct proc *proc, const uint64_t args[6])
{
	uint64_t ns = realtime_ns();
	int64_t time[2] = {(int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S / 1000)};
	int32_t zone[2] = {0, 0};
	int64_t error = 0;

	if (args[0] != 0) {
		error = copy_out(proc, args[0], time, sizeof(time));
	}
	if (error == 0 && args[1] != 0) {
		error = copy_out(proc, args[1], zone, sizeof(zone));
	}
	return error;
}

static int64_t call_time(struct proc *proc, const uint64_t args[6])
{
	int64_t seconds = (int64_t)(realtime_ns() / NS_PER_S);
	int64_t error = args[0] != 0 ? copy_out(proc, args[0], &seconds, sizeof(seconds)) : 0;

	return error != 0 ? error : seconds;
}

static int64_t call_arch_prctl(struct proc *proc, const uint64_t args[6])
{
	uint64_t value;
	bool stored;
	int error = arch_prctl(&proc->arch, args[0], args[1], &value, &stored);

	return error == 0 && stored ? copy_out(proc, args[1], &value, sizeof(value)) : error;
}

static int64_t call_set_tid_address(struct proc *proc, const uint64_t args[6])
{
	proc->clear_tid = args[0];
	return proc->ids.tid;
}

#define ROBUST_HEAD_BYTES 24

static int64_t call_set_robust_list(struct proc *proc, const uint64_t args[6])
{
	if (args[1] != ROBUST_HEAD_BYTES) {
		return -EINVAL;
	}
	proc->robust_list = args[0];
	proc->robust_bytes = args[1];
	return 0;
}

static int64_t call_get_robust_list(struct proc *proc, const uint64_t args[6])
{
	int64_t error;

	if (args[0] != 0 && (int64_t)args[0] != proc->ids.tid) {
		return -EPERM;
	}
	error = copy_out(proc, args[1], &proc->robust_list, sizeof(proc->robust_list));
	return error != 0
		? error
		: copy_out(proc, args[2], &proc->robust_bytes, sizeof(proc->robust_bytes));
}

#define MEMBARRIER_QUERY                      0
#define MEMBARRIER_GLOBAL                     1
#define MEMBARRIER_PRIVATE_EXPEDITED          8
#define MEMBARRIER_REGISTER_PRIVATE_EXPEDITED 16

/* One processor runs at a time, and a trap orders memory: each barrier has happened already. */
static int64_t call_membarrier(struct proc *proc, const uint64_t args[6])
{
	const uint64_t known = MEMBARRIER_GLOBAL | MEMBARRIER_PRIVATE_EXPEDITED |
		MEMBARRIER_REGISTER_PRIVATE_EXPEDITED;

	if (args[0] == MEMBARRIER_QUERY) {
		return (int64_t)known;
	}
	return (args[0] & (args[0] - 1)) == 0 && (args[0] & known) != 0 ? 0 : -EINVAL;
}

linux_call_fn linux_kernel_call(uint64_t number)
{
	switch (number) {
	case LINUX_NR_getpid:
		return call_getpid;
	case LINUX_NR_gettid:
		return call_gettid;
	case LINUX_NR_getppid:
		return call_getppid;
	case LINUX_NR_getpgrp:
		return call_getpgrp;
	case LINUX_NR_getuid:
		return call_getuid;
	case LINUX_NR_geteuid:
		return call_geteuid;
	case LINUX_NR_getgid:
		return call_getgid;
	case LINUX_NR_getegid:
		return call_getegid;
	case LINUX_NR_sched_yield:
		return call_sched_yield;
	case LINUX_NR_clock_gettime:
		return call_clock_gettime;
	case LINUX_NR_clock_getres:
		return call_clock_getres;
	case LINUX_NR_gettimeofday:
		return call_gettimeofday;
	case LINUX_NR_time:
		return call_time;
	case LINUX_NR_arch_prctl:
		return call_arch_prctl;
	case LINUX_NR_set_tid_address:
		return call_set_tid_address;
	case LINUX_NR_set_robust_list:
		return call_set_robust_list;
	case LINUX_NR_get_robust_list:
		return call_get_robust_list;
	case LINUX_NR_futex:
		return futex_call;
	case LINUX_NR_membarrier:
		return call_membarrier;
	default:
		return NULL; /* rseq among them: glibc does without */
	}
}
