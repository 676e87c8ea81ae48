/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block device and the file system on it show the same bytes. "ok" when all was right.
 *   blockmap mounted DEVICE FILE   FILE is on the file system on DEVICE, whose blocks are pages
 *   blockmap alone DEVICE          nothing is mounted on DEVICE
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, FILE_PAGES = 40, ROUNDS = 12 };

#define CHECK(condition)                                                                    \
	do {                                                                                \
		if (!(condition)) {                                                         \
			printf("line %d: %s: %s\n", __LINE__, #condition, strerror(errno)); \
			exit(1);                                                            \
		}                                                                           \
	} while (0)

static int device;
static uint64_t device_bytes;
static const uint64_t *shown; /* the device, mapped */

static void fill(uint64_t *page, uint64_t tag, uint64_t index)
{
	for (unsigned i = 0; i < PAGE / 8; i++) {
		page[i] = tag * 1000003 + index * 4099 + i;
	}
}

static void write_file(int fd, uint64_t tag)
{
	uint64_t page[PAGE / 8];

	for (uint64_t i = 0; i < FILE_PAGES; i++) {
		fill(page, tag, i);
		CHECK(pwrite(fd, page, PAGE, (off_t)(i * PAGE)) == PAGE);
	}
}

/* Where page `index` of the file lies, by what it contains. */
static uint64_t find(uint64_t tag, uint64_t index)
{
	uint64_t wanted[PAGE / 8], page[PAGE / 8];

	fill(wanted, tag, index);
	for (uint64_t at = 0; at < device_bytes; at += PAGE) {
		CHECK(pread(device, page, PAGE, (off_t)at) == PAGE);
		if (memcmp(page, wanted, PAGE) == 0) {
			return at;
		}
	}
	return UINT64_MAX;
}

/* Mapped and read the device is the same. */
static void compare(void)
{
	uint64_t page[PAGE / 8];

	for (uint64_t at = 0; at < device_bytes; at += PAGE) {
		CHECK(pread(device, page, PAGE, (off_t)at) == PAGE);
		CHECK(memcmp(page, shown + at / 8, PAGE) == 0);
	}
}

/* Nothing is synced: what the device shows are the file's dirty pages. */
static void see_dirty_pages(int fd)
{
	uint64_t at[FILE_PAGES], *file;

	write_file(fd, 1);
	for (uint64_t i = 0; i < FILE_PAGES; i++) {
		at[i] = find(1, i);
		CHECK(at[i] != UINT64_MAX && shown[at[i] / 8 + 5] == 1000003 + i * 4099 + 5);
	}
	write_file(fd, 2);
	for (uint64_t i = 0; i < FILE_PAGES; i++) {
		CHECK(shown[at[i] / 8 + 5] == 2000006 + i * 4099 + 5);
		CHECK(find(2, i) == at[i]);
	}
	file = mmap(NULL, FILE_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(file != MAP_FAILED);
	for (uint64_t i = 0; i < FILE_PAGES; i++) {
		file[i * PAGE / 8 + 9] = 77 + i;
		CHECK(shown[at[i] / 8 + 9] == 77 + i);
	}
	CHECK(munmap(file, FILE_PAGES * PAGE) == 0);
}

/* Blocks go from files to directories and back. */
static void change_blocks(const char *path, int fd)
{
	char name[256];

	for (int round = 0; round < ROUNDS; round++) {
		CHECK(ftruncate(fd, 0) == 0);
		for (int i = 0; i < FILE_PAGES / 2; i++) {
			snprintf(name, sizeof(name), "%s.d%d", path, i);
			CHECK((round % 2 == 0 ? mkdir(name, 0755) : rmdir(name)) == 0);
		}
		write_file(fd, (uint64_t)round + 3);
		CHECK(find((uint64_t)round + 3, 7) != UINT64_MAX);
		if (round % 8 == 0) {
			sync();
		}
		compare();
	}
}

static void mounted(const char *path)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0644);

	CHECK(fd >= 0);
	shown = mmap(NULL, device_bytes, PROT_READ, MAP_SHARED, device, 0);
	CHECK(shown != MAP_FAILED);
	see_dirty_pages(fd);
	change_blocks(path, fd);
	CHECK(close(fd) == 0);
}

static void alone(const char *path)
{
	int writer = open(path, O_RDWR), direct = open(path, O_RDWR | O_DIRECT);
	static char bytes[PAGE] __attribute__((aligned(PAGE)));
	uint64_t *map;

	CHECK(writer >= 0 && direct >= 0);
	map = mmap(NULL, device_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);
	CHECK(map != MAP_FAILED);
	map[1000] = 4711;
	CHECK(pread(device, bytes, 8, 8000) == 8 && *(uint64_t *)(void *)bytes == 4711);
	CHECK(pwrite(writer, "seven", 5, 70003) == 5);
	CHECK(memcmp((char *)map + 70003, "seven", 5) == 0);
	CHECK(msync(map, device_bytes, MS_SYNC) == 0 && fsync(writer) == 0 &&
		fdatasync(device) == 0);
	CHECK(pread(direct, bytes, 512, 512 * 136) == 512 && memcmp(bytes + 371, "seven", 5) == 0);
	CHECK(pread(direct, bytes, 100, 0) == -1 && errno == EINVAL);
	CHECK(pwrite(direct, bytes, 512, 1024) == 512 &&
		memcmp((char *)map + 1024 + 371, "seven", 5) == 0);
	CHECK(pwrite(writer, bytes, 2, (off_t)device_bytes) == -1 && errno == ENOSPC);
	CHECK(pwrite(writer, bytes, 9, (off_t)device_bytes - 3) == 3);
	CHECK(pread(writer, bytes, 9, (off_t)device_bytes - 3) == 3);
	CHECK(ioctl(device, BLKFLSBUF, 0) == 0 && map[1000] == 4711);
	CHECK(munmap(map, device_bytes) == 0 && ioctl(device, BLKFLSBUF, 0) == 0);
	CHECK(pread(device, bytes, 8, 8000) == 8 && *(uint64_t *)(void *)bytes == 4711);
}

int main(int argc, char **argv)
{
	CHECK(argc > 2);
	device = open(argv[2], O_RDONLY);
	CHECK(device >= 0 && ioctl(device, BLKGETSIZE64, &device_bytes) == 0);
	if (argc > 3) {
		mounted(argv[3]);
	} else {
		alone(argv[2]);
	}
	puts("ok");
	return 0;
}
