/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "kernel/kcall/kcall.h"
#include "kernel/proc/proc.h"

int64_t kcall_safemap(struct proc *caller, const uint64_t args[6])
{
	return -ENOSYS;
}

int64_t kcall_safeunmap(struct proc *caller, const uint64_t args[6])
{
	return -ENOSYS;
}

int64_t kcall_saferevmap(struct proc *caller, const uint64_t args[6])
{
	return -ENOSYS;
}
