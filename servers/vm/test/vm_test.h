/* SPDX-License-Identifier: BSD-2-Clause */
/* What VM's host tests share. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "lib/core/util.h"
#include "servers/vm/check.h"
#include "servers/vm/test/fake_kernel.h"

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

#define CHECK_SOUND(vm)                                                                      \
	do {                                                                                 \
		const char *fault_ = vm_check_request(vm);                                   \
		if (fault_ == NULL) {                                                        \
			fault_ = vm_check(vm);                                               \
		}                                                                            \
		if (fault_ != NULL) {                                                        \
			fprintf(stderr, "%s:%d: unsound: %s\n", __FILE__, __LINE__, fault_); \
			exit(1);                                                             \
		}                                                                            \
	} while (0)

static inline uint64_t random_next(uint64_t *seed)
{
	return hash_u64(*seed += 0x9e3779b97f4a7c15ull);
}
