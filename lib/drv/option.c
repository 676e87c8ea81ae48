/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/drv/option.h"

#include <string.h>

bool option_find(const char *line, const char *name, char *value, size_t size)
{
	size_t name_len = strlen(name);
	bool is_found = false;

	while (*line != '\0') {
		size_t word_len = strcspn(line, " \t\n");

		if (word_len >= name_len && memcmp(line, name, name_len) == 0 &&
			(word_len == name_len || line[name_len] == '=')) {
			size_t skip = word_len == name_len ? word_len : name_len + 1;
			size_t len = word_len - skip;

			len = len < size - 1 ? len : size - 1;
			memcpy(value, line + skip, len);
			value[len] = '\0';
			is_found = true;
		}
		line += word_len;
		line += strspn(line, " \t\n");
	}
	return is_found;
}
