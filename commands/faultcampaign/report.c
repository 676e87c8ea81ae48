/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/faultcampaign/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/faultcampaign/services.h"

static struct result *results;
static unsigned count, room;

int report_add(const struct result *result)
{
	if (count == room) {
		unsigned more = room ? 2 * room : 64;
		struct result *larger = realloc(results, more * sizeof(*larger));

		if (!larger) {
			return -ENOMEM;
		}
		results = larger;
		room = more;
	}
	results[count++] = *result;
	return 0;
}

static int by_row(const void *a, const void *b)
{
	const struct result *x = a, *y = b;
	int names = strcmp(x->service, y->service);

	if (names || x->kind != y->kind) {
		return names ? names : x->kind - y->kind;
	}
	return x->recovery_ns < y->recovery_ns ? -1 : x->recovery_ns > y->recovery_ns;
}

static int by_time(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return x->recovery_ns < y->recovery_ns ? -1 : x->recovery_ns > y->recovery_ns;
}

/* One row of results that are sorted by time. */
static void print_row(
	const char *service, const char *kind, const struct result *first, unsigned rows)
{
	unsigned survived = 0, noticed = 0, lost = 0, down = 0, untimed = 0, timed;

	for (unsigned i = 0; i < rows; i++) {
		survived += first[i].survived;
		noticed += first[i].noticed;
		lost += first[i].lost;
		down += first[i].down;
		untimed += first[i].recovery_ns == 0;
	}
	timed = rows - untimed;
	printf("%-12s %-8s %8u %8u", service, kind, rows, survived);
	if (timed) {
		printf(" %9.1f %8.1f", (double)first[untimed + (timed - 1) / 2].recovery_ns / 1e6,
			(double)first[rows - 1].recovery_ns / 1e6);
	} else {
		printf(" %9s %8s", "-", "-");
	}
	printf(" %8u %9u %6u\n", noticed, lost, down);
}

void report_print(void)
{
	printf("%-12s %-8s %8s %8s %9s %8s %8s %9s %6s\n", "service", "kind", "injected",
		"survived", "median ms", "max ms", "noticed", "data lost", "down");
	qsort(results, count, sizeof(*results), by_row);
	for (unsigned first = 0, next; first < count; first = next) {
		for (next = first + 1; next < count &&
			strcmp(results[next].service, results[first].service) == 0 &&
			results[next].kind == results[first].kind;
			next++) {
		}
		print_row(results[first].service, fault_name(results[first].kind), results + first,
			next - first);
	}
	if (count) {
		qsort(results, count, sizeof(*results), by_time);
		print_row("all", "", results, count);
	}
}

bool report_is_good(unsigned percent)
{
	unsigned survived = 0;

	for (unsigned i = 0; i < count; i++) {
		if (results[i].lost || results[i].down) {
			return false;
		}
		survived += results[i].survived;
	}
	return survived * 100 >= percent * count;
}
