/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/prctl.h"

#include <string.h>

#include "servers/pm/cred.h"
#include "servers/pm/pm.h"
#include "servers/pm/signal.h"
#include "servers/pm/user.h"

enum prctl_option {
	LPR_SET_PDEATHSIG = 1,
	LPR_GET_PDEATHSIG = 2,
	LPR_GET_DUMPABLE = 3,
	LPR_SET_DUMPABLE = 4,
	LPR_GET_KEEPCAPS = 7,
	LPR_SET_KEEPCAPS = 8,
	LPR_GET_TIMING = 13,
	LPR_SET_NAME = 15,
	LPR_GET_NAME = 16,
	LPR_GET_SECCOMP = 21,
	LPR_CAPBSET_READ = 23,
	LPR_CAPBSET_DROP = 24,
	LPR_GET_SECUREBITS = 27,
	LPR_SET_SECUREBITS = 28,
	LPR_SET_TIMERSLACK = 29,
	LPR_GET_TIMERSLACK = 30,
	LPR_SET_CHILD_SUBREAPER = 36,
	LPR_GET_CHILD_SUBREAPER = 37,
	LPR_SET_NO_NEW_PRIVS = 38,
	LPR_GET_NO_NEW_PRIVS = 39,
	LPR_GET_TID_ADDRESS = 40,
	LPR_CAP_AMBIENT = 47
};

#define TIMER_SLACK_DEFAULT_NS    50000
#define LPR_CAP_AMBIENT_CLEAR_ALL 4
#define SECUREBITS_ALL            0xffu

static int64_t name_set(struct thread *thread, uint64_t address)
{
	char name[16];
	size_t len;

	if (user_read(thread, address, name, sizeof(name)) < 0) {
		/* A short name may end right at the end of its page. */
		for (len = 0; len < sizeof(name); len++) {
			if (user_read(thread, address + len, &name[len], 1) < 0) {
				return -EFAULT;
			}
			if (name[len] == '\0') {
				break;
			}
		}
	}
	name[sizeof(name) - 1] = '\0';
	len = strlen(name);
	memset(name + len, 0, sizeof(name) - len);
	memcpy(thread->name, name, sizeof(name));
	if (thread == thread->process->leader) {
		memcpy(thread->process->name, name, sizeof(name));
	}
	return 0;
}

static int64_t write_int(struct thread *thread, uint64_t address, int32_t value)
{
	return user_write(thread, address, &value, sizeof(value));
}

static int64_t capabilities(struct thread *thread, const uint64_t *arg)
{
	struct credentials *cred = &thread->process->cred;

	switch (arg[0]) {
	case LPR_GET_KEEPCAPS:
		return cred->keep_caps;
	case LPR_SET_KEEPCAPS:
		if (arg[1] > 1) {
			return -EINVAL;
		}
		cred->keep_caps = arg[1] != 0;
		return 0;
	case LPR_CAPBSET_READ:
		return arg[1] > LCAP_LAST ? -EINVAL : (int64_t)((cred->cap_bounding >> arg[1]) & 1);
	case LPR_CAPBSET_DROP:
		if (!cred_capable(thread->process, LCAP_SETPCAP)) {
			return -EPERM;
		}
		if (arg[1] > LCAP_LAST) {
			return -EINVAL;
		}
		cred->cap_bounding &= ~(1ull << arg[1]);
		return 0;
	case LPR_GET_SECUREBITS:
		return cred->securebits | (cred->keep_caps ? LSECBIT_KEEP_CAPS : 0);
	case LPR_SET_SECUREBITS:
		if (!cred_capable(thread->process, LCAP_SETPCAP) ||
			(arg[1] & ~(uint64_t)SECUREBITS_ALL)) {
			return -EPERM;
		}
		cred->securebits = (uint32_t)arg[1];
		cred->keep_caps = (arg[1] & LSECBIT_KEEP_CAPS) != 0;
		return 0;
	case LPR_CAP_AMBIENT:
		/* There is no ambient set: it is always empty, and nothing can be raised. */
		if (arg[1] == LPR_CAP_AMBIENT_CLEAR_ALL) {
			return 0;
		}
		return arg[1] == 0 || arg[1] > LPR_CAP_AMBIENT_CLEAR_ALL || arg[2] > LCAP_LAST
			? -EINVAL
			: arg[1] == 2 ? -EPERM
				      : 0;
	default:
		return -EINVAL;
	}
}

int64_t call_prctl(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct process *process = thread->process;

	switch (arg[0]) {
	case LPR_SET_PDEATHSIG:
		if (arg[1] > LINUX_NSIG) {
			return -EINVAL;
		}
		process->parent_death_signal = (int32_t)arg[1];
		return 0;
	case LPR_GET_PDEATHSIG:
		return write_int(thread, arg[1], process->parent_death_signal);
	case LPR_GET_DUMPABLE:
		return process->dumpable;
	case LPR_SET_DUMPABLE:
		if (arg[1] > 1) {
			return -EINVAL;
		}
		process->dumpable = (uint32_t)arg[1];
		return 0;
	case LPR_SET_NAME:
		return name_set(thread, arg[1]);
	case LPR_GET_NAME:
		return user_write(thread, arg[1], thread->name, sizeof(thread->name));
	case LPR_GET_TIMING:
	case LPR_GET_SECCOMP:
		return 0;
	case LPR_SET_TIMERSLACK:
		thread->timer_slack_ns = (int64_t)arg[1] > 0 ? arg[1] : TIMER_SLACK_DEFAULT_NS;
		return 0;
	case LPR_GET_TIMERSLACK:
		return (int64_t)thread->timer_slack_ns;
	case LPR_SET_CHILD_SUBREAPER:
		process->subreaper = arg[1] != 0;
		return 0;
	case LPR_GET_CHILD_SUBREAPER:
		return write_int(thread, arg[1], process->subreaper);
	case LPR_SET_NO_NEW_PRIVS:
		if (arg[1] != 1 || arg[2] || arg[3] || arg[4]) {
			return -EINVAL;
		}
		process->no_new_privs = true;
		return 0;
	case LPR_GET_NO_NEW_PRIVS:
		return arg[1] || arg[2] || arg[3] || arg[4] ? -EINVAL : process->no_new_privs;
	default:
		return capabilities(thread, arg);
	}
}

int64_t call_personality(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	uint32_t old = thread->process->personality;

	if ((uint32_t)arg[0] != UINT32_MAX) {
		thread->process->personality = (uint32_t)arg[0];
	}
	return old;
}
