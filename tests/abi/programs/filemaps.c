/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that several processes read, write, map, cut and lengthen: all see the same bytes at once
 * (VM-33 to VM-35). */
#include "mem.h"

#include <stdatomic.h>
#include <sys/stat.h>

#define READ_WRITE (PROT_READ | PROT_WRITE)

static char *map_shared(int fd, int pages)
{
	char *area = mmap(NULL, pages * PAGE, READ_WRITE, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED) {
		printf("mmap: %s\n", error_name(errno));
		_exit(3);
	}
	return area;
}

static char read_byte(int fd, long at)
{
	char byte = 0;
	ssize_t got = pread(fd, &byte, 1, at);
	return got == 1 ? byte : got == 0 ? '$' : '!';
}

static void bytes_of(const char *what, int fd, int pages)
{
	printf("%s: ", what);
	for (int i = 0; i < pages; i++) {
		char byte = read_byte(fd, (long)i * PAGE);
		putchar(byte ? byte : '_');
	}
	putchar('\n');
}

static void map_of(const char *what, char *area, int pages)
{
	printf("%s: ", what);
	for (int i = 0; i < pages; i++) {
		char answer = try_read(area + (long)i * PAGE);
		char byte = answer == '.' ? area[(long)i * PAGE] : answer == 'b' ? '*' : '!';
		putchar(byte ? byte : '_');
	}
	putchar('\n');
}

CASE(one_file)
{
	int fd = lettered_file("file", 6 * PAGE), other = open("file", O_RDWR);
	char *first = map_shared(fd, 6), *second = map_shared(other, 6);
	char *private = mmap(NULL, 6 * PAGE, READ_WRITE, MAP_PRIVATE, fd, 0);
	first[PAGE] = 'S';
	printf("store: %c %c %c\n", second[PAGE], private[PAGE], read_byte(other, PAGE));
	pwrite(other, "W", 1, 2 * PAGE);
	printf("write: %c %c %c\n", first[2 * PAGE], second[2 * PAGE], private[2 * PAGE]);
	private[3 * PAGE] = 'P';
	first[3 * PAGE] = 'T';
	pwrite(fd, "U", 1, 3 * PAGE + 1);
	printf("own copy: %c%c file %c%c\n", private[3 * PAGE], private[3 * PAGE + 1],
		second[3 * PAGE], second[3 * PAGE + 1]);
	char block[2 * PAGE];
	memset(block, 'B', sizeof block);
	pwrite(fd, block, sizeof block, 4 * PAGE - 100);
	printf("long write: %c%c%c %c\n", first[4 * PAGE - 101], first[4 * PAGE - 100],
		first[5 * PAGE], second[6 * PAGE - 101]);
	SHOW(msync(first, 6 * PAGE, MS_SYNC));
	SHOW(fsync(fd));
	bytes_of("file", open("file", O_RDONLY), 7);
	lseek(fd, 0, SEEK_END);
	SHOW(write(fd, "end", 3));
	printf("appended, mapped beyond the end %c\n", try_read(first + 5 * PAGE + 4095));
}

/* Stores that nobody has written back yet are in the file for who opens it, also after munmap. */
CASE(after_unmap)
{
	int fd = lettered_file("file", 4 * PAGE);
	char *area = map_shared(fd, 4);
	close(fd);
	memset(area + PAGE, 'Z', 2 * PAGE);
	munmap(area, 4 * PAGE);
	fd = open("file", O_RDONLY);
	bytes_of("file", fd, 4);
	fflush(stdout);
	if (fork() == 0) {
		area = map_shared(open("file", O_RDWR), 4);
		memset(area, 'C', 100);
		_exit(0);
	}
	wait(NULL);
	bytes_of("after the child", fd, 4);
}

enum { WRITERS = 4, ROUNDS = 2000 };

CASE(counters_of_processes)
{
	int fd = open("file", O_CREAT | O_RDWR, 0644);
	ftruncate(fd, 4 * PAGE);
	for (int i = 0; i < WRITERS; i++) {
		if (fork() == 0) {
			_Atomic int *counters = (void *)map_shared(open("file", O_RDWR), 4);
			for (int round = 0; round < ROUNDS; round++) {
				atomic_fetch_add(&counters[round % 4 * 1024 + 7], 1);
			}
			_exit(0);
		}
	}
	while (wait(NULL) > 0) {
	}
	for (int i = 0; i < 4; i++) {
		int value = 0;
		pread(fd, &value, sizeof value, i * PAGE + 28);
		printf("%d ", value);
	}
	putchar('\n');
}

/* Each child owns every fourth page and writes it in turn by write and by store; the parent looks
 * at all. */
CASE(writers_and_reader)
{
	int fd = open("file", O_CREAT | O_RDWR, 0644);
	ftruncate(fd, 64 * PAGE);
	char *area = map_shared(fd, 64);
	for (int child = 0; child < WRITERS; child++) {
		if (fork() == 0) {
			char block[PAGE];
			for (int round = 0; round < 8; round++) {
				for (int page = child; page < 64; page += WRITERS) {
					memset(block, 'a' + round, PAGE);
					if ((round + page) % 2) {
						memcpy(area + page * PAGE, block, PAGE);
					} else {
						pwrite(fd, block, PAGE, (long)page * PAGE);
					}
				}
			}
			_exit(0);
		}
	}
	while (wait(NULL) > 0) {
	}
	int good = 0, good_file = 0;
	for (int i = 0; i < 64 * PAGE; i++) {
		good += area[i] == 'h';
	}
	static char all[64 * PAGE];
	pread(fd, all, sizeof all, 0);
	good_file = memcmp(all, area, sizeof all) == 0;
	printf("good %d %d\n", good, good_file);
}

CASE(truncation)
{
	catch_faults();
	int fd = lettered_file("file", 6 * PAGE);
	char *shared = map_shared(fd, 8);
	char *private = mmap(NULL, 8 * PAGE, READ_WRITE, MAP_PRIVATE, fd, 0);
	private[PAGE] = 'P';
	private[4 * PAGE] = 'Q';
	map_of("whole", shared, 8);
	SHOW(ftruncate(fd, 3 * PAGE + 100));
	map_of("cut", shared, 8);
	map_of("cut, private", private, 8);
	printf("tail %d %d, before %c\n", shared[3 * PAGE + 100], shared[4 * PAGE - 1],
		shared[3 * PAGE + 99]);
	printf("write beyond %c\n", try_write(shared + 4 * PAGE, 1));
	SHOW(ftruncate(fd, 6 * PAGE));
	map_of("longer again", shared, 8);
	map_of("longer again, private", private, 8);
	printf("tail %d\n", shared[3 * PAGE + 100]);
	shared[5 * PAGE] = 'N';
	bytes_of("file", fd, 7);
	SHOW(truncate("file", 0));
	map_of("empty", shared, 3);
	SHOW(pwrite(fd, "x", 1, 2 * PAGE));
	map_of("written", shared, 4);
	close(open("file", O_RDWR | O_TRUNC));
	map_of("O_TRUNC", shared, 4);
}

/* One process cuts the file while others use it. */
CASE(truncation_by_another)
{
	int fd = lettered_file("file", 32 * PAGE), go[2], back[2];
	pipe(go);
	pipe(back);
	fflush(stdout);
	if (fork() == 0) {
		char byte, seen[33] = "";
		catch_faults();
		char *area = map_shared(fd, 32);
		for (int i = 0; i < 32; i++) {
			area[i * PAGE + 1] = 'c';
		}
		write(back[1], "1", 1);
		read(go[0], &byte, 1);
		for (int i = 0; i < 32; i++) {
			seen[i] = try_rewrite(area + i * PAGE);
		}
		printf("child sees %s\n", seen);
		fflush(stdout);
		_exit(0);
	}
	char byte;
	read(back[0], &byte, 1);
	SHOW(ftruncate(fd, 10 * PAGE));
	write(go[1], "1", 1);
	int status;
	wait(&status);
	show_status("child", status);
	char *area = map_shared(fd, 10);
	printf("%c%c\n", area[0], area[1]);
}

CASE(tail_of_the_last_page)
{
	int fd = lettered_file("file", PAGE + 1000);
	char *area = map_shared(fd, 2);
	printf("%c %d %d\n", area[PAGE + 999], area[PAGE + 1000], area[2 * PAGE - 1]);
	struct stat status;
	area[PAGE + 1000] = 'T';
	msync(area, 2 * PAGE, MS_SYNC);
	fstat(fd, &status);
	printf("size %ld, byte behind it %c\n", (long)status.st_size, read_byte(fd, PAGE + 1000));
	char block[PAGE];
	printf("read %zd\n", pread(fd, block, PAGE, PAGE));
	area[PAGE + 1000] = 0;
	SHOW(pwrite(fd, "E", 1, PAGE + 2000));
	printf("between %d, written %c\n", area[PAGE + 1500], area[PAGE + 2000]);
}

CASE(holes)
{
	struct stat before, after;
	int fd = open("file", O_CREAT | O_RDWR, 0644);
	ftruncate(fd, 300l * PAGE);
	char *area = map_shared(fd, 300);
	int zero = 1;
	for (int i = 0; i < 300; i++) {
		zero &= area[i * PAGE + i] == 0;
	}
	fstat(fd, &before);
	printf("zero %d, blocks %d\n", zero, before.st_blocks > 0);
	area[17 * PAGE] = 'h';
	area[299 * PAGE] = 'i';
	pwrite(fd, "j", 1, 150 * PAGE);
	msync(area, 300 * PAGE, MS_SYNC);
	fsync(fd);
	fstat(fd, &after);
	printf("blocks %d, few %d\n", after.st_blocks > before.st_blocks, after.st_blocks < 100);
	printf("%c%c%c%d\n", read_byte(fd, 17 * PAGE), read_byte(fd, 299 * PAGE), area[150 * PAGE],
		area[18 * PAGE]);
}

/* A store through a mapping is a modification of the file. */
CASE(times)
{
	int fd = lettered_file("file", 2 * PAGE);
	char *area = map_shared(fd, 2);
	struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
	struct stat status;
	futimens(fd, old);
	fstat(fd, &status);
	printf("old %d\n", status.st_mtime == 1000000);
	area[5] = 'x';
	msync(area, 2 * PAGE, MS_SYNC);
	fstat(fd, &status);
	printf("new %d\n", status.st_mtime > 1000000);
	(void)*(volatile char *)(area + PAGE);
	futimens(fd, old);
	msync(area, 2 * PAGE, MS_SYNC);
	fstat(fd, &status);
	printf("nothing stored since %d\n", status.st_mtime == 1000000);
	area[6] = 'y';
	msync(area, 2 * PAGE, MS_SYNC);
	fstat(fd, &status);
	printf("again %d\n", status.st_mtime > 1000000);
}

CASE(rename_unlink_and_new)
{
	int fd = lettered_file("file", 3 * PAGE);
	char *area = map_shared(fd, 3);
	SHOW(rename("file", "other"));
	area[0] = 'R';
	int again = open("other", O_RDWR);
	bytes_of("renamed", again, 3);
	SHOW(unlink("other"));
	int fresh = lettered_file("other", PAGE);
	pwrite(fresh, "F", 1, 0);
	map_of("unlinked", area, 3);
	bytes_of("fresh", fresh, 3);
	area[PAGE] = 'U';
	SHOW(ftruncate(again, 5 * PAGE));
	bytes_of("still", fd, 6);
	close(fd);
	close(again);
	SHOW(msync(area, 3 * PAGE, MS_SYNC));
	map_of("mapping alone", area, 3);
	munmap(area, 3 * PAGE);
	bytes_of("fresh", fresh, 3);
}

/* Data copied between two mappings of one file, by system calls that read and write it meanwhile.
 */
CASE(onto_itself)
{
	int fd = lettered_file("file", 8 * PAGE);
	char *area = map_shared(fd, 8);
	SHOW(pread(fd, area + 4 * PAGE, 2 * PAGE, 0));
	SHOW(pwrite(fd, area + PAGE, PAGE, 7 * PAGE));
	map_of("now", area, 8);
	SHOW(pread(fd, area + 3 * PAGE + 50, PAGE, 2 * PAGE + 50));
	printf("%c%c%c\n", area[3 * PAGE + 49], area[3 * PAGE + 50], area[4 * PAGE + 49]);
	char *fresh = map_shared(fd, 8);
	SHOW(pwrite(fd, fresh, 8 * PAGE, 8 * PAGE));
	bytes_of("doubled", fd, 17);
	int ends[2];
	pipe(ends);
	SHOW(write(ends[1], fresh + 2 * PAGE, PAGE));
	SHOW(read(ends[0], fresh, PAGE));
	map_of("through a pipe", area, 2);
}
