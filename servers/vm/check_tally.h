/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two sanity checks share (check.c walks everything, check_request.c what was changed). */
#pragma once

#include "servers/vm/space.h"

struct tally {
	struct vm *vm;
	uint32_t *refs;    /* check.c: references found so far, by page */
	uint16_t *maps;    /* check.c: mappers found so far, by page */
	uint64_t writers;  /* check.c: writable entries of counted pages found so far */
	const char *fault; /* the first that was found */
};

/* Note that `what` does not hold unless the condition does; returns the condition. */
bool expect(struct tally *tally, bool condition, const char *what);

/* A used entry that lies in the region. */
void check_entry(struct tally *tally, const struct region *region, pte_t pte);

/* All regions of a space, and the sums of their sizes. */
void check_regions(struct tally *tally, const struct space *space);
