/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copies ROUNDS: processes have the system copy to and from memory that it must fetch first
 * (absent, of a file, copy-on-write), and end in the middle of it: by SIGKILL of another process,
 * by exec and by exit of another thread. "ok" when no copy was wrong and each ended as it should.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 24, BYTES = PAGES * PAGE, HALF = BYTES / 2, KINDS = 6 };

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static const char *own_name;
static int file;      /* byte i is byte_at(i) */
static char *absent;  /* nothing is there yet */
static char *owned;   /* its pages are copy-on-write after a fork */
static char *of_file; /* the file, private: a store copies the page */
static volatile unsigned *copies;

static void fail(const char *what, int line)
{
	printf("line %d: %s: %s\n", line, what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static char byte_at(unsigned i)
{
	return (char)((i * 2654435761u) >> 13);
}

static int is_right(const char *memory, unsigned bytes, unsigned from)
{
	for (unsigned i = 0; i < bytes; i += 509) {
		if (memory[i] != byte_at(from + i)) {
			return 0;
		}
	}
	return 1;
}

static void by_pipe(void)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	for (unsigned at = 0; at < BYTES; at += HALF) {
		CHECK(write(fds[1], of_file + at, HALF) == HALF);
		CHECK(read(fds[0], absent + at, HALF) == HALF);
	}
	CHECK(is_right(absent, BYTES, 0));
	close(fds[0]);
	close(fds[1]);
}

/* Both have the pages as long as the child lives. */
static void into_copy_on_write(void)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		_exit(0);
	}
	CHECK(pread(file, owned, BYTES, 0) == BYTES && is_right(owned, BYTES, 0));
	CHECK(waitpid(child, NULL, 0) == child);
}

static void copy_one(unsigned kind)
{
	struct iovec both[2] = {{absent + HALF, HALF}, {owned, HALF}};
	char path[32];
	int fd;

	CHECK(madvise(absent, BYTES, MADV_DONTNEED) == 0);
	CHECK(madvise(of_file, BYTES, MADV_DONTNEED) == 0);
	switch (kind) {
	case 0:
		CHECK(pread(file, absent, BYTES, 0) == BYTES && is_right(absent, BYTES, 0));
		break;
	case 1:
		CHECK(preadv(file, both, 2, HALF / 2) == BYTES - HALF / 2);
		CHECK(is_right(absent + HALF, HALF, HALF / 2));
		break;
	case 2:
		CHECK(pread(file, of_file, HALF, HALF) == HALF && is_right(of_file, HALF, HALF));
		break;
	case 3:
		snprintf(path, sizeof(path), "copies.%d", (int)getpid() % 4);
		fd = open(path, O_CREAT | O_RDWR, 0600);
		CHECK(fd >= 0 && write(fd, of_file, BYTES) == BYTES);
		CHECK(pread(fd, owned, BYTES, 0) == BYTES && is_right(owned, BYTES, 0));
		close(fd);
		break;
	case 4:
		by_pipe();
		break;
	default:
		into_copy_on_write();
		break;
	}
}

static void *copy_forever(void *argument)
{
	for (unsigned i = 0;; i++) {
		copy_one(i % KINDS);
		*copies = i + 1;
	}
	return argument;
}

static void wait_for_copies(unsigned turns)
{
	while (*copies < 1) {
		sched_yield();
	}
	for (unsigned i = 0; i < turns; i++) {
		sched_yield();
	}
}

/* The process's own thread ends it while another one copies. */
static void end_by_thread(int by_exec, unsigned turns)
{
	char *const arguments[] = {(char *)(uintptr_t)own_name, NULL};
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, copy_forever, NULL) == 0);
	wait_for_copies(turns);
	if (by_exec) {
		execv(own_name, arguments);
		fail("execv", __LINE__);
	}
	_exit(0);
}

/* How: 0 by SIGKILL, 1 by exec, 2 by exit. */
static void run(int how, unsigned turns)
{
	int status;
	pid_t child;

	*copies = 0;
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		if (how != 0) {
			end_by_thread(how == 1, turns);
		}
		copy_forever(NULL);
	}
	if (how == 0) {
		while (*copies < 1) {
			CHECK(waitpid(child, &status, WNOHANG) == 0);
			sched_yield();
		}
		wait_for_copies(turns);
		CHECK(kill(child, SIGKILL) == 0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(how == 0 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL : status == 0);
}

static char *map(int flags, int fd)
{
	char *area = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);

	CHECK(area != MAP_FAILED);
	return area;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 0;

	own_name = argv[0];
	if (rounds == 0) {
		return 0; /* after execv() */
	}
	copies = (volatile unsigned *)map(MAP_SHARED | MAP_ANONYMOUS, -1);
	absent = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	owned = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	file = open("copies.file", O_CREAT | O_TRUNC | O_RDWR, 0600);
	CHECK(file >= 0);
	for (unsigned i = 0; i < BYTES; i++) {
		owned[i] = byte_at(i);
	}
	CHECK(write(file, owned, BYTES) == BYTES);
	of_file = map(MAP_PRIVATE, file);
	for (unsigned round = 0; round < rounds; round++) {
		for (int how = 0; how < 3; how++) {
			run(how, round * 7 % 41);
		}
	}
	printf("ok\n");
	return 0;
}
