/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/sys/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/sys/kcall.h"

#define LINE_MAX 512

static void diag_line(enum diag_op op, const char *format, va_list args)
{
	char line[LINE_MAX];
	int len = vsnprintf(line, sizeof(line), format, args);

	if (len < 0) {
		return;
	}
	if (len >= LINE_MAX) {
		len = LINE_MAX - 1;
	}
	if (len > 0 && line[len - 1] == '\n') {
		len--;
	}
	(void)sys_diagctl(op, line, (size_t)len, 0);
}

void diag_printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diag_line(DIAG_WRITE, format, args);
	va_end(args);
}

void diag_panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diag_line(DIAG_PANIC, format, args);
	va_end(args);
	sys_exit();
}

/*
 * What musl would end a program with by Linux calls that a service may not make. Defined here, in
 * an object that every service links, they take the place of libc's.
 */
_Noreturn void _Exit(int status)
{
	diag_panic("exit(%d)", status);
}

_Noreturn void abort(void)
{
	diag_panic("abort");
}

_Noreturn void __assert_fail(
	const char *expression, const char *file, int line, const char *function);
_Noreturn void __assert_fail(
	const char *expression, const char *file, int line, const char *function)
{
	diag_panic("%s:%d: %s: assertion failed: %s", file, line, function, expression);
}
