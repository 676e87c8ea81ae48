/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * waits COMMAND...: runs the command while processes wait in VFS in all ways there are. Each way
 * must come out as if nothing had happened: no call fails, is cut short or takes its time twice, no
 * byte is wrong. Prints "ok" and how often.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_MS = 150, PIECE = 100000, WAYS = 9 };

struct shared {
	int stop;
	unsigned done[WAYS];
};

static struct shared *shared;
static const char *way;

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *what, int line)
{
	printf("%s: %s, line %d: %s\n", way, what, line, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void empty_pipe(int fds[2])
{
	CHECK(pipe(fds) == 0);
}

/* Time-outs: never before their time. */
static void by_poll(void)
{
	int fds[2];
	long start = now_ms();

	empty_pipe(fds);
	struct pollfd set = {.fd = fds[0], .events = POLLIN};
	CHECK(poll(&set, 1, TIMEOUT_MS) == 0 && now_ms() - start >= TIMEOUT_MS);
	close(fds[0]);
	close(fds[1]);
}

static void by_select(void)
{
	int fds[2];
	long start = now_ms();
	struct timeval tv = {0, TIMEOUT_MS * 1000};
	fd_set set;

	empty_pipe(fds);
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	CHECK(select(fds[0] + 1, &set, NULL, NULL, &tv) == 0 && now_ms() - start >= TIMEOUT_MS);
	close(fds[0]);
	close(fds[1]);
}

static void by_epoll(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int epoll = epoll_create1(0), fds[2];
	long start = now_ms();

	empty_pipe(fds);
	CHECK(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event) == 0);
	CHECK(epoll_wait(epoll, &event, 1, TIMEOUT_MS) == 0 && now_ms() - start >= TIMEOUT_MS);
	CHECK(write(fds[1], "x", 1) == 1 && epoll_wait(epoll, &event, 1, -1) == 1);
	close(epoll);
	close(fds[0]);
	close(fds[1]);
}

static uint8_t byte_at(unsigned i)
{
	return (uint8_t)((i * 2654435761u) >> 13);
}

/* More than a pipe holds, by writes that must not be cut short. */
static void by_pipe(void)
{
	static uint8_t buf[PIECE];
	int fds[2], status;

	empty_pipe(fds);
	if (fork() == 0) {
		for (unsigned i = 0; i < PIECE; i++) {
			buf[i] = byte_at(i);
		}
		for (int round = 0; round < 5; round++) {
			CHECK(write(fds[1], buf, PIECE) == PIECE);
		}
		_exit(0);
	}
	close(fds[1]);
	for (unsigned at = 0; at < 5 * PIECE;) {
		ssize_t n = read(fds[0], buf, 7777);

		CHECK(n > 0);
		for (ssize_t i = 0; i < n; i++, at++) {
			CHECK(buf[i] == byte_at(at % PIECE));
		}
		usleep(1000);
	}
	CHECK(read(fds[0], buf, 1) == 0 && wait(&status) > 0 && status == 0);
	close(fds[0]);
}

static void by_eventfd(void)
{
	int fd = eventfd(0, EFD_SEMAPHORE), status;
	uint64_t value = 3;

	if (fork() == 0) {
		usleep(TIMEOUT_MS * 1000);
		CHECK(write(fd, &value, sizeof(value)) == sizeof(value));
		_exit(0);
	}
	for (int i = 0; i < 3; i++) {
		CHECK(read(fd, &value, sizeof(value)) == sizeof(value) && value == 1);
	}
	CHECK(wait(&status) > 0 && status == 0);
	close(fd);
}

static void by_fifo(void)
{
	int status, fd;
	char c;

	CHECK(mkfifo("/tmp/waits.fifo", 0600) == 0 || errno == EEXIST);
	if (fork() == 0) {
		usleep(TIMEOUT_MS * 1000);
		fd = open("/tmp/waits.fifo", O_WRONLY);
		CHECK(fd >= 0 && write(fd, "f", 1) == 1);
		_exit(0);
	}
	fd = open("/tmp/waits.fifo", O_RDONLY);
	CHECK(fd >= 0 && read(fd, &c, 1) == 1 && c == 'f' && read(fd, &c, 1) == 0);
	CHECK(wait(&status) > 0 && status == 0);
	close(fd);
}

static void by_flock(void)
{
	int fd = open("/tmp/waits.lock", O_CREAT | O_RDWR, 0600), status, ready[2];
	char c;

	empty_pipe(ready);
	if (fork() == 0) {
		int own = open("/tmp/waits.lock", O_RDWR);

		CHECK(flock(own, LOCK_EX) == 0 && write(ready[1], "r", 1) == 1);
		usleep(TIMEOUT_MS * 1000);
		_exit(0);
	}
	CHECK(read(ready[0], &c, 1) == 1 && flock(fd, LOCK_EX) == 0);
	CHECK(wait(&status) > 0 && status == 0 && flock(fd, LOCK_UN) == 0);
	close(fd);
	close(ready[0]);
	close(ready[1]);
}

static void by_sleep(void)
{
	long start = now_ms();

	CHECK(usleep(TIMEOUT_MS * 1000) == 0 && now_ms() - start >= TIMEOUT_MS);
}

/* Files: what is written is read, and names come and go. */
static void by_files(void)
{
	static uint8_t buf[PIECE], got[PIECE];
	int fd = open("/root/waits.file", O_CREAT | O_TRUNC | O_RDWR, 0600);

	for (unsigned i = 0; i < PIECE; i++) {
		buf[i] = byte_at(i + shared->done[8]);
	}
	CHECK(fd >= 0 && write(fd, buf, PIECE) == PIECE && fsync(fd) == 0);
	CHECK(rename("/root/waits.file", "/root/waits.other") == 0);
	CHECK(pread(fd, got, PIECE, 0) == PIECE && memcmp(buf, got, PIECE) == 0);
	CHECK(unlink("/root/waits.other") == 0 && close(fd) == 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} ways[WAYS] = {{"poll", by_poll}, {"select", by_select}, {"epoll", by_epoll}, {"pipe", by_pipe},
	{"eventfd", by_eventfd}, {"fifo", by_fifo}, {"flock", by_flock}, {"sleep", by_sleep},
	{"files", by_files}};

static int run_command(char **argv)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status;
}

int main(int argc, char **argv)
{
	pid_t pids[WAYS];
	unsigned before[WAYS];
	int status, failed = 0;

	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < WAYS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			way = ways[i].name;
			while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
				ways[i].run();
				shared->done[i]++;
			}
			_exit(0);
		}
	}
	if (argc > 1 && run_command(argv + 1) != 0) {
		printf("the command failed\n");
		failed = 1;
	}
	for (int i = 0; i < WAYS; i++) {
		before[i] = shared->done[i];
	}
	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < WAYS; i++) {
		if (waitpid(pids[i], &status, 0) != pids[i] || status != 0) {
			printf("%s: status %#x\n", ways[i].name, (unsigned)status);
			failed = 1;
		} else if (before[i] == 0) {
			printf("%s: not once while the command ran\n", ways[i].name);
			failed = 1;
		}
	}
	printf("%s:", failed ? "failed" : "ok");
	for (int i = 0; i < WAYS; i++) {
		printf(" %s %u", ways[i].name, shared->done[i]);
	}
	printf("\n");
	return failed;
}
