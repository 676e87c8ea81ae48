/* SPDX-License-Identifier: BSD-2-Clause */
/* A check of the host tests: says what failed and where, and ends the test. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                        \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                                \
		}                                                                               \
	} while (0)

#define RUN(test)                      \
	do {                           \
		printf("%s\n", #test); \
		test();                \
	} while (0)
