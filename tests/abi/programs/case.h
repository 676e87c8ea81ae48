/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Test programs that run on Linux and on Axolotl, whose outputs are compared: a case prints what it
 * sees, and nothing that may differ between two runs (no process numbers, addresses, times).
 *
 * CASE(name) { ... } defines a case; `program name` runs it, `program` alone lists the names.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
};

static struct test_case *test_cases;

#define CASE(NAME)                                                 \
	static void NAME(void);                                    \
	static struct test_case case_##NAME = {#NAME, NAME, NULL}; \
	__attribute__((constructor)) static void add_##NAME(void)  \
	{                                                          \
		case_##NAME.next = test_cases;                     \
		test_cases = &case_##NAME;                         \
	}                                                          \
	static void NAME(void)

/* The name of an error number: the same on every C library. */
__attribute__((unused)) static const char *error_name(int error)
{
	static const char *const names[] = {[0] = "0",
		[EPERM] = "EPERM",
		[ENOENT] = "ENOENT",
		[ESRCH] = "ESRCH",
		[EINTR] = "EINTR",
		[EIO] = "EIO",
		[ENXIO] = "ENXIO",
		[E2BIG] = "E2BIG",
		[ENOEXEC] = "ENOEXEC",
		[EBADF] = "EBADF",
		[ECHILD] = "ECHILD",
		[EAGAIN] = "EAGAIN",
		[ENOMEM] = "ENOMEM",
		[EACCES] = "EACCES",
		[EFAULT] = "EFAULT",
		[EBUSY] = "EBUSY",
		[EEXIST] = "EEXIST",
		[EXDEV] = "EXDEV",
		[ENODEV] = "ENODEV",
		[ENOTDIR] = "ENOTDIR",
		[EISDIR] = "EISDIR",
		[EINVAL] = "EINVAL",
		[EMFILE] = "EMFILE",
		[ENOTTY] = "ENOTTY",
		[EFBIG] = "EFBIG",
		[ENOSPC] = "ENOSPC",
		[ESPIPE] = "ESPIPE",
		[EROFS] = "EROFS",
		[EPIPE] = "EPIPE",
		[EDOM] = "EDOM",
		[ERANGE] = "ERANGE",
		[ENAMETOOLONG] = "ENAMETOOLONG",
		[ENOSYS] = "ENOSYS",
		[ENOTEMPTY] = "ENOTEMPTY",
		[ELOOP] = "ELOOP",
		[EOVERFLOW] = "EOVERFLOW",
		[EOPNOTSUPP] = "EOPNOTSUPP",
		[ETIMEDOUT] = "ETIMEDOUT",
		[ETXTBSY] = "ETXTBSY",
		[ENOTSOCK] = "ENOTSOCK"};
	static char other[16];
	if (error >= 0 && error < (int)(sizeof names / sizeof *names) && names[error]) {
		return names[error];
	}
	snprintf(other, sizeof other, "errno%d", error);
	return other;
}

/* Prints a call's result: its value, or the error it failed with. */
__attribute__((unused)) static long show(const char *what, long result)
{
	if (result == -1) {
		printf("%s: %s\n", what, error_name(errno));
	} else {
		printf("%s: %ld\n", what, result);
	}
	return result;
}

/* As show(), for a result whose value may differ: prints only ok or the error. */
__attribute__((unused)) static long outcome(const char *what, long result)
{
	printf("%s: %s\n", what, result == -1 ? error_name(errno) : "ok");
	return result;
}

#define SHOW(CALL)    show(#CALL, (long)(CALL))
#define OUTCOME(CALL) outcome(#CALL, (long)(CALL))

/* Prints how a child ended. */
__attribute__((unused)) static void show_status(const char *what, int status)
{
	if (WIFEXITED(status)) {
		printf("%s: exit %d\n", what, WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		printf("%s: signal %d\n", what, WTERMSIG(status));
	} else if (WIFSTOPPED(status)) {
		printf("%s: stopped by %d\n", what, WSTOPSIG(status));
	} else if (WIFCONTINUED(status)) {
		printf("%s: continued\n", what);
	}
}

/* Runs a function in a child, and prints how the child ended. */
__attribute__((unused)) static void in_child(const char *what, void (*function)(void))
{
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		function();
		fflush(stdout);
		_exit(0);
	}
	int status = 0;
	if (child < 0 || waitpid(child, &status, 0) != child) {
		printf("%s: no child: %s\n", what, error_name(errno));
		return;
	}
	show_status(what, status);
}

__attribute__((unused)) static void sleep_ms(long milliseconds)
{
	usleep((useconds_t)milliseconds * 1000);
}

int main(int count, char **arguments)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (struct test_case *one = test_cases; one; one = one->next) {
		if (count < 2) {
			puts(one->name);
		} else if (strcmp(arguments[1], one->name) == 0) {
			one->run();
			return 0;
		}
	}
	return count < 2 ? 0 : 2;
}
