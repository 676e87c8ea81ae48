/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel calls about time and processors: setalarm, times, settime, schedule, schedctl. */
#include "kernel/arch.h"
#include "kernel/kcall/kcall.h"
#include "kernel/proc/sched.h"
#include "kernel/state.h"

/* setalarm(monotonic ns; 0: none): one an owner; a notification from EP_CLOCK. */
int64_t kcall_setalarm(struct proc *caller, const uint64_t args[6])
{
	if (args[0] == 0) {
		timer_stop(&caller->alarm);
	} else {
		timer_start(&caller->alarm, args[0]);
	}
	return 0;
}

/* times(ep, struct proc_times *). -EINVAL: no such process. */
int64_t kcall_times(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);
	uint64_t now = arch_now();
	struct proc_times times = {
		.uptime_ns = now,
		.realtime_ns = now + (uint64_t)kernel.realtime_offset_ns,
	};
	uint32_t i;

	if (proc == NULL) {
		return -EINVAL;
	}
	times.user_ns = arch_ns_from_cycles(proc->user_cycles);
	times.system_ns = arch_ns_from_cycles(proc->system_cycles);
	for (i = 0; i < kernel.cpu_count; i++) {
		times.idle_ns += arch_ns_from_cycles(kernel.cpus[i].idle_cycles);
	}
	return copy_out(caller, args[1], &times, sizeof(times));
}

/* settime(realtime ns). */
int64_t kcall_settime(struct proc *caller, const uint64_t args[6])
{
	kernel.realtime_offset_ns = (int64_t)(args[0] - arch_now());
	return 0;
}

/* schedule(ep, priority, quantum ns): for the process' scheduler. -EINVAL; -EPERM: it is not. */
int64_t kcall_schedule(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);

	if (proc == NULL) {
		return -EINVAL;
	}
	if (proc->scheduler != caller->endpoint) {
		return -EPERM;
	}
	return sched_set(proc, (int)args[1], args[2]);
}

/* schedctl(ep, scheduler or EP_KERNEL). -EINVAL. */
int64_t kcall_schedctl(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[0]);
	endpoint_t scheduler = (endpoint_t)args[1];

	if (scheduler == EP_SELF) {
		scheduler = caller->endpoint;
	}
	if (proc == NULL || (scheduler != EP_KERNEL && proc_find(scheduler) == NULL)) {
		return -EINVAL;
	}
	proc->scheduler = scheduler;
	return 0;
}
