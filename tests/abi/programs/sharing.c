/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory across fork, files in memory and their seals, and what is counted of a process's memory.
 */
#include "mem.h"

#include <sys/resource.h>

#define READ_WRITE (PROT_READ | PROT_WRITE)

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif

/* Generations of processes over one region: private pages split, shared ones do not. */
static void generations(char *private, char *shared, int depth)
{
	if (depth == 0) {
		return;
	}
	pid_t child = fork();
	if (child == 0) {
		private[depth * PAGE] = (char)('0' + depth);
		shared[depth * PAGE] = (char)('0' + depth);
		generations(private, shared, depth - 1);
		printf("depth %d:", depth);
		for (int i = 0; i < 6; i++) {
			printf(" %c%c", private[i * PAGE], shared[i * PAGE]);
		}
		putchar('\n');
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

CASE(forks_of_forks)
{
	char *private = map_pages(6, READ_WRITE);
	char *shared = mmap(NULL, 6 * PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(private, 'p', 6 * PAGE);
	memset(shared, 's', 6 * PAGE);
	fflush(stdout);
	generations(private, shared, 5);
	printf("top:");
	for (int i = 0; i < 6; i++) {
		printf(" %c%c", private[i * PAGE], shared[i * PAGE]);
	}
	putchar('\n');
}

/* The parent writes while the child lives: the child keeps what was. */
CASE(parent_writes)
{
	enum { PAGES = 200 };
	char *area = map_pages(PAGES, READ_WRITE);
	int ends[2];
	memset(area, 'o', PAGES * PAGE);
	pipe(ends);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		char byte;
		close(ends[1]);
		read(ends[0], &byte, 1);
		int old = 0;
		for (int i = 0; i < PAGES * PAGE; i++) {
			old += area[i] == 'o';
		}
		printf("child: %d old\n", old);
		fflush(stdout);
		_exit(0);
	}
	memset(area, 'n', PAGES * PAGE / 2);
	munmap(area + PAGES / 2 * PAGE, PAGES / 2 * PAGE);
	write(ends[1], "g", 1);
	waitpid(child, NULL, 0);
	printf("parent: %c\n", area[0]);
}

/* A shared region that is untouched at fork is one region all the same; it outlives its maker. */
CASE(shared_made_before_use)
{
	char *shared = mmap(NULL, 4 * PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fflush(stdout);
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			shared[i * PAGE] = (char)('a' + i);
			if (fork() == 0) {
				shared[i * PAGE + 1] = (char)('A' + i);
				_exit(0);
			}
			wait(NULL);
			_exit(0);
		}
		wait(NULL);
	}
	for (int i = 0; i < 4; i++) {
		printf("%c%c ", shared[i * PAGE], shared[i * PAGE + 1]);
	}
	putchar('\n');
	SHOW(munmap(shared + PAGE, PAGE));
	if (fork() == 0) {
		catch_faults();
		picture("child", shared, 4);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

static int memory_file(const char *name, unsigned flags)
{
	return (int)syscall(SYS_memfd_create, name, flags);
}

CASE(memory_files)
{
	catch_faults();
	int fd = memory_file("name", MFD_CLOEXEC);
	OUTCOME(fd);
	if (fd < 0) {
		return;
	}
	struct stat status;
	fstat(fd, &status);
	printf("size %ld regular %d mode %o links %d\n", (long)status.st_size,
		S_ISREG(status.st_mode), status.st_mode & 0777, (int)status.st_nlink);
	SHOW(fcntl(fd, F_GETFD));
	SHOW(write(fd, "hello", 5));
	SHOW(ftruncate(fd, 4 * PAGE));
	char *area = mmap(NULL, 6 * PAGE, READ_WRITE, MAP_SHARED, fd, 0);
	printf("%.5s\n", area);
	area[3 * PAGE] = 'x';
	char byte;
	pread(fd, &byte, 1, 3 * PAGE);
	printf("%c past the end %c\n", byte, try_read(area + 4 * PAGE));
	char link[64] = "", path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	readlink(path, link, sizeof link - 1);
	printf("%s\n", link);
	fflush(stdout);
	if (fork() == 0) {
		area[PAGE] = 'c';
		pwrite(fd, "d", 1, PAGE + 1);
		_exit(0);
	}
	wait(NULL);
	printf("%c%c\n", area[PAGE], area[PAGE + 1]);
	close(fd);
	printf("after close %.5s\n", area);
	char long_name[300];
	memset(long_name, 'n', sizeof long_name);
	long_name[249] = 0;
	OUTCOME(memory_file(long_name, 0));
	long_name[249] = 'n';
	long_name[250] = 0;
	OUTCOME(memory_file(long_name, 0));
	OUTCOME(memory_file("x", 0x800000));
	OUTCOME(memory_file((char *)8, 0));
}

CASE(seals)
{
	int fd = memory_file("sealed", MFD_ALLOW_SEALING), plain = memory_file("plain", 0);
	OUTCOME(fd);
	if (fd < 0) {
		return;
	}
	ftruncate(fd, 2 * PAGE);
	SHOW(fcntl(fd, F_GET_SEALS));
	SHOW(fcntl(plain, F_GET_SEALS));
	SHOW(fcntl(plain, F_ADD_SEALS, F_SEAL_SHRINK));
	SHOW(fcntl(fd, F_ADD_SEALS, 0x1000));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	SHOW(ftruncate(fd, PAGE));
	SHOW(ftruncate(fd, 3 * PAGE));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(ftruncate(fd, 4 * PAGE));
	SHOW(pwrite(fd, "x", 1, 3 * PAGE));
	SHOW(pwrite(fd, "xy", 2, 3 * PAGE - 1));
	SHOW(pwrite(fd, "x", 1, PAGE));
	char *area = mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, fd, 0);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(area, PAGE);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	SHOW(pwrite(fd, "x", 1, 0));
	MAP(NULL, PAGE, READ_WRITE, MAP_SHARED, fd, 0);
	MAP(NULL, PAGE, READ_WRITE, MAP_PRIVATE, fd, 0);
	MAP(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	SHOW(fcntl(fd, F_GET_SEALS));
	int file = lettered_file("file", PAGE);
	SHOW(fcntl(file, F_GET_SEALS));
	int future = memory_file("future", MFD_ALLOW_SEALING);
	ftruncate(future, PAGE);
	area = mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, future, 0);
	SHOW(fcntl(future, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	area[0] = 'f';
	MAP(NULL, PAGE, READ_WRITE, MAP_SHARED, future, 0);
	char *reading = MAP(NULL, PAGE, PROT_READ, MAP_SHARED, future, 0);
	printf("%c\n", reading[0]);
	SHOW(mprotect(reading, PAGE, READ_WRITE));
	SHOW(pwrite(future, "x", 1, 0));
}

CASE(run_from_memory)
{
	int fd = memory_file("program", MFD_CLOEXEC), from = open("/bin/busybox", O_RDONLY);
	OUTCOME(fd);
	if (fd < 0) {
		return;
	}
	char block[65536];
	ssize_t got;
	while ((got = read(from, block, sizeof block)) > 0) {
		write(fd, block, (size_t)got);
	}
	fflush(stdout);
	if (fork() == 0) {
		char *arguments[] = {"echo", "from memory", NULL}, *environment[] = {NULL};
		syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH);
		printf("execveat: %s\n", error_name(errno));
		fflush(stdout);
		_exit(1);
	}
	wait(NULL);
}

static long resident_pages(void)
{
	char text[200] = "";
	long size = 0, resident = 0;
	int fd = open("/proc/self/statm", O_RDONLY);
	read(fd, text, sizeof text - 1);
	close(fd);
	sscanf(text, "%ld %ld", &size, &resident);
	return resident;
}

/* Faults, the largest size, and what wait4 tells of a child (VM-40, VM-41). */
CASE(usage)
{
	enum { PAGES = 2048 };
	struct rusage before, after, child_usage;
	getrusage(RUSAGE_SELF, &before);
	long resident = resident_pages();
	char *area = map_pages(PAGES, READ_WRITE);
	madvise(area, PAGES * PAGE, MADV_NOHUGEPAGE);
	memset(area, 1, PAGES * PAGE);
	getrusage(RUSAGE_SELF, &after);
	printf("faults %d, resident %d, largest %d\n",
		after.ru_minflt - before.ru_minflt >= PAGES / 32,
		resident_pages() - resident >= PAGES, after.ru_maxrss >= PAGES * 4);
	munmap(area, PAGES * PAGE);
	getrusage(RUSAGE_SELF, &before);
	printf("given back %d, largest stays %d\n", resident_pages() - resident < PAGES / 2,
		before.ru_maxrss >= after.ru_maxrss);
	pid_t child = fork();
	if (child == 0) {
		area = map_pages(2 * PAGES, READ_WRITE);
		memset(area, 1, 2 * PAGES * PAGE);
		_exit(0);
	}
	wait4(child, NULL, 0, &child_usage);
	getrusage(RUSAGE_CHILDREN, &after);
	printf("child's largest %d, faults %d\n", child_usage.ru_maxrss >= 2 * PAGES * 4,
		child_usage.ru_minflt > 0);
	printf("children's %d %d\n", after.ru_maxrss == child_usage.ru_maxrss,
		after.ru_minflt == child_usage.ru_minflt);
}
