/* SPDX-License-Identifier: BSD-2-Clause */
/* A text that grows as it is written. Out of memory is remembered and reported once, at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/endpoint.h"

struct text {
	char *bytes;
	size_t len, size;
	bool failed; /* no memory: the text is not whole */
	/* Set by the reader: where in the file it reads, and how much. A file that can be made in
	 * pieces begins `bytes` there and sets `is_piece`; others are made whole. */
	uint64_t start, wanted;
	bool is_piece;
	endpoint_t reader; /* the program that reads, or EP_NONE */
};

__attribute__((format(printf, 2, 3))) void text_printf(struct text *text, const char *format, ...);
void text_append(struct text *text, const void *bytes, size_t len);
/* Pads with spaces until the line that begins at `line_start` has `column` characters. */
void text_pad(struct text *text, size_t line_start, size_t column);
void text_free(struct text *text);
