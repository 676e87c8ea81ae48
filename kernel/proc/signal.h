/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals that the kernel raises or passes on: each goes to the signal manager of its process (PM
 * for programs, RS for services), which fetches it with getksig and says endksig when it has dealt
 * with it.
 */
#pragma once

#include "abi/linux/signal.h"
#include "kernel/proc/proc.h"

/* An exception of the process. */
void signal_fault(
	struct proc *proc, int signo, int code, vaddr_t address, int trapno, uint64_t error);
/* Any signal, for whatever reason. */
void signal_raise(struct proc *proc, int signo);
/* A stop that had to wait for the end of a call has happened. */
void signal_stopped(struct proc *proc);
/* The next process that has signals for `manager`; false: none. */
bool signal_fetch(struct proc *manager, struct ksig *ksig);
/* The manager has dealt with them: 0, -EPERM, -EINVAL. */
int signal_end(struct proc *manager, struct proc *proc);
