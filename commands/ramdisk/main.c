/* SPDX-License-Identifier: BSD-2-Clause */
/* ramdisk SIZE DEVICE: sets the size of a ram disk (DRV-03). Exit status: 0, 1 (it failed), 2
 * (wrong use). */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "proto/blk.h"

static int usage(FILE *out)
{
	fprintf(out,
		"usage: ramdisk SIZE DEVICE\n"
		"SIZE in KiB, or with K, M or G; 0 frees the memory of the disk\n");
	return 2;
}

/* Bytes, from KiB or a number with a suffix; -1: it is none. */
static int parse_size(const char *text, uint64_t *bytes)
{
	char *end;
	unsigned shift = 10;

	if (text[0] < '0' || text[0] > '9') {
		return -1;
	}
	errno = 0;
	*bytes = strtoull(text, &end, 10);
	if (end[0] != '\0' && end[1] == '\0') {
		const char *units = "KMG", *unit = strchr(units, end[0]);

		if (unit == NULL) {
			return -1;
		}
		shift = 10 * (unsigned)(unit - units + 1);
	} else if (end[0] != '\0') {
		return -1;
	}
	if (errno != 0 || *bytes > UINT64_MAX >> shift) {
		return -1;
	}
	*bytes <<= shift;
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t bytes;
	int fd;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		return usage(stdout) - 2;
	}
	if (argc != 3 || parse_size(argv[1], &bytes) < 0) {
		return usage(stderr);
	}
	fd = open(argv[2], O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, MIOCRAMSIZE, &bytes) < 0) {
		fprintf(stderr, "ramdisk: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	close(fd);
	return 0;
}
