/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of a declaration, for conf.c: words are separated by blanks; '{', '}' and ';' are words
 * of their own; '#' begins a comment that lasts to the end of its line. Functions that fail return
 * -EINVAL with *error filled in.
 */
#pragma once

#include "servers/rs/conf.h"

#define WORD_MAX 64

struct parser {
	struct conf_text *in;
	struct conf_service *out;
	struct conf_error *error;
	const char *keyword; /* the statement being read */
	uint64_t seen;       /* bit: statement of conf.c's table was there */
	char word[WORD_MAX]; /* the last word read; empty at the end of the text */
	uint32_t word_line;
};

/* Note an error at the last word; returns -EINVAL. */
int word_fail(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Read the next word into p->word: 1, or 0 at the end of the text (the word is empty). */
int word_next(struct parser *p);

/* Read the next argument of the statement: 1, or 0 at its ';'. */
int word_argument(struct parser *p);

/* As word_argument(), but there must be one; `what` says what it is. */
int word_need(struct parser *p, const char *what);

/* Nothing but ';' may come. */
int word_end(struct parser *p);

/* The word as a number (decimal, or hexadecimal with 0x) of at most `max`. */
int word_number(struct parser *p, uint64_t max, uint64_t *value);

/* Read a number. */
int word_need_number(struct parser *p, const char *what, uint64_t max, uint64_t *value);

/* Digits of a base up to 16 as a number of at most `max`. */
bool word_digits(const char *s, size_t len, unsigned base, uint64_t max, uint64_t *value);
