/* SPDX-License-Identifier: BSD-2-Clause */
/* tracer PID...: attaches to each process, reads a word of its text, and lets it go. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

static void trace(pid_t pid)
{
	struct user_regs_struct regs;
	int status = 0;
	long word;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) != 0) {
		printf("attach: %s\n", strerror(errno));
		return;
	}
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) {
		printf("no stop\n");
		return;
	}
	ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, pid, (void *)regs.rip, NULL);
	printf("stopped by %d, text %s\n", WSTOPSIG(status),
		errno != 0          ? strerror(errno)
			: word != 0 ? "read"
				    : "zero");
	printf("detach %ld\n", ptrace(PTRACE_DETACH, pid, NULL, NULL));
}

int main(int count, char **arguments)
{
	for (int i = 1; i < count; i++) {
		trace(atoi(arguments[i]));
	}
	return 0;
}
