/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of /proc that are about the whole system. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "abi/bootinfo.h"
#include "fs/proc/ask.h"
#include "fs/proc/sysctl.h"
#include "fs/proc/tree.h"
#include "lib/sys/kcall.h"
#include "lib/sys/vm.h"

#define NS_PER_S       1000000000ul
#define SERVICES_BYTES 8192

static int meminfo_text(struct text *text, const struct node *node)
{
	struct vm_stats stats = {0};

	if (vm_info(VM_INFO_STATS, EP_NONE, &stats, sizeof(stats), NULL) < 0) {
		return -EIO;
	}
	format_meminfo(text, &stats);
	return 0;
}

/* Our own view of memory: where every page is. */
static int memory_text(struct text *text, const struct node *node)
{
	struct vm_stats s = {0};

	if (vm_info(VM_INFO_STATS, EP_NONE, &s, sizeof(s), NULL) < 0) {
		return -EIO;
	}
	/* total = kernel + boot + page_tables + service + program + cached + free + reserve */
	text_printf(text,
		"pages total %" PRIu64 "\nkernel %" PRIu64 "\nboot %" PRIu64
		"\npage_tables %" PRIu64 "\nservice %" PRIu64 "\nprogram %" PRIu64
		"\ncached %" PRIu64 "\nfree %" PRIu64 "\nreserve %" PRIu64 "\n",
		s.total, s.kernel, s.boot, s.page_tables, s.service, s.program, s.cached, s.free,
		s.reserve);
	text_printf(text,
		"vm_heap %" PRIu64 "\nanonymous %" PRIu64 "\nshared %" PRIu64 "\nbuffers %" PRIu64
		"\ndirty %" PRIu64 "\nmemory_files %" PRIu64 "\nmapped %" PRIu64 "\n",
		s.vm_heap, s.anon, s.shared, s.buffers, s.dirty, s.memory_files, s.mapped);
	text_printf(text,
		"largest_contiguous %" PRIu64 "\nfaults_minor %" PRIu64 "\nfaults_major %" PRIu64
		"\n",
		s.largest_contig, s.faults_minor, s.faults_major);
	return 0;
}

static int system_info(struct system_info *info)
{
	memset(info, 0, sizeof(*info));
	return sys_getinfo(GETINFO_SYSTEM, info, sizeof(*info), 0) < 0 ? -EIO : 0;
}

static int uptime_text(struct text *text, const struct node *node)
{
	struct system_info info;
	int r = system_info(&info);

	text_printf(text, "%" PRIu64 ".%02" PRIu64 " %" PRIu64 ".%02" PRIu64 "\n",
		info.uptime_ns / NS_PER_S, info.uptime_ns / (NS_PER_S / 100) % 100,
		info.idle_ns / NS_PER_S, info.idle_ns / (NS_PER_S / 100) % 100);
	return r;
}

/* How many processes PM knows, and the largest pid. */
static void process_count(unsigned *count, int *last)
{
	struct pm_proc_info pm;
	int pid = 1;

	*count = 0;
	*last = 0;
	while (ask_process(pid, true, &pm) == 0) {
		(*count)++;
		*last = pm.pid;
		pid = pm.pid + 1;
	}
}

static int loadavg_text(struct text *text, const struct node *node)
{
	struct system_info info;
	unsigned processes;
	int last, r = system_info(&info);

	if (r == 0) {
		process_count(&processes, &last);
		format_loadavg(text, &info, processes, last);
	}
	return r;
}

static int stat_text(struct text *text, const struct node *node)
{
	struct system_info info;
	uint64_t busy, user;
	int r = system_info(&info);

	if (r < 0) {
		return r;
	}
	busy = info.uptime_ns > info.idle_ns ? info.uptime_ns - info.idle_ns : 0;
	user = info.user_ns < busy ? info.user_ns : busy;
	for (int i = -1; i < (int)info.cpus; i++) {
		text_printf(text, i < 0 ? "cpu  " : "cpu%d ", i);
		text_printf(text, "%" PRIu64 " 0 %" PRIu64 " %" PRIu64 " 0 0 0 0 0 0\n",
			user / NS_PER_TICK, (busy - user) / NS_PER_TICK,
			info.idle_ns / NS_PER_TICK);
	}
	text_printf(text,
		"intr %" PRIu64 "\nctxt %" PRIu64 "\nbtime %" PRIu64 "\nprocesses %" PRIu64 "\n",
		info.interrupts, info.context_switches, info.boot_realtime_ns / NS_PER_S,
		info.forks);
	text_printf(text, "procs_running %u\nprocs_blocked 0\n", info.runnable ? info.runnable : 1);
	return 0;
}

static int cpuinfo_text(struct text *text, const struct node *node)
{
	struct system_info info;
	int r = system_info(&info);

	for (unsigned i = 0; r == 0 && i < info.cpus; i++) {
		format_cpuinfo(text, &info, i);
	}
	return r;
}

static int kinfo_get(struct kinfo **kinfo)
{
	*kinfo = calloc(1, sizeof(**kinfo));
	if (!*kinfo) {
		return -ENOMEM;
	}
	return sys_getinfo(GETINFO_KINFO, *kinfo, sizeof(**kinfo), 0) < 0 ? -EIO : 0;
}

static int version_text(struct text *text, const struct node *node)
{
	struct kinfo *kinfo;
	int r = kinfo_get(&kinfo);

	if (r == 0) {
		text_printf(text, "Linux version %.63s (Axolotl) %.63s\n", kinfo->release,
			kinfo->version);
	}
	free(kinfo);
	return r;
}

static int kernel_cmdline_text(struct text *text, const struct node *node)
{
	char *line = calloc(1, KINFO_CMDLINE_MAX + 1);

	if (!line) {
		return -ENOMEM;
	}
	(void)sys_getinfo(GETINFO_CMDLINE, line, KINFO_CMDLINE_MAX, 0);
	text_printf(text, "%s\n", line);
	free(line);
	return 0;
}

static int filesystems_text(struct text *text, const struct node *node)
{
	char names[512];
	int r = ask_vfs(VFS_INFO_FILESYSTEMS, 0, NULL, names, sizeof(names));

	if (r > 0) {
		text_append(text, names, (size_t)r);
	}
	return r < 0 ? r : 0;
}

static int mounts_text(struct text *text, const struct node *node)
{
	for (int i = 0; i < pid_count; i++) {
		if (strcmp(pid_entries[i].name, "mounts") == 0) {
			return pid_entries[i].write(text, node);
		}
	}
	return -ENOENT;
}

static int devices_text(struct text *text, const struct node *node)
{
	text_printf(text,
		"Character devices:\n  1 mem\n  4 tty\n  4 ttyS\n  5 /dev/tty\n  5 /dev/console\n\n"
		"Block devices:\n  1 ramdisk\n254 virtblk\n");
	return 0;
}

static int partitions_text(struct text *text, const struct node *node)
{
	text_printf(text, "major minor  #blocks  name\n\n");
	return 0;
}

static int interrupts_text(struct text *text, const struct node *node)
{
	struct system_info info;
	int r = system_info(&info);

	text_printf(
		text, "           CPU0\nTOT: %10" PRIu64 "   All interrupts\n", info.interrupts);
	return r;
}

static int swaps_text(struct text *text, const struct node *node)
{
	text_printf(text, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

static int nothing_text(struct text *text, const struct node *node)
{
	return 0;
}

static int vmstat_text(struct text *text, const struct node *node)
{
	struct vm_stats s = {0};

	if (vm_info(VM_INFO_STATS, EP_NONE, &s, sizeof(s), NULL) < 0) {
		return -EIO;
	}
	text_printf(text,
		"nr_free_pages %" PRIu64 "\nnr_active_anon %" PRIu64 "\nnr_inactive_file %" PRIu64
		"\nnr_active_file %" PRIu64 "\n",
		s.free, s.anon, s.cached - (s.cache_active < s.cached ? s.cache_active : s.cached),
		s.cache_active);
	text_printf(text,
		"nr_anon_pages %" PRIu64 "\nnr_mapped %" PRIu64 "\nnr_file_pages %" PRIu64
		"\nnr_dirty %" PRIu64 "\nnr_writeback 0\nnr_shmem %" PRIu64 "\n",
		s.anon, s.mapped, s.cached, s.dirty, s.shared + s.memory_files);
	text_printf(text, "nr_page_table_pages %" PRIu64 "\npswpin 0\npswpout 0\n", s.page_tables);
	text_printf(text, "pgfault %" PRIu64 "\npgmajfault %" PRIu64 "\n",
		s.faults_minor + s.faults_major, s.faults_major);
	return 0;
}

/* The services as RS sees them. */
static int services_text(struct text *text, const struct node *node)
{
	char *table = malloc(SERVICES_BYTES);
	int r = table ? ask_services(table, SERVICES_BYTES) : -ENOMEM;

	if (r > 0) {
		text_append(text, table, (size_t)r);
	}
	free(table);
	return r < 0 ? r : 0;
}

static int net_dev_text(struct text *text, const struct node *node)
{
	text_printf(text,
		"Inter-|   Receive                                                |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		"packets errs drop fifo "
		"colls carrier compressed\n");
	return 0;
}

static int net_route_text(struct text *text, const struct node *node)
{
	text_printf(text, "%-127s\n",
		"Iface\tDestination\tGateway "
		"\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
	return 0;
}

static int net_inet_text(struct text *text, const struct node *node)
{
	text_printf(text,
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid "
		" timeout inode\n");
	return 0;
}

static int net_unix_text(struct text *text, const struct node *node)
{
	text_printf(text, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	return 0;
}

enum static_directory {
	DIR_SYS,
	DIR_SYS_KERNEL,
	DIR_SYS_RANDOM,
	DIR_SYS_VM,
	DIR_SYS_FS,
	DIR_NET,
	DIR_AXOLOTL
};

const struct static_entry static_entries[] = {
	[DIR_SYS] = {"sys", -1, S_IFDIR | 0555, NULL},
	[DIR_SYS_KERNEL] = {"kernel", DIR_SYS, S_IFDIR | 0555, NULL},
	[DIR_SYS_RANDOM] = {"random", DIR_SYS_KERNEL, S_IFDIR | 0555, NULL},
	[DIR_SYS_VM] = {"vm", DIR_SYS, S_IFDIR | 0555, NULL},
	[DIR_SYS_FS] = {"fs", DIR_SYS, S_IFDIR | 0555, NULL},
	[DIR_NET] = {"net", -1, S_IFDIR | 0555, NULL},
	[DIR_AXOLOTL] = {"axolotl", -1, S_IFDIR | 0555, NULL},
	{"memory", DIR_AXOLOTL, S_IFREG | 0444, memory_text},
	{"services", DIR_AXOLOTL, S_IFREG | 0444, services_text},
	{"meminfo", -1, S_IFREG | 0444, meminfo_text},
	{"uptime", -1, S_IFREG | 0444, uptime_text},
	{"loadavg", -1, S_IFREG | 0444, loadavg_text},
	{"stat", -1, S_IFREG | 0444, stat_text},
	{"vmstat", -1, S_IFREG | 0444, vmstat_text},
	{"cpuinfo", -1, S_IFREG | 0444, cpuinfo_text},
	{"version", -1, S_IFREG | 0444, version_text},
	{"cmdline", -1, S_IFREG | 0444, kernel_cmdline_text},
	{"filesystems", -1, S_IFREG | 0444, filesystems_text},
	{"mounts", -1, S_IFREG | 0444, mounts_text},
	{"swaps", -1, S_IFREG | 0444, swaps_text},
	{"devices", -1, S_IFREG | 0444, devices_text},
	{"partitions", -1, S_IFREG | 0444, partitions_text},
	{"diskstats", -1, S_IFREG | 0444, nothing_text},
	{"modules", -1, S_IFREG | 0444, nothing_text},
	{"interrupts", -1, S_IFREG | 0444, interrupts_text},
	{"osrelease", DIR_SYS_KERNEL, S_IFREG | 0444, sysctl_osrelease},
	{"ostype", DIR_SYS_KERNEL, S_IFREG | 0444, sysctl_ostype},
	{"version", DIR_SYS_KERNEL, S_IFREG | 0444, sysctl_version},
	{"hostname", DIR_SYS_KERNEL, S_IFREG | 0444, sysctl_hostname},
	{"domainname", DIR_SYS_KERNEL, S_IFREG | 0444, sysctl_domainname},
	{"pid_max", DIR_SYS_KERNEL, S_IFREG | 0444, sysctl_pid_max},
	{"threads-max", DIR_SYS_KERNEL, S_IFREG | 0444, sysctl_threads_max},
	{"ngroups_max", DIR_SYS_KERNEL, S_IFREG | 0444, sysctl_ngroups_max},
	{"cap_last_cap", DIR_SYS_KERNEL, S_IFREG | 0444, sysctl_cap_last_cap},
	{"boot_id", DIR_SYS_RANDOM, S_IFREG | 0444, sysctl_boot_id},
	{"uuid", DIR_SYS_RANDOM, S_IFREG | 0444, sysctl_uuid},
	{"entropy_avail", DIR_SYS_RANDOM, S_IFREG | 0444, sysctl_256},
	{"poolsize", DIR_SYS_RANDOM, S_IFREG | 0444, sysctl_256},
	{"overcommit_memory", DIR_SYS_VM, S_IFREG | 0444, sysctl_zero},
	{"swappiness", DIR_SYS_VM, S_IFREG | 0444, sysctl_zero},
	{"mmap_min_addr", DIR_SYS_VM, S_IFREG | 0444, sysctl_mmap_min_addr},
	{"max_map_count", DIR_SYS_VM, S_IFREG | 0444, sysctl_max_map_count},
	{"pipe-max-size", DIR_SYS_FS, S_IFREG | 0444, sysctl_pipe_max_size},
	{"dev", DIR_NET, S_IFREG | 0444, net_dev_text},
	{"route", DIR_NET, S_IFREG | 0444, net_route_text},
	{"tcp", DIR_NET, S_IFREG | 0444, net_inet_text},
	{"udp", DIR_NET, S_IFREG | 0444, net_inet_text},
	{"raw", DIR_NET, S_IFREG | 0444, net_inet_text},
	{"unix", DIR_NET, S_IFREG | 0444, net_unix_text},
};
const int static_count = (int)AXO_ARRAY_LEN(static_entries);
