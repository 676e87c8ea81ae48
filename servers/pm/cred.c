/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/cred.h"

#include <string.h>

#include "servers/pm/notice.h"
#include "servers/pm/pm.h"
#include "servers/pm/user.h"

#define ID_KEEP       UINT32_MAX
#define CAP_VERSION_1 0x19980330u
#define CAP_VERSION_2 0x20071026u
#define CAP_VERSION_3 0x20080522u

bool cred_capable(const struct process *process, enum linux_cap cap)
{
	return (process->cred.cap_effective >> cap) & 1;
}

/* What a change of user ids does to capabilities (capabilities(7), "Effect of user ID changes"). */
static void caps_follow(struct credentials *new, const struct credentials *old)
{
	bool was_root = old->uid == 0 || old->euid == 0 || old->suid == 0;
	bool is_root = new->uid == 0 || new->euid == 0 || new->suid == 0;

	if (new->securebits & LSECBIT_NO_SETUID_FIXUP) {
		return;
	}
	if (was_root && !is_root && !new->keep_caps) {
		new->cap_permitted = 0;
		new->cap_effective = 0;
	}
	if (old->euid == 0 && new->euid != 0) {
		new->cap_effective = 0;
	}
	if (old->euid != 0 && new->euid == 0) {
		new->cap_effective = new->cap_permitted;
	}
}

static void ids_changed(struct pm *pm, struct process *process)
{
	process_push_ids(process);
	notice_ids(pm, process);
}

static int64_t ids_set(struct pm *pm, struct process *process, const struct credentials *new)
{
	struct credentials old = process->cred;

	process->cred = *new;
	caps_follow(&process->cred, &old);
	if (old.euid != new->euid || old.egid != new->egid) {
		process->dumpable = 0;
		process->parent_death_signal = 0;
	}
	ids_changed(pm, process);
	return 0;
}

void cred_exec(struct process *process, bool set_uid, uint32_t uid, bool set_gid, uint32_t gid)
{
	struct credentials *cred = &process->cred;

	if (set_uid) {
		cred->euid = uid;
	}
	if (set_gid) {
		cred->egid = gid;
	}
	cred->suid = cred->fsuid = cred->euid;
	cred->sgid = cred->fsgid = cred->egid;
	cred->keep_caps = false;
	cred->securebits &= ~LSECBIT_KEEP_CAPS;
	if (cred->securebits & LSECBIT_NOROOT) {
		cred->cap_permitted = cred->cap_effective = 0;
	} else if (cred->uid == 0 || cred->euid == 0) {
		cred->cap_permitted = cred->cap_bounding | cred->cap_inheritable;
		cred->cap_effective = cred->euid == 0 ? cred->cap_permitted : 0;
	} else {
		cred->cap_permitted = cred->cap_effective = 0;
	}
}

/* The four user ids, or the four group ids, of some credentials, and the capability to set them. */
struct ids {
	uint32_t *real, *effective, *saved, *fs;
	bool may;
};

static struct ids users_of(struct credentials *cred, const struct process *process)
{
	return (struct ids){&cred->uid, &cred->euid, &cred->suid, &cred->fsuid,
		cred_capable(process, LCAP_SETUID)};
}

static struct ids groups_of(struct credentials *cred, const struct process *process)
{
	return (struct ids){&cred->gid, &cred->egid, &cred->sgid, &cred->fsgid,
		cred_capable(process, LCAP_SETGID)};
}

/* setuid, setgid */
static int set_one(struct ids ids, uint32_t id)
{
	if (id == ID_KEEP) {
		return -EINVAL;
	}
	if (ids.may) {
		*ids.real = *ids.saved = id;
	} else if (id != *ids.real && id != *ids.saved) {
		return -EPERM;
	}
	*ids.effective = *ids.fs = id;
	return 0;
}

/* setreuid, setregid */
static int set_two(struct ids ids, uint32_t real, uint32_t effective)
{
	uint32_t old_real = *ids.real, old_effective = *ids.effective;

	if (real != ID_KEEP) {
		if (!ids.may && real != old_real && real != old_effective) {
			return -EPERM;
		}
		*ids.real = real;
	}
	if (effective != ID_KEEP) {
		if (!ids.may && effective != old_real && effective != old_effective &&
			effective != *ids.saved) {
			return -EPERM;
		}
		*ids.effective = effective;
	}
	if (real != ID_KEEP || (effective != ID_KEEP && effective != old_real)) {
		*ids.saved = *ids.effective;
	}
	*ids.fs = *ids.effective;
	return 0;
}

/* setresuid, setresgid */
static int set_three(struct ids ids, const uint64_t *arg)
{
	uint32_t *field[3] = {ids.real, ids.effective, ids.saved};
	const uint32_t old[3] = {*ids.real, *ids.effective, *ids.saved};

	for (int i = 0; i < 3; i++) {
		uint32_t id = (uint32_t)arg[i];

		if (id == ID_KEEP) {
			continue;
		}
		if (!ids.may && id != old[0] && id != old[1] && id != old[2]) {
			return -EPERM;
		}
		*field[i] = id;
	}
	*ids.fs = *ids.effective;
	return 0;
}

/* setfsuid, setfsgid: the old one, always. */
static int64_t set_fs(struct pm *pm, struct process *process, struct ids ids, uint32_t id)
{
	uint32_t old = *ids.fs;

	if (id != ID_KEEP &&
		(ids.may || id == *ids.real || id == *ids.effective || id == *ids.saved ||
			id == old)) {
		*ids.fs = id;
		ids_changed(pm, process);
	}
	return old;
}

int64_t call_setuid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct credentials new = thread->process->cred;
	int r = set_one(users_of(&new, thread->process), (uint32_t)arg[0]);

	return r < 0 ? r : ids_set(pm, thread->process, &new);
}

int64_t call_setgid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct credentials new = thread->process->cred;
	int r = set_one(groups_of(&new, thread->process), (uint32_t)arg[0]);

	return r < 0 ? r : ids_set(pm, thread->process, &new);
}

int64_t call_setreuid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct credentials new = thread->process->cred;
	int r = set_two(users_of(&new, thread->process), (uint32_t)arg[0], (uint32_t)arg[1]);

	return r < 0 ? r : ids_set(pm, thread->process, &new);
}

int64_t call_setregid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct credentials new = thread->process->cred;
	int r = set_two(groups_of(&new, thread->process), (uint32_t)arg[0], (uint32_t)arg[1]);

	return r < 0 ? r : ids_set(pm, thread->process, &new);
}

int64_t call_setresuid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct credentials new = thread->process->cred;
	int r = set_three(users_of(&new, thread->process), arg);

	return r < 0 ? r : ids_set(pm, thread->process, &new);
}

int64_t call_setresgid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct credentials new = thread->process->cred;
	int r = set_three(groups_of(&new, thread->process), arg);

	return r < 0 ? r : ids_set(pm, thread->process, &new);
}

static int64_t write_three(struct thread *thread, const uint64_t *arg, struct ids ids)
{
	const uint32_t *field[3] = {ids.real, ids.effective, ids.saved};

	for (int i = 0; i < 3; i++) {
		if (user_write(thread, arg[i], field[i], sizeof(*field[i])) < 0) {
			return -EFAULT;
		}
	}
	return 0;
}

int64_t call_getresuid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	return write_three(thread, arg, users_of(&thread->process->cred, thread->process));
}

int64_t call_getresgid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	return write_three(thread, arg, groups_of(&thread->process->cred, thread->process));
}

int64_t call_setfsuid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct process *process = thread->process;

	return set_fs(pm, process, users_of(&process->cred, process), (uint32_t)arg[0]);
}

int64_t call_setfsgid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct process *process = thread->process;

	return set_fs(pm, process, groups_of(&process->cred, process), (uint32_t)arg[0]);
}

int64_t call_getgroups(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	const struct credentials *cred = &thread->process->cred;
	int32_t size = (int32_t)arg[0];

	if (size < 0) {
		return -EINVAL;
	}
	if (size == 0) {
		return cred->group_count;
	}
	if ((uint32_t)size < cred->group_count) {
		return -EINVAL;
	}
	if (cred->group_count != 0 &&
		user_write(thread, arg[1], cred->groups,
			cred->group_count * sizeof(cred->groups[0])) < 0) {
		return -EFAULT;
	}
	return cred->group_count;
}

int64_t call_setgroups(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct credentials *cred = &thread->process->cred;
	uint32_t groups[PM_GROUPS_MAX] = {0};

	if (!cred_capable(thread->process, LCAP_SETGID)) {
		return -EPERM;
	}
	if (arg[0] > PM_GROUPS_MAX) {
		return -EINVAL;
	}
	if (arg[0] != 0 && user_read(thread, arg[1], groups, arg[0] * sizeof(groups[0])) < 0) {
		return -EFAULT;
	}
	cred->group_count = (uint32_t)arg[0];
	memcpy(cred->groups, groups, sizeof(groups));
	notice_groups(pm, thread->process);
	return 0;
}

/* The header's version says how many 32-bit parts each set has; 0: an unknown one. */
static unsigned cap_parts(uint32_t version)
{
	switch (version) {
	case CAP_VERSION_1:
		return 1;
	case CAP_VERSION_2:
	case CAP_VERSION_3:
		return 2;
	default:
		return 0;
	}
}

int64_t call_capget(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct linux_cap_header header;
	struct linux_cap_data data[2];
	const struct process *process;
	const struct credentials *cred;
	unsigned parts;

	if (user_read(thread, arg[0], &header, sizeof(header)) < 0) {
		return -EFAULT;
	}
	parts = cap_parts(header.version);
	if (parts == 0) {
		header.version = CAP_VERSION_3;
		if (user_write(thread, arg[0], &header, sizeof(header)) < 0) {
			return -EFAULT;
		}
		return arg[1] == 0 ? 0 : -EINVAL;
	}
	if (header.pid < 0) {
		return -EINVAL;
	}
	process = header.pid == 0 ? thread->process : process_by_pid(pm, header.pid);
	if (!process) {
		return -ESRCH;
	}
	cred = &process->cred;
	for (unsigned i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(cred->cap_effective >> (32 * i));
		data[i].permitted = (uint32_t)(cred->cap_permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(cred->cap_inheritable >> (32 * i));
	}
	return user_write_if(thread, arg[1], data, parts * sizeof(data[0]));
}

int64_t call_capset(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct credentials *cred = &thread->process->cred;
	struct linux_cap_header header;
	struct linux_cap_data data[2] = {{0}};
	uint64_t effective, permitted, inheritable;
	unsigned parts;

	if (user_read(thread, arg[0], &header, sizeof(header)) < 0) {
		return -EFAULT;
	}
	parts = cap_parts(header.version);
	if (parts == 0) {
		header.version = CAP_VERSION_3;
		return user_write(thread, arg[0], &header, sizeof(header)) < 0 ? -EFAULT : -EINVAL;
	}
	if (header.pid != 0 && header.pid != thread->process->pid && header.pid != thread->tid) {
		return -EPERM;
	}
	if (user_read(thread, arg[1], data, parts * sizeof(data[0])) < 0) {
		return -EFAULT;
	}
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	effective &= LCAP_ALL;
	permitted &= LCAP_ALL;
	inheritable &= LCAP_ALL;
	if ((permitted & ~cred->cap_permitted) || (effective & ~permitted) ||
		(inheritable & ~(cred->cap_inheritable | cred->cap_permitted))) {
		return -EPERM;
	}
	cred->cap_effective = effective;
	cred->cap_permitted = permitted;
	cred->cap_inheritable = inheritable;
	return 0;
}
