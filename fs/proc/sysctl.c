/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/proc/sysctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "abi/bootinfo.h"
#include "fs/proc/ask.h"
#include "lib/sys/kcall.h"

#define CAP_LAST 40 /* CAP_CHECKPOINT_RESTORE */

static int constant(struct text *text, uint64_t value)
{
	text_printf(text, "%" PRIu64 "\n", value);
	return 0;
}

static struct kinfo *kinfo_get(void)
{
	struct kinfo *kinfo = calloc(1, sizeof(*kinfo));

	if (kinfo && sys_getinfo(GETINFO_KINFO, kinfo, sizeof(*kinfo), 0) < 0) {
		free(kinfo);
		return NULL;
	}
	return kinfo;
}

int sysctl_osrelease(struct text *text, const struct node *node)
{
	struct kinfo *kinfo = kinfo_get();

	if (!kinfo) {
		return -ENOMEM;
	}
	text_printf(text, "%.63s\n", kinfo->release);
	free(kinfo);
	return 0;
}

int sysctl_version(struct text *text, const struct node *node)
{
	struct kinfo *kinfo = kinfo_get();

	if (!kinfo) {
		return -ENOMEM;
	}
	text_printf(text, "%.63s\n", kinfo->version);
	free(kinfo);
	return 0;
}

int sysctl_ostype(struct text *text, const struct node *node)
{
	text_printf(text, "Linux\n");
	return 0;
}

int sysctl_hostname(struct text *text, const struct node *node)
{
	struct pm_names names;
	int r = ask_names(&names);

	if (r == 0) {
		text_printf(text, "%s\n", names.host);
	}
	return r;
}

int sysctl_domainname(struct text *text, const struct node *node)
{
	struct pm_names names;
	int r = ask_names(&names);

	if (r == 0) {
		text_printf(text, "%s\n", names.domain);
	}
	return r;
}

int sysctl_pid_max(struct text *text, const struct node *node)
{
	struct pm_names names;
	int r = ask_names(&names);

	return r < 0 ? r : constant(text, (uint64_t)names.pid_max);
}

int sysctl_threads_max(struct text *text, const struct node *node)
{
	struct kinfo *kinfo = kinfo_get();

	if (!kinfo) {
		return -ENOMEM;
	}
	(void)constant(text, kinfo->procs_max);
	free(kinfo);
	return 0;
}

int sysctl_ngroups_max(struct text *text, const struct node *node)
{
	return constant(text, VFS_GROUPS_MAX);
}

int sysctl_cap_last_cap(struct text *text, const struct node *node)
{
	return constant(text, CAP_LAST);
}

/* splitmix64: spreads the bits of a seed. */
static uint64_t spread(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* In the form of a random (version 4) UUID. It identifies, and is no secret. */
static int uuid(struct text *text, uint64_t seed)
{
	uint64_t a = spread(&seed), b = spread(&seed);

	text_printf(text, "%08x-%04x-4%03x-%04x-%012" PRIx64 "\n", (unsigned)(a >> 32),
		(unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
		(unsigned)(0x8000 | (b >> 48 & 0x3fff)), b & 0xffffffffffffu);
	return 0;
}

/* The same until the next boot: made of what no two boots share. */
int sysctl_boot_id(struct text *text, const struct node *node)
{
	struct system_info info;

	if (sys_getinfo(GETINFO_SYSTEM, &info, sizeof(info), 0) < 0) {
		return -EIO;
	}
	return uuid(text, info.boot_realtime_ns / 1000000000u ^ info.tsc_hz << 20);
}

int sysctl_uuid(struct text *text, const struct node *node)
{
	return uuid(text, sys_realtime_ns() ^ sys_monotonic_ns() << 32);
}

int sysctl_zero(struct text *text, const struct node *node)
{
	return constant(text, 0);
}

int sysctl_256(struct text *text, const struct node *node)
{
	return constant(text, 256);
}

int sysctl_mmap_min_addr(struct text *text, const struct node *node)
{
	return constant(text, USER_BASE);
}

int sysctl_max_map_count(struct text *text, const struct node *node)
{
	return constant(text, 65530);
}

int sysctl_pipe_max_size(struct text *text, const struct node *node)
{
	return constant(text, 1048576);
}
