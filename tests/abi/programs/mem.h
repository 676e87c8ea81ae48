/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of memory share: accesses that may fault, and the layout that /proc/self/maps
 * tells. */
#pragma once

#include "case.h"

#include <setjmp.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

/* The calls themselves: the C library's functions round addresses and refuse some arguments. */
__attribute__((unused)) static void *map_call(
	void *at, size_t bytes, int protection, int flags, int fd, long offset)
{
	return (void *)syscall(SYS_mmap, at, bytes, protection, flags, fd, offset);
}

__attribute__((unused)) static int unmap_call(void *at, size_t bytes)
{
	return (int)syscall(SYS_munmap, at, bytes);
}

__attribute__((unused)) static int protect_call(void *at, size_t bytes, int protection)
{
	return (int)syscall(SYS_mprotect, at, bytes, protection);
}

/* As sbrk(3). */
__attribute__((unused)) static void *move_break(long bytes)
{
	long now = syscall(SYS_brk, 0);
	return syscall(SYS_brk, now + bytes) == now + bytes ? (void *)now : (void *)-1;
}

#define mmap(...)     map_call(__VA_ARGS__)
#define munmap(...)   unmap_call(__VA_ARGS__)
#define mprotect(...) protect_call(__VA_ARGS__)
#define sbrk(BYTES)   move_break(BYTES)

static sigjmp_buf mem_resume;
static volatile int mem_code;
static char *volatile mem_address;

__attribute__((unused)) static void mem_handler(int signo, siginfo_t *info, void *context)
{
	mem_code = info->si_code;
	mem_address = info->si_addr;
	(void)context;
	siglongjmp(mem_resume, signo);
}

__attribute__((unused)) static void catch_faults(void)
{
	struct sigaction action = {.sa_sigaction = mem_handler, .sa_flags = SA_SIGINFO};
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* One letter for what came of an access: '.' fine, 'm' nothing mapped, 'a' not permitted, 'b'
 * nothing behind it (SIGBUS), 'x' another code, '?' the wrong address. */
__attribute__((unused)) static char access_result(char *at, int signo)
{
	if (signo == 0) {
		return '.';
	}
	if (mem_address != at) {
		return '?';
	}
	if (signo == SIGBUS) {
		return mem_code == BUS_ADRERR ? 'b' : 'x';
	}
	return mem_code == SEGV_MAPERR ? 'm' : mem_code == SEGV_ACCERR ? 'a' : 'x';
}

__attribute__((unused)) static char try_read(char *at)
{
	int signo = sigsetjmp(mem_resume, 1);
	if (signo == 0) {
		(void)*(volatile char *)at;
	}
	return access_result(at, signo);
}

__attribute__((unused)) static char try_write(char *at, char value)
{
	int signo = sigsetjmp(mem_resume, 1);
	if (signo == 0) {
		*(volatile char *)at = value;
	}
	return access_result(at, signo);
}

/* Writes what is there already, so that nothing changes. */
__attribute__((unused)) static char try_rewrite(char *at)
{
	char answer = try_read(at);
	return answer == '.' ? try_write(at, *(volatile char *)at) : answer;
}

/* A page in one letter: 'w' may be written, 'r' only read, else what a read gives. */
__attribute__((unused)) static char page_letter(char *at)
{
	char reading = try_read(at);
	if (reading != '.') {
		return reading;
	}
	return try_rewrite(at) == '.' ? 'w' : 'r';
}

/* All pages of a range, a letter each. */
__attribute__((unused)) static void picture(const char *what, char *base, int pages)
{
	printf("%s: ", what);
	for (int i = 0; i < pages; i++) {
		putchar(page_letter(base + (long)i * PAGE));
	}
	putchar('\n');
}

/* The whole of /proc/self/maps, read without taking memory, which would be a mapping itself. */
__attribute__((unused)) static char *read_maps(void)
{
	static char text[262144];
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t used = 0;
	ssize_t got;
	while (used + 1 < sizeof text &&
		(got = read(fd, text + used, sizeof text - 1 - used)) > 0) {
		used += (size_t)got;
	}
	close(fd);
	text[used] = 0;
	return text;
}

/* The protections of a range of pages by /proc/self/maps, neighbours of one kind as one: "0-3rw-p
 * 5-9r--s"; with how many mappings there are, where count is not NULL. */
__attribute__((unused)) static void layout_text(
	char *text, size_t size, char *base, int pages, int *count)
{
	char last_kind[8] = "";
	unsigned long start, end, from = (unsigned long)base,
				  to = from + (unsigned long)pages * PAGE;
	unsigned long last_end = 0, last_start = 0;
	size_t used = 0;
	int found = 0;
	text[0] = 0;
	for (char *line = read_maps(); line && *line;
		line = strchr(line, '\n'), line += line != NULL) {
		char kind[8];
		if (sscanf(line, "%lx-%lx %4s", &start, &end, kind) != 3 || end <= from ||
			start >= to) {
			continue;
		}
		found++;
		start = start < from ? from : start;
		end = end > to ? to : end;
		if (last_end == start && strcmp(kind, last_kind) == 0) {
			last_end = end;
			continue;
		}
		if (last_end) {
			used += (size_t)snprintf(text + used, size - used, "%lu-%lu%s ",
				(last_start - from) / PAGE, (last_end - from) / PAGE, last_kind);
		}
		memcpy(last_kind, kind, sizeof kind);
		last_start = start;
		last_end = end;
	}
	if (last_end) {
		snprintf(text + used, size - used, "%lu-%lu%s", (last_start - from) / PAGE,
			(last_end - from) / PAGE, last_kind);
	}
	if (count) {
		*count = found;
	}
}

__attribute__((unused)) static void layout(const char *what, char *base, int pages)
{
	char text[1024];
	layout_text(text, sizeof text, base, pages, NULL);
	printf("%s: %s\n", what, text);
}

__attribute__((unused)) static char *map_pages(size_t pages, int protection)
{
	return mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Address space of so many pages that nobody uses, with room around it: for mappings at fixed
 * places. */
__attribute__((unused)) static char *free_range(size_t pages)
{
	size_t room = 1024ul * PAGE;
	char *area = mmap(NULL, pages * PAGE + 2 * room, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED) {
		return NULL;
	}
	munmap(area, pages * PAGE + 2 * room);
	return area + room;
}

/* An mmap's outcome, without its address. */
__attribute__((unused)) static void *show_map(const char *what, void *result)
{
	printf("%s: %s\n", what, result == MAP_FAILED ? error_name(errno) : "ok");
	return result;
}

#define MAP(...) show_map(#__VA_ARGS__, mmap(__VA_ARGS__))

/* A file of so many bytes whose page i begins with the letter 'a' + i % 26 and is filled with it.
 */
__attribute__((unused)) static int lettered_file(const char *name, long bytes)
{
	int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0644);
	char block[PAGE];
	for (long at = 0; at < bytes; at += PAGE) {
		memset(block, (int)('a' + at / PAGE % 26), PAGE);
		write(fd, block, (size_t)(bytes - at < PAGE ? bytes - at : PAGE));
	}
	return fd;
}
