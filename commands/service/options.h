/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of the command's words. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_NAMES_MAX 16

struct options {
	const char *names[OPTIONS_NAMES_MAX]; /* what is not an option */
	int count;
	const char *label, *conf, *args, *binary; /* NULL: not given */
	bool replica, no_backoff, no_wait, boundary, free;
	int state; /* enum sef_lu_state */
	uint64_t maxtime_ns, period_ns, seed;
	uint32_t faults;
};

/* False: there is something wrong with them. */
bool options_parse(struct options *options, int argc, char **argv);
