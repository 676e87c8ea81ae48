/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes, FIFOs, poll and select. */
#include "case.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

static int ends[2];

CASE(basics)
{
	char buffer[100];
	SHOW(pipe(ends));
	SHOW(write(ends[1], "hello world", 11));
	SHOW(read(ends[0], buffer, 5));
	SHOW(read(ends[0], buffer, 100));
	SHOW(write(ends[0], "x", 1));
	SHOW(read(ends[1], buffer, 1));
	SHOW(lseek(ends[0], 0, SEEK_SET));
	SHOW(pread(ends[0], buffer, 1, 0));
	SHOW(ftruncate(ends[1], 0));
	SHOW(write(ends[1], "", 0));
	struct stat status;
	fstat(ends[0], &status);
	printf("fifo %d size %ld mode %o\n", S_ISFIFO(status.st_mode), (long)status.st_size,
		status.st_mode & 0777);
	close(ends[1]);
	SHOW(read(ends[0], buffer, 1));
	SHOW(read(ends[0], buffer, 1));
	SHOW(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
	SHOW(fcntl(ends[0], F_GETFD));
	SHOW(fcntl(ends[1], F_GETFL));
	SHOW(read(ends[0], buffer, 1));
	SHOW(pipe2(ends, 0x1));
}

CASE(capacity)
{
	char block[4096] = {0};
	pipe2(ends, O_NONBLOCK);
	long total = 0, got;
	while ((got = write(ends[1], block, sizeof block)) > 0) {
		total += got;
	}
	printf("capacity %ld %s\n", total, error_name(errno));
	SHOW(write(ends[1], "x", 1));
	int waiting = 0;
	SHOW(ioctl(ends[0], FIONREAD, &waiting));
	printf("waiting %d\n", waiting);
	SHOW(read(ends[0], block, 4096));
	SHOW(write(ends[1], block, 100));
	while (read(ends[0], block, sizeof block) > 0) {
	}
	char large[9000] = {0};
	SHOW(write(ends[1], large, 9000));
	SHOW(fcntl(ends[0], F_GETPIPE_SZ));
}

CASE(blocking_writer)
{
	pipe(ends);
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		char *data = malloc(1 << 20);
		for (int i = 0; i < 1 << 20; i++) {
			data[i] = (char)(i * 7);
		}
		long done = write(ends[1], data, 1 << 20);
		_exit(done == 1 << 20 ? 0 : 1);
	}
	close(ends[1]);
	char part[1000];
	long total = 0, got, wrong = 0;
	while ((got = read(ends[0], part, sizeof part)) > 0) {
		for (long i = 0; i < got; i++) {
			wrong += part[i] != (char)((total + i) * 7);
		}
		total += got;
	}
	int status;
	waitpid(child, &status, 0);
	show_status("writer", status);
	printf("total %ld wrong %ld\n", total, wrong);
}

CASE(atomic_writes)
{
	enum { WRITERS = 4, RECORDS = 200, SIZE = 512 };
	pipe(ends);
	for (int w = 0; w < WRITERS; w++) {
		if (fork() == 0) {
			char record[SIZE];
			memset(record, 'a' + w, SIZE);
			for (int i = 0; i < RECORDS; i++) {
				write(ends[1], record, SIZE);
			}
			_exit(0);
		}
	}
	close(ends[1]);
	char record[SIZE];
	int records = 0, mixed = 0;
	for (;;) {
		long have = 0, got;
		while (have < SIZE &&
			(got = read(ends[0], record + have, (size_t)(SIZE - have))) > 0) {
			have += got;
		}
		if (have < SIZE) {
			break;
		}
		records++;
		for (int i = 1; i < SIZE; i++) {
			if (record[i] != record[0]) {
				mixed++;
				break;
			}
		}
	}
	while (wait(NULL) > 0) {
	}
	printf("records %d mixed %d\n", records, mixed);
}

CASE(fifo)
{
	SHOW(mkfifo("f", 0644));
	SHOW(mkfifo("f", 0644));
	SHOW(open("f", O_WRONLY | O_NONBLOCK));
	int reader = open("f", O_RDONLY | O_NONBLOCK);
	outcome("reader", reader);
	char c;
	SHOW(read(reader, &c, 1));
	int writer = open("f", O_WRONLY | O_NONBLOCK);
	outcome("writer", writer);
	SHOW(read(reader, &c, 1));
	SHOW(write(writer, "abc", 3));
	SHOW(read(reader, &c, 1));
	close(writer);
	SHOW(read(reader, &c, 1));
	SHOW(read(reader, &c, 1));
	SHOW(read(reader, &c, 1));
	close(reader);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		int fd = open("f", O_WRONLY);
		write(fd, "late", 4);
		_exit(0);
	}
	int fd = open("f", O_RDONLY);
	char text[10] = {0};
	SHOW(read(fd, text, 9));
	puts(text);
	waitpid(child, NULL, 0);
	int both = open("f", O_RDWR);
	outcome("both ways", both);
	write(both, "x", 1);
	SHOW(read(both, &c, 1));
}

static void show_poll(const char *what, struct pollfd *list, int count, int timeout)
{
	int result = poll(list, (nfds_t)count, timeout);
	printf("%s: %d", what, result);
	for (int i = 0; i < count; i++) {
		printf(" %x", list[i].revents);
	}
	puts("");
}

CASE(poll_states)
{
	pipe(ends);
	struct pollfd list[3] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}, {-1, POLLIN, 0}};
	show_poll("empty", list, 3, 0);
	write(ends[1], "x", 1);
	show_poll("filled", list, 3, 0);
	char block[65536] = {0};
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	write(ends[1], block, sizeof block);
	while (write(ends[1], block, 4096) > 0) {
	}
	show_poll("full", list, 3, 0);
	while (fcntl(ends[0], F_SETFL, O_NONBLOCK), read(ends[0], block, sizeof block) > 0) {
	}
	close(ends[1]);
	list[1].fd = 99;
	show_poll("hung up", list, 3, 0);
	pipe(ends);
	close(ends[0]);
	list[0].fd = -5;
	list[1].fd = ends[1];
	show_poll("no reader", list, 2, 0);
	int file = open("/etc/passwd", O_RDONLY);
	int null = open("/dev/null", O_RDWR);
	struct pollfd files[2] = {{file, POLLIN | POLLOUT, 0}, {null, POLLIN | POLLOUT, 0}};
	show_poll("files", files, 2, -1);
	SHOW(poll(NULL, 0, 10));
	SHOW(poll((void *)8, 1, 0));
	SHOW(poll(list, 1u << 30, 0));
}

static long elapsed_ms(struct timespec *since)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

CASE(poll_waits)
{
	struct timespec start;
	pipe(ends);
	struct pollfd one = {ends[0], POLLIN, 0};
	clock_gettime(CLOCK_MONOTONIC, &start);
	show_poll("times out", &one, 1, 200);
	printf("waited %d\n", elapsed_ms(&start) >= 199);
	pid_t child = fork();
	if (child == 0) {
		sleep_ms(100);
		write(ends[1], "x", 1);
		_exit(0);
	}
	show_poll("woken", &one, 1, -1);
	waitpid(child, NULL, 0);
	char c;
	read(ends[0], &c, 1);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		sleep_ms(100);
		_exit(0);
	}
	close(ends[1]);
	show_poll("hang-up wakes", &one, 1, 5000);
	waitpid(child, NULL, 0);
	sigset_t none;
	sigemptyset(&none);
	struct timespec brief = {0, 50000000};
	SHOW(ppoll(NULL, 0, &brief, &none));
}

CASE(select_states)
{
	pipe(ends);
	fd_set in, out;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(ends[0], &in);
	FD_SET(ends[1], &out);
	struct timeval now = {0, 0};
	SHOW(select(ends[1] + 1, &in, &out, NULL, &now));
	printf("%d %d\n", FD_ISSET(ends[0], &in), FD_ISSET(ends[1], &out));
	write(ends[1], "x", 1);
	FD_SET(ends[0], &in);
	SHOW(select(ends[1] + 1, &in, &out, NULL, NULL));
	printf("%d %d\n", FD_ISSET(ends[0], &in), FD_ISSET(ends[1], &out));
	struct timeval brief = {0, 100000};
	SHOW(select(0, NULL, NULL, NULL, &brief));
	printf("time left %ld\n", (long)brief.tv_usec);
	FD_ZERO(&in);
	FD_SET(50, &in);
	SHOW(select(51, &in, NULL, NULL, &now));
	SHOW(select(-1, NULL, NULL, NULL, &now));
	struct timeval bad = {-1, 0};
	SHOW(select(0, NULL, NULL, NULL, &bad));
}

CASE(vectors)
{
	pipe(ends);
	char a[3], b[5];
	struct iovec out[3] = {{"one", 3}, {"", 0}, {"three", 5}}, in[2] = {{a, 3}, {b, 5}};
	SHOW(writev(ends[1], out, 3));
	SHOW(readv(ends[0], in, 2));
	printf("%.3s %.5s\n", a, b);
	SHOW(writev(ends[1], out, -1));
	SHOW(writev(ends[1], out, 2000));
	struct iovec wild[2] = {{"ok", 2}, {(void *)8, 4}};
	SHOW(writev(ends[1], wild + 1, 1));
	struct iovec huge = {"x", SIZE_MAX / 2 + 1};
	SHOW(writev(ends[1], &huge, 1));
	SHOW(writev(ends[1], out, 0));
}

CASE(ring_of_processes)
{
	enum { MEMBERS = 20, LAPS = 30 };
	int ring[MEMBERS][2];
	for (int i = 0; i < MEMBERS; i++) {
		pipe(ring[i]);
	}
	for (int i = 1; i < MEMBERS; i++) {
		if (fork() == 0) {
			for (int lap = 0; lap < LAPS; lap++) {
				int token = 0;
				read(ring[i - 1][0], &token, sizeof token);
				token++;
				write(ring[i][1], &token, sizeof token);
			}
			_exit(0);
		}
	}
	int token = 0;
	for (int lap = 0; lap < LAPS; lap++) {
		write(ring[0][1], &token, sizeof token);
		read(ring[MEMBERS - 1][0], &token, sizeof token);
	}
	while (wait(NULL) > 0) {
	}
	printf("token %d\n", token);
}

CASE(hundred_pipelines)
{
	int good = 0, status;
	for (int i = 0; i < 100; i++) {
		if (fork() == 0) {
			int a[2], b[2];
			pipe(a);
			pipe(b);
			if (fork() == 0) {
				dup2(a[1], 1);
				write(1, "data", 4);
				_exit(0);
			}
			if (fork() == 0) {
				char text[4];
				read(a[0], text, 4);
				write(b[1], text, 4);
				_exit(0);
			}
			char text[4];
			long got = read(b[0], text, 4);
			while (wait(NULL) > 0) {
			}
			_exit(got == 4 && memcmp(text, "data", 4) == 0 ? 0 : 1);
		}
	}
	while (wait(&status) > 0) {
		good += status == 0;
	}
	printf("good %d\n", good);
}

CASE(descriptors)
{
	int fd = open("/dev/null", O_RDWR);
	SHOW(dup2(fd, fd));
	SHOW(dup2(99, 5));
	SHOW(dup2(fd, -1));
	SHOW(dup2(fd, 1 << 20));
	SHOW(dup3(fd, fd, 0));
	SHOW(dup3(fd, 50, 1));
	SHOW(dup3(fd, 50, O_CLOEXEC));
	SHOW(fcntl(50, F_GETFD));
	SHOW(fcntl(50, F_SETFD, 0));
	SHOW(fcntl(50, F_GETFD));
	SHOW(fcntl(fd, F_DUPFD, 60));
	SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 60));
	SHOW(fcntl(61, F_GETFD));
	SHOW(fcntl(fd, F_GETFL) & O_ACCMODE);
	SHOW(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	SHOW(fcntl(60, F_GETFL) & (O_APPEND | O_NONBLOCK));
	SHOW(fcntl(fd, 9999));
	SHOW(fcntl(99, F_GETFD));
	SHOW(close(99));
	SHOW(close(-1));
	SHOW(close(61));
	SHOW(close(61));
	SHOW(open("/dev/null", O_RDONLY) < 10);
	SHOW(ioctl(fd, 0x1234, 0));
	SHOW(ioctl(99, 0x1234, 0));
}
