/* SPDX-License-Identifier: BSD-2-Clause */
/* Fakes of processes, peers and callers: they note what was asked of them. And helpers of the tests
 * that use them. */
#pragma once

#include <stdio.h>

#include "servers/rs/rs.h"

extern unsigned failures;

#define CHECK(condition)                                                               \
	do {                                                                           \
		if (!(condition)) {                                                    \
			printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
			failures++;                                                    \
		}                                                                      \
	} while (0)

#define S 1000000000ull

#define PROCESSES_MAX 4096

struct fake {
	endpoint_t next_ep;
	int create_error, swap_error, rollback_error, start_error;
	int alive;                   /* processes */
	int contents[PROCESSES_MAX]; /* which of them stands at an endpoint, from 1000 on */
	int privileges, privilege_error;
	int announced, renounced, mapped, recovered, forgotten, system_failed;
	int inits[3]; /* by type */
	endpoint_t last_former;
	int signals, kills, pings, prepared, cancelled, went_on, faults, scripts;
	int answers;
	int64_t last_answer;
	endpoint_t last_ep;
	time_ns_t alarm;
	uint32_t uid;
	bool is_hung, is_kernel_scheduling;
	endpoint_t waits_for;
	vaddr_t bad; /* copies that touch it fail */
};

extern struct fake fake;

/* Which process stands at an endpoint now; 0: none. */
int *contents(endpoint_t ep);

/* An RS without services. */
struct rs *fresh(void);

/* The end of a test. */
void finish(struct rs *rs);

/* A binary of this text; four bytes at least can be started. */
struct binary *fake_binary(const char *text);

/* Bring up a service by its declaration; or one that has nothing special. The result of
 * service_up().
 */
int up_declared(struct rs *rs, const char *label, const char *text);
int up(struct rs *rs, const char *label);

/* Bring one up and through its init. */
struct service *running(struct rs *rs, const char *label);

extern const struct waiter someone;
