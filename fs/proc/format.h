/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the system's structures to Linux's lines (proc(5)). Pure: no questions to anyone, so that
 * the host can test them.
 */
#pragma once

#include "abi/kcall.h"
#include "fs/proc/text.h"
#include "proto/pm.h"
#include "proto/vfs.h"
#include "proto/vm.h"

#define CLOCK_TICKS 100 /* a second: sysconf(_SC_CLK_TCK) */
#define NS_PER_TICK (1000000000ul / CLOCK_TICKS)

/* All that is known of one process. Parts that could not be had are zero. */
struct process {
	struct pm_proc_info pm;
	struct proc_info kernel; /* its main thread */
	struct vm_usage memory;
	struct vfs_proc_info files;
	bool is_reader; /* it reads this file: it runs, though it waits for what it reads */
};

/* /proc/PID/stat: 52 fields. tid: the thread it is about (the pid for the whole process). */
void format_stat(struct text *text, const struct process *process, int tid);
/* /proc/PID/status */
void format_status(struct text *text, const struct process *process, int tid);
/* /proc/PID/statm: pages */
void format_statm(struct text *text, const struct process *process);
/* /proc/PID/limits */
void format_limits(struct text *text, const struct pm_proc_info *pm);
/* One line of /proc/PID/maps; path may be "". */
void format_map(struct text *text, const struct vm_region_info *region, const char *path);
/* The counts of smaps and smaps_rollup, from Rss on. */
void format_smaps_counts(struct text *text, const struct vm_region_info *region);
/* The last line of a region in smaps. */
void format_vm_flags(struct text *text, const struct vm_region_info *region);
/* /proc/meminfo */
void format_meminfo(struct text *text, const struct vm_stats *stats);
/* /proc/cpuinfo: one processor */
void format_cpuinfo(struct text *text, const struct system_info *info, unsigned cpu);
/* /proc/loadavg; last_pid: the newest process */
void format_loadavg(
	struct text *text, const struct system_info *info, unsigned processes, int last_pid);
/* /proc/mounts, and /proc/PID/mountinfo when `info` is set. Blanks in names are octal. */
void format_mount(struct text *text, const struct vfs_mount_info *mount, bool info);
