/* SPDX-License-Identifier: BSD-2-Clause */
/* What each illegal access gives: signal, si_code, si_addr; and what a system call says of such
 * memory (VM-26, KRN-21). */
#include "mem.h"

#include <sys/resource.h>
#include <sys/uio.h>

#define ANONYMOUS  (MAP_PRIVATE | MAP_ANONYMOUS)
#define READ_WRITE (PROT_READ | PROT_WRITE)

static const char *code_name(int signo, int code)
{
	static char other[32];
	if (signo == SIGSEGV && code == SEGV_MAPERR) {
		return "SEGV_MAPERR";
	}
	if (signo == SIGSEGV && code == SEGV_ACCERR) {
		return "SEGV_ACCERR";
	}
	if (signo == SIGBUS && code == BUS_ADRERR) {
		return "BUS_ADRERR";
	}
	snprintf(other, sizeof other, "signal %d code %d", signo, code);
	return other;
}

enum how { READ, WRITE, EXECUTE, READ_EIGHT };

static void access_memory(const char *what, char *at, enum how how)
{
	static const char *const names[] = {"read", "write", "execute", "read of 8"};
	int signo = sigsetjmp(mem_resume, 1);
	if (signo == 0) {
		switch (how) {
		case READ:
			(void)*(volatile char *)at;
			break;
		case WRITE:
			*(volatile char *)at = 1;
			break;
		case EXECUTE:
			((void (*)(void))(uintptr_t)at)();
			break;
		case READ_EIGHT:
			(void)*(volatile uint64_t *)at;
			break;
		}
		printf("%s, %s: fine\n", what, names[how]);
		return;
	}
	printf("%s, %s: %s at %+ld\n", what, names[how], code_name(signo, mem_code),
		(long)(mem_address - at));
}

static void all_accesses(const char *what, char *at)
{
	access_memory(what, at, READ);
	access_memory(what, at, WRITE);
	access_memory(what, at, EXECUTE);
}

CASE(codes)
{
	catch_faults();
	char *area = free_range(16);
	int fd = lettered_file("file", PAGE + 10);
	mmap(area, PAGE, PROT_NONE, ANONYMOUS | MAP_FIXED, -1, 0);
	mmap(area + PAGE, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
	mmap(area + 2 * PAGE, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0);
	mmap(area + 4 * PAGE, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
	area[PAGE] = (char)0xc3;
	area[PAGE + 77] = (char)0xc3;
	all_accesses("none", area + 123);
	all_accesses("data", area + PAGE + 77);
	all_accesses("read-only", area + 2 * PAGE + 4095);
	all_accesses("hole", area + 3 * PAGE + 1);
	all_accesses("file", area + 4 * PAGE + 9);
	all_accesses("file's last page", area + 5 * PAGE + 4000);
	access_memory("past the file", area + 6 * PAGE + 5, READ);
	access_memory("past the file", area + 6 * PAGE + 5, WRITE);
	mprotect(area + 4 * PAGE, 4 * PAGE, READ_WRITE);
	access_memory("past the file, writable", area + 7 * PAGE + 6, READ);
	access_memory("past the file, writable", area + 7 * PAGE + 6, WRITE);
	mprotect(area + 4 * PAGE, 4 * PAGE, PROT_NONE);
	all_accesses("past the file, none", area + 7 * PAGE + 6);
	access_memory("across the end", area + 3 * PAGE - 4, READ_EIGHT);
	access_memory("across the beginning", area + PAGE - 4, READ_EIGHT);
	all_accesses("null", NULL);
	all_accesses("low", (char *)4095);
	all_accesses("top of user space", (char *)((1ul << 47) - PAGE));
	access_memory("kernel", (char *)0xffffffff80000000, READ);
	access_memory("kernel", (char *)0xffff888000000000, WRITE);
}

/* An address that is none at all gives no address. */
CASE(not_canonical)
{
	catch_faults();
	int signo = sigsetjmp(mem_resume, 1);
	if (signo == 0) {
		(void)*(volatile char *)0x8000000000000000;
	}
	printf("signal %d code %d address %d\n", signo, mem_code, mem_address != NULL);
}

/* The same ranges as buffers of system calls: EFAULT, no signal, and a short count where some was
 * done. */
CASE(system_calls)
{
	catch_faults();
	char *area = free_range(8);
	mmap(area, 4 * PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
	mprotect(area + PAGE, PAGE, PROT_READ);
	mprotect(area + 3 * PAGE, PAGE, PROT_NONE);
	int fd = lettered_file("file", 4 * PAGE), out = open("out", O_CREAT | O_RDWR, 0644),
	    ends[2];
	pipe(ends);
	SHOW(pread(fd, area + PAGE, 10, 0));
	SHOW(pread(fd, area + 3 * PAGE, 10, 0));
	SHOW(pread(fd, area + 4 * PAGE, 10, 0));
	SHOW(pread(fd, area + PAGE - 100, 200, 0) > 0);
	SHOW(pwrite(out, area + PAGE, 10, 0));
	SHOW(pwrite(out, area + 3 * PAGE, 10, 0));
	SHOW(pwrite(out, area + 4 * PAGE + 7, 10, 0));
	SHOW(write(ends[1], area + 3 * PAGE, 1));
	SHOW(pipe((int *)(area + PAGE)));
	SHOW(pipe((int *)(area + PAGE - 4)));
	SHOW(syscall(SYS_fstat, fd, area + 3 * PAGE));
	SHOW(open(area + 3 * PAGE, O_RDONLY));
	memset(area + 2 * PAGE, 'n', PAGE);
	SHOW(open(area + 3 * PAGE - 8, O_RDONLY));
	SHOW(getcwd(area + PAGE, 100) == NULL);
	struct iovec parts[] = {{area, 10}, {area + 3 * PAGE, 10}, {area + 2 * PAGE, 10}};
	SHOW(preadv(fd, parts, 3, 0));
	SHOW(readv(fd, (struct iovec *)(area + 4 * PAGE), 1));
	SHOW(pread(fd, (void *)0xffffffff80000000, 10, 0));
	SHOW(pread(fd, (void *)0x8000000000000000, 10, 0));
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, area + 3 * PAGE, NULL, 8));
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, NULL, area + PAGE, 8));
}

/* A buffer that is a mapping past the end of its file, and one that must be read from a file first.
 */
CASE(system_calls_on_mappings)
{
	int fd = lettered_file("file", 3 * PAGE), out = open("out", O_CREAT | O_RDWR, 0644);
	char *area = mmap(NULL, 6 * PAGE, READ_WRITE, MAP_PRIVATE, fd, 0);
	SHOW(pwrite(out, area + 4 * PAGE, 10, 0));
	SHOW(pread(fd, area + 4 * PAGE, 10, 0));
	SHOW(pwrite(out, area, 3 * PAGE, 0));
	/* The file read into a mapping of itself, and written from one. */
	SHOW(pread(fd, area + 2 * PAGE, PAGE, 0));
	SHOW(pwrite(fd, area + PAGE, PAGE, 2 * PAGE));
	printf("%c%c%c ", area[0], area[PAGE], area[2 * PAGE]);
	char now[3] = "";
	for (int i = 0; i < 3; i++) {
		pread(fd, now + i, 1, i * PAGE);
	}
	printf("file %.3s\n", now);
	char *fresh = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	SHOW(pwrite(fd, fresh, 3 * PAGE, 3 * PAGE));
	SHOW(pread(fd, now, 1, 5 * PAGE));
	printf("%c\n", now[0]);
}

static volatile uintptr_t lowest;

__attribute__((noinline)) static void use_stack(long bytes)
{
	volatile char frame[PAGE];
	frame[0] = 1;
	frame[PAGE - 1] = 2;
	lowest = (uintptr_t)frame;
	if (bytes > 0) {
		use_stack(bytes - PAGE);
	}
	frame[0] = 3;
}

static void show_growth(void)
{
	use_stack(2 << 20);
	unsigned long start = 0, end = 0;
	char *line = strstr(read_maps(), "[stack]");
	while (line && line[-1] != '\n') {
		line--;
	}
	if (line && sscanf(line, "%lx-%lx", &start, &end) == 2) {
		printf("covers what was used %d, no more than needed %d\n", start <= lowest,
			end - start < (8 << 20));
	}
}

CASE(stack)
{
	in_child("growth", show_growth);
}

/* A mapping close below a stack stops its growth a megabyte above it, not at it. */
static void grow_towards_mapping(void)
{
	static char alternate[65536];
	stack_t other = {.ss_sp = alternate, .ss_size = sizeof alternate};
	struct sigaction action = {
		.sa_sigaction = mem_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	char here;
	char *block = (char *)(((uintptr_t)&here & ~(PAGE - 1ul)) - 1000 * PAGE);
	sigaltstack(&other, NULL);
	sigaction(SIGSEGV, &action, NULL);
	SHOW((char *)mmap(block, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
		block);
	int signo = sigsetjmp(mem_resume, 1);
	if (signo == 0) {
		use_stack(2000 * PAGE);
		puts("no end");
		return;
	}
	long gap = (mem_address - block) / PAGE;
	printf("%s, gap about a megabyte %d\n", code_name(signo, mem_code), gap > 250 && gap < 262);
	printf("untouched %d\n", block[0]);
}

CASE(stack_guard)
{
	in_child("guard", grow_towards_mapping);
}
