/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/init/options.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

char *options_decode(const char *text, size_t len)
{
	char *out = malloc(len / 4 * 3 + 4);
	uint32_t bits = 0;
	unsigned held = 0;
	size_t n = 0;

	while (len > 0 && text[len - 1] == '=') {
		len--;
	}
	for (size_t i = 0; out && i < len; i++) {
		int value = digit(text[i]);

		if (value < 0) {
			free(out);
			return NULL;
		}
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[n++] = (char)(bits >> held);
		}
	}
	if (out) {
		out[n] = '\0';
	}
	return out;
}

/* The value when the word is KEY=VALUE (key with its '='); NULL otherwise. */
static const char *value_of(const char *word, size_t len, const char *key, size_t *value_len)
{
	size_t key_len = strlen(key);

	if (len < key_len || memcmp(word, key, key_len) != 0) {
		return NULL;
	}
	*value_len = len - key_len;
	return word + key_len;
}

static void set(char *to, size_t size, const char *value, size_t len)
{
	if (len > 0 && len < size) {
		memcpy(to, value, len);
		to[len] = '\0';
	}
}

static int take_word(struct options *options, const char *word, size_t len)
{
	const char *value;
	size_t n;

	if ((value = value_of(word, len, "root=", &n))) {
		set(options->root, sizeof(options->root), value, n);
	} else if ((value = value_of(word, len, "rootfstype=", &n))) {
		set(options->root_type, sizeof(options->root_type), value, n);
	} else if ((value = value_of(word, len, "console=", &n))) {
		options->is_vga = n == 3 && memcmp(value, "vga", 3) == 0;
	} else if ((value = value_of(word, len, "exec=", &n))) {
		free(options->command);
		options->command = options_decode(value, n);
		return options->command ? 0 : -EINVAL;
	} else if (len == 2 && memcmp(word, "ro", 2) == 0) {
		options->is_read_only = true;
	} else if (len == 2 && memcmp(word, "rw", 2) == 0) {
		options->is_read_only = false;
	}
	return 0;
}

int options_parse(struct options *options, const char *line)
{
	*options = (struct options){.root = "/dev/vda", .root_type = "ext2"};
	while (*line) {
		size_t len = strcspn(line, " \t\n");
		int r = take_word(options, line, len);

		if (r < 0) {
			return r;
		}
		line += len;
		line += strspn(line, " \t\n");
	}
	return 0;
}
