/* SPDX-License-Identifier: BSD-2-Clause */
/* Processor time and page faults of processes: from the kernel and VM, and what ended threads and
 * children left. */
#pragma once

#include "servers/pm/process.h"

struct cpu_time usage_of_thread(const struct thread *thread);
/* All threads, ended ones too. */
struct cpu_time usage_of_process(const struct process *process);
void usage_add(struct usage *sum, const struct usage *more);
/* A thread is about to be cleared: keep its time. */
void usage_thread_ends(struct thread *thread);
/* The process's last thread is about to be cleared: keep what VM knows. */
void usage_process_ends(struct process *process);
/* Everything of a live or ended process, without its children. */
struct usage usage_full(const struct process *process);
struct linux_rusage usage_to_linux(const struct usage *usage);
struct linux_timeval timeval_from_ns(uint64_t ns);
struct linux_timespec timespec_from_ns(uint64_t ns);

/* getrusage, times */
int64_t call_getrusage(struct pm *pm, struct thread *thread, const uint64_t *arg);
int64_t call_times(struct pm *pm, struct thread *thread, const uint64_t *arg);
