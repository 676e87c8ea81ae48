/* SPDX-License-Identifier: BSD-2-Clause */
/* splice and tee. */
#include "case.h"

static int first[2], second[2];

static void show_content(int fd, int bytes)
{
	char buffer[200] = "";
	long got = read(fd, buffer, (size_t)bytes);
	printf("%ld: %.*s\n", got, got > 0 ? (int)got : 0, buffer);
}

CASE(files_and_pipes)
{
	int file = open("file", O_CREAT | O_RDWR, 0644),
	    copy = open("copy", O_CREAT | O_RDWR, 0644);
	off_t at = 6, to = 2;
	pipe(first);
	SHOW(write(file, "hello spliced world", 19));
	SHOW(splice(file, &at, first[1], NULL, 7, 0));
	printf("at %ld\n", (long)at);
	SHOW(splice(first[0], NULL, copy, &to, 100, 0));
	printf("to %ld\n", (long)to);
	lseek(copy, 2, SEEK_SET);
	show_content(copy, 100);
	SHOW(lseek(file, 0, SEEK_SET));
	SHOW(splice(file, NULL, first[1], NULL, 100000, 0));
	SHOW(lseek(file, 0, SEEK_CUR));
	show_content(first[0], 100);
	SHOW(splice(file, NULL, first[1], NULL, 100, 0));
	SHOW(splice(first[0], NULL, copy, NULL, 100, SPLICE_F_NONBLOCK));
	close(first[1]);
	SHOW(splice(first[0], NULL, copy, NULL, 100, 0));
}

CASE(pipes_and_tee)
{
	pipe(first);
	pipe(second);
	write(first[1], "abcdefgh", 8);
	SHOW(tee(first[0], second[1], 5, 0));
	show_content(second[0], 100);
	SHOW(splice(first[0], NULL, second[1], NULL, 3, 0));
	show_content(second[0], 100);
	show_content(first[0], 100);
	SHOW(tee(first[0], second[1], 5, SPLICE_F_NONBLOCK));
	fcntl(second[1], F_SETPIPE_SZ, 4096);
	char block[4096] = "";
	write(second[1], block, sizeof block);
	write(first[1], "x", 1);
	SHOW(splice(first[0], NULL, second[1], NULL, 1, SPLICE_F_NONBLOCK));
	signal(SIGPIPE, SIG_IGN);
	close(second[0]);
	SHOW(splice(first[0], NULL, second[1], NULL, 1, 0));
}

CASE(wrong_ends)
{
	int file = open("file", O_CREAT | O_RDWR, 0644), more = open("file", O_RDWR | O_APPEND);
	off_t at = 0;
	pipe(first);
	write(first[1], "abc", 3);
	SHOW(splice(file, NULL, file, NULL, 10, 0));
	SHOW(splice(first[0], NULL, first[1], NULL, 10, 0));
	SHOW(splice(first[0], &at, file, NULL, 10, 0));
	SHOW(splice(first[1], NULL, file, NULL, 10, 0));
	SHOW(splice(first[0], NULL, more, NULL, 10, 0));
	SHOW(splice(99, NULL, file, NULL, 10, 0));
	SHOW(splice(first[0], NULL, file, NULL, 10, 0x100));
	SHOW(splice(first[0], NULL, file, NULL, 0, 0));
	SHOW(tee(file, first[1], 10, 0));
	SHOW(tee(first[0], first[1], 10, 0));
}
