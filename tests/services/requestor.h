/* SPDX-License-Identifier: BSD-2-Clause */
/* A test service that uses what the grantor grants. Its argument names the test, its init runs it.
 */
#pragma once

#include <stdbool.h>

#include "lib/sys/diag.h"
#include "tests/services/partner.h"

/* The grantor, and another one, which passes its grants on. */
extern endpoint_t grantor, passer;
/* PARTNER_BYTES and a page, page-aligned. */
extern uint8_t *buffer;
/* How many checks failed so far. */
extern int failures;

#define EXPECT(condition)                                                                \
	do {                                                                             \
		if (!(condition)) {                                                      \
			failures++;                                                      \
			diag_printf("FAILED %s:%d: %s", __FILE__, __LINE__, #condition); \
		}                                                                        \
	} while (0)

/* Asks the grantor; the answer's type. */
int ask(int op, struct partner req);
/* A grant of [offset, offset + bytes) of the grantor's buffer. */
int ask_grant(uint64_t offset, uint64_t bytes, uint32_t access);
/* Whether [at, at + bytes) of the own buffer is what the grantor's at `offset` is after a FILL by
 * seed. */
bool is_filled(uint64_t at, uint64_t offset, uint64_t bytes, uint32_t seed);

void test_safecopy(void);
void test_safemap(void);
void test_safeperf(void);
