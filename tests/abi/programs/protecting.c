/* SPDX-License-Identifier: BSD-2-Clause */
/* mprotect, brk and the limits of an address space (VM-19, VM-20). */
#include "mem.h"

#include <sys/resource.h>

#define READ_WRITE (PROT_READ | PROT_WRITE)

CASE(split_and_merge)
{
	catch_faults();
	char *area = free_range(9);
	mmap(area, 9 * PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	char text[256];
	int count;
	for (int from = 0; from < 9; from += 2) {
		for (int to = from + 1; to <= 9; to += 3) {
			mprotect(area + from * PAGE, (size_t)(to - from) * PAGE, PROT_READ);
			layout_text(text, sizeof text, area, 9, &count);
			printf("%d-%d: %s, %d\n", from, to, text, count);
			mprotect(area, 9 * PAGE, READ_WRITE);
			layout_text(text, sizeof text, area, 9, &count);
			printf("back: %s, %d\n", text, count);
		}
	}
	for (int i = 0; i < 9; i++) {
		area[i * PAGE] = (char)('0' + i);
	}
	mprotect(area + 3 * PAGE, 3 * PAGE, PROT_NONE);
	mprotect(area + 4 * PAGE, PAGE, PROT_READ);
	mprotect(area + 8 * PAGE, PAGE, PROT_READ | PROT_EXEC);
	layout("mixed", area, 9);
	picture("mixed", area, 9);
	mprotect(area, 9 * PAGE, READ_WRITE);
	for (int i = 0; i < 9; i++) {
		putchar(area[i * PAGE]);
	}
	putchar('\n');
}

CASE(protect_errors)
{
	catch_faults();
	char *area = map_pages(6, READ_WRITE);
	SHOW(mprotect(area + 1, PAGE, PROT_READ));
	SHOW(mprotect(area, 0, PROT_READ));
	SHOW(mprotect(area, PAGE, 0x1000));
	SHOW(mprotect(area, PAGE, PROT_GROWSDOWN | PROT_GROWSUP | PROT_READ));
	SHOW(mprotect(area, -1ul & ~(PAGE - 1ul), PROT_READ));
	picture("after errors", area, 6);
	/* A hole ends it, but what lies before has changed. */
	munmap(area + 3 * PAGE, PAGE);
	SHOW(mprotect(area, 6 * PAGE, PROT_READ));
	picture("before the hole", area, 6);
	SHOW(mprotect(area + 3 * PAGE, PAGE, PROT_READ));
	SHOW(mprotect(area + 4 * PAGE, 1, PROT_READ));
	picture("one byte", area, 6);
	SHOW(mprotect((void *)0xffff800000000000, PAGE, PROT_READ));
}

/* Protection and copy-on-write: a page that is read-only in between stays the process's own. */
CASE(protect_and_fork)
{
	catch_faults();
	char *area = map_pages(3, READ_WRITE);
	memset(area, 'p', 3 * PAGE);
	mprotect(area, PAGE, PROT_READ);
	fflush(stdout);
	if (fork() == 0) {
		picture("child", area, 3);
		mprotect(area, PAGE, READ_WRITE);
		memset(area, 'c', 3 * PAGE);
		mprotect(area + PAGE, PAGE, PROT_NONE);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	picture("parent", area, 3);
	printf("%c%c%c\n", area[0], area[PAGE], area[2 * PAGE]);
	mprotect(area, 3 * PAGE, PROT_NONE);
	if (fork() == 0) {
		mprotect(area, 3 * PAGE, READ_WRITE);
		printf("child %c\n", area[5]);
		area[5] = 'C';
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	mprotect(area, 3 * PAGE, READ_WRITE);
	printf("parent %c\n", area[5]);
}

CASE(break_moves)
{
	catch_faults();
	char *now = (char *)syscall(SYS_brk, 0);
	char *start = (char *)(((uintptr_t)now + PAGE - 1) & ~(PAGE - 1ul));
	for (int i = 1; i <= 64; i *= 2) {
		char *end = (char *)syscall(SYS_brk, start + i * PAGE);
		printf("%d ", end == start + i * PAGE);
		memset(start, i, (size_t)i * PAGE);
	}
	printf("\ninside a page %d\n",
		(char *)syscall(SYS_brk, start + 64 * PAGE + 100) == start + 64 * PAGE + 100);
	printf("its page %c, next %c\n", try_write(start + 64 * PAGE + PAGE - 1, 1),
		try_write(start + 65 * PAGE, 1));
	syscall(SYS_brk, start + 2 * PAGE);
	picture("shrunk", start, 4);
	syscall(SYS_brk, start + 4 * PAGE);
	printf("grown again %d %d\n", start[PAGE], start[2 * PAGE]);
	/* Not into what lies in the way. */
	char *block = start + 100 * PAGE;
	printf("in the way %d\n",
		mmap(block, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			0) == block);
	printf("refused %d\n", (char *)syscall(SYS_brk, start + 120 * PAGE) == start + 4 * PAGE);
	munmap(block, PAGE);
	printf("granted %d\n", (char *)syscall(SYS_brk, start + 120 * PAGE) == start + 120 * PAGE);
	/* A piece taken out or protected in the middle of the heap. */
	munmap(start + 10 * PAGE, PAGE);
	mprotect(start + 20 * PAGE, PAGE, PROT_READ);
	picture("heap", start + 8 * PAGE, 16);
	printf("beyond it %d\n",
		(char *)syscall(SYS_brk, start + 130 * PAGE) == start + 130 * PAGE);
	printf("all back %d\n", (char *)syscall(SYS_brk, start) == start);
	picture("empty", start, 2);
}

CASE(break_and_fork)
{
	char *now = sbrk(4 * PAGE);
	memset(now, 'h', 4 * PAGE);
	fflush(stdout);
	if (fork() == 0) {
		char *more = sbrk(4 * PAGE);
		printf("child goes on at the end %d\n", more == now + 4 * PAGE);
		memset(now, 'c', 8 * PAGE);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	printf("parent %c, its break unmoved %d\n", now[0], sbrk(0) == now + 4 * PAGE);
}

static void set_limit(int which, unsigned long bytes)
{
	struct rlimit limit = {bytes, RLIM_INFINITY};
	setrlimit(which, &limit);
}

CASE(limit_of_address_space)
{
	set_limit(RLIMIT_AS, 64 << 20);
	MAP(NULL, 128 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *area = MAP(NULL, 32 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MAP(NULL, 48 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MAP(area, 32 << 20, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	show_map("grow", mremap(area, 32 << 20, 80 << 20, MREMAP_MAYMOVE));
	char *now = sbrk(0);
	printf("brk refused %d\n", sbrk(64 << 20) == (void *)-1 && sbrk(0) == now);
	munmap(area, 32 << 20);
	MAP(NULL, 48 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fflush(stdout);
	if (fork() == 0) {
		MAP(NULL, 48 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	set_limit(RLIMIT_AS, RLIM_INFINITY);
	MAP(NULL, 128 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* RLIMIT_DATA counts private memory that can be written, by whatever call it comes. */
CASE(limit_of_data)
{
	set_limit(RLIMIT_DATA, 8 << 20);
	MAP(NULL, 16 << 20, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MAP(NULL, 16 << 20, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *area = MAP(NULL, 16 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SHOW(mprotect(area, 16 << 20, READ_WRITE));
	SHOW(mprotect(area, 4 << 20, READ_WRITE));
	SHOW(mprotect(area + (4 << 20), 6 << 20, READ_WRITE));
	SHOW(mprotect(area, 4 << 20, PROT_READ));
	MAP(NULL, 4 << 20, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *now = sbrk(0);
	printf("brk refused %d\n", sbrk(12 << 20) == (void *)-1 && sbrk(0) == now);
	printf("brk granted %d\n", sbrk(1 << 20) == now);
}

static long depth;

__attribute__((noinline)) static int descend(volatile char *above, long bytes)
{
	volatile char frame[4096];
	frame[0] = above ? (char)(above[0] + 1) : 0;
	depth += (long)sizeof frame;
	return depth >= bytes ? frame[0] : descend(frame, bytes) + frame[0];
}

static void deep_in_limit(void)
{
	descend(NULL, 900 << 10);
	puts("900 KiB are fine");
}

static void deep_beyond_limit(void)
{
	descend(NULL, 4 << 20);
	puts("4 MiB are fine");
}

/* Faults far below the stack pointer are no growth beyond the limit. */
static void jump_below(void)
{
	catch_faults();
	char here;
	char alternate[32768];
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
	sigaltstack(&stack, NULL);
	printf("64 KiB below %c\n", try_read(&here - 65536 - (long)sizeof alternate));
	printf("6 MiB below %c\n", try_read(&here - (6 << 20)));
}

CASE(limit_of_stack)
{
	set_limit(RLIMIT_STACK, 1 << 20);
	in_child("within", deep_in_limit);
	in_child("beyond", deep_beyond_limit);
	in_child("far below", jump_below);
	set_limit(RLIMIT_STACK, 16 << 20);
	in_child("beyond, with more", deep_beyond_limit);
}
