/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stores to holes of a file that is mapped shared, on a disk that becomes full: SIGBUS for those
 * that got no block, all others stay. "ok" when all was right.
 *   mapfull FILE OTHER    OTHER takes space on the same disk, until it is deleted
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 600 };

#define CHECK(condition)                                                                    \
	do {                                                                                \
		if (!(condition)) {                                                         \
			printf("line %d: %s: %s\n", __LINE__, #condition, strerror(errno)); \
			exit(1);                                                            \
		}                                                                           \
	} while (0)

static sigjmp_buf refused;
static volatile int code;
static void *volatile address;

static void on_bus(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	code = info->si_code;
	address = info->si_addr;
	siglongjmp(refused, 1);
}

static int store(volatile uint64_t *at, uint64_t value)
{
	if (sigsetjmp(refused, 1) != 0) {
		CHECK(code == BUS_ADRERR && address == (void *)(uintptr_t)at);
		return 0;
	}
	*at = value;
	return 1;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
	static char stored[PAGES];
	uint64_t *map, value;
	int fd, count = 0, again = 0;

	CHECK(argc == 3 && sigaction(SIGBUS, &action, NULL) == 0);
	fd = open(argv[1], O_CREAT | O_RDWR, 0644);
	CHECK(fd >= 0 && ftruncate(fd, PAGES * PAGE) == 0);
	map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	for (int i = 0; i < PAGES; i++) {
		stored[i] = (char)store(&map[i * PAGE / 8], 1000u + (unsigned)i);
		count += stored[i];
	}
	CHECK(count > 20 && count < PAGES && msync(map, PAGES * PAGE, MS_SYNC) == 0);
	for (int i = 0; i < PAGES; i++) {
		uint64_t wanted = stored[i] ? 1000u + (unsigned)i : 0;

		CHECK(map[i * PAGE / 8] == wanted);
		CHECK(pread(fd, &value, 8, i * PAGE) == 8 && value == wanted);
	}
	CHECK(unlink(argv[2]) == 0);
	for (int i = 0; i < PAGES; i++) {
		again += !stored[i] && store(&map[i * PAGE / 8], 7);
	}
	CHECK(again > 20 && fsync(fd) == 0);
	puts("ok");
	return 0;
}
