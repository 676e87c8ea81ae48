/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int word_fail(struct parser *p, const char *format, ...)
{
	va_list arguments;

	p->error->line = p->word_line;
	va_start(arguments, format);
	vsnprintf(p->error->text, sizeof(p->error->text), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_mark(char c)
{
	return c == '{' || c == '}' || c == ';';
}

/* Words are of printable ASCII, so that they can be shown in an error. */
static bool is_word_char(char c)
{
	return c > ' ' && c < 0x7f && !is_mark(c) && c != '#';
}

static void skip_blanks(struct conf_text *in)
{
	bool is_comment = false;

	while (in->pos < in->len) {
		char c = in->text[in->pos];

		if (c == '#') {
			is_comment = true;
		} else if (c == '\n') {
			is_comment = false;
			in->line++;
		} else if (!is_comment && !is_blank(c)) {
			return;
		}
		in->pos++;
	}
}

int word_next(struct parser *p)
{
	struct conf_text *in = p->in;
	size_t n = 0;

	skip_blanks(in);
	p->word_line = in->line;
	p->word[0] = '\0';
	if (in->pos == in->len) {
		return 0;
	}
	if (is_mark(in->text[in->pos])) {
		p->word[0] = in->text[in->pos++];
		p->word[1] = '\0';
		return 1;
	}
	while (in->pos < in->len && is_word_char(in->text[in->pos])) {
		if (n == WORD_MAX - 1) {
			p->word[n] = '\0';
			return word_fail(p, "the word '%.20s...' is too long", p->word);
		}
		p->word[n++] = in->text[in->pos++];
	}
	p->word[n] = '\0';
	if (n == 0) {
		return word_fail(p, "a byte that no word may have: 0x%02x",
			(unsigned char)in->text[in->pos]);
	}
	return 1;
}

int word_argument(struct parser *p)
{
	int r = word_next(p);

	if (r < 0) {
		return r;
	}
	if (r == 0) {
		return word_fail(p, "the text ends within '%s'", p->keyword);
	}
	if (strcmp(p->word, ";") == 0) {
		return 0;
	}
	if (is_mark(p->word[0])) {
		return word_fail(p, "'%s' within '%s': is a ';' missing?", p->word, p->keyword);
	}
	return 1;
}

int word_need(struct parser *p, const char *what)
{
	int r = word_argument(p);

	if (r == 0) {
		return word_fail(p, "'%s' needs %s", p->keyword, what);
	}
	return r;
}

int word_end(struct parser *p)
{
	int r = word_argument(p);

	if (r == 1) {
		return word_fail(p, "'%s' takes no further argument '%s'", p->keyword, p->word);
	}
	return r;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return 16;
}

bool word_digits(const char *s, size_t len, unsigned base, uint64_t max, uint64_t *value)
{
	uint64_t n = 0;

	if (len == 0) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)digit_value(s[i]);

		if (digit >= base || n > (max - digit) / base) {
			return false;
		}
		n = n * base + digit;
	}
	*value = n;
	return true;
}

int word_number(struct parser *p, uint64_t max, uint64_t *value)
{
	bool is_hex = p->word[0] == '0' && (p->word[1] == 'x' || p->word[1] == 'X');
	const char *digits = is_hex ? p->word + 2 : p->word;

	if (!word_digits(digits, strlen(digits), is_hex ? 16 : 10, max, value)) {
		return word_fail(p, "'%s': '%.32s' is not a number of at most %llu", p->keyword,
			p->word, (unsigned long long)max);
	}
	return 0;
}

int word_need_number(struct parser *p, const char *what, uint64_t max, uint64_t *value)
{
	int r = word_need(p, what);

	return r < 0 ? r : word_number(p, max, value);
}
