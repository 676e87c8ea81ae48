/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory: brk, mmap, munmap, mprotect, mremap, and what a fault does. */
#include "case.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { PAGE = 4096 };

static sigjmp_buf resume;

static void fault_handler(int signo)
{
	siglongjmp(resume, signo);
}

static void catch_faults(void)
{
	struct sigaction action = {.sa_handler = fault_handler};
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* Tells what a read and a write of a byte do. */
static void probe(const char *what, volatile char *at)
{
	int signo = sigsetjmp(resume, 1);
	if (signo == 0) {
		(void)*at;
		printf("%s: readable", what);
	} else {
		printf("%s: read gives signal %d", what, signo);
	}
	signo = sigsetjmp(resume, 1);
	if (signo == 0) {
		*at = 1;
		puts(", writable");
	} else {
		printf(", write gives signal %d\n", signo);
	}
}

static char *map(size_t pages, int protection)
{
	return mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

CASE(anonymous)
{
	catch_faults();
	char *area = map(10, PROT_READ | PROT_WRITE);
	int zero = 1;
	for (int i = 0; i < 10 * PAGE; i++) {
		zero &= area[i] == 0;
	}
	printf("zero %d aligned %d\n", zero, ((uintptr_t)area & (PAGE - 1)) == 0);
	memset(area, 'x', 10 * PAGE);
	SHOW(munmap(area + 3 * PAGE, 2 * PAGE));
	probe("before the hole", area + 3 * PAGE - 1);
	probe("hole", area + 3 * PAGE);
	probe("end of hole", area + 5 * PAGE - 1);
	probe("after the hole", area + 5 * PAGE);
	printf("kept %c %c\n", area[3 * PAGE - 2], area[5 * PAGE + 1]);
	SHOW(munmap(area, 10 * PAGE));
	probe("all gone", area);
	SHOW(munmap(area, 10 * PAGE));
	SHOW(munmap(area + 1, PAGE));
	SHOW(munmap(area, 0));
	SHOW(munmap((void *)(1ul << 47), PAGE));
}

CASE(protection)
{
	catch_faults();
	char *area = map(5, PROT_READ | PROT_WRITE);
	memset(area, 'y', 5 * PAGE);
	SHOW(mprotect(area + PAGE, PAGE, PROT_READ));
	SHOW(mprotect(area + 3 * PAGE, PAGE, PROT_NONE));
	probe("0", area);
	probe("1", area + PAGE);
	probe("2", area + 2 * PAGE);
	probe("3", area + 3 * PAGE);
	probe("4", area + 4 * PAGE);
	SHOW(mprotect(area, 5 * PAGE, PROT_READ | PROT_WRITE));
	printf("contents %c %c\n", area[PAGE], area[3 * PAGE]);
	probe("3 again", area + 3 * PAGE);
	SHOW(mprotect(area + 1, PAGE, PROT_READ));
	munmap(area + 2 * PAGE, PAGE);
	SHOW(mprotect(area, 5 * PAGE, PROT_READ));
	SHOW(mprotect(area, PAGE, 0x1000));
	char *none = map(1, PROT_NONE);
	probe("PROT_NONE", none);
}

CASE(no_execute)
{
	catch_faults();
	unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
	char *area = map(1, PROT_READ | PROT_WRITE);
	memcpy(area, code, sizeof code);
	int (*function)(void) = (int (*)(void))(uintptr_t)area;
	int signo = sigsetjmp(resume, 1);
	if (signo == 0) {
		printf("ran: %d\n", function());
	} else {
		printf("signal %d\n", signo);
	}
	SHOW(mprotect(area, PAGE, PROT_READ | PROT_EXEC));
	printf("ran: %d\n", function());
	signo = sigsetjmp(resume, 1);
	if (signo == 0) {
		((int (*)(void))(uintptr_t)code)();
		puts("the stack runs");
	} else {
		printf("stack: signal %d\n", signo);
	}
}

CASE(fixed)
{
	catch_faults();
	char *area = map(8, PROT_READ | PROT_WRITE);
	memset(area, 'a', 8 * PAGE);
	char *over = mmap(area + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	printf("at the place %d zero %d\n", over == area + 2 * PAGE, over[0] == 0);
	printf("around %c %c\n", area[2 * PAGE - 1], area[4 * PAGE]);
	errno = 0;
	over = mmap(
		area, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	printf("noreplace: %s\n", over == MAP_FAILED ? error_name(errno) : "mapped");
	munmap(area, 8 * PAGE);
	over = mmap(
		area, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	printf("noreplace: %d\n", over == area);
	over = mmap(area + 4 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("hint taken %d\n", over == area + 4 * PAGE);
}

static void show_map(const char *what, void *result)
{
	printf("%s: %s\n", what, result == MAP_FAILED ? error_name(errno) : "ok");
}

#define MAP(...) show_map(#__VA_ARGS__, mmap(__VA_ARGS__))

CASE(errors)
{
	int file = open("/etc/passwd", O_RDONLY);
	int writing = open("new", O_CREAT | O_WRONLY, 0644);
	int directory = open("/", O_RDONLY);
	int ends[2];
	pipe(ends);
	MAP(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MAP(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0);
	MAP(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0);
	MAP(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0);
	MAP(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 100);
	MAP(NULL, PAGE, PROT_READ, MAP_PRIVATE, writing, 0);
	MAP(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	MAP(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	MAP(NULL, PAGE, PROT_READ, MAP_PRIVATE, directory, 0);
	MAP(NULL, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0);
	MAP(NULL, 1ul << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MAP(NULL, -1ul, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MAP((void *)(1ul << 47), PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	MAP((void *)123, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	MAP((void *)0xffffffff80000000, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		-1, 0);
}

CASE(break_area)
{
	catch_faults();
	char *start = sbrk(0);
	long now = syscall(SYS_brk, 0);
	long up = syscall(SYS_brk, now + 100 * PAGE);
	printf("grown %ld pages\n", (up - now) / PAGE);
	char *area = (char *)now;
	int zero = 1;
	for (int i = 0; i < 100 * PAGE; i += 64) {
		zero &= area[i] == 0;
	}
	printf("zero %d\n", zero);
	memset(area, 'b', 100 * PAGE);
	printf("shrunk %ld\n", syscall(SYS_brk, now + 10 * PAGE) - now);
	probe("below", area + 9 * PAGE);
	probe("above", area + 11 * PAGE);
	syscall(SYS_brk, now + 20 * PAGE);
	printf("zero again %d\n", area[15 * PAGE] == 0);
	printf("refused %d\n", syscall(SYS_brk, 1ul << 62) == now + 20 * PAGE);
	printf("refused %d\n", syscall(SYS_brk, 4096) == now + 20 * PAGE);
	(void)start;
}

CASE(file_private)
{
	catch_faults();
	int fd = open("data", O_CREAT | O_RDWR, 0644);
	char block[PAGE];
	for (int i = 0; i < 5; i++) {
		memset(block, 'a' + i, PAGE);
		write(fd, block, i == 4 ? 100 : PAGE);
	}
	char *area = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	printf("%c%c%c%c%c\n", area[0], area[PAGE], area[2 * PAGE], area[3 * PAGE], area[4 * PAGE]);
	printf("past the end zero %d\n", area[4 * PAGE + 100] == 0 && area[5 * PAGE - 1] == 0);
	area[PAGE] = 'X';
	char byte = 0;
	pread(fd, &byte, 1, PAGE);
	printf("file keeps %c\n", byte);
	close(fd);
	unlink("data");
	printf("after unlink %c\n", area[3 * PAGE]);
	fd = open("/bin/busybox", O_RDONLY);
	char *part = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 5 * PAGE);
	pread(fd, block, PAGE, 6 * PAGE);
	printf("offset same %d\n", memcmp(part + PAGE, block, PAGE) == 0);
	struct stat status;
	fstat(fd, &status);
	char *whole = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	unsigned long sum = 0, read_sum = 0;
	for (long i = 0; i < status.st_size; i++) {
		sum = sum * 31 + (unsigned char)whole[i];
	}
	char big[65536];
	ssize_t got;
	while ((got = read(fd, big, sizeof big)) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			read_sum = read_sum * 31 + (unsigned char)big[i];
		}
	}
	printf("whole file same %d\n", sum == read_sum);
	fd = open("short", O_CREAT | O_RDWR, 0644);
	write(fd, "x", 1);
	area = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	probe("inside", area);
	probe("page past the end", area + PAGE);
}

CASE(file_mapping_and_fork)
{
	int fd = open("/etc/passwd", O_RDONLY);
	char *area = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		area[0] = 'C';
		printf("child %.5s\n", area);
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	printf("parent %.5s\n", area);
}

CASE(shared_anonymous)
{
	volatile int *shared =
		mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		printf("%s\n", error_name(errno));
		return;
	}
	shared[0] = 1;
	for (int i = 0; i < 5; i++) {
		pid_t child = fork();
		if (child == 0) {
			shared[0] += 10;
			shared[1024 + i] = i;
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
	printf("%d %d\n", shared[0], shared[1024 + 4]);
}

CASE(remap)
{
	catch_faults();
	char *area = map(4, PROT_READ | PROT_WRITE);
	for (int i = 0; i < 4; i++) {
		area[i * PAGE] = (char)('a' + i);
	}
	char *more = mremap(area, 4 * PAGE, 200 * PAGE, MREMAP_MAYMOVE);
	if (more == MAP_FAILED) {
		printf("%s\n", error_name(errno));
		return;
	}
	printf("%c%c%c%c zero %d\n", more[0], more[PAGE], more[2 * PAGE], more[3 * PAGE],
		more[150 * PAGE] == 0);
	char *less = mremap(more, 200 * PAGE, 2 * PAGE, 0);
	printf("same place %d\n", less == more);
	probe("cut", less + 2 * PAGE);
	errno = 0;
	show_map("grow a hole", mremap(less, 10 * PAGE, 20 * PAGE, MREMAP_MAYMOVE));
	show_map("no size", mremap(less, PAGE, 0, 0));
	show_map("odd address", mremap(less + 1, PAGE, PAGE, 0));
}

CASE(stack_growth)
{
	struct rlimit limit;
	getrlimit(RLIMIT_STACK, &limit);
	volatile char big[4 * 1024 * 1024];
	big[0] = 1;
	big[sizeof big - 1] = 2;
	for (size_t i = 0; i < sizeof big; i += PAGE) {
		big[i] = 3;
	}
	printf("%d\n", big[0] + big[sizeof big / 2]);
}

CASE(sparse_reservation)
{
	size_t size = 64ul << 30;
	char *area =
		mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED) {
		printf("%s\n", error_name(errno));
		return;
	}
	int good = 0;
	for (int i = 0; i < 32; i++) {
		char *place = area + (size_t)i * (2ul << 30);
		mprotect(place, PAGE, PROT_READ | PROT_WRITE);
		*place = (char)i;
	}
	for (int i = 0; i < 32; i++) {
		good += area[(size_t)i * (2ul << 30)] == i;
	}
	printf("good %d\n", good);
	SHOW(munmap(area, size));
}

CASE(many_mappings)
{
	enum { COUNT = 2000 };
	static char *areas[COUNT];
	int good = 0;
	for (int i = 0; i < COUNT; i++) {
		areas[i] = map(1 + i % 3, i % 2 ? PROT_READ | PROT_WRITE : PROT_READ);
		good += areas[i] != MAP_FAILED;
	}
	for (int i = 1; i < COUNT; i += 2) {
		areas[i][0] = (char)i;
	}
	for (int i = 0; i < COUNT; i += 2) {
		good += munmap(areas[i], (size_t)(1 + i % 3) * PAGE) == 0;
	}
	for (int i = 1; i < COUNT; i += 2) {
		good += areas[i][0] == (char)i;
	}
	printf("good %d\n", good);
}

CASE(dont_need)
{
	char *area = map(4, PROT_READ | PROT_WRITE);
	memset(area, 'd', 4 * PAGE);
	SHOW(madvise(area + PAGE, 2 * PAGE, MADV_DONTNEED));
	printf("%d %d %d %d\n", area[0], area[PAGE], area[2 * PAGE], area[3 * PAGE]);
	SHOW(madvise(area + 1, PAGE, MADV_DONTNEED));
	SHOW(madvise(area, PAGE, 9999));
	SHOW(madvise(area, PAGE, MADV_WILLNEED));
}

CASE(read_into_fresh_memory)
{
	int fd = open("/bin/busybox", O_RDONLY);
	char *area = map(64, PROT_READ | PROT_WRITE);
	SHOW(read(fd, area, 64 * PAGE));
	char *read_only = map(1, PROT_READ);
	SHOW(read(fd, read_only, 10));
	SHOW(read(fd, area + 63 * PAGE, PAGE));
	munmap(area + 2 * PAGE, 62 * PAGE);
	lseek(fd, 0, SEEK_SET);
	SHOW(read(fd, area + 3 * PAGE, 100));
	pid_t child = fork();
	if (child == 0) {
		lseek(fd, 0, SEEK_SET);
		_exit(read(fd, area, PAGE) == PAGE && memcmp(area, "\177ELF", 4) == 0);
	}
	int status;
	waitpid(child, &status, 0);
	show_status("into copy-on-write memory", status);
}

CASE(address_space_limit)
{
	struct rlimit limit = {64 << 20, 64 << 20};
	SHOW(setrlimit(RLIMIT_AS, &limit));
	show_map("too much", mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	show_map("little", mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	struct rlimit data = {1 << 20, 1 << 20};
	setrlimit(RLIMIT_DATA, &data);
	long now = syscall(SYS_brk, 0);
	printf("brk refused %d\n", syscall(SYS_brk, now + (8 << 20)) == now);
}
