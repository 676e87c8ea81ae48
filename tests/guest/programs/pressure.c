/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * More memory than there is. One line of output each, "ok" at its end when all was right.
 * - pressure sparse FILE MIB: a hole of MIB megabytes, mapped shared, written here and there
 * - pressure fill FILE MIB: a file of MIB megabytes written whole through a shared mapping, read by
 *   read(2)
 * - pressure private FILE: a file mapped privately: every page of it changed, the file not
 * - pressure hold MIB COMMAND...: MIB megabytes in use while the command runs
 * - pressure rounds COUNT: COUNT times mappings of each kind, a fork, a file, a pipe
 * - pressure fragment PERCENT: every second page of most memory is given back, then PERCENT of what
 *   is free is mapped and used
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, MIB = 1 << 20 };

static void fail(const char *what, long at)
{
	printf("%s at %ld: %s\n", what, at, strerror(errno));
	exit(1);
}

static uint64_t *map(const char *path, long bytes, int flags, int *fd)
{
	*fd = open(path, O_CREAT | O_RDWR, 0644);
	if (*fd < 0 || (flags == MAP_SHARED && ftruncate(*fd, bytes) != 0)) {
		fail(path, 0);
	}
	void *area = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, flags, *fd, 0);
	if (area == MAP_FAILED) {
		fail("mmap", bytes);
	}
	return area;
}

static uint64_t mixed(uint64_t value)
{
	value = (value + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
	return value ^ value >> 29;
}

static void sparse(const char *path, long mib)
{
	long pages = mib * (MIB / PAGE), words = PAGE / 8;
	int fd;
	uint64_t *area = map(path, mib * MIB, MAP_SHARED, &fd);
	for (long page = 5; page < pages; page += 256) {
		area[page * words + 3] = mixed((uint64_t)page);
	}
	for (long page = 0; page < pages; page += 65) {
		if (area[page * words] != 0) {
			fail("not zero", page);
		}
	}
	for (long page = 5; page < pages; page += 256) {
		uint64_t value = 0;
		pread(fd, &value, sizeof value, page * PAGE + 24);
		if (value != mixed((uint64_t)page) || area[page * words + 3] != value) {
			fail("wrong", page);
		}
	}
	struct stat status;
	munmap(area, (size_t)mib * MIB);
	fsync(fd);
	fstat(fd, &status);
	printf("sparse %ld MiB, %s\n", (long)(status.st_size / MIB),
		status.st_blocks / 2048 < mib / 20 ? "ok" : "not sparse");
}

static void fill(const char *path, long mib)
{
	long words = mib * (MIB / 8);
	static uint64_t block[8192];
	int fd;
	uint64_t *area = map(path, mib * MIB, MAP_SHARED, &fd);
	for (long i = 0; i < words; i++) {
		area[i] = mixed((uint64_t)i);
	}
	munmap(area, (size_t)mib * MIB);
	for (long at = 0; at < words; at += 8192) {
		if (read(fd, block, sizeof block) != sizeof block) {
			fail("read", at);
		}
		for (long i = 0; i < 8192; i++) {
			if (block[i] != mixed((uint64_t)(at + i))) {
				fail("wrong word", at + i);
			}
		}
	}
	printf("filled %ld MiB, %s\n", mib, fsync(fd) == 0 ? "ok" : strerror(errno));
}

static void private_copy(const char *path)
{
	struct stat status;
	int fd;
	if (stat(path, &status) != 0) {
		fail(path, 0);
	}
	long pages = status.st_size / PAGE;
	uint64_t *area = map(path, status.st_size, MAP_PRIVATE, &fd);
	for (long page = 0; page < pages; page++) {
		area[page * (PAGE / 8)] ^= 1;
	}
	for (long page = 0; page < pages; page++) {
		uint64_t value = 0;
		pread(fd, &value, sizeof value, page * PAGE);
		if (value != (area[page * (PAGE / 8)] ^ 1)) {
			fail("wrong page", page);
		}
	}
	printf("private %ld pages, ok\n", pages);
}

static int hold(long mib, char **command)
{
	uint64_t *area = mmap(NULL, (size_t)mib * MIB, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED) {
		fail("mmap", mib);
	}
	for (long i = 0; i < mib * (MIB / PAGE); i++) {
		area[i * (PAGE / 8)] = mixed((uint64_t)i);
	}
	pid_t child = fork();
	if (child == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	int result = -1;
	if (child < 0 || waitpid(child, &result, 0) != child) {
		fail("child", child);
	}
	for (long i = 0; i < mib * (MIB / PAGE); i++) {
		if (area[i * (PAGE / 8)] != mixed((uint64_t)i)) {
			fail("wrong page", i);
		}
	}
	printf("held %ld MiB, %s\n", mib, result == 0 ? "ok" : "the command failed");
	return result != 0;
}

static void one_round(int number)
{
	char name[32], byte = 0;
	int fd, ends[2], flags[] = {MAP_PRIVATE, MAP_SHARED};
	snprintf(name, sizeof name, "round%d", number);
	for (int i = 0; i < 2; i++) {
		char *area = mmap(
			NULL, 64 * PAGE, PROT_READ | PROT_WRITE, flags[i] | MAP_ANONYMOUS, -1, 0);
		memset(area, number, 64 * PAGE);
		mprotect(area + 8 * PAGE, 8 * PAGE, PROT_READ);
		munmap(area + 20 * PAGE, 5 * PAGE);
		area = mremap(area, 4 * PAGE, 100 * PAGE, MREMAP_MAYMOVE);
		uint64_t *file = map(name, 30 * PAGE, flags[i], &fd);
		if (flags[i] == MAP_SHARED) {
			memset(file, number, 20 * PAGE);
		}
		close(fd);
	}
	pipe(ends);
	write(ends[1], name, sizeof name);
	if (fork() == 0) {
		char *area = mmap(NULL, 300 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(area, 1, 300 * PAGE);
		read(ends[0], &byte, 1);
		_exit(0);
	}
	wait(NULL);
	truncate(name, 3 * PAGE);
	unlink(name);
}

static long free_pages(void)
{
	struct sysinfo info;
	if (sysinfo(&info) != 0) {
		fail("sysinfo", 0);
	}
	return (long)(info.freeram * info.mem_unit / PAGE);
}

/* Pages of memory, each with its number in it. */
static char *use(long pages)
{
	char *area = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED) {
		fail("mmap", pages);
	}
	for (long page = 0; page < pages; page++) {
		memcpy(area + page * PAGE, &page, sizeof(page));
	}
	return area;
}

static void check_used(const char *area, long pages, long step)
{
	for (long page = 0; page < pages; page += step) {
		if (memcmp(area + page * PAGE, &page, sizeof(page)) != 0) {
			fail("lost", page);
		}
	}
}

static void fragment(long percent)
{
	long pages = free_pages() * 9 / 10;
	char *area = use(pages);
	for (long page = 1; page < pages; page += 2) {
		if (madvise(area + page * PAGE, PAGE, MADV_DONTNEED) != 0) {
			fail("madvise", page);
		}
	}
	long more = free_pages() * percent / 100;
	if (more < pages / 2 * percent / 100) {
		fail("not given back", more);
	}
	char *scattered = use(more);
	check_used(area, pages, 2);
	check_used(scattered, more, 1);
	puts("fragment, ok");
}

int main(int count, char **words)
{
	const char *what = count > 2 ? words[1] : "";
	if (strcmp(what, "sparse") == 0 && count > 3) {
		sparse(words[2], strtol(words[3], NULL, 10));
	} else if (strcmp(what, "fill") == 0 && count > 3) {
		fill(words[2], strtol(words[3], NULL, 10));
	} else if (strcmp(what, "private") == 0) {
		private_copy(words[2]);
	} else if (strcmp(what, "hold") == 0 && count > 3) {
		return hold(strtol(words[2], NULL, 10), words + 3);
	} else if (strcmp(what, "fragment") == 0) {
		fragment(strtol(words[2], NULL, 10));
	} else if (strcmp(what, "rounds") == 0) {
		for (int i = 0; i < strtol(words[2], NULL, 10); i++) {
			if (fork() == 0) {
				one_round(i);
				_exit(0);
			}
			wait(NULL);
		}
		puts("rounds, ok");
	} else {
		return 2;
	}
	return 0;
}
