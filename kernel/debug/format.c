/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's printf: see diag.h for what it knows. */
#include "kernel/debug/diag.h"

#include <stdbool.h>

struct output {
	char *to;
	size_t size;
	size_t len;
};

struct spec {
	bool left, zero;
	int width, precision, longs;
};

static void emit(struct output *out, char c)
{
	if (out->len + 1 < out->size) {
		out->to[out->len] = c;
	}
	out->len++;
}

static void emit_padded(struct output *out, const struct spec *spec, const char *text, int len)
{
	int pad = spec->width - len;
	int i;

	for (i = pad; !spec->left && i > 0; i--) {
		emit(out, ' ');
	}
	for (i = 0; i < len; i++) {
		emit(out, text[i]);
	}
	for (i = pad; spec->left && i > 0; i--) {
		emit(out, ' ');
	}
}

static void emit_number(
	struct output *out, const struct spec *spec, uint64_t value, unsigned base, bool negative)
{
	char digits[32];
	struct spec plain = *spec;
	int at = sizeof(digits);
	int fill = spec->zero && !spec->left ? spec->width - (negative ? 1 : 0) : 0;

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while ((int)sizeof(digits) - at < fill && at > 1) {
		digits[--at] = '0';
	}
	if (negative) {
		digits[--at] = '-';
	}
	emit_padded(out, &plain, digits + at, (int)sizeof(digits) - at);
}

static void emit_string(struct output *out, const struct spec *spec, const char *text)
{
	int len = 0;

	if (text == NULL) {
		text = "(null)";
	}
	while ((spec->precision < 0 || len < spec->precision) && text[len] != '\0') {
		len++;
	}
	emit_padded(out, spec, text, len);
}

static const char *parse_spec(struct spec *spec, const char *at, va_list *args)
{
	*spec = (struct spec){.precision = -1};
	for (;; at++) {
		if (*at == '-') {
			spec->left = true;
		} else if (*at == '0') {
			spec->zero = true;
		} else {
			break;
		}
	}
	if (*at == '*') {
		spec->width = va_arg(*args, int);
		at++;
	}
	while (*at >= '0' && *at <= '9') {
		spec->width = spec->width * 10 + *at++ - '0';
	}
	if (*at == '.') {
		at++;
		spec->precision = 0;
		if (*at == '*') {
			spec->precision = va_arg(*args, int);
			at++;
		}
		while (*at >= '0' && *at <= '9') {
			spec->precision = spec->precision * 10 + *at++ - '0';
		}
	}
	while (*at == 'l' || *at == 'z') {
		spec->longs++;
		at++;
	}
	return at;
}

int format_args(char *to, size_t size, const char *format, va_list original)
{
	struct output out = {to, size, 0};
	struct spec spec;
	va_list args;

	va_copy(args, original);
	for (; *format != '\0'; format++) {
		if (*format != '%') {
			emit(&out, *format);
			continue;
		}
		format = parse_spec(&spec, format + 1, &args);
		switch (*format) {
		case 'd':
		case 'i': {
			int64_t value = spec.longs > 0 ? va_arg(args, long) : va_arg(args, int);

			emit_number(&out, &spec, value < 0 ? -(uint64_t)value : (uint64_t)value, 10,
				value < 0);
			break;
		}
		case 'u':
		case 'x':
		case 'X': {
			uint64_t value = spec.longs > 0 ? va_arg(args, unsigned long)
							: va_arg(args, unsigned);

			emit_number(&out, &spec, value, *format == 'u' ? 10 : 16, false);
			break;
		}
		case 'p':
			emit_number(&out, &spec, (uint64_t)va_arg(args, void *), 16, false);
			break;
		case 'c':
			emit(&out, (char)va_arg(args, int));
			break;
		case 's':
			emit_string(&out, &spec, va_arg(args, const char *));
			break;
		case '\0':
			format--;
			break;
		default:
			emit(&out, *format);
			break;
		}
	}
	va_end(args);
	if (size > 0) {
		to[out.len < size ? out.len : size - 1] = '\0';
	}
	return (int)out.len;
}

int format_string(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = format_args(to, size, format, args);
	va_end(args);
	return len;
}
