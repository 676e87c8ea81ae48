/* SPDX-License-Identifier: BSD-2-Clause */
/* See diag.h. Invariant: the ring holds the last DIAG_BYTES of the kernel.diag_end bytes ever
 * written. */
#include "kernel/debug/diag.h"

#include <string.h>

#include "kernel/arch.h"
#include "kernel/state.h"

#define LINE_MAX_BYTES 512
#define CUT_MARK       "...\n"

static void put_bytes(const char *text, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++) {
		kernel.diag[kernel.diag_end++ % DIAG_BYTES] = text[i];
		if (kernel.log_port) {
			arch_log_putc(text[i]);
		}
	}
}

static void put_time(void)
{
	char stamp[32];
	uint64_t now_us = arch_now() / 1000;
	int len = format_string(
		stamp, sizeof(stamp), "[%5lu.%06lu] ", now_us / 1000000, now_us % 1000000);

	put_bytes(stamp, (size_t)len);
}

/* Text with a time stamp, and `name: ` if there is one, at the start of each line. */
static void put_text(const char *name, const char *text, size_t bytes)
{
	size_t i, start = 0;

	for (i = 0; i < bytes; i++) {
		if (kernel.diag_at_line_start) {
			put_time();
			if (name != NULL) {
				put_bytes(name, strlen(name));
				put_bytes(": ", 2);
			}
			kernel.diag_at_line_start = false;
		}
		if (text[i] == '\n') {
			put_bytes(text + start, i + 1 - start);
			start = i + 1;
			kernel.diag_at_line_start = true;
		}
	}
	put_bytes(text + start, bytes - start);
}

void diag_vprintf(const char *format, va_list args)
{
	char line[LINE_MAX_BYTES];
	int len = format_args(line, sizeof(line), format, args);

	if ((size_t)len >= sizeof(line)) {
		/* Cut, and loudly; a line stays a line. */
		memcpy(line + sizeof(line) - sizeof(CUT_MARK), CUT_MARK, sizeof(CUT_MARK));
		len = sizeof(line) - 1;
	}
	put_text(NULL, line, (size_t)len);
}

void diag_puts(const char *text)
{
	put_text(NULL, text, strlen(text));
}

void diag_printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diag_vprintf(format, args);
	va_end(args);
}

static void finish_line(void)
{
	if (!kernel.diag_at_line_start) {
		put_bytes("\n", 1);
		kernel.diag_at_line_start = true;
	}
}

void diag_write_line(const char *name, const char *text, size_t bytes)
{
	finish_line();
	put_text(name, text, bytes);
	finish_line();
}

void diag_write_raw(const char *text, size_t bytes)
{
	finish_line();
	put_bytes(text, bytes);
	kernel.diag_at_line_start = bytes == 0 || text[bytes - 1] == '\n';
	finish_line();
}

size_t diag_read(uint64_t *position, char *to, size_t bytes)
{
	uint64_t oldest = kernel.diag_end > DIAG_BYTES ? kernel.diag_end - DIAG_BYTES : 0;
	size_t i;

	if (*position < oldest) {
		*position = oldest;
	}
	if (*position >= kernel.diag_end) {
		return 0;
	}
	if (bytes > kernel.diag_end - *position) {
		bytes = kernel.diag_end - *position;
	}
	for (i = 0; i < bytes; i++) {
		to[i] = kernel.diag[(*position + i) % DIAG_BYTES];
	}
	return bytes;
}
