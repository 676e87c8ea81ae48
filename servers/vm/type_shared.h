/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared anonymous memory (VM-08): an object that several regions refer to holds the pages. */
#pragma once

#include "servers/vm/region.h"

struct shared_object {
	uint32_t refs;       /* regions, a client of the page cache */
	uint32_t check_mark; /* vm_check(): has been counted */
	uint64_t pages;      /* size */
	uint64_t resident;
	pfn_t **chunks; /* by page number / SHARED_CHUNK_PAGES; made on demand */
};

#define SHARED_CHUNK_PAGES 256

/* An empty object without references; NULL when there is no memory. */
struct shared_object *shared_create(struct vm *vm, uint64_t pages);

/* Free an object that no region refers to. */
void shared_destroy(struct vm *vm, struct shared_object *object);

/* Make all pages present. -ENOMEM: some may be. */
int shared_populate(struct vm *vm, struct shared_object *object, enum page_class class);
