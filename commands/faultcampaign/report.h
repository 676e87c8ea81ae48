/* SPDX-License-Identifier: BSD-2-Clause */
/* What a campaign counts, a row for each service and kind of fault. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What came of one fault. */
struct result {
	const char *service; /* the name given by the user; stays valid */
	int kind;
	bool survived;  /* the service answers and all programs went on */
	bool restarted; /* it was started again; false: it went on by itself */
	uint64_t recovery_ns;
	bool noticed; /* a program got an error */
	bool lost;    /* data were not what they must be */
	bool down;    /* nothing went on any more */
};

/* 0 or -ENOMEM. */
int report_add(const struct result *result);

/* Prints the table. */
void report_print(void);

/* Whether nothing was lost and nobody is down, and at least `percent` of the faults were survived.
 */
bool report_is_good(unsigned percent);
