/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the line: panic and assertions. */
#pragma once

#include "abi/types.h"

struct trap_frame;

/* Prints the text, registers, stack and last trace records on the serial port, and stops the
 * machine. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with the registers of an exception. */
_Noreturn void panic_frame(const struct trap_frame *frame, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
_Noreturn void assert_failed(const char *text, const char *file, int line);

/* Own invariants only, never input. */
#define assert(condition)                                              \
	do {                                                           \
		if (!(condition)) {                                    \
			assert_failed(#condition, __FILE__, __LINE__); \
		}                                                      \
	} while (0)

/* For walks that cost more than a few instructions. */
#if AXO_CHECKS
#define debug_assert(condition) assert(condition)
#else
#define debug_assert(condition) ((void)sizeof(condition))
#endif

/* A piece of the report, at most 255 characters, by the polled port: for what an architecture adds
 * to it. */
void panic_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
