/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/proc/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_FIRST 1024

static bool text_reserve(struct text *text, size_t more)
{
	size_t size = text->size ? text->size : TEXT_FIRST;
	char *bytes;

	while (size - text->len < more) {
		size *= 2;
	}
	if (size == text->size) {
		return true;
	}
	bytes = realloc(text->bytes, size);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	text->bytes = bytes;
	text->size = size;
	return true;
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args, again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	if (len >= 0 && text_reserve(text, (size_t)len + 1)) {
		(void)vsnprintf(text->bytes + text->len, (size_t)len + 1, format, again);
		text->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}

void text_append(struct text *text, const void *bytes, size_t len)
{
	if (len > 0 && text_reserve(text, len)) {
		memcpy(text->bytes + text->len, bytes, len);
		text->len += len;
	}
}

void text_pad(struct text *text, size_t line_start, size_t column)
{
	while (!text->failed && text->len - line_start < column) {
		text_append(text, " ", 1);
	}
}

void text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}
