/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/proc/format.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#define KIB(pages)      ((pages) * (AXO_PAGE_SIZE / 1024))
#define MAP_PATH_COLUMN 73
#define RLIM_NONE       UINT64_MAX

static uint64_t ticks(uint64_t ns)
{
	return ns / NS_PER_TICK;
}

/* PM knows stopped and dead; whether it runs or sleeps only the kernel does. */
static char state_letter(const struct process *p)
{
	if (p->pm.state != 'R' && p->pm.state != 'S') {
		return p->pm.state;
	}
	return p->is_reader || p->kernel.rts_flags == 0 || (p->kernel.rts_flags & RTS_NO_QUANTUM)
		? 'R'
		: 'S';
}

void format_stat(struct text *text, const struct process *p, int tid)
{
	const struct pm_proc_info *pm = &p->pm;
	const struct vm_usage *vm = &p->memory;
	bool zombie = pm->state == 'Z';

	text_printf(text, "%d (%s) %c %d %d %d %u %d 4194304 ", tid, pm->name, state_letter(p),
		pm->ppid, pm->pgid, pm->sid, p->files.tty_dev,
		p->files.tty_dev ? p->files.tty_pgrp : -1);
	text_printf(text, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " ", pm->minor_faults,
		pm->child_minor_faults, pm->major_faults, pm->child_major_faults);
	text_printf(text, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " ", ticks(pm->user_ns),
		ticks(pm->system_ns), ticks(pm->child_user_ns), ticks(pm->child_system_ns));
	text_printf(text, "%d %d %u 0 %" PRIu64 " ", 20 + pm->nice, pm->nice,
		pm->threads ? pm->threads : 1, ticks(pm->start_ns));
	text_printf(text, "%" PRIu64 " %" PRIu64 " 18446744073709551615 ",
		zombie ? 0 : vm->virtual_bytes, zombie ? 0 : vm->resident_pages);
	text_printf(text, "%" PRIu64 " %" PRIu64 " %" PRIu64 " 0 0 ", vm->text_start, vm->text_end,
		vm->stack_top);
	text_printf(text, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " ",
		pm->sig_pending & INT32_MAX, pm->sig_blocked & INT32_MAX,
		pm->sig_ignored & INT32_MAX, pm->sig_caught & INT32_MAX);
	text_printf(text, "0 0 0 %d %u 0 0 0 0 0 ", pm->exit_signal, p->kernel.cpu);
	text_printf(text, "0 0 %" PRIu64 " 0 0 0 0 %d\n", vm->brk_start, pm->exit_code);
}

static const char *state_word(char letter)
{
	switch (letter) {
	case 'R':
		return "R (running)";
	case 'T':
		return "T (stopped)";
	case 't':
		return "t (tracing stop)";
	case 'Z':
		return "Z (zombie)";
	case 'D':
		return "D (disk sleep)";
	default:
		return "S (sleeping)";
	}
}

static void format_status_memory(struct text *text, const struct vm_usage *vm)
{
	text_printf(text, "VmPeak:\t%8" PRIu64 " kB\nVmSize:\t%8" PRIu64 " kB\n",
		vm->max_virtual_bytes / 1024, vm->virtual_bytes / 1024);
	text_printf(text, "VmLck:\t%8" PRIu64 " kB\nVmPin:\t%8d kB\n", vm->locked_bytes / 1024, 0);
	text_printf(text, "VmHWM:\t%8" PRIu64 " kB\nVmRSS:\t%8" PRIu64 " kB\n",
		KIB(vm->max_resident_pages), KIB(vm->resident_pages));
	text_printf(text,
		"RssAnon:\t%8" PRIu64 " kB\nRssFile:\t%8" PRIu64 " kB\nRssShmem:\t%8" PRIu64
		" kB\n",
		KIB(vm->anon_pages), KIB(vm->file_pages), KIB(vm->memory_pages));
	text_printf(text,
		"VmData:\t%8" PRIu64 " kB\nVmStk:\t%8" PRIu64 " kB\nVmExe:\t%8" PRIu64
		" kB\nVmLib:\t%8d kB\n",
		vm->data_bytes / 1024, vm->stack_bytes / 1024, vm->text_bytes / 1024, 0);
	text_printf(
		text, "VmPTE:\t%8" PRIu64 " kB\nVmSwap:\t%8d kB\n", KIB(vm->page_table_pages), 0);
}

void format_status(struct text *text, const struct process *p, int tid)
{
	const struct pm_proc_info *pm = &p->pm;
	uint64_t caps = pm->euid == 0 ? 0x1ffffffffffull : 0;
	uint32_t groups =
		pm->ngroups < AXO_ARRAY_LEN(pm->groups) ? pm->ngroups : AXO_ARRAY_LEN(pm->groups);

	text_printf(text, "Name:\t%s\nUmask:\t%04o\nState:\t%s\n", pm->name, p->files.umask,
		state_word(state_letter(p)));
	text_printf(text, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n", pm->pid,
		tid, pm->ppid, pm->tracer_pid);
	text_printf(text, "Uid:\t%u\t%u\t%u\t%u\n", pm->uid, pm->euid, pm->suid, pm->fsuid);
	text_printf(text, "Gid:\t%u\t%u\t%u\t%u\n", pm->gid, pm->egid, pm->sgid, pm->fsgid);
	text_printf(text, "FDSize:\t%u\nGroups:\t", p->files.fd_table);
	for (uint32_t i = 0; i < groups; i++) {
		text_printf(text, "%u ", pm->groups[i]);
	}
	text_printf(text, "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", pm->pid, tid,
		pm->pgid, pm->sid);
	if (pm->state != 'Z') {
		format_status_memory(text, &p->memory);
	}
	text_printf(text, "Threads:\t%u\nSigQ:\t0/0\n", pm->threads ? pm->threads : 1);
	text_printf(text, "SigPnd:\t%016" PRIx64 "\nShdPnd:\t%016" PRIx64 "\n", pm->sig_pending,
		pm->shared_pending);
	text_printf(text,
		"SigBlk:\t%016" PRIx64 "\nSigIgn:\t%016" PRIx64 "\nSigCgt:\t%016" PRIx64 "\n",
		pm->sig_blocked, pm->sig_ignored, pm->sig_caught);
	text_printf(text, "CapInh:\t%016x\nCapPrm:\t%016" PRIx64 "\nCapEff:\t%016" PRIx64 "\n", 0,
		caps, caps);
	text_printf(text, "CapBnd:\t%016llx\nCapAmb:\t%016x\nNoNewPrivs:\t0\nSeccomp:\t0\n",
		0x1ffffffffffull, 0);
	text_printf(text,
		"Cpus_allowed:\t1\nCpus_allowed_list:\t0\nMems_allowed:\t1\nMems_allowed_list:"
		"\t0\n");
	text_printf(text, "voluntary_ctxt_switches:\t%" PRIu64 "\nnonvoluntary_ctxt_switches:\t0\n",
		p->kernel.messages);
}

void format_statm(struct text *text, const struct process *p)
{
	const struct vm_usage *vm = &p->memory;

	text_printf(text, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " 0 %" PRIu64 " 0\n",
		vm->virtual_bytes / AXO_PAGE_SIZE, vm->resident_pages, vm->shared_pages,
		vm->text_bytes / AXO_PAGE_SIZE, (vm->data_bytes + vm->stack_bytes) / AXO_PAGE_SIZE);
}

/* getrlimit(2)'s resources in the order of /proc/PID/limits, which is that of their numbers. */
static const struct {
	const char *name, *unit;
} limit_names[16] = {
	{"Max cpu time", "seconds"},
	{"Max file size", "bytes"},
	{"Max data size", "bytes"},
	{"Max stack size", "bytes"},
	{"Max core file size", "bytes"},
	{"Max resident set", "bytes"},
	{"Max processes", "processes"},
	{"Max open files", "files"},
	{"Max locked memory", "bytes"},
	{"Max address space", "bytes"},
	{"Max file locks", "locks"},
	{"Max pending signals", "signals"},
	{"Max msgqueue size", "bytes"},
	{"Max nice priority", ""},
	{"Max realtime priority", ""},
	{"Max realtime timeout", "us"},
};

static void format_limit(struct text *text, uint64_t limit)
{
	if (limit == RLIM_NONE) {
		text_printf(text, "%-20s ", "unlimited");
	} else {
		text_printf(text, "%-20" PRIu64 " ", limit);
	}
}

void format_limits(struct text *text, const struct pm_proc_info *pm)
{
	text_printf(
		text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < AXO_ARRAY_LEN(limit_names); i++) {
		text_printf(text, "%-25s ", limit_names[i].name);
		format_limit(text, pm->rlimits[i][0]);
		format_limit(text, pm->rlimits[i][1]);
		text_printf(text, "%-10s\n", limit_names[i].unit);
	}
}

void format_map(struct text *text, const struct vm_region_info *r, const char *path)
{
	size_t line = text->len;

	text_printf(text,
		"%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64 " %02x:%02x %" PRIu64 " ",
		r->start, r->end, r->prot & 1 ? 'r' : '-', r->prot & 2 ? 'w' : '-',
		r->prot & 4 ? 'x' : '-', r->flags & VM_REGION_SHARED ? 's' : 'p',
		r->flags & VM_REGION_FILE ? r->offset : 0, major(r->dev), minor(r->dev), r->ino);
	if (path[0] != '\0') {
		text_pad(text, line, MAP_PATH_COLUMN);
		text_printf(text, "%s", path);
	}
	text_printf(text, "\n");
}

static void smaps_line(struct text *text, const char *name, uint64_t kib)
{
	text_printf(text, "%-16s%8" PRIu64 " kB\n", name, kib);
}

void format_smaps_counts(struct text *text, const struct vm_region_info *r)
{
	smaps_line(text, "Rss:", KIB(r->resident_pages));
	smaps_line(text, "Pss:", r->share_bytes / 1024);
	smaps_line(text, "Pss_Dirty:", KIB(r->private_dirty));
	smaps_line(text, "Shared_Clean:", KIB(r->shared_clean));
	smaps_line(text, "Shared_Dirty:", KIB(r->shared_dirty));
	smaps_line(text, "Private_Clean:", KIB(r->private_clean));
	smaps_line(text, "Private_Dirty:", KIB(r->private_dirty));
	smaps_line(text, "Referenced:", KIB(r->referenced));
	smaps_line(text, "Anonymous:", KIB(r->anonymous));
	smaps_line(text, "LazyFree:", 0);
	smaps_line(text, "AnonHugePages:", 0);
	smaps_line(text, "ShmemPmdMapped:", 0);
	smaps_line(text, "FilePmdMapped:", 0);
	smaps_line(text, "Shared_Hugetlb:", 0);
	smaps_line(text, "Private_Hugetlb:", 0);
	smaps_line(text, "Swap:", 0);
	smaps_line(text, "SwapPss:", 0);
	smaps_line(text, "Locked:", KIB(r->locked_pages));
}

void format_vm_flags(struct text *text, const struct vm_region_info *r)
{
	text_printf(text, "THPeligible:           0\nVmFlags:%s%s%s%s mr mw me%s%s%s\n",
		r->prot & 1 ? " rd" : "", r->prot & 2 ? " wr" : "", r->prot & 4 ? " ex" : "",
		r->flags & VM_REGION_SHARED ? " sh" : "", r->flags & VM_REGION_STACK ? " gd" : "",
		r->flags & VM_REGION_LOCKED ? " lo" : "",
		r->prot & 2 && !(r->flags & VM_REGION_SHARED) ? " ac" : "");
}

static void meminfo_line(struct text *text, const char *name, uint64_t pages)
{
	text_printf(text, "%-16s%8" PRIu64 " kB\n", name, KIB(pages));
}

void format_meminfo(struct text *text, const struct vm_stats *s)
{
	/* Pages of memory file systems cannot be taken back, and neither can dirty ones at once. */
	uint64_t kept = s->dirty + s->memory_files;
	uint64_t clean = s->cached > kept ? s->cached - kept : 0;
	uint64_t active = s->cache_active < s->cached ? s->cache_active : s->cached;
	uint64_t files = s->cached > s->buffers ? s->cached - s->buffers : 0;

	meminfo_line(text, "MemTotal:", s->total);
	meminfo_line(text, "MemFree:", s->free);
	meminfo_line(text, "MemAvailable:", s->free + clean);
	meminfo_line(text, "Buffers:", s->buffers);
	meminfo_line(text, "Cached:", files);
	meminfo_line(text, "SwapCached:", 0);
	meminfo_line(text, "Active:", s->anon + active);
	meminfo_line(text, "Inactive:", s->cached - active);
	meminfo_line(text, "Active(anon):", s->anon);
	meminfo_line(text, "Inactive(anon):", 0);
	meminfo_line(text, "Active(file):", active);
	meminfo_line(text, "Inactive(file):", s->cached - active);
	meminfo_line(text, "Unevictable:", 0);
	meminfo_line(text, "Mlocked:", 0);
	meminfo_line(text, "SwapTotal:", 0);
	meminfo_line(text, "SwapFree:", 0);
	meminfo_line(text, "Dirty:", s->dirty);
	meminfo_line(text, "Writeback:", 0);
	meminfo_line(text, "AnonPages:", s->anon);
	meminfo_line(text, "Mapped:", s->mapped);
	meminfo_line(text, "Shmem:", s->shared + s->memory_files);
	meminfo_line(text, "KReclaimable:", 0);
	meminfo_line(text, "Slab:", s->kernel + s->boot + s->vm_heap);
	meminfo_line(text, "SReclaimable:", 0);
	meminfo_line(text, "SUnreclaim:", s->kernel + s->boot + s->vm_heap);
	meminfo_line(text, "PageTables:", s->page_tables);
	meminfo_line(text, "CommitLimit:", s->total);
	meminfo_line(text, "Committed_AS:", s->committed);
}

void format_loadavg(
	struct text *text, const struct system_info *info, unsigned processes, int last_pid)
{
	for (int i = 0; i < 3; i++) {
		uint32_t load = info->load_avg[i] + (1 << 11) / 200; /* rounded to hundredths */

		text_printf(text, "%u.%02u ", load >> 11, ((load & 0x7ff) * 100) >> 11);
	}
	text_printf(text, "%u/%u %d\n", info->runnable ? info->runnable : 1, processes, last_pid);
}

static void mount_name(struct text *text, const char *name)
{
	for (; *name; name++) {
		if (strchr(" \t\n\\", *name)) {
			text_printf(text, "\\%03o", (unsigned char)*name);
		} else {
			text_append(text, name, 1);
		}
	}
}

static void mount_options(struct text *text, uint64_t flags)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} names[] = {
		{MS_NOSUID, ",nosuid"},
		{MS_NODEV, ",nodev"},
		{MS_NOEXEC, ",noexec"},
		{MS_NOATIME, ",noatime"},
		{MS_NODIRATIME, ",nodiratime"},
		{MS_RELATIME, ",relatime"},
	};

	text_printf(text, "%s", flags & MS_RDONLY ? "ro" : "rw");
	for (unsigned i = 0; i < AXO_ARRAY_LEN(names); i++) {
		if (flags & names[i].flag) {
			text_printf(text, "%s", names[i].name);
		}
	}
}

void format_mount(struct text *text, const struct vfs_mount_info *m, bool info)
{
	const char *source = m->source[0] ? m->source : "none";

	if (info) {
		text_printf(
			text, "%d %d %u:%u / ", m->id, m->parent_id, major(m->dev), minor(m->dev));
		mount_name(text, m->target);
		text_printf(text, " ");
		mount_options(text, m->flags);
		text_printf(text, " - %s ", m->type);
		mount_name(text, source);
		text_printf(text, " %s\n", m->flags & MS_RDONLY ? "ro" : "rw");
		return;
	}
	mount_name(text, source);
	text_printf(text, " ");
	mount_name(text, m->target);
	text_printf(text, " %s ", m->type);
	mount_options(text, m->flags);
	text_printf(text, " 0 0\n");
}
