/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/init/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define CHR S_IFCHR
#define BLK S_IFBLK

/* Numbers as on Linux (its Documentation/admin-guide/devices.txt); virtio disks have 254 there as
 * well in practice. */
static const struct {
	const char *name;
	mode_t mode;
	unsigned major, minor;
} nodes[] = {
	{"console", CHR | 0600, 5, 1},
	{"tty", CHR | 0666, 5, 0},
	{"tty0", CHR | 0620, 4, 0},
	{"tty1", CHR | 0620, 4, 1},
	{"ttyS0", CHR | 0620, 4, 64},
	{"null", CHR | 0666, 1, 3},
	{"zero", CHR | 0666, 1, 5},
	{"full", CHR | 0666, 1, 7},
	{"random", CHR | 0666, 1, 8},
	{"urandom", CHR | 0666, 1, 9},
	{"kmsg", CHR | 0644, 1, 11},
	{"ram0", BLK | 0660, 1, 0},
	{"ram1", BLK | 0660, 1, 1},
	{"ram2", BLK | 0660, 1, 2},
	{"ram3", BLK | 0660, 1, 3},
	{"ram4", BLK | 0660, 1, 4},
	{"ram5", BLK | 0660, 1, 5},
	{"imgrd", BLK | 0660, 1, 6},
	{"vda", BLK | 0660, 254, 0},
	{"vdb", BLK | 0660, 254, 16},
	{"vdc", BLK | 0660, 254, 32},
	{"rtc0", CHR | 0600, 252, 0},
	{"hello", CHR | 0644, 253, 0},
};

static const struct {
	const char *name, *target;
} links[] = {
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
	{"rtc", "rtc0"},
};

int devices_make(const char *dev)
{
	char path[64];
	int result = 0;

	umask(0);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dev, nodes[i].name);
		if (mknod(path, nodes[i].mode, makedev(nodes[i].major, nodes[i].minor)) < 0 &&
			errno != EEXIST && result == 0) {
			result = -errno;
		}
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dev, links[i].name);
		if (symlink(links[i].target, path) < 0 && errno != EEXIST && result == 0) {
			result = -errno;
		}
	}
	snprintf(path, sizeof(path), "%s/shm", dev);
	(void)mkdir(path, 01777);
	umask(022);
	return result;
}

void devices_open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd < 0) {
		fd = open("/dev/null", O_RDWR);
	}
	for (int i = 0; fd >= 0 && i < 3; i++) {
		if (i != fd) {
			dup2(fd, i);
		}
	}
	if (fd > 2) {
		close(fd);
	}
}
