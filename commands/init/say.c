/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/init/say.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int kmsg = -1;

void say_open(void)
{
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
}

void say_close(void)
{
	if (kmsg >= 0) {
		close(kmsg);
		kmsg = -1;
	}
}

static void put(int fd, const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, line, len);

		if (n <= 0) {
			return;
		}
		line += n;
		len -= (size_t)n;
	}
}

static void speak(const char *format, va_list arguments, int is_aloud)
{
	char line[512];
	int len = vsnprintf(line, sizeof(line) - 1, format, arguments);

	if (len < 0) {
		return;
	}
	if ((size_t)len > sizeof(line) - 2) {
		len = sizeof(line) - 2;
	}
	line[len++] = '\n';
	if (kmsg >= 0) {
		put(kmsg, line, (size_t)len);
	}
	if (kmsg < 0 || is_aloud) {
		put(STDERR_FILENO, line, (size_t)len);
	}
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	speak(format, arguments, 0);
	va_end(arguments);
}

void say_aloud(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	speak(format, arguments, 1);
	va_end(arguments);
}
