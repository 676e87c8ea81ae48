/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/service/devices.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "commands/service/client.h"
#include "commands/service/say.h"
#include "proto/rs.h"

#define TABLE_MAX  8192
#define UNKNOWN    "unknown"
#define NO_SERVICE "-"

/* Minors from `first` to `last`, when it is a partition or a line its number counts from there. */
static const struct {
	bool is_block;
	unsigned major, first, last;
	const char *what;
} kinds[] = {
	{false, 1, 3, 3, "nothing: reads as empty, takes all"},
	{false, 1, 5, 5, "zero bytes without end"},
	{false, 1, 7, 7, "zero bytes; writes fail as on a full disk"},
	{false, 1, 8, 8, "random bytes"},
	{false, 1, 9, 9, "random bytes"},
	{false, 1, 11, 11, "the system's log"},
	{false, 4, 0, 0, "the text screen in front"},
	{false, 4, 1, 63, "text screen and keyboard"},
	{false, 4, 64, 255, "serial line"},
	{false, 5, 0, 0, "the process's own terminal"},
	{false, 5, 1, 1, "the system console"},
	{false, 252, 0, 0, "battery-backed clock"},
	{false, 253, 0, 0, "the driver that greets"},
	{true, 1, 0, 5, "disk in memory"},
	{true, 1, 6, 6, "the boot image"},
	{true, 254, 0, 255, "virtio disk, or a part of one"},
};

static const char *describe(bool is_block, unsigned major, unsigned minor)
{
	for (size_t i = 0; i < AXO_ARRAY_LEN(kinds); i++) {
		if (kinds[i].is_block == is_block && kinds[i].major == major &&
			kinds[i].first <= minor && minor <= kinds[i].last) {
			return kinds[i].what;
		}
	}
	return UNKNOWN;
}

/* The label of the service that has the number, by RS's table, in `label`. */
static void find_owner(const char *table, bool is_block, unsigned major, char label[24])
{
	char kind[8];
	unsigned number;
	int len;

	snprintf(label, 24, "%s", NO_SERVICE);
	while (sscanf(table, "%7s %u %23s%n", kind, &number, label, &len) == 3) {
		if (number == major && strcmp(kind, is_block ? "blk" : "chr") == 0) {
			return;
		}
		table += len;
	}
	snprintf(label, 24, "%s", NO_SERVICE);
}

/* Whether the entry is known, or no device. */
static bool show(const char *table, const char *dir, const char *name)
{
	char path[PATH_MAX], label[24];
	struct stat st;
	const char *what;
	bool is_block;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (lstat(path, &st) < 0 || !(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))) {
		return true;
	}
	is_block = S_ISBLK(st.st_mode);
	what = describe(is_block, major(st.st_rdev), minor(st.st_rdev));
	find_owner(table, is_block, major(st.st_rdev), label);
	printf("%-16s %-4s %5u %5u %-16s %s\n", path, is_block ? "blk" : "chr", major(st.st_rdev),
		minor(st.st_rdev), label, what);
	return strcmp(what, UNKNOWN) != 0;
}

int devices_list(const char *dir)
{
	static char table[TABLE_MAX];
	struct dirent **entries;
	bool is_any_unknown = false;
	int r = client_text(AXO_SERVICE_DEVICES, "", table, sizeof(table));
	int count = r < 0 ? 0 : scandir(dir, &entries, NULL, alphasort);

	if (r < 0 || count < 0) {
		return say_failure(r < 0 ? "devices" : dir, r < 0 ? r : -errno);
	}
	printf("%-16s %-4s %5s %5s %-16s %s\n", "DEVICE", "KIND", "MAJOR", "MINOR", "SERVICE",
		"WHAT");
	for (int i = 0; i < count; i++) {
		is_any_unknown |= !show(table, dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return is_any_unknown ? ENODEV : 0;
}
