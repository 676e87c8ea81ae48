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
	bool may_crash;
	uint64_t max_offset;
	/* After a crash in a step, the step is done again: what it finds done already counts. */
	bool is_repeat;
	int pending_node, pending_entry; /* made in the model for a call under way; -1: none */
	int releasing;                   /* the node being put; -1: none */
};

/* The real inode of a model's node. */
static inline uint64_t test_ino(const struct test *test, int node)
{
	return test->model.node[node].ino;
}

/* A random number below `bound`; one of few names. */
uint32_t test_pick(struct test *test, uint32_t bound);
void test_pick_name(struct test *test, char *name);

/* One random operation. */
void test_step(struct test *test);

/* A piece of a file must be as the model has it. */
void test_check_file(struct test *test, int number, size_t offset, size_t len);

/* Everything must be as the model has it. */
void test_check_all(struct test *test);

/* After a crash and the mount: say what is held, as VFS does. */
void test_rebind_all(struct test *test);

/* Give back what is held of unlinked nodes. */
void test_release_all(struct test *test);
