/* SPDX-License-Identifier: BSD-2-Clause */
/* What files hold: reading, writing, sizes, times, locks. */
#include "case.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <time.h>

static void put(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
	write(fd, text, strlen(text));
	close(fd);
}

CASE(read_and_write)
{
	char buffer[100] = {0};
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	SHOW(write(fd, "0123456789", 10));
	SHOW(lseek(fd, 3, SEEK_SET));
	SHOW(read(fd, buffer, 4));
	SHOW(lseek(fd, -2, SEEK_END));
	SHOW(lseek(fd, 1, SEEK_CUR));
	SHOW(lseek(fd, -100, SEEK_CUR));
	SHOW(lseek(fd, 0, 99));
	SHOW(lseek(fd, 100, SEEK_SET));
	SHOW(write(fd, "far", 3));
	SHOW(pread(fd, buffer, 20, 5));
	printf("hole zero %d\n", buffer[5] == 0 && buffer[19] == 0);
	SHOW(pwrite(fd, "abc", 3, 2));
	SHOW(pread(fd, buffer, 6, 0));
	printf("%.6s\n", buffer);
	SHOW(pread(fd, buffer, 6, -1));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(ftruncate(fd, 5));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(ftruncate(fd, 50));
	SHOW(pread(fd, buffer, 100, 0));
	SHOW(ftruncate(fd, -1));
	SHOW(truncate("f", 8));
	SHOW(truncate("none", 8));
	SHOW(truncate("/", 8));
	int add = open("f", O_WRONLY | O_APPEND);
	lseek(add, 0, SEEK_SET);
	SHOW(write(add, "end", 3));
	SHOW(lseek(add, 0, SEEK_CUR));
	SHOW(read(add, buffer, 1));
	int only = open("f", O_RDONLY);
	SHOW(write(only, "x", 1));
	SHOW(ftruncate(only, 0));
	SHOW(read(open("/", O_RDONLY), buffer, 10));
	SHOW(lseek(fd, 0, SEEK_DATA));
	SHOW(fsync(fd));
	SHOW(fdatasync(fd));
	SHOW(fsync(99));
	struct iovec both[2] = {{buffer, 3}, {buffer + 10, 50}};
	SHOW(preadv(fd, both, 2, 1));
	printf("%.3s %.5s\n", buffer, buffer + 10);
}

CASE(times)
{
	struct timespec set[2] = {{1000000000, 123456789}, {1111111111, 987654321}};
	struct stat status;
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	SHOW(futimens(fd, set));
	fstat(fd, &status);
	printf("%ld %ld\n", (long)status.st_atime, (long)status.st_mtime);
	set[0].tv_nsec = UTIME_OMIT;
	set[1].tv_nsec = UTIME_NOW;
	SHOW(utimensat(AT_FDCWD, "f", set, 0));
	fstat(fd, &status);
	printf("%ld now %d\n", (long)status.st_atime,
		labs((long)(status.st_mtime - time(NULL))) < 3);
	set[0].tv_nsec = -1;
	SHOW(utimensat(AT_FDCWD, "f", set, 0));
	set[0].tv_nsec = 2000000000;
	SHOW(utimensat(AT_FDCWD, "f", set, 0));
	SHOW(utimensat(AT_FDCWD, "none", NULL, 0));
	symlink("f", "l");
	struct timespec early[2] = {{5, 0}, {6, 0}};
	SHOW(utimensat(AT_FDCWD, "l", early, AT_SYMLINK_NOFOLLOW));
	lstat("l", &status);
	printf("%ld %ld\n", (long)status.st_atime, (long)status.st_mtime);
	utimensat(AT_FDCWD, "f", early, 0);
	write(fd, "x", 1);
	fstat(fd, &status);
	printf("write moves mtime %d\n", status.st_mtime > 6);
	utimensat(AT_FDCWD, ".", early, 0);
	put("new", "");
	stat(".", &status);
	printf("create moves the directory's mtime %d\n", status.st_mtime > 6);
}

CASE(large_offsets)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	char text[8] = {0};
	off_t places[] = {12 * 4096, 1036 * 4096, 5ll << 30, 100ll << 30};
	for (int i = 0; i < 4; i++) {
		SHOW(pwrite(fd, "mark", 4, places[i]));
	}
	for (int i = 0; i < 4; i++) {
		memset(text, 0, sizeof text);
		pread(fd, text, 4, places[i]);
		puts(text);
	}
	struct stat status;
	fstat(fd, &status);
	printf("size %ld sparse %d\n", (long)status.st_size, status.st_blocks < 1000);
	SHOW(ftruncate(fd, 1036 * 4096 + 2));
	fstat(fd, &status);
	printf("size %ld\n", (long)status.st_size);
	SHOW(pread(fd, text, 8, 1036 * 4096));
	SHOW(ftruncate(fd, 0));
	fstat(fd, &status);
	printf("blocks %ld\n", (long)status.st_blocks);
	SHOW(pwrite(fd, "x", 1, 1ll << 50));
	SHOW(lseek(fd, 1ll << 62, SEEK_SET));
}

CASE(data_patterns)
{
	enum { SIZE = 300000 };
	unsigned char *data = malloc(SIZE), *back = malloc(SIZE);
	unsigned seed = 12345;
	memset(data, 0, SIZE);
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	ftruncate(fd, SIZE);
	for (int i = 0; i < 400; i++) {
		seed = seed * 1103515245 + 12345;
		unsigned at = (seed >> 8) % SIZE, length = (seed >> 3) % 9000;
		if (at + length > SIZE) {
			length = SIZE - at;
		}
		memset(data + at, (int)(seed >> 16), length);
		pwrite(fd, data + at, length, at);
	}
	SHOW(pread(fd, back, SIZE, 0));
	printf("same %d\n", memcmp(data, back, SIZE) == 0);
	fsync(fd);
	int other = open("f", O_RDONLY);
	memset(back, 1, SIZE);
	long total = 0, got;
	while ((got = read(other, back + total, 777)) > 0) {
		total += got;
	}
	printf("total %ld same %d\n", total, memcmp(data, back, SIZE) == 0);
}

CASE(send_file)
{
	put("f", "some text to send");
	int in = open("f", O_RDONLY), out = open("g", O_CREAT | O_RDWR, 0644);
	off_t offset = 5;
	SHOW(sendfile(out, in, &offset, 4));
	printf("offset %ld position %ld\n", (long)offset, (long)lseek(in, 0, SEEK_CUR));
	SHOW(sendfile(out, in, NULL, 100));
	char text[40] = {0};
	pread(out, text, 39, 0);
	puts(text);
	SHOW(sendfile(99, in, NULL, 1));
	SHOW(sendfile(out, 99, NULL, 1));
}

CASE(locks)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	struct flock lock = {.l_type = F_WRLCK, .l_start = 10, .l_len = 10};
	SHOW(fcntl(fd, F_SETLK, &lock));
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		struct flock ask = {.l_type = F_WRLCK, .l_start = 0, .l_len = 100};
		SHOW(fcntl(fd, F_GETLK, &ask));
		printf("type %d start %ld len %ld parent %d\n", ask.l_type, (long)ask.l_start,
			(long)ask.l_len, ask.l_pid == getppid());
		SHOW(fcntl(fd, F_SETLK, &ask));
		struct flock aside = {.l_type = F_WRLCK, .l_start = 30, .l_len = 5};
		SHOW(fcntl(fd, F_SETLK, &aside));
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	lock.l_type = F_UNLCK;
	SHOW(fcntl(fd, F_SETLK, &lock));
	SHOW(flock(fd, LOCK_EX));
	int other = open("f", O_RDWR);
	SHOW(flock(other, LOCK_EX | LOCK_NB));
	SHOW(flock(fd, LOCK_UN));
	SHOW(flock(other, LOCK_EX | LOCK_NB));
}

CASE(file_system_facts)
{
	struct statfs facts;
	SHOW(statfs(".", &facts));
	printf("name length %ld block %ld sensible %d\n", (long)facts.f_namelen,
		(long)facts.f_bsize,
		facts.f_bfree <= facts.f_blocks && facts.f_bavail <= facts.f_bfree);
	SHOW(statfs("none", &facts));
	SHOW(fstatfs(0, &facts));
	SHOW(fstatfs(99, &facts));
	struct stat root, up;
	stat("/", &root);
	stat("/..", &up);
	printf("root is its own parent %d\n", root.st_ino == up.st_ino);
	stat("/dev/null", &up);
	printf("%d %d\n", major(up.st_rdev), minor(up.st_rdev));
	sync();
}

/* fallocate of a file in memory: space, sizes, holes, refusals. */
CASE(allocating)
{
	static char bytes[3 * 4096];
	struct stat st;
	int fd = memfd_create("m", MFD_ALLOW_SEALING), pipes[2];

	printf("default %d", fallocate(fd, 0, 100, 8192));
	fstat(fd, &st);
	printf(" size %ld blocks %ld\n", (long)st.st_size, (long)st.st_blocks);
	printf("keep %d", fallocate(fd, FALLOC_FL_KEEP_SIZE, 16384, 4096));
	fstat(fd, &st);
	printf(" size %ld blocks %ld\n", (long)st.st_size, (long)st.st_blocks);
	memset(bytes, 'x', sizeof(bytes));
	pwrite(fd, bytes, sizeof(bytes), 0);
	char *map = mmap(NULL, sizeof(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	printf("punch %d", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10, 8192));
	printf(" %d %d %d %d", map[9], map[10], map[8201], map[8202]);
	pread(fd, bytes, sizeof(bytes), 0);
	printf(" %d %d %d %d\n", bytes[9], bytes[10], bytes[8201], bytes[8202]);
	map[5000] = 'y';
	pread(fd, bytes, sizeof(bytes), 0);
	fstat(fd, &st);
	printf("stored %d blocks %ld\n", bytes[5000], (long)st.st_blocks);
	munmap(map, sizeof(bytes));
	int result = fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096);
	printf("punch alone %d %d\n", result, errno);
	result = fallocate(fd, 0, -1, 4096);
	printf("negative %d %d\n", result, errno);
	result = fallocate(fd, 0, 0, 0);
	printf("nothing %d %d\n", result, errno);
	result = fallocate(fd, 0, INT64_MAX, 4096);
	printf("huge %d %d\n", result, errno);
	pipe(pipes);
	result = fallocate(pipes[1], 0, 0, 1);
	printf("pipe %d %d\n", result, errno);
	fcntl(fd, F_ADD_SEALS, F_SEAL_GROW);
	result = fallocate(fd, 0, 0, 1 << 20);
	printf("sealed %d %d", result, errno);
	result = fallocate(fd, FALLOC_FL_KEEP_SIZE, 1 << 20, 4096);
	printf(" %d %d", result, errno);
	printf(" %d\n", fallocate(fd, 0, 0, 4096));
	fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE);
	result = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
	printf("sealed %d %d\n", result, errno);
}
