/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and writing the memory of the program that calls. */
#pragma once

#include <errno.h>

#include "lib/sys/kcall.h"
#include "servers/pm/process.h"

/* Every failure is the program's -EFAULT. */
static inline int user_read(const struct thread *thread, uint64_t address, void *to, size_t bytes)
{
	return sys_copyin(thread->ep, address, to, bytes) < 0 ? -EFAULT : 0;
}

static inline int user_write(
	const struct thread *thread, uint64_t address, const void *from, size_t bytes)
{
	return sys_copyout(thread->ep, address, from, bytes) < 0 ? -EFAULT : 0;
}

/* As user_write, but nothing for a null pointer. */
static inline int user_write_if(
	const struct thread *thread, uint64_t address, const void *from, size_t bytes)
{
	return address ? user_write(thread, address, from, bytes) : 0;
}

/* What a call's handler returns when the answer comes later, or never. */
#define CALL_NO_REPLY INT64_MIN
