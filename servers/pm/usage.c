/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/usage.h"

#include <errno.h>

#include "lib/sys/kcall.h"
#include "lib/sys/vm.h"
#include "servers/pm/pm.h"
#include "servers/pm/user.h"

#define LRUSAGE_SELF     0
#define LRUSAGE_CHILDREN (-1)
#define LRUSAGE_THREAD   1

struct cpu_time usage_of_thread(const struct thread *thread)
{
	struct proc_times times = {0};

	(void)sys_times(thread->ep, &times);
	return (struct cpu_time){times.user_ns, times.system_ns};
}

struct cpu_time usage_of_process(const struct process *process)
{
	struct cpu_time sum = process->ended.time;

	process_for_each_thread(thread, process)
	{
		struct cpu_time one = usage_of_thread(thread);

		sum.user_ns += one.user_ns;
		sum.system_ns += one.system_ns;
	}
	return sum;
}

void usage_add(struct usage *sum, const struct usage *more)
{
	sum->time.user_ns += more->time.user_ns;
	sum->time.system_ns += more->time.system_ns;
	sum->minor_faults += more->minor_faults;
	sum->major_faults += more->major_faults;
	sum->max_resident_pages = u64_max(sum->max_resident_pages, more->max_resident_pages);
}

void usage_thread_ends(struct thread *thread)
{
	struct cpu_time one = usage_of_thread(thread);

	thread->process->ended.time.user_ns += one.user_ns;
	thread->process->ended.time.system_ns += one.system_ns;
}

static void add_memory(struct usage *usage, const struct process *process)
{
	struct vm_usage memory = {0};

	if (vm_info(VM_INFO_USAGE, process->leader->ep, &memory, sizeof(memory), NULL) >= 0) {
		usage->minor_faults += memory.minor_faults;
		usage->major_faults += memory.major_faults;
		usage->max_resident_pages =
			u64_max(usage->max_resident_pages, memory.max_resident_pages);
	}
}

void usage_process_ends(struct process *process)
{
	add_memory(&process->ended, process);
}

struct usage usage_full(const struct process *process)
{
	struct usage usage = process->ended;

	usage.time = usage_of_process(process);
	if (process->leader && process->state == PROCESS_ALIVE) {
		add_memory(&usage, process);
	}
	return usage;
}

struct linux_timeval timeval_from_ns(uint64_t ns)
{
	return (struct linux_timeval){
		(int64_t)(ns / NS_PER_SECOND), (int64_t)(ns % NS_PER_SECOND / 1000)};
}

struct linux_timespec timespec_from_ns(uint64_t ns)
{
	return (struct linux_timespec){
		(int64_t)(ns / NS_PER_SECOND), (int64_t)(ns % NS_PER_SECOND)};
}

struct linux_rusage usage_to_linux(const struct usage *usage)
{
	return (struct linux_rusage){
		.utime = timeval_from_ns(usage->time.user_ns),
		.stime = timeval_from_ns(usage->time.system_ns),
		.maxrss = (int64_t)(usage->max_resident_pages * (AXO_PAGE_SIZE / 1024)),
		.minflt = (int64_t)usage->minor_faults,
		.majflt = (int64_t)usage->major_faults,
	};
}

int64_t call_getrusage(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct usage usage = {0};
	struct linux_rusage rusage;

	switch ((int32_t)arg[0]) {
	case LRUSAGE_SELF:
		usage = usage_full(thread->process);
		break;
	case LRUSAGE_CHILDREN:
		usage = thread->process->children_usage;
		break;
	case LRUSAGE_THREAD:
		usage = usage_full(thread->process);
		usage.time = usage_of_thread(thread);
		break;
	default:
		return -EINVAL;
	}
	rusage = usage_to_linux(&usage);
	return user_write(thread, arg[1], &rusage, sizeof(rusage));
}

int64_t call_times(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct cpu_time own = usage_of_process(thread->process);
	const struct cpu_time *children = &thread->process->children_usage.time;
	struct linux_tms tms = {
		.utime = (int64_t)(own.user_ns / NS_PER_TICK),
		.stime = (int64_t)(own.system_ns / NS_PER_TICK),
		.cutime = (int64_t)(children->user_ns / NS_PER_TICK),
		.cstime = (int64_t)(children->system_ns / NS_PER_TICK),
	};

	if (arg[0] != 0) {
		int r = user_write(thread, arg[0], &tms, sizeof(tms));

		if (r < 0) {
			return r;
		}
	}
	return (int64_t)(sys_monotonic_ns() / NS_PER_TICK);
}
