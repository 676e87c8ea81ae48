/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments and environment of a program to be: copied out of the caller before anything changes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/types.h"

struct call;

struct exec_args {
	char *strings; /* argc argument strings, then envc environment strings */
	size_t len, size;
	uint32_t argc, envc;
	size_t args_len; /* bytes of the argument strings */
	uint64_t limit;  /* bytes for strings and pointers */
};

/* stack_limit: RLIMIT_STACK. 0, -E2BIG, -EFAULT, -ENOMEM. */
int exec_args_import(struct call *call, struct exec_args *args, vaddr_t argv, vaddr_t envp,
	uint64_t stack_limit);
/* For a script: the first argument is replaced by interpreter, argument (may be NULL) and script.
 */
int exec_args_script(
	struct exec_args *args, const char *interp, const char *argument, const char *script);
void exec_args_free(struct exec_args *args);
