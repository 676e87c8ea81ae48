/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/init/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0) {
			return -errno;
		}
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int copy_bytes(int in, int out)
{
	static char chunk[CHUNK];

	for (;;) {
		ssize_t n = read(in, chunk, sizeof(chunk));
		int r;

		if (n <= 0) {
			return n < 0 ? -errno : 0;
		}
		r = write_all(out, chunk, (size_t)n);
		if (r < 0) {
			return r;
		}
	}
}

int copy_file(const char *from, const char *to)
{
	struct stat st;
	int in = open(from, O_RDONLY | O_CLOEXEC), out, r;

	if (in < 0) {
		return -errno;
	}
	out = fstat(in, &st) < 0
		? -1
		: open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, st.st_mode & 0777);
	r = out < 0 ? -errno : copy_bytes(in, out);
	close(in);
	if (out >= 0 && close(out) < 0 && r == 0) {
		r = -errno;
	}
	return r;
}

int copy_directory(const char *from, const char *to)
{
	DIR *dir = opendir(from);
	struct dirent *entry;
	int result = 0;

	if (!dir) {
		return -errno;
	}
	if (mkdir(to, 0755) < 0 && errno != EEXIST) {
		result = -errno;
	}
	while (result == 0 && (entry = readdir(dir))) {
		char source[512], target[512];
		struct stat st;

		snprintf(source, sizeof(source), "%s/%s", from, entry->d_name);
		snprintf(target, sizeof(target), "%s/%s", to, entry->d_name);
		if (stat(source, &st) == 0 && S_ISREG(st.st_mode)) {
			result = copy_file(source, target);
		}
	}
	closedir(dir);
	return result;
}
