/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/service/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "abi/types.h"
#include "proto/sef.h"

#define NS_PER_MS 1000000ull

static bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return errno == 0 && end != text && *end == '\0' && text[0] != '-' && *value <= max;
}

static bool parse_state(const char *text, int *state)
{
	static const char *const names[] = {
		[SEF_LU_WORK_FREE] = "work",
		[SEF_LU_REQUEST_FREE] = "request",
		[SEF_LU_PROTOCOL_FREE] = "protocol",
	};
	uint64_t number;

	for (int i = SEF_LU_WORK_FREE; i <= SEF_LU_PROTOCOL_FREE; i++) {
		if (strcmp(text, names[i]) == 0) {
			*state = i;
			return true;
		}
	}
	if (!parse_number(text, INT32_MAX, &number)) {
		return false;
	}
	*state = (int)number;
	return true;
}

static bool parse_ms(const char *text, uint64_t *ns)
{
	if (!parse_number(text, 86400000, ns) || *ns == 0) {
		return false;
	}
	*ns *= NS_PER_MS;
	return true;
}

static bool parse_flag(struct options *o, const char *word)
{
	const struct {
		const char *brief, *full;
		bool *flag;
	} flags[] = {
		{"-p", "--replica", &o->replica},
		{"-b", "--no-backoff", &o->no_backoff},
		{"-n", "--no-wait", &o->no_wait},
		{"--boundary", "--boundary", &o->boundary},
		{"--free", "--free", &o->free},
	};

	for (size_t i = 0; i < AXO_ARRAY_LEN(flags); i++) {
		if (strcmp(word, flags[i].brief) == 0 || strcmp(word, flags[i].full) == 0) {
			*flags[i].flag = true;
			return true;
		}
	}
	return false;
}

static const char **text_option(struct options *o, const char *word)
{
	return strcmp(word, "--label") == 0                                ? &o->label
		: strcmp(word, "--conf") == 0                              ? &o->conf
		: strcmp(word, "--args") == 0                              ? &o->args
		: strcmp(word, "-c") == 0 || strcmp(word, "--binary") == 0 ? &o->binary
									   : NULL;
}

static bool parse_value(struct options *o, const char *word, const char *value)
{
	const char **text = text_option(o, word);
	uint64_t number;

	if (!value) {
		return false;
	}
	if (text) {
		*text = value;
		return true;
	}
	if (strcmp(word, "--state") == 0) {
		return parse_state(value, &o->state);
	}
	if (strcmp(word, "--maxtime") == 0) {
		return parse_ms(value, &o->maxtime_ns);
	}
	if (strcmp(word, "--period") == 0) {
		return parse_ms(value, &o->period_ns);
	}
	if (strcmp(word, "--seed") == 0) {
		return parse_number(value, UINT64_MAX, &o->seed);
	}
	if (strcmp(word, "--count") == 0 && parse_number(value, UINT32_MAX, &number)) {
		o->faults = (uint32_t)number;
		return true;
	}
	return false;
}

bool options_parse(struct options *options, int argc, char **argv)
{
	*options = (struct options){.state = SEF_LU_REQUEST_FREE};
	for (int i = 0; i < argc; i++) {
		if (argv[i][0] != '-') {
			if (options->count == OPTIONS_NAMES_MAX) {
				return false;
			}
			options->names[options->count++] = argv[i];
		} else if (!parse_flag(options, argv[i])) {
			if (!parse_value(options, argv[i], i + 1 < argc ? argv[i + 1] : NULL)) {
				return false;
			}
			i++;
		}
	}
	return true;
}
