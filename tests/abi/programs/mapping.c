/* SPDX-License-Identifier: BSD-2-Clause */
/* mmap and munmap: flags, places, errors, and what is left of a mapping of which parts go (VM-17,
 * VM-19). */
#include "mem.h"

#include <sys/resource.h>

#define ANONYMOUS  (MAP_PRIVATE | MAP_ANONYMOUS)
#define READ_WRITE (PROT_READ | PROT_WRITE)

#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif

CASE(noreplace)
{
	char *area = free_range(16);
	int flags = ANONYMOUS | MAP_FIXED_NOREPLACE;
	SHOW((char *)mmap(area + 4 * PAGE, 4 * PAGE, READ_WRITE, flags, -1, 0) == area + 4 * PAGE);
	MAP(area, 5 * PAGE, READ_WRITE, flags, -1, 0);
	MAP(area + 7 * PAGE, 2 * PAGE, READ_WRITE, flags, -1, 0);
	MAP(area + 5 * PAGE, PAGE, READ_WRITE, flags, -1, 0);
	MAP(area, 16 * PAGE, READ_WRITE, flags, -1, 0);
	MAP(area + 1, PAGE, READ_WRITE, flags, -1, 0);
	SHOW((char *)mmap(area, 4 * PAGE, READ_WRITE, flags, -1, 0) == area);
	SHOW((char *)mmap(area + 8 * PAGE, 1, PROT_READ, flags, -1, 0) == area + 8 * PAGE);
	layout("now", area, 16);
	/* With MAP_FIXED as well it still replaces nothing. */
	MAP(area, PAGE, READ_WRITE, flags | MAP_FIXED, -1, 0);
	MAP((void *)(1ul << 47), PAGE, READ_WRITE, flags, -1, 0);
	MAP((void *)((1ul << 47) - PAGE), PAGE, READ_WRITE, flags, -1, 0);
}

CASE(shared_validate)
{
	int fd = lettered_file("file", 3 * PAGE);
	MAP(NULL, PAGE, READ_WRITE, MAP_SHARED_VALIDATE, fd, 0);
	MAP(NULL, PAGE, READ_WRITE, MAP_SHARED_VALIDATE | MAP_NORESERVE | MAP_POPULATE, fd, 0);
	MAP(NULL, PAGE, READ_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
	MAP(NULL, PAGE, READ_WRITE, MAP_SHARED_VALIDATE | (1 << 22), fd, 0);
	MAP(NULL, PAGE, READ_WRITE, MAP_SHARED | (1 << 22), fd, 0);
	MAP(NULL, PAGE, READ_WRITE, MAP_PRIVATE | (1 << 22), fd, 0);
	MAP(NULL, PAGE, READ_WRITE, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0);
	MAP(NULL, PAGE, READ_WRITE, 0, fd, 0);
	MAP(NULL, PAGE, READ_WRITE, 4, fd, 0);
	MAP(NULL, PAGE, READ_WRITE, MAP_ANONYMOUS, -1, 0);
}

CASE(hints)
{
	char *area = free_range(16);
	SHOW((char *)mmap(area, PAGE, PROT_READ, ANONYMOUS, -1, 0) == area);
	/* A hint inside a page means that page; one that is taken, another place. */
	SHOW((char *)mmap(area + 3 * PAGE + 17, PAGE, PROT_READ, ANONYMOUS, -1, 0) ==
		area + 3 * PAGE);
	char *other = mmap(area, PAGE, PROT_READ, ANONYMOUS, -1, 0);
	printf("elsewhere %d\n", other != MAP_FAILED && other != area);
	other = mmap(area + 2 * PAGE, 2 * PAGE, PROT_READ, ANONYMOUS, -1, 0);
	printf("does not fit, elsewhere %d\n", other != MAP_FAILED && other != area + 2 * PAGE);
	SHOW((char *)mmap(area + PAGE, 2 * PAGE, PROT_READ, ANONYMOUS, -1, 0) == area + PAGE);
	layout("now", area, 16);
	other = mmap((void *)(1ul << 47), PAGE, PROT_READ, ANONYMOUS, -1, 0);
	printf("beyond user space, elsewhere %d\n",
		other != MAP_FAILED && other < (char *)(1ul << 47));
	MAP(NULL, (1ul << 47) - PAGE, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1, 0);
	MAP(NULL, 1ul << 62, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1, 0);
}

CASE(fixed_over_several)
{
	catch_faults();
	char *area = map_pages(12, READ_WRITE);
	int fd = lettered_file("file", 4 * PAGE);
	for (int i = 0; i < 12; i++) {
		area[i * PAGE] = (char)('0' + i);
	}
	mprotect(area + 2 * PAGE, 2 * PAGE, PROT_READ);
	munmap(area + 5 * PAGE, PAGE);
	mmap(area + 7 * PAGE, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, PAGE);
	layout("before", area, 12);
	SHOW((char *)mmap(area + PAGE, 7 * PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0) ==
		area + PAGE);
	layout("after", area, 12);
	for (int i = 0; i < 12; i++) {
		putchar(area[i * PAGE] ? area[i * PAGE] : '_');
	}
	putchar('\n');
	MAP(area + 1, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
	/* What fails leaves all as it was. */
	MAP(area, PAGE, READ_WRITE, MAP_PRIVATE | MAP_FIXED, 99, 0);
	MAP(area, 0, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
	printf("still %c\n", area[0]);
}

static void show_resident(const char *what, char *area, int pages)
{
	unsigned char resident[64];
	printf("%s: ", what);
	if (mincore(area, (size_t)pages * PAGE, resident) != 0) {
		puts(error_name(errno));
		return;
	}
	for (int i = 0; i < pages; i++) {
		putchar('0' + (resident[i] & 1));
	}
	putchar('\n');
}

static long minor_faults(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

CASE(populate)
{
	char *lazy = map_pages(8, READ_WRITE);
	show_resident("lazy", lazy, 8);
	char *full = mmap(NULL, 8 * PAGE, READ_WRITE, ANONYMOUS | MAP_POPULATE, -1, 0);
	show_resident("populated", full, 8);
	long before = minor_faults();
	for (int i = 0; i < 8; i++) {
		full[i * PAGE] = 1;
	}
	printf("no faults %d\n", minor_faults() - before < 2);
	char *none = mmap(NULL, 8 * PAGE, PROT_NONE, ANONYMOUS | MAP_POPULATE, -1, 0);
	show_resident("none", none, 8);
	int fd = lettered_file("file", 3 * PAGE + 1);
	char *file = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	printf("file %c%c%c%c\n", file[0], file[PAGE], file[2 * PAGE], file[3 * PAGE]);
	char *copy = mmap(NULL, 4 * PAGE, READ_WRITE, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	copy[0] = 'X';
	printf("copy %c%c file %c\n", copy[0], copy[PAGE], file[0]);
	MAP(NULL, 4 * PAGE, READ_WRITE, ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	MAP(NULL, 4 * PAGE, READ_WRITE, ANONYMOUS | MAP_LOCKED, -1, 0);
	MAP(NULL, 4 * PAGE, READ_WRITE, ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE, -1, 0);
}

/* A mapping that grows downwards, as a stack does, and leaves a gap to what is below. */
CASE(grows_down)
{
	catch_faults();
	char *area = free_range(1024);
	char *stack = area + 1000 * PAGE;
	SHOW((char *)mmap(stack, 2 * PAGE, READ_WRITE, ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1,
		     0) == stack);
	printf("below %c\n", try_write(stack - 1, 1));
	printf("ten below %c\n", try_write(stack - 10 * PAGE, 2));
	printf("between %d %c\n", stack[-5 * PAGE], try_write(stack - 5 * PAGE, 3));
	layout("grown", area + 980 * PAGE, 30);
	mmap(area + 600 * PAGE, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
	printf("300 above another %c\n", try_write(area + 901 * PAGE, 1));
	printf("next to another %c\n", try_write(area + 601 * PAGE, 1));
	printf("200 above another %c\n", try_write(area + 800 * PAGE, 1));
	SHOW(munmap(area, 1024 * PAGE));
	printf("gone %c\n", try_read(stack));
}

CASE(files_and_modes)
{
	int fd = lettered_file("file", 2 * PAGE);
	int reading = open("file", O_RDONLY), writing = open("file", O_WRONLY),
	    path = open("file", O_PATH);
	int appending = open("file", O_RDWR | O_APPEND);
	char *shared = MAP(NULL, PAGE, PROT_READ, MAP_SHARED, reading, 0);
	SHOW(mprotect(shared, PAGE, READ_WRITE));
	SHOW(mprotect(shared, PAGE, PROT_NONE));
	SHOW(mprotect(shared, PAGE, PROT_READ | PROT_EXEC));
	char *private = MAP(NULL, PAGE, PROT_READ, MAP_PRIVATE, reading, 0);
	SHOW(mprotect(private, PAGE, READ_WRITE));
	MAP(NULL, PAGE, READ_WRITE, MAP_SHARED, reading, 0);
	MAP(NULL, PAGE, PROT_WRITE, MAP_SHARED, reading, 0);
	MAP(NULL, PAGE, PROT_WRITE, MAP_SHARED, writing, 0);
	MAP(NULL, PAGE, PROT_NONE, MAP_PRIVATE, writing, 0);
	MAP(NULL, PAGE, PROT_READ, MAP_PRIVATE, path, 0);
	MAP(NULL, PAGE, READ_WRITE, MAP_SHARED, appending, 0);
	MAP(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 64 * PAGE);
	MAP(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE / 2);
	MAP(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0x7ffffffffffff000);
	MAP(NULL, -1ul, PROT_READ, MAP_SHARED, fd, 0);
	MAP(NULL, 0, PROT_READ, MAP_SHARED, fd, 0);
	int null = open("/dev/null", O_RDWR), directory = open(".", O_RDONLY | O_DIRECTORY);
	MAP(NULL, PAGE, PROT_READ, MAP_PRIVATE, null, 0);
	MAP(NULL, PAGE, PROT_READ, MAP_PRIVATE, directory, 0);
	int zero = open("/dev/zero", O_RDWR);
	char *zeros = MAP(NULL, 2 * PAGE, READ_WRITE, MAP_PRIVATE, zero, 0);
	zeros[5] = 'z';
	printf("%c %d\n", zeros[5], zeros[PAGE]);
}

/* The mapping outlives the descriptor and the name. */
CASE(after_close_and_unlink)
{
	int fd = lettered_file("file", 40 * PAGE);
	char *shared = mmap(NULL, 40 * PAGE, READ_WRITE, MAP_SHARED, fd, 0);
	char *private = mmap(NULL, 40 * PAGE, READ_WRITE, MAP_PRIVATE, fd, 0);
	SHOW(unlink("file"));
	SHOW(close(fd));
	shared[3 * PAGE] = 'S';
	private[4 * PAGE] = 'P';
	printf("%c%c%c %c%c%c\n", shared[0], shared[3 * PAGE], shared[4 * PAGE], private[0],
		private[3 * PAGE], private[4 * PAGE]);
	SHOW(msync(shared, 40 * PAGE, MS_SYNC));
	printf("%c %c\n", shared[39 * PAGE], private[39 * PAGE]);
	SHOW(access("file", F_OK));
	munmap(shared, 40 * PAGE);
	printf("%c %c\n", private[3 * PAGE], private[38 * PAGE]);
}

enum { NINE = 9 };

/* Unmaps pages from..to of a fresh mapping of nine, and tells what is left. */
static void unmap_part(const char *kind, int flags, int fd, int from, int to)
{
	char *area = mmap(NULL, NINE * PAGE, READ_WRITE, flags, fd, 0);
	char left[NINE + 1] = "", text[256];
	if (area == MAP_FAILED) {
		printf("%s: %s\n", kind, error_name(errno));
		return;
	}
	for (int i = 0; i < NINE; i++) {
		area[i * PAGE + 1] = (char)('0' + i);
	}
	int result = munmap(area + from * PAGE, (size_t)(to - from) * PAGE);
	for (int i = 0; i < NINE; i++) {
		left[i] = try_read(area + i * PAGE) == '.' ? area[i * PAGE + 1] : '-';
	}
	layout_text(text, sizeof text, area, NINE, NULL);
	printf("%s %d-%d: %d %s %s\n", kind, from, to, result, left, text);
	munmap(area, NINE * PAGE);
}

static void unmap_everywhere(const char *kind, int flags, int fd)
{
	catch_faults();
	for (int from = 0; from < NINE; from++) {
		for (int to = from + 1; to <= NINE; to++) {
			unmap_part(kind, flags, fd, from, to);
		}
	}
}

CASE(unmap_anonymous)
{
	unmap_everywhere("anonymous", ANONYMOUS, -1);
}

CASE(unmap_shared)
{
	unmap_everywhere("shared", MAP_SHARED | MAP_ANONYMOUS, -1);
}

CASE(unmap_private_file)
{
	unmap_everywhere("private file", MAP_PRIVATE, lettered_file("file", NINE * PAGE));
}

CASE(unmap_shared_file)
{
	unmap_everywhere("shared file", MAP_SHARED, lettered_file("file", NINE * PAGE));
}

/* Ranges that cover several mappings, parts of them, and holes. */
CASE(unmap_across)
{
	catch_faults();
	char *area = free_range(40);
	for (int from = 0; from < 12; from += 1) {
		for (int i = 0; i < 6; i++) {
			char *place = area + i * 3 * PAGE;
			mmap(place, 2 * PAGE, i % 2 ? READ_WRITE : PROT_READ, ANONYMOUS | MAP_FIXED,
				-1, 0);
		}
		printf("%d ", munmap(area + from * PAGE, (size_t)(from % 5 + 4) * PAGE));
		layout("left", area, 18);
	}
	SHOW(munmap(area, 40 * PAGE));
	SHOW(munmap(area, 40 * PAGE));
	layout("nothing", area, 40);
	char *one = map_pages(2, READ_WRITE);
	SHOW(munmap(one, 1));
	printf("%c%c\n", try_read(one), try_read(one + PAGE));
	SHOW(munmap(one + PAGE + 8, PAGE));
	SHOW(munmap(one, 0));
	SHOW(munmap(one, -1ul));
	SHOW(munmap((void *)0xffff800000000000, PAGE));
}
