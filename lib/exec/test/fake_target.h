/* SPDX-License-Identifier: BSD-2-Clause */
/* A target of the loader for tests: a small window of pages that checks each callback's promises.
 */
#pragma once

#include "lib/exec/exec.h"

#define FAKE_LOW   0x10000ul
#define FAKE_PAGES 256
#define FAKE_HIGH  (FAKE_LOW + FAKE_PAGES * AXO_PAGE_SIZE)

struct fake_target {
	const uint8_t *file;
	uint64_t file_size;
	bool can_map_file;
	int fail_at; /* the callback number that fails, counted from 0; -1: none */
	int calls;
	bool was_cleared;
	bool is_mapped[FAKE_PAGES];
	int prot[FAKE_PAGES];
	uint8_t memory[FAKE_PAGES * AXO_PAGE_SIZE];
};

extern const struct exec_ops fake_ops;

/* An empty target for a file. */
void fake_init(struct fake_target *target, const uint8_t *file, uint64_t file_size);
