/* SPDX-License-Identifier: BSD-2-Clause */
/* Mount options as in tmpfs(5): size, nr_blocks, nr_inodes, mode; suffixes k, m, g; size may be a
 * percentage. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/tmp/tmp.h"

/* A number with an optional suffix that ends at a comma or the text's end; percent: of `total`. */
static int number_parse(const char *text, uint64_t total, bool percent_allowed, uint64_t *value)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 0);
	unsigned shift = 0;

	if (end == text || text[0] == '-') {
		return -EINVAL;
	}
	switch (*end) {
	case 'k':
	case 'K':
		shift = 10;
		break;
	case 'm':
	case 'M':
		shift = 20;
		break;
	case 'g':
	case 'G':
		shift = 30;
		break;
	case '%':
		if (!percent_allowed || number > 100) {
			return -EINVAL;
		}
		*value = total / 100 * number;
		return end[1] == ',' || end[1] == '\0' ? 0 : -EINVAL;
	default:
		break;
	}
	if (shift) {
		end++;
	}
	if ((*end != ',' && *end != '\0') || number > UINT64_MAX >> shift) {
		return -EINVAL;
	}
	*value = (uint64_t)number << shift;
	return 0;
}

static int option_parse(const char *text, uint64_t total_pages, struct tmp_options *o)
{
	uint64_t value = 0;
	int r;

	if (strncmp(text, "size=", 5) == 0) {
		r = number_parse(text + 5, total_pages * TMP_PAGE, true, &value);
		if (r == 0) {
			o->pages = value ? value / TMP_PAGE + (value % TMP_PAGE != 0) : UINT64_MAX;
		}
	} else if (strncmp(text, "nr_blocks=", 10) == 0) {
		r = number_parse(text + 10, 0, false, &value);
		if (r == 0) {
			o->pages = value ? value : UINT64_MAX;
		}
	} else if (strncmp(text, "nr_inodes=", 10) == 0) {
		r = number_parse(text + 10, 0, false, &value);
		if (r == 0) {
			o->nodes = value ? value : UINT64_MAX;
		}
	} else if (strncmp(text, "mode=", 5) == 0) {
		char *end;
		unsigned long mode = strtoul(text + 5, &end, 8);

		r = end == text + 5 || (*end != ',' && *end != '\0') || mode > 07777 ? -EINVAL : 0;
		o->mode = (uint32_t)mode;
	} else {
		r = -EINVAL;
	}
	return r;
}

int tmp_options_parse(const char *text, uint64_t total_pages, struct tmp_options *o)
{
	o->pages = total_pages / 2;
	o->nodes = total_pages / 2;
	o->mode = 01777;
	while (*text) {
		int r = *text == ',' ? 0 : option_parse(text, total_pages, o);

		if (r < 0) {
			return r;
		}
		text = strchr(text, ',');
		if (!text) {
			break;
		}
		text++;
	}
	return 0;
}
