/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of /proc/PID. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "abi/bootinfo.h"
#include "fs/proc/ask.h"
#include "fs/proc/tree.h"
#include "lib/sys/kcall.h"
#include "lib/sys/vm.h"

#define REGIONS_AT_ONCE 32
#define PAGEMAP_AT_ONCE 512
#define PAGEMAP_BYTES   (64 << 10) /* one read; more is read by more of them */
#define PATH_BYTES      4096

/* The thread a node is about: the process itself for the files of /proc/PID. */
static int node_thread(const struct node *node)
{
	return node->kind == NODE_TID_FILE ? node->number / 64 : node->pid;
}

/* Everything that is known; only PM must know it. */
static int process_gather(const struct node *node, endpoint_t reader, struct process *p)
{
	int r;

	memset(p, 0, sizeof(*p));
	r = ask_process(node->pid, false, &p->pm);
	if (r < 0) {
		return r;
	}
	p->is_reader = p->pm.ep == reader;
	if (p->pm.state != 'Z') {
		(void)sys_getinfo(GETINFO_PROC, &p->kernel, sizeof(p->kernel), p->pm.ep);
		(void)vm_info(VM_INFO_USAGE, p->pm.ep, &p->memory, sizeof(p->memory), NULL);
		(void)ask_vfs(VFS_INFO_PROC, node->pid, NULL, &p->files, sizeof(p->files));
	}
	return 0;
}

static int stat_text(struct text *text, const struct node *node)
{
	struct process p;
	int r = process_gather(node, text->reader, &p);

	if (r == 0) {
		format_stat(text, &p, node_thread(node));
	}
	return r;
}

static int status_text(struct text *text, const struct node *node)
{
	struct process p;
	int r = process_gather(node, text->reader, &p);

	if (r == 0) {
		format_status(text, &p, node_thread(node));
	}
	return r;
}

static int statm_text(struct text *text, const struct node *node)
{
	struct process p;
	int r = process_gather(node, text->reader, &p);

	if (r == 0) {
		format_statm(text, &p);
	}
	return r;
}

static int limits_text(struct text *text, const struct node *node)
{
	struct pm_proc_info pm;
	int r = ask_process(node->pid, false, &pm);

	if (r == 0) {
		format_limits(text, &pm);
	}
	return r;
}

static int comm_text(struct text *text, const struct node *node)
{
	struct pm_proc_info pm;
	int r = ask_process(node->pid, false, &pm);

	if (r == 0) {
		text_printf(text, "%s\n", pm.name);
	}
	return r;
}

static int io_text(struct text *text, const struct node *node)
{
	struct vfs_proc_info f;
	int r = ask_vfs(VFS_INFO_PROC, node->pid, NULL, &f, sizeof(f));

	if (r < 0) {
		return r;
	}
	text_printf(text,
		"rchar: %" PRIu64 "\nwchar: %" PRIu64 "\nsyscr: %" PRIu64 "\nsyscw: %" PRIu64 "\n",
		f.read_bytes, f.write_bytes, f.read_calls, f.write_calls);
	text_printf(text, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
	return 0;
}

/* Argument or environment strings, as they lie in the program's memory. A process without any (a
 * service) has none. */
static int strings_text(struct text *text, const struct node *node, enum vfs_info_what what)
{
	char *buf = malloc(PATH_BYTES);
	uint64_t next = 0;
	int r;

	if (!buf) {
		return -ENOMEM;
	}
	do {
		r = ask_vfs(what, node->pid, &next, buf, PATH_BYTES);
		if (r > 0) {
			text_append(text, buf, (size_t)r);
		}
	} while (r > 0 && next != 0);
	free(buf);
	return r == -ESRCH || r > 0 ? 0 : r;
}

static int cmdline_text(struct text *text, const struct node *node)
{
	return strings_text(text, node, VFS_INFO_CMDLINE);
}

static int environ_text(struct text *text, const struct node *node)
{
	return strings_text(text, node, VFS_INFO_ENVIRON);
}

/* What stands behind a region in maps. */
static const char *region_name(
	const struct node *node, const struct vm_region_info *region, char *path)
{
	uint64_t file = (uint64_t)region->file;
	int len;

	if (region->flags & VM_REGION_STACK) {
		return "[stack]";
	}
	if (region->flags & VM_REGION_HEAP) {
		return "[heap]";
	}
	if (!(region->flags & VM_REGION_FILE) || region->file < 0) {
		return "";
	}
	len = ask_vfs(VFS_INFO_FILE, node->pid, &file, path, PATH_BYTES - 1);
	path[len > 0 ? len : 0] = '\0';
	return path;
}

typedef void region_format_fn(
	struct text *text, const struct vm_region_info *region, const char *name, void *context);

/* Calls format for each region. VM is asked in pieces, because VFS is asked in between. */
static int regions_text(
	struct text *text, const struct node *node, region_format_fn *format, void *context)
{
	struct vm_region_info *regions = malloc(REGIONS_AT_ONCE * sizeof(*regions));
	char *path = malloc(PATH_BYTES);
	struct pm_proc_info pm;
	uint64_t next = 0;
	int64_t count = 0;
	int r = regions && path ? ask_process(node->pid, false, &pm) : -ENOMEM;

	if (r == 0 && pm.state != 'Z') {
		do {
			count = vm_info(VM_INFO_REGIONS, pm.ep, regions,
				REGIONS_AT_ONCE * sizeof(*regions), &next);
			for (int64_t i = 0; i < count && i < REGIONS_AT_ONCE; i++) {
				format(text, &regions[i], region_name(node, &regions[i], path),
					context);
			}
		} while (count > 0 && next != 0);
	}
	free(regions);
	free(path);
	return r;
}

static void maps_format(
	struct text *text, const struct vm_region_info *region, const char *name, void *context)
{
	format_map(text, region, name);
}

static int maps_text(struct text *text, const struct node *node)
{
	return regions_text(text, node, maps_format, NULL);
}

static void format_smaps(
	struct text *text, const struct vm_region_info *region, const char *name, void *context)
{
	format_map(text, region, name);
	text_printf(
		text, "Size:           %8" PRIu64 " kB\n", (region->end - region->start) / 1024);
	text_printf(text, "KernelPageSize: %8d kB\nMMUPageSize:    %8d kB\n", 4, 4);
	format_smaps_counts(text, region);
	format_vm_flags(text, region);
}

static int smaps_text(struct text *text, const struct node *node)
{
	return regions_text(text, node, format_smaps, NULL);
}

static void rollup_add(
	struct text *text, const struct vm_region_info *r, const char *name, void *context)
{
	struct vm_region_info *sum = context;

	if (sum->start == 0) {
		sum->start = r->start;
	}
	sum->end = r->end;
	sum->resident_pages += r->resident_pages;
	sum->shared_clean += r->shared_clean;
	sum->shared_dirty += r->shared_dirty;
	sum->private_clean += r->private_clean;
	sum->private_dirty += r->private_dirty;
	sum->anonymous += r->anonymous;
	sum->referenced += r->referenced;
	sum->share_bytes += r->share_bytes;
	sum->locked_pages += r->locked_pages;
}

static int smaps_rollup_text(struct text *text, const struct node *node)
{
	struct vm_region_info sum = {.prot = 0};
	int r = regions_text(text, node, rollup_add, &sum);

	if (r == 0) {
		format_map(text, &sum, "[rollup]");
		format_smaps_counts(text, &sum);
	}
	return r;
}

/* Eight bytes a page, from the offset on that is read. */
static int pagemap_text(struct text *text, const struct node *node)
{
	uint64_t pages[PAGEMAP_AT_ONCE];
	uint64_t first = text->start / sizeof(*pages), at = first * AXO_PAGE_SIZE;
	uint64_t left =
		(text->wanted < PAGEMAP_BYTES ? text->wanted : PAGEMAP_BYTES) / sizeof(*pages);
	struct pm_proc_info pm;
	int r = ask_process(node->pid, false, &pm);

	if (text->start % sizeof(*pages) != 0 || text->wanted % sizeof(*pages) != 0) {
		return -EINVAL;
	}
	text->is_piece = true;
	while (r == 0 && pm.state != 'Z' && first < USER_END / AXO_PAGE_SIZE && left > 0) {
		uint64_t want = left < PAGEMAP_AT_ONCE ? left : PAGEMAP_AT_ONCE;
		int64_t got = vm_info(VM_INFO_PAGES, pm.ep, pages, want * sizeof(*pages), &at);

		if (got <= 0) {
			break;
		}
		text_append(text, pages, (size_t)got * sizeof(*pages));
		left -= (uint64_t)got;
		if (at == 0) {
			break; /* the last address was reached */
		}
	}
	return r;
}

static int mounts_format(struct text *text, bool info)
{
	struct vfs_mount_info mount;
	uint64_t next = 0;
	int r;

	do {
		r = ask_vfs(VFS_INFO_MOUNTS, 0, &next, &mount, sizeof(mount));
		if (r < (int)sizeof(mount)) {
			break;
		}
		mount.type[sizeof(mount.type) - 1] = '\0';
		mount.source[sizeof(mount.source) - 1] = '\0';
		mount.target[sizeof(mount.target) - 1] = '\0';
		format_mount(text, &mount, info);
	} while (next != 0);
	return r < 0 ? r : 0;
}

static int mounts_text(struct text *text, const struct node *node)
{
	return mounts_format(text, false);
}

static int mountinfo_text(struct text *text, const struct node *node)
{
	return mounts_format(text, true);
}

static int zero_text(struct text *text, const struct node *node)
{
	text_printf(text, "0\n");
	return 0;
}

static int wchan_text(struct text *text, const struct node *node)
{
	text_printf(text, "0");
	return 0;
}

const struct pid_entry pid_entries[] = {
	{"stat", S_IFREG | 0444, stat_text},
	{"status", S_IFREG | 0444, status_text},
	{"statm", S_IFREG | 0444, statm_text},
	{"cmdline", S_IFREG | 0444, cmdline_text},
	{"environ", S_IFREG | 0400, environ_text},
	{"maps", S_IFREG | 0444, maps_text},
	{"smaps", S_IFREG | 0444, smaps_text},
	{"smaps_rollup", S_IFREG | 0444, smaps_rollup_text},
	{"pagemap", S_IFREG | 0400, pagemap_text},
	{"comm", S_IFREG | 0444, comm_text},
	{"limits", S_IFREG | 0444, limits_text},
	{"io", S_IFREG | 0400, io_text},
	{"mounts", S_IFREG | 0444, mounts_text},
	{"mountinfo", S_IFREG | 0444, mountinfo_text},
	{"oom_score", S_IFREG | 0444, zero_text},
	{"oom_score_adj", S_IFREG | 0444, zero_text},
	{"wchan", S_IFREG | 0444, wchan_text},
};
const int pid_count = (int)AXO_ARRAY_LEN(pid_entries);
_Static_assert(AXO_ARRAY_LEN(pid_entries) < 64,
	"the number of a thread's file has six bits for the index");
