/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel calls: one function each, one file a family; the table is in kcall.c. A call first checks
 * and copies (it may be suspended and run again from the start), then changes.
 */
#pragma once

#include "abi/errno.h"
#include "abi/kcall.h"
#include "abi/linux/errno.h"
#include "kernel/mem/copy.h"
#include "kernel/proc/proc.h"

typedef int64_t (*kcall_fn)(struct proc *caller, const uint64_t args[6]);

/* Run call `number` for the caller: result, or KCALL_SUSPENDED when there is none to store. */
int64_t kcall_run(struct proc *caller, unsigned number, const uint64_t args[6]);
/* The process that an argument names; EP_SELF is the caller; NULL: none. */
struct proc *kcall_proc(struct proc *caller, uint64_t arg);
/* Undo everything that refers to the process, and free its slot. */
void kcall_destroy(struct proc *proc);

#define KCALL(n, name) int64_t kcall_##name(struct proc *caller, const uint64_t args[6]);
KCALL_TABLE(KCALL)
#undef KCALL
