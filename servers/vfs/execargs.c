/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/execargs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/util.h"
#include "servers/vfs/call.h"
#include "servers/vfs/user.h"

#define STRING_MAX     (128u * 1024) /* one string with its NUL */
#define TOTAL_MIN      (128u * 1024)
#define TOTAL_MAX      (6u * 1024 * 1024) /* three quarters of the usual stack */
#define POINTERS_CHUNK 64
#define STEP           4096u

static int grow(struct exec_args *args, size_t room)
{
	size_t size = args->size ? args->size : 4 * STEP;
	char *strings;

	while (size - args->len < room) {
		size *= 2;
	}
	if (size == args->size) {
		return 0;
	}
	strings = realloc(args->strings, size);
	if (!strings) {
		return -ENOMEM;
	}
	args->strings = strings;
	args->size = size;
	return 0;
}

static int check_total(const struct exec_args *args)
{
	uint64_t pointers = ((uint64_t)args->argc + args->envc) * sizeof(uint64_t);

	return args->len + pointers > args->limit ? -E2BIG : 0;
}

/* One string behind the others. */
static int import_string(struct call *call, struct exec_args *args, vaddr_t from)
{
	size_t room = STEP;
	int64_t len;

	for (;;) {
		int r = grow(args, room);

		if (r < 0) {
			return r;
		}
		len = user_string(call, args->strings + args->len, from, room);
		if (len >= 0) {
			break;
		}
		if (len != -ENAMETOOLONG) {
			return (int)len;
		}
		if (room >= STRING_MAX || args->len + room > args->limit) {
			return -E2BIG;
		}
		room *= 2;
	}
	args->len += (size_t)len + 1;
	return 0;
}

static int import_list(struct call *call, struct exec_args *args, vaddr_t list, uint32_t *count)
{
	uint64_t pointers[POINTERS_CHUNK];
	int r;

	*count = 0;
	if (list == 0) {
		return 0;
	}
	for (;;) {
		/* To the end of the page: the list may end there. */
		size_t left = (AXO_PAGE_SIZE - (list & AXO_PAGE_MASK)) / sizeof(uint64_t);
		size_t n = u64_min(u64_max(left, 1), POINTERS_CHUNK);

		r = user_copy_in(call, pointers, list, n * sizeof(uint64_t));
		if (r < 0) {
			return r;
		}
		for (size_t i = 0; i < n; i++) {
			if (pointers[i] == 0) {
				return 0;
			}
			r = import_string(call, args, pointers[i]);
			(*count)++;
			if (r == 0) {
				r = check_total(args);
			}
			if (r < 0) {
				return r;
			}
		}
		list += n * sizeof(uint64_t);
	}
}

int exec_args_import(
	struct call *call, struct exec_args *args, vaddr_t argv, vaddr_t envp, uint64_t stack_limit)
{
	int r;

	memset(args, 0, sizeof(*args));
	args->limit = u64_max(TOTAL_MIN, u64_min(stack_limit / 4, TOTAL_MAX));
	r = import_list(call, args, argv, &args->argc);
	if (r == 0 && args->argc == 0) {
		/* A program is never without a name for itself. */
		r = grow(args, 1);
		if (r == 0) {
			args->strings[args->len++] = '\0';
			args->argc = 1;
		}
	}
	args->args_len = args->len;
	return r < 0 ? r : import_list(call, args, envp, &args->envc);
}

int exec_args_script(
	struct exec_args *args, const char *interp, const char *argument, const char *script)
{
	size_t first = strlen(args->strings) + 1;
	size_t interp_len = strlen(interp) + 1, argument_len = argument ? strlen(argument) + 1 : 0;
	size_t script_len = strlen(script) + 1, added = interp_len + argument_len + script_len;
	char *to;
	int r = grow(args, added);

	if (r < 0) {
		return r;
	}
	to = args->strings;
	memmove(to + added, to + first, args->len - first);
	memcpy(to, interp, interp_len);
	if (argument) {
		memcpy(to + interp_len, argument, argument_len);
	}
	memcpy(to + interp_len + argument_len, script, script_len);
	args->len += added - first;
	args->args_len += added - first;
	args->argc += argument ? 2 : 1;
	return check_total(args);
}

void exec_args_free(struct exec_args *args)
{
	free(args->strings);
	args->strings = NULL;
}
