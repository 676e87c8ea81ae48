/* SPDX-License-Identifier: BSD-2-Clause */
/* Random operations, each on ext2 and on a model, with the results compared. */
#pragma once

#include "fs/ext2/test/harness.h"
#include "fs/ext2/test/model.h"

struct test {
	struct harness harness;
	struct model model;
	struct fs *fs;
	uint64_t seed;
	bool may_fail; /* errors of the device or of memory are being injected */
	uint64_t max_offset;
};

/* A random number below `bound`; one of few names. */
uint32_t test_pick(struct test *test, uint32_t bound);
void test_pick_name(struct test *test, char *name);

/* One random operation. */
void test_step(struct test *test);

/* Everything must be as the model has it. */
void test_check_all(struct test *test);

/* Give back what is held of unlinked nodes. */
void test_release_all(struct test *test);
