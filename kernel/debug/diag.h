/* SPDX-License-Identifier: BSD-2-Clause */
/* The diagnostics buffer: what dmesg shows. A ring of bytes with absolute positions. */
#pragma once

#include "abi/types.h"

#include <stdarg.h>

/* A message of the kernel's; each line gets the time in front. */
void diag_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Text of any length, as diag_printf. */
void diag_puts(const char *text);
void diag_vprintf(const char *format, va_list args);
/* A line of a process': the time and its name in front. A missing newline is added. */
void diag_write_line(const char *name, const char *text, size_t bytes);
/* Bytes as they are. */
void diag_write_raw(const char *text, size_t bytes);
/* Up to `bytes` from absolute position *position on; *position becomes that of the first byte
 * returned. */
size_t diag_read(uint64_t *position, char *to, size_t bytes);

/* printf of %d %i %u %x %c %s %p %% with -, 0, width, precision of strings, l, ll, z. Returns the
 * full length. */
int format_string(char *to, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int format_args(char *to, size_t size, const char *format, va_list args);
