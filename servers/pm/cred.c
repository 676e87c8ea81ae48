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

int64_t call_setuid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct credentials new = thread->process->cred;
	uint32_t uid = (uint32_t)arg[0];

	if (uid == ID_KEEP) {
		return -EINVAL;
	}
	if (cred_capable(thread->process, LCAP_SETUID)) {
		new.uid = new.suid = uid;
	} else if (uid != new.uid && uid != new.suid) {
		return -EPERM;
	}
	new.euid = new.fsuid = uid;
	return ids_set(pm, thread->process, &new);
}

int64_t call_setgid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct credentials new = thread->process->cred;
	uint32_t gid = (uint32_t)arg[0];

	if (gid == ID_KEEP) {
		return -EINVAL;
	}
	if (cred_capable(thread->process, LCAP_SETGID)) {
		new.gid = new.sgid = gid;
	} else if (gid != new.gid && gid != new.sgid) {
		return -EPERM;
	}
	new.egid = new.fsgid = gid;
	return ids_set(pm, thread->process, &new);
}

int64_t call_setreuid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	const struct credentials *old = &thread->process->cred;
	struct credentials new = *old;
	uint32_t real = (uint32_t)arg[0], effective = (uint32_t)arg[1];
	bool may = cred_capable(thread->process, LCAP_SETUID);

	if (real != ID_KEEP) {
		if (!may && real != old->uid && real != old->euid) {
			return -EPERM;
		}
		new.uid = real;
	}
	if (effective != ID_KEEP) {
		if (!may && effective != old->uid && effective != old->euid &&
			effective != old->suid) {
			return -EPERM;
		}
		new.euid = effective;
	}
	if (real != ID_KEEP || (effective != ID_KEEP && effective != old->uid)) {
		new.suid = new.euid;
	}
	new.fsuid = new.euid;
	return ids_set(pm, thread->process, &new);
}

int64_t call_setregid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	const struct credentials *old = &thread->process->cred;
	struct credentials new = *old;
	uint32_t real = (uint32_t)arg[0], effective = (uint32_t)arg[1];
	bool may = cred_capable(thread->process, LCAP_SETGID);

	if (real != ID_KEEP) {
		if (!may && real != old->gid && real != old->egid) {
			return -EPERM;
		}
		new.gid = real;
	}
	if (effective != ID_KEEP) {
		if (!may && effective != old->gid && effective != old->egid &&
			effective != old->sgid) {
			return -EPERM;
		}
		new.egid = effective;
	}
	if (real != ID_KEEP || (effective != ID_KEEP && effective != old->gid)) {
		new.sgid = new.egid;
	}
	new.fsgid = new.egid;
	return ids_set(pm, thread->process, &new);
}

/* One of the three ids of setresuid: may it become `id`? */
static bool id_is_allowed(uint32_t id, bool may, uint32_t real, uint32_t effective, uint32_t saved)
{
	return id == ID_KEEP || may || id == real || id == effective || id == saved;
}

int64_t call_setresuid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	const struct credentials *old = &thread->process->cred;
	struct credentials new = *old;
	uint32_t *field[3] = {&new.uid, &new.euid, &new.suid};
	bool may = cred_capable(thread->process, LCAP_SETUID);

	for (int i = 0; i < 3; i++) {
		if (!id_is_allowed((uint32_t)arg[i], may, old->uid, old->euid, old->suid)) {
			return -EPERM;
		}
		if ((uint32_t)arg[i] != ID_KEEP) {
			*field[i] = (uint32_t)arg[i];
		}
	}
	new.fsuid = new.euid;
	return ids_set(pm, thread->process, &new);
}

int64_t call_setresgid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	const struct credentials *old = &thread->process->cred;
	struct credentials new = *old;
	uint32_t *field[3] = {&new.gid, &new.egid, &new.sgid};
	bool may = cred_capable(thread->process, LCAP_SETGID);

	for (int i = 0; i < 3; i++) {
		if (!id_is_allowed((uint32_t)arg[i], may, old->gid, old->egid, old->sgid)) {
			return -EPERM;
		}
		if ((uint32_t)arg[i] != ID_KEEP) {
			*field[i] = (uint32_t)arg[i];
		}
	}
	new.fsgid = new.egid;
	return ids_set(pm, thread->process, &new);
}

static int64_t write_three(
	struct thread *thread, const uint64_t *arg, uint32_t a, uint32_t b, uint32_t c)
{
	const uint32_t value[3] = {a, b, c};

	for (int i = 0; i < 3; i++) {
		if (user_write(thread, arg[i], &value[i], sizeof(value[i])) < 0) {
			return -EFAULT;
		}
	}
	return 0;
}

int64_t call_getresuid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	const struct credentials *cred = &thread->process->cred;

	return write_three(thread, arg, cred->uid, cred->euid, cred->suid);
}

int64_t call_getresgid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	const struct credentials *cred = &thread->process->cred;

	return write_three(thread, arg, cred->gid, cred->egid, cred->sgid);
}

int64_t call_setfsuid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct credentials *cred = &thread->process->cred;
	uint32_t old = cred->fsuid, uid = (uint32_t)arg[0];

	if (uid != ID_KEEP &&
		(cred_capable(thread->process, LCAP_SETUID) || uid == cred->uid ||
			uid == cred->euid || uid == cred->suid || uid == cred->fsuid)) {
		cred->fsuid = uid;
		ids_changed(pm, thread->process);
	}
	return old;
}

int64_t call_setfsgid(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct credentials *cred = &thread->process->cred;
	uint32_t old = cred->fsgid, gid = (uint32_t)arg[0];

	if (gid != ID_KEEP &&
		(cred_capable(thread->process, LCAP_SETGID) || gid == cred->gid ||
			gid == cred->egid || gid == cred->sgid || gid == cred->fsgid)) {
		cred->fsgid = gid;
		ids_changed(pm, thread->process);
	}
	return old;
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
