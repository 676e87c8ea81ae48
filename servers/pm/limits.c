/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/limits.h"

#include "lib/sys/ipc.h"
#include "proto/vm.h"
#include "servers/pm/cred.h"
#include "servers/pm/notice.h"
#include "servers/pm/pm.h"
#include "servers/pm/signal.h"
#include "servers/pm/usage.h"
#include "servers/pm/user.h"

#define NOFILE_MAX 1048576ull

static uint64_t seconds_to_ns(uint64_t seconds)
{
	uint64_t ns;

	return checked_mul(seconds, NS_PER_SECOND, &ns) ? ns : INT64_MAX;
}

/* SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one. */
void limits_cpu_reached(struct pm *pm, struct cpu_timer *timer)
{
	struct process *process = timer->process;
	uint64_t now = cpu_timer_now(pm, timer);

	if (now >= seconds_to_ns(process->rlimit[LRLIM_CPU][1])) {
		signal_send_kernel(pm, process, LSIGKILL);
		return;
	}
	cpu_timer_arm(pm, timer, now + NS_PER_SECOND);
	signal_send_kernel(pm, process, LSIGXCPU);
}

static void cpu_limit_watch(struct pm *pm, struct process *process)
{
	struct cpu_timer *timer = &process->cpu_limit_timer;
	uint64_t soft = process->rlimit[LRLIM_CPU][0];

	cpu_timer_disarm(pm, timer);
	if (soft == LRLIM_INFINITY) {
		return;
	}
	timer->process = process;
	timer->kind = CPU_TIMER_LIMIT;
	cpu_timer_arm(pm, timer, seconds_to_ns(soft));
}

void limits_forked(struct pm *pm, struct process *process)
{
	if (process->rlimit[LRLIM_CPU][0] != LRLIM_INFINITY &&
		process->cpu_limit_timer.target_ns == 0) {
		cpu_limit_watch(pm, process);
	}
}

static void vm_tell_limit(const struct process *process, int which, enum vm_limit vm_limit)
{
	struct message m = {.type = VM_SETLIMIT};

	MSG(&m, vm_setlimit_req)->ep = process->leader->ep;
	MSG(&m, vm_setlimit_req)->which = vm_limit;
	MSG(&m, vm_setlimit_req)->limit = process->rlimit[which][0];
	(void)ipc_call(EP_VM, &m);
}

static void limit_changed(struct pm *pm, struct process *process, int which)
{
	switch (which) {
	case LRLIM_CPU:
		cpu_limit_watch(pm, process);
		break;
	case LRLIM_AS:
		vm_tell_limit(process, which, VM_LIMIT_AS);
		break;
	case LRLIM_DATA:
		vm_tell_limit(process, which, VM_LIMIT_DATA);
		break;
	case LRLIM_STACK:
		vm_tell_limit(process, which, VM_LIMIT_STACK);
		break;
	case LRLIM_MEMLOCK:
		vm_tell_limit(process, which, VM_LIMIT_MEMLOCK);
		break;
	case LRLIM_NOFILE:
	case LRLIM_FSIZE:
		notice_rlimit(pm, process, which);
		break;
	default:
		break;
	}
}

static int64_t limit_set(struct pm *pm, struct thread *thread, struct process *process, int which,
	const uint64_t new[2])
{
	uint64_t *limit = process->rlimit[which];

	if (new[0] > new[1]) {
		return -EINVAL;
	}
	if (which == LRLIM_NOFILE && new[1] > NOFILE_MAX) {
		return -EPERM;
	}
	if (new[1] > limit[1] && !cred_capable(thread->process, LCAP_SYS_RESOURCE)) {
		return -EPERM;
	}
	limit[0] = new[0];
	limit[1] = new[1];
	limit_changed(pm, process, which);
	return 0;
}

int64_t call_getrlimit(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	if (arg[0] >= LRLIM_COUNT) {
		return -EINVAL;
	}
	return user_write(thread, arg[1], thread->process->rlimit[arg[0]], 2 * sizeof(uint64_t));
}

int64_t call_setrlimit(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	uint64_t new[2];

	if (arg[0] >= LRLIM_COUNT) {
		return -EINVAL;
	}
	if (user_read(thread, arg[1], new, sizeof(new)) < 0) {
		return -EFAULT;
	}
	return limit_set(pm, thread, thread->process, (int)arg[0], new);
}

/* prlimit of another process: the same user and group in all ids, or CAP_SYS_RESOURCE. */
static bool may_change(const struct process *self, const struct process *other)
{
	const struct credentials *a = &self->cred, *b = &other->cred;

	if (self == other || cred_capable(self, LCAP_SYS_RESOURCE)) {
		return true;
	}
	return a->uid == b->uid && a->uid == b->euid && a->uid == b->suid && a->gid == b->gid &&
		a->gid == b->egid && a->gid == b->sgid;
}

int64_t call_prlimit64(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	int32_t pid = (int32_t)arg[0];
	struct process *process = pid == 0 ? thread->process : process_by_pid(pm, pid);
	uint64_t old[2], new[2];

	if (arg[1] >= LRLIM_COUNT) {
		return -EINVAL;
	}
	if (arg[2] != 0 && user_read(thread, arg[2], new, sizeof(new)) < 0) {
		return -EFAULT;
	}
	if (!process || process->is_service || process->state != PROCESS_ALIVE) {
		return -ESRCH;
	}
	if (!may_change(thread->process, process)) {
		return -EPERM;
	}
	old[0] = process->rlimit[arg[1]][0];
	old[1] = process->rlimit[arg[1]][1];
	if (arg[2] != 0) {
		int64_t r = limit_set(pm, thread, process, (int)arg[1], new);

		if (r < 0) {
			return r;
		}
	}
	return user_write_if(thread, arg[3], old, sizeof(old));
}
