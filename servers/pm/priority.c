/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/priority.h"

#include "servers/pm/cred.h"
#include "servers/pm/notice.h"
#include "servers/pm/pm.h"
#include "servers/pm/usage.h"
#include "servers/pm/user.h"

#define LPRIO_PROCESS 0
#define LPRIO_PGRP    1
#define LPRIO_USER    2
#define NICE_MIN      (-20)
#define NICE_MAX      19

#define LSCHED_OTHER         0
#define LSCHED_FIFO          1
#define LSCHED_RR            2
#define LSCHED_BATCH         3
#define LSCHED_IDLE          5
#define LSCHED_RESET_ON_FORK 0x40000000
#define RT_PRIORITY_MAX      99
#define QUANTUM_NS           100000000ull
#define CPU_MASK_BYTES       8 /* what Linux with one processor answers */

/* Whether getpriority and setpriority with (which, who) mean this process. */
static bool priority_means(
	const struct process *self, int which, int32_t who, const struct process *process)
{
	if (process->is_service || process->state != PROCESS_ALIVE) {
		return false;
	}
	switch (which) {
	case LPRIO_PROCESS:
		return process->pid == (who ? who : self->pid);
	case LPRIO_PGRP:
		return process->pgid == (who ? who : self->pgid);
	default:
		return process->cred.uid == (who ? (uint32_t)who : self->cred.uid);
	}
}

int64_t call_getpriority(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	int64_t best = -ESRCH;

	if ((int)arg[0] < LPRIO_PROCESS || (int)arg[0] > LPRIO_USER) {
		return -EINVAL;
	}
	pm_for_each_process(process, pm)
	{
		if (priority_means(thread->process, (int)arg[0], (int32_t)arg[1], process) &&
			20 - process->nice > best) {
			best = 20 - process->nice;
		}
	}
	return best;
}

static int nice_set(struct pm *pm, const struct process *self, struct process *process, int nice)
{
	int64_t lowest = 20 - (int64_t)u64_min(process->rlimit[LRLIM_NICE][0], 40);

	if (self->cred.euid != process->cred.uid && self->cred.euid != process->cred.euid &&
		!cred_capable(self, LCAP_SYS_NICE)) {
		return -EPERM;
	}
	if (nice < process->nice && nice < lowest && !cred_capable(self, LCAP_SYS_NICE)) {
		return -EACCES;
	}
	process->nice = nice;
	notice_sched_nice(pm, process);
	return 0;
}

int64_t call_setpriority(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	int nice = (int)arg[2];
	int64_t result = -ESRCH;

	if ((int)arg[0] < LPRIO_PROCESS || (int)arg[0] > LPRIO_USER) {
		return -EINVAL;
	}
	nice = nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
	pm_for_each_process(process, pm)
	{
		int r;

		if (!priority_means(thread->process, (int)arg[0], (int32_t)arg[1], process)) {
			continue;
		}
		r = nice_set(pm, thread->process, process, nice);
		if (r < 0) {
			result = r;
		} else if (result == -ESRCH) {
			result = 0;
		}
	}
	return result;
}

static struct thread *thread_of(struct pm *pm, struct thread *self, uint64_t pid)
{
	return (int32_t)pid == 0 ? self : thread_by_tid(pm, (int32_t)pid);
}

static bool policy_is_realtime(int32_t policy)
{
	return policy == LSCHED_FIFO || policy == LSCHED_RR;
}

static bool policy_is_known(int32_t policy)
{
	return policy == LSCHED_OTHER || policy == LSCHED_BATCH || policy == LSCHED_IDLE ||
		policy_is_realtime(policy);
}

static int64_t policy_set(
	struct pm *pm, struct thread *self, uint64_t pid, int32_t policy, uint64_t param)
{
	struct thread *thread;
	int32_t priority;

	policy &= ~LSCHED_RESET_ON_FORK;
	if ((int32_t)pid < 0 || param == 0) {
		return -EINVAL;
	}
	if (user_read(self, param, &priority, sizeof(priority)) < 0) {
		return -EFAULT;
	}
	thread = thread_of(pm, self, pid);
	if (!thread) {
		return -ESRCH;
	}
	if (policy < 0) {
		policy = thread->policy;
	}
	if (!policy_is_known(policy) ||
		(policy_is_realtime(policy) ? priority < 1 || priority > RT_PRIORITY_MAX
					    : priority != 0)) {
		return -EINVAL;
	}
	if (!cred_capable(self->process, LCAP_SYS_NICE)) {
		if (policy_is_realtime(policy) &&
			(uint64_t)priority > thread->process->rlimit[LRLIM_RTPRIO][0]) {
			return -EPERM;
		}
		if (self->process->cred.euid != thread->process->cred.uid &&
			self->process->cred.euid != thread->process->cred.euid) {
			return -EPERM;
		}
	}
	thread->policy = policy;
	thread->rt_priority = priority;
	return 0;
}

int64_t call_sched_setscheduler(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	if ((int32_t)arg[1] < 0) {
		return -EINVAL;
	}
	return policy_set(pm, thread, arg[0], (int32_t)arg[1], arg[2]);
}

int64_t call_sched_setparam(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	return policy_set(pm, thread, arg[0], -1, arg[1]);
}

int64_t call_sched_getscheduler(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct thread *other = thread_of(pm, thread, arg[0]);

	if ((int32_t)arg[0] < 0) {
		return -EINVAL;
	}
	return other ? other->policy : -ESRCH;
}

int64_t call_sched_getparam(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct thread *other = thread_of(pm, thread, arg[0]);

	if ((int32_t)arg[0] < 0 || arg[1] == 0) {
		return -EINVAL;
	}
	return other ? user_write(thread, arg[1], &other->rt_priority, sizeof(other->rt_priority))
		     : -ESRCH;
}

int64_t call_sched_get_priority_max(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	int32_t policy = (int32_t)arg[0];

	return !policy_is_known(policy)      ? -EINVAL
		: policy_is_realtime(policy) ? RT_PRIORITY_MAX
					     : 0;
}

int64_t call_sched_get_priority_min(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	int32_t policy = (int32_t)arg[0];

	return !policy_is_known(policy) ? -EINVAL : policy_is_realtime(policy) ? 1 : 0;
}

int64_t call_sched_rr_get_interval(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct thread *other = thread_of(pm, thread, arg[0]);
	struct linux_timespec time;

	if ((int32_t)arg[0] < 0) {
		return -EINVAL;
	}
	if (!other) {
		return -ESRCH;
	}
	time = timespec_from_ns(other->policy == LSCHED_FIFO ? 0 : QUANTUM_NS);
	return user_write(thread, arg[1], &time, sizeof(time));
}

int64_t call_sched_setaffinity(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct thread *other = thread_of(pm, thread, arg[0]);
	uint8_t mask;

	if (arg[1] == 0) {
		return -EINVAL;
	}
	if (user_read(thread, arg[2], &mask, sizeof(mask)) < 0) {
		return -EFAULT;
	}
	if (!other) {
		return -ESRCH;
	}
	if (thread->process->cred.euid != other->process->cred.uid &&
		thread->process->cred.euid != other->process->cred.euid &&
		!cred_capable(thread->process, LCAP_SYS_NICE)) {
		return -EPERM;
	}
	return mask & 1 ? 0 : -EINVAL; /* processor 0 is the only one */
}

int64_t call_sched_getaffinity(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	const uint8_t mask[CPU_MASK_BYTES] = {1};

	if (arg[1] < CPU_MASK_BYTES || arg[1] % sizeof(uint64_t) != 0) {
		return -EINVAL;
	}
	if (!thread_of(pm, thread, arg[0])) {
		return -ESRCH;
	}
	return user_write(thread, arg[2], mask, sizeof(mask)) < 0 ? -EFAULT : CPU_MASK_BYTES;
}
