/* SPDX-License-Identifier: BSD-2-Clause */
/* mremap, msync, madvise, mincore and the mlock family. */
#include "mem.h"

#include <sys/resource.h>

#define ANONYMOUS  (MAP_PRIVATE | MAP_ANONYMOUS)
#define READ_WRITE (PROT_READ | PROT_WRITE)

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define REMAP(...) show_map(#__VA_ARGS__, (void *)syscall(SYS_mremap, __VA_ARGS__))

static void letters(char *area, int pages)
{
	for (int i = 0; i < pages; i++) {
		area[i * PAGE] = (char)('a' + i);
	}
}

static void show_letters(const char *what, char *area, int pages)
{
	printf("%s: ", what);
	for (int i = 0; i < pages; i++) {
		char *at = area + i * PAGE;
		char answer = try_read(at);
		putchar(answer != '.' ? '!' : *at ? *at : '_');
	}
	putchar('\n');
}

static char *place_pages(char *at, int pages, int flags)
{
	return mmap(at, pages * PAGE, READ_WRITE, flags | MAP_FIXED, -1, 0);
}

CASE(grow_and_shrink)
{
	catch_faults();
	char *area = free_range(64);
	place_pages(area, 4, ANONYMOUS);
	letters(area, 4);
	SHOW(mremap(area, 4 * PAGE, 8 * PAGE, 0) == area);
	show_letters("in place", area, 9);
	place_pages(area + 10 * PAGE, 1, ANONYMOUS);
	REMAP(area, 8 * PAGE, 12 * PAGE, 0);
	char *moved = REMAP(area, 8 * PAGE, 12 * PAGE, MREMAP_MAYMOVE);
	printf("moved %d\n", moved != area);
	show_letters("old", area, 11);
	show_letters("new", moved, 12);
	SHOW(mremap(moved, 12 * PAGE, 3 * PAGE, 0) == moved);
	show_letters("shrunk", moved, 5);
	SHOW(mremap(moved, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE) == moved);
	SHOW(mremap(moved, 3 * PAGE - 5, 2 * PAGE + 1, 0) == moved);
}

CASE(remap_fixed)
{
	catch_faults();
	char *area = free_range(64);
	place_pages(area, 4, ANONYMOUS);
	letters(area, 4);
	place_pages(area + 20 * PAGE, 10, ANONYMOUS);
	memset(area + 20 * PAGE, 'z', 10 * PAGE);
	int both = MREMAP_MAYMOVE | MREMAP_FIXED;
	SHOW(mremap(area, 4 * PAGE, 4 * PAGE, both, area + 22 * PAGE) == area + 22 * PAGE);
	show_letters("old", area, 4);
	show_letters("over others", area + 20 * PAGE, 10);
	/* The part in the middle only, and larger than it was. */
	SHOW(mremap(area + 23 * PAGE, 2 * PAGE, 5 * PAGE, both, area + 40 * PAGE) ==
		area + 40 * PAGE);
	show_letters("left", area + 20 * PAGE, 10);
	show_letters("part", area + 40 * PAGE, 6);
	SHOW(mremap(area + 40 * PAGE, 5 * PAGE, 1 * PAGE, both, area + 50 * PAGE) ==
		area + 50 * PAGE);
	show_letters("smaller", area + 40 * PAGE, 12);
	REMAP(area + 50 * PAGE, PAGE, PAGE, MREMAP_FIXED, area);
	REMAP(area + 20 * PAGE, 2 * PAGE, 2 * PAGE, both, area + 21 * PAGE);
	REMAP(area + 20 * PAGE, 2 * PAGE, 2 * PAGE, both, area + 30 * PAGE + 1);
	REMAP(area + 20 * PAGE, 2 * PAGE, 2 * PAGE, both, 1ul << 47);
	show_letters("after errors", area + 20 * PAGE, 3);
}

CASE(remap_errors)
{
	char *area = map_pages(4, READ_WRITE);
	REMAP(area + 1, PAGE, PAGE, 0);
	REMAP(area, PAGE, 0, 0);
	REMAP(area, PAGE, PAGE, 64);
	REMAP(area, PAGE, -1ul, MREMAP_MAYMOVE);
	REMAP(area, 0, PAGE, MREMAP_MAYMOVE);
	munmap(area + 2 * PAGE, PAGE);
	REMAP(area + 2 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	REMAP(area + PAGE, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	REMAP(area, 4 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
}

CASE(remap_other_kinds)
{
	catch_faults();
	int fd = lettered_file("file", 6 * PAGE);
	char *file = mmap(NULL, 4 * PAGE, READ_WRITE, MAP_PRIVATE, fd, PAGE);
	file[PAGE] = 'X';
	file = mremap(file, 4 * PAGE, 40 * PAGE, MREMAP_MAYMOVE);
	show_letters("private file", file, 5);
	printf("past its end %c\n", try_read(file + 5 * PAGE));
	char *shared = mmap(NULL, 4 * PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	letters(shared, 4);
	/* An old size of none: the same memory a second time. */
	char *twice = mremap(shared, 0, 4 * PAGE, MREMAP_MAYMOVE);
	if (twice == MAP_FAILED) {
		puts(error_name(errno));
		return;
	}
	twice[PAGE] = 'S';
	show_letters("shared", shared, 4);
	char *moved =
		mremap(shared, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, free_range(4));
	moved[0] = 'M';
	show_letters("still shared", twice, 4);
	char *area = map_pages(3, READ_WRITE);
	letters(area, 3);
	char *kept = mremap(area, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	show_letters("not unmapped", area, 3);
	show_letters("there", kept, 3);
}

CASE(remap_and_fork)
{
	char *area = map_pages(4, READ_WRITE);
	letters(area, 4);
	fflush(stdout);
	if (fork() == 0) {
		char *moved = mremap(
			area, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, free_range(8));
		moved[PAGE] = 'C';
		show_letters("child", moved, 8);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	show_letters("parent", area, 4);
}

CASE(advise)
{
	catch_faults();
	char *area = map_pages(6, READ_WRITE);
	letters(area, 6);
	SHOW(madvise(area + PAGE, 2 * PAGE, MADV_DONTNEED));
	show_letters("anonymous", area, 6);
	char *shared = mmap(NULL, 3 * PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	letters(shared, 3);
	SHOW(madvise(shared, 3 * PAGE, MADV_DONTNEED));
	show_letters("shared stays", shared, 3);
	int fd = lettered_file("file", 3 * PAGE);
	char *file = mmap(NULL, 3 * PAGE, READ_WRITE, MAP_PRIVATE, fd, 0);
	file[0] = 'X';
	SHOW(madvise(file, 3 * PAGE, MADV_DONTNEED));
	show_letters("the file again", file, 3);
	int hints[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT};
	for (int i = 0; i < 6; i++) {
		printf("hint %d: %s\n", hints[i],
			error_name(madvise(file, 3 * PAGE, hints[i]) ? errno : 0));
	}
	show_letters("unchanged", file, 3);
	char *freed = map_pages(2, READ_WRITE);
	memset(freed, 'f', 2 * PAGE);
	SHOW(madvise(freed, PAGE, MADV_FREE));
	freed[0] = 'g';
	printf("freed and written %c, beside %c\n", freed[0], freed[PAGE]);
	SHOW(madvise(area + 1, PAGE, MADV_DONTNEED));
	SHOW(madvise(area, 0, MADV_DONTNEED));
	SHOW(madvise(area, PAGE, 12345));
	munmap(area + 4 * PAGE, PAGE);
	SHOW(madvise(area + 3 * PAGE, 3 * PAGE, MADV_DONTNEED));
	show_letters("around a hole", area, 6);
	SHOW(madvise(area + 3 * PAGE, 3 * PAGE, MADV_WILLNEED));
	SHOW(madvise(area, -1ul & ~(PAGE - 1ul), MADV_NORMAL));
}

CASE(advise_fork)
{
	catch_faults();
	char *area = map_pages(4, READ_WRITE);
	letters(area, 4);
	SHOW(madvise(area, PAGE, MADV_DONTFORK));
	SHOW(madvise(area + 2 * PAGE, PAGE, MADV_WIPEONFORK));
	fflush(stdout);
	if (fork() == 0) {
		show_letters("child", area, 4);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	show_letters("parent", area, 4);
	SHOW(madvise(area, 4 * PAGE, MADV_DOFORK));
	SHOW(madvise(area, 4 * PAGE, MADV_KEEPONFORK));
	if (fork() == 0) {
		show_letters("second child", area, 4);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

CASE(in_core)
{
	unsigned char resident[8] = {0};
	char *area = map_pages(8, READ_WRITE);
	area[PAGE] = area[5 * PAGE] = 1;
	SHOW(mincore(area, 8 * PAGE, resident));
	printf("%d%d\n", resident[1] & 1, resident[5] & 1);
	SHOW(mincore(area + 1, PAGE, resident));
	SHOW(mincore(area, 0, resident));
	SHOW(mincore(area, PAGE, (unsigned char *)8));
	munmap(area + 3 * PAGE, PAGE);
	SHOW(mincore(area, 8 * PAGE, resident));
	SHOW(mincore(area, 3 * PAGE, resident));
	SHOW(mincore((void *)0xffff800000000000, PAGE, resident));
}

CASE(sync_errors)
{
	int fd = lettered_file("file", 4 * PAGE);
	char *area = mmap(NULL, 4 * PAGE, READ_WRITE, MAP_SHARED, fd, 0);
	SHOW(msync(area, 4 * PAGE, MS_SYNC));
	SHOW(msync(area, 4 * PAGE, MS_ASYNC));
	SHOW(msync(area, 4 * PAGE, MS_INVALIDATE));
	SHOW(msync(area, 1, MS_SYNC | MS_INVALIDATE));
	SHOW(msync(area, PAGE, MS_SYNC | MS_ASYNC));
	SHOW(msync(area, PAGE, 64));
	SHOW(msync(area, 0, MS_SYNC));
	SHOW(msync(area + 1, PAGE, MS_SYNC));
	munmap(area + 2 * PAGE, PAGE);
	SHOW(msync(area, 4 * PAGE, MS_SYNC));
	SHOW(msync(area + 2 * PAGE, PAGE, MS_SYNC));
	char *private = map_pages(2, READ_WRITE);
	SHOW(msync(private, 2 * PAGE, MS_SYNC));
}

/* The kilobytes that /proc/self/status says are locked. */
static long locked_kib(void)
{
	char text[4096] = "";
	int fd = open("/proc/self/status", O_RDONLY);
	read(fd, text, sizeof text - 1);
	close(fd);
	char *line = strstr(text, "VmLck:");
	return line ? strtol(line + 6, NULL, 10) : -1;
}

CASE(lock)
{
	unsigned char resident[8];
	char *area = map_pages(8, READ_WRITE);
	SHOW(mlock(area, 4 * PAGE));
	mincore(area, 8 * PAGE, resident);
	printf("present %d%d%d%d%d\n", resident[0] & 1, resident[1] & 1, resident[2] & 1,
		resident[3] & 1, resident[4] & 1);
	printf("locked %ld\n", locked_kib());
	SHOW(mlock(area + 2 * PAGE + 5, PAGE));
	printf("locked %ld\n", locked_kib());
	SHOW(munlock(area + PAGE, PAGE));
	printf("locked %ld\n", locked_kib());
	SHOW(msync(area, PAGE, MS_INVALIDATE));
	munmap(area, PAGE);
	printf("locked %ld\n", locked_kib());
	SHOW(mlock(area, 2 * PAGE));
	SHOW(munlock(area, 2 * PAGE));
	SHOW(munlock(area + PAGE, 7 * PAGE));
	printf("locked %ld\n", locked_kib());
	SHOW(syscall(SYS_mlock2, area + PAGE, PAGE, MLOCK_ONFAULT));
	SHOW(syscall(SYS_mlock2, area + PAGE, PAGE, 16));
	SHOW(mlockall(0));
	SHOW(mlockall(MCL_CURRENT | MCL_FUTURE));
	area = map_pages(2, READ_WRITE);
	mincore(area, 2 * PAGE, resident);
	printf("future %d%d\n", resident[0] & 1, resident[1] & 1);
	fflush(stdout);
	if (fork() == 0) {
		printf("child locked %ld\n", locked_kib());
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	SHOW(munlockall());
	printf("locked %ld\n", locked_kib());
}

static void lock_as_user(void)
{
	struct rlimit limit = {16 * PAGE, 16 * PAGE};
	setrlimit(RLIMIT_MEMLOCK, &limit);
	SHOW(setuid(1000));
	char *area = map_pages(32, READ_WRITE);
	SHOW(mlock(area, 17 * PAGE));
	SHOW(mlock(area, 16 * PAGE));
	SHOW(mlock(area + 4 * PAGE, 12 * PAGE));
	SHOW(mlock(area + 20 * PAGE, PAGE));
	MAP(NULL, PAGE, READ_WRITE, ANONYMOUS | MAP_LOCKED, -1, 0);
	SHOW(munlock(area, PAGE));
	SHOW(mlock(area + 20 * PAGE, PAGE));
	SHOW(mlockall(MCL_CURRENT));
	limit.rlim_cur = 0;
	setrlimit(RLIMIT_MEMLOCK, &limit);
	SHOW(mlock(area, PAGE));
}

CASE(lock_limit)
{
	in_child("user", lock_as_user);
}
