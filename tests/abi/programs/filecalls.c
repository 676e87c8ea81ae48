/* SPDX-License-Identifier: BSD-2-Clause */
/* Files and directories by system calls. */
#include "case.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

static void put(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
	write(fd, text, strlen(text));
	close(fd);
}

static int count_entries(const char *path)
{
	DIR *directory = opendir(path);
	int count = 0;
	while (directory && readdir(directory)) {
		count++;
	}
	if (directory) {
		closedir(directory);
	}
	return count;
}

CASE(thousand_files)
{
	enum { COUNT = 1000 };
	char name[32], text[32];
	int good = 0;
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof name, "file-%04d", i);
		snprintf(text, sizeof text, "contents %d", i);
		put(name, text);
	}
	printf("entries %d\n", count_entries("."));
	for (int i = COUNT - 1; i >= 0; i--) {
		snprintf(name, sizeof name, "file-%04d", i);
		snprintf(text, sizeof text, "contents %d", i);
		char got[32] = {0};
		int fd = open(name, O_RDONLY);
		read(fd, got, sizeof got - 1);
		close(fd);
		good += strcmp(got, text) == 0;
	}
	printf("good %d\n", good);
	for (int i = 0; i < COUNT; i += 2) {
		snprintf(name, sizeof name, "file-%04d", i);
		good -= unlink(name) == 0;
	}
	printf("entries %d good %d\n", count_entries("."), good);
	DIR *directory = opendir(".");
	struct dirent *entry;
	int removed = 0;
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == 'f') {
			removed += unlink(entry->d_name) == 0;
		}
	}
	printf("removed while reading %d, left %d\n", removed, count_entries("."));
}

CASE(deep_directories)
{
	enum { DEPTH = 200 };
	char path[8192];
	for (int i = 0; i < DEPTH; i++) {
		snprintf(path, sizeof path, "level-%03d", i);
		if (mkdir(path, 0755) != 0 || chdir(path) != 0) {
			printf("stopped at %d\n", i);
			return;
		}
	}
	char *where = getcwd(path, sizeof path);
	printf("getcwd %zu\n", where ? strlen(strstr(where, "/level-000")) : 0);
	SHOW(getcwd(path, 20) == NULL ? -1 : 0);
	put("bottom", "x");
	for (int i = DEPTH - 1; i >= 0; i--) {
		unlink("bottom");
		chdir("..");
		snprintf(path, sizeof path, "level-%03d", i);
		if (rmdir(path) != 0) {
			printf("rmdir %d: %s\n", i, error_name(errno));
			return;
		}
	}
	printf("left %d\n", count_entries("."));
}

CASE(open_flags)
{
	put("f", "text");
	mkdir("d", 0755);
	symlink("f", "l");
	symlink("none", "dangling");
	OUTCOME(open("f", O_CREAT | O_EXCL | O_RDWR, 0600));
	OUTCOME(open("l", O_CREAT | O_EXCL | O_RDWR, 0600));
	OUTCOME(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0600));
	OUTCOME(open("dangling", O_RDONLY));
	OUTCOME(open("dangling", O_CREAT | O_RDWR, 0600));
	OUTCOME(access("none", F_OK));
	OUTCOME(open("d", O_RDWR));
	OUTCOME(open("d", O_RDONLY));
	OUTCOME(open("d", O_CREAT | O_RDONLY, 0600));
	OUTCOME(open("f", O_DIRECTORY));
	OUTCOME(open("l", O_NOFOLLOW));
	OUTCOME(open("f/x", O_RDONLY));
	OUTCOME(open("f/", O_RDONLY));
	OUTCOME(open("nothing/", O_CREAT | O_RDWR, 0600));
	OUTCOME(open("", O_RDONLY));
	OUTCOME(open("d/../f", O_RDONLY));
	OUTCOME(open("d/./../d/..//f", O_RDONLY));
	OUTCOME(open("/", O_WRONLY));
	OUTCOME(open("/dev/null", O_RDONLY | O_DIRECTORY));
	OUTCOME(open("/dev/none", O_RDONLY));
	int fd = open("f", O_RDWR | O_TRUNC);
	struct stat status;
	fstat(fd, &status);
	printf("truncated %ld\n", (long)status.st_size);
	SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_TRUNC));
	fd = open("l", O_PATH | O_NOFOLLOW);
	fstat(fd, &status);
	printf("O_PATH on a link: link %d\n", S_ISLNK(status.st_mode));
	char byte;
	SHOW(read(fd, &byte, 1));
	put("\x66", "kept");
	fd = open("f", O_RDONLY | O_TRUNC);
	fstat(fd, &status);
	printf("read-only truncation %ld\n", (long)status.st_size);
	SHOW(write(fd, "x", 1));
}

static void show_stat(const char *path)
{
	struct stat status;
	if (lstat(path, &status) != 0) {
		printf("%s: %s\n", path, error_name(errno));
		return;
	}
	printf("%s: mode %o links %d size %ld uid %d blocks %ld block size %ld\n", path,
		status.st_mode, (int)status.st_nlink,
		S_ISDIR(status.st_mode) ? 0 : (long)status.st_size, status.st_uid,
		S_ISDIR(status.st_mode) ? 0 : (long)status.st_blocks, (long)status.st_blksize);
}

CASE(names_and_links)
{
	char target[100] = {0};
	put("f", "text");
	mkdir("d", 0751);
	SHOW(link("f", "g"));
	SHOW(link("f", "g"));
	SHOW(link("d", "e"));
	SHOW(link("none", "e"));
	SHOW(symlink("some/where", "l"));
	SHOW(symlink("x", "l"));
	SHOW(symlink("", "m"));
	SHOW(readlink("l", target, sizeof target));
	SHOW(readlink("l", target, 4));
	SHOW(readlink("f", target, 4));
	SHOW(readlink("none", target, 4));
	SHOW(readlink("l", target, 0));
	SHOW(unlink("d"));
	SHOW(rmdir("f"));
	SHOW(rmdir("d/."));
	SHOW(rmdir("."));
	SHOW(rmdir("/"));
	put("d/x", "");
	SHOW(rmdir("d"));
	SHOW(unlink("d/x"));
	SHOW(mkdir("d", 0700));
	SHOW(mkdir("none/d", 0700));
	SHOW(mkdir("f/d", 0700));
	SHOW(mkdir("new/", 0700));
	show_stat("f");
	show_stat("g");
	show_stat("l");
	show_stat("d");
	SHOW(unlink("f"));
	show_stat("g");
	char long_name[300];
	memset(long_name, 'n', 256);
	long_name[256] = 0;
	SHOW(mkdir(long_name, 0700));
	long_name[255] = 0;
	SHOW(mkdir(long_name, 0700));
	SHOW(rmdir(long_name));
	symlink("b", "a");
	symlink("a", "b");
	OUTCOME(open("a", O_RDONLY));
	SHOW(chdir("a"));
	symlink("long", "long0");
	SHOW(mknod("p", S_IFIFO | 0640, 0));
	SHOW(mknod("c", S_IFCHR | 0640, makedev(1, 3)));
	show_stat("p");
	show_stat("c");
	char long_target[4000];
	memset(long_target, 't', 200);
	long_target[200] = 0;
	SHOW(symlink(long_target, "slow"));
	SHOW(readlink("slow", long_target, sizeof long_target));
}

CASE(link_chain)
{
	char from[20], to[20];
	put("l0", "reached");
	for (int i = 1; i <= 45; i++) {
		snprintf(from, sizeof from, "l%d", i - 1);
		snprintf(to, sizeof to, "l%d", i);
		symlink(from, to);
	}
	OUTCOME(open("l20", O_RDONLY));
	OUTCOME(open("l40", O_RDONLY));
	OUTCOME(open("l41", O_RDONLY));
}

CASE(renames)
{
	put("a", "a");
	put("b", "b");
	mkdir("d", 0755);
	mkdir("e", 0755);
	mkdir("d/sub", 0755);
	SHOW(rename("a", "b"));
	show_stat("a");
	SHOW(rename("none", "x"));
	SHOW(rename("d", "d/sub/x"));
	SHOW(rename("d", "b"));
	SHOW(rename("b", "d"));
	SHOW(rename("d", "e"));
	SHOW(rename("e/sub", "sub"));
	SHOW(rename("b", "none/x"));
	SHOW(rename("b", "b"));
	link("b", "c");
	SHOW(rename("b", "c"));
	show_stat("b");
	SHOW(rename(".", "x"));
	SHOW(rename("b/", "x"));
	SHOW(rename("e", "f/"));
	put("e2", "");
	mkdir("full", 0755);
	put("full/x", "");
	mkdir("empty", 0755);
	SHOW(rename("empty", "full"));
	SHOW(rename("full", "empty"));
	struct stat one, two;
	stat("empty/..", &one);
	stat(".", &two);
	printf("parent %d links %d\n", one.st_ino == two.st_ino, (int)two.st_nlink);
	mkdir("from", 0755);
	mkdir("from/child", 0755);
	mkdir("into", 0755);
	SHOW(rename("from/child", "into/child"));
	stat("into/child/..", &one);
	stat("into", &two);
	printf("parent moved %d links %d\n", one.st_ino == two.st_ino, (int)two.st_nlink);
	SHOW(syscall(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "c", 1));
	SHOW(rename("/proc/self/stat", "x"));
	SHOW(rename("c", "/proc/x"));
}

CASE(relative_calls)
{
	mkdir("d", 0755);
	int d = open("d", O_RDONLY | O_DIRECTORY);
	int f = openat(d, "f", O_CREAT | O_RDWR, 0644);
	outcome("openat", f);
	SHOW(mkdirat(d, "sub", 0755));
	SHOW(symlinkat("f", d, "l"));
	SHOW(linkat(d, "f", AT_FDCWD, "g", 0));
	SHOW(linkat(d, "l", AT_FDCWD, "h", AT_SYMLINK_FOLLOW));
	show_stat("h");
	SHOW(renameat(d, "sub", AT_FDCWD, "moved"));
	SHOW(faccessat(d, "f", R_OK, 0));
	SHOW(faccessat(d, "none", F_OK, 0));
	SHOW(fchmodat(d, "f", 0600, 0));
	SHOW(fchownat(d, "l", 5, 6, AT_SYMLINK_NOFOLLOW));
	struct stat status;
	SHOW(fstatat(d, "l", &status, AT_SYMLINK_NOFOLLOW));
	printf("link %d uid %d\n", S_ISLNK(status.st_mode), status.st_uid);
	SHOW(fstatat(d, "", &status, AT_EMPTY_PATH));
	SHOW(fstatat(d, "", &status, 0));
	SHOW(unlinkat(d, "f", 0));
	SHOW(unlinkat(AT_FDCWD, "moved", 0));
	SHOW(unlinkat(AT_FDCWD, "moved", AT_REMOVEDIR));
	SHOW(openat(f, "x", O_RDONLY));
	SHOW(openat(99, "x", O_RDONLY));
	OUTCOME(openat(99, "/etc/passwd", O_RDONLY));
	SHOW(fchdir(d));
	OUTCOME(open("l", O_RDONLY | O_NOFOLLOW | O_PATH));
	SHOW(fchdir(f));
	SHOW(fchdir(99));
	SHOW(chdir("none"));
	SHOW(chdir("/etc/passwd"));
	SHOW(chdir(".."));
}

CASE(permissions)
{
	put("f", "secret");
	chmod("f", 0640);
	chown("f", 10, 20);
	mkdir("closed", 0700);
	put("closed/x", "");
	mkdir("sticky", 01777);
	chmod("sticky", 01777);
	put("sticky/root", "");
	chmod(".", 0755);
	setgroups(0, NULL);
	setgid(20);
	setuid(30);
	OUTCOME(open("f", O_RDONLY));
	OUTCOME(open("f", O_RDWR));
	OUTCOME(open("closed/x", O_RDONLY));
	OUTCOME(open("closed", O_RDONLY));
	OUTCOME(open("new", O_CREAT | O_RDWR, 0600));
	OUTCOME(open("sticky/mine", O_CREAT | O_RDWR, 0600));
	SHOW(unlink("sticky/root"));
	SHOW(rename("sticky/root", "sticky/other"));
	SHOW(unlink("sticky/mine"));
	SHOW(unlink("f"));
	SHOW(chmod("f", 0777));
	SHOW(chown("f", 30, 20));
	SHOW(access("f", R_OK));
	SHOW(access("f", W_OK));
	SHOW(access("closed", X_OK));
	SHOW(access("closed/x", F_OK));
	SHOW(utimensat(AT_FDCWD, "f", NULL, 0));
	SHOW(truncate("f", 0));
	SHOW(mkdir("closed/d", 0700));
	SHOW(chdir("closed"));
	SHOW(mknod("dev", S_IFCHR | 0600, makedev(1, 3)));
}

CASE(mode_bits)
{
	umask(022);
	int fd = open("f", O_CREAT | O_RDWR, 0666);
	show_stat("f");
	SHOW(fchmod(fd, 06755));
	show_stat("f");
	SHOW(fchown(fd, 7, 8));
	show_stat("f");
	chmod("f", 06755);
	write(fd, "x", 1);
	show_stat("f");
	mkdir("d", 02777);
	show_stat("d");
	chown("d", 0, 33);
	chmod("d", 02775);
	put("d/inherits", "");
	struct stat status;
	stat("d/inherits", &status);
	printf("group %d\n", status.st_gid);
	mkdir("d/sub", 0755);
	stat("d/sub", &status);
	printf("group %d mode %o\n", status.st_gid, status.st_mode);
	SHOW(chmod("none", 0));
	SHOW(chown("f", -1, -1));
	SHOW(lchown("none", 1, 1));
	printf("umask %o\n", umask(077));
}

CASE(directory_reading)
{
	char raw[1024];
	mkdir("d", 0755);
	put("d/file", "");
	mkdir("d/dir", 0755);
	symlink("x", "d/link");
	mkfifo("d/fifo", 0600);
	int fd = open("d", O_RDONLY);
	int types = 0, entries = 0;
	long got;
	while ((got = syscall(SYS_getdents64, fd, raw, sizeof raw)) > 0) {
		for (long at = 0; at < got;) {
			struct dirent *entry = (struct dirent *)(raw + at);
			types += entry->d_type;
			entries++;
			at += entry->d_reclen;
		}
	}
	printf("entries %d types %d\n", entries, types);
	SHOW(syscall(SYS_getdents64, fd, raw, sizeof raw));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(syscall(SYS_getdents64, fd, raw, 10));
	SHOW(syscall(SYS_getdents64, fd, raw, 30) > 0);
	SHOW(syscall(SYS_getdents64, open("d/file", O_RDONLY), raw, sizeof raw));
	SHOW(syscall(SYS_getdents64, 99, raw, sizeof raw));
	DIR *directory = opendir("d");
	readdir(directory);
	long place = telldir(directory);
	struct dirent *second = readdir(directory);
	char name[300];
	strcpy(name, second->d_name);
	while (readdir(directory)) {
	}
	seekdir(directory, place);
	printf("seek returns %d\n", strcmp(readdir(directory)->d_name, name) == 0);
	rmdir("d/dir");
	chdir("d");
	unlink("file");
	unlink("link");
	unlink("fifo");
	SHOW(rmdir("../d"));
	SHOW(open("x", O_CREAT | O_RDWR, 0600));
	SHOW(getcwd(raw, sizeof raw) ? 0 : -1);
	printf("entries of the removed %d\n", count_entries("."));
}

CASE(unlinked_stays)
{
	char text[10] = {0};
	put("f", "still");
	int fd = open("f", O_RDWR);
	unlink("f");
	struct stat status;
	fstat(fd, &status);
	printf("links %d\n", (int)status.st_nlink);
	SHOW(read(fd, text, 9));
	SHOW(pwrite(fd, "more", 4, 5));
	lseek(fd, 0, SEEK_SET);
	SHOW(read(fd, text, 9));
	puts(text);
	SHOW(linkat(fd, "", AT_FDCWD, "back", AT_EMPTY_PATH));
}
