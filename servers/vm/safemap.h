/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that services share by grants (GRT-08 to GRT-12): what the kernel asks of VM for safemap,
 * safeunmap and saferevmap. Grants have been checked then.
 *
 * A record says which range of one space (the mapper's) shows a range of another (the granter's).
 * Page i is shared by it as long as both sides' entries hold the same page; page_info.maps counts
 * the mappers of a page. Whatever takes a page away on either side leaves the other one with the
 * last contents for itself.
 */
#pragma once

#include "abi/grant.h"
#include "abi/kcall.h"
#include "servers/vm/space.h"

struct safemap {
	struct list link; /* in vm->safemaps */
	struct space *granter, *mapper;
	vaddr_t granter_addr, mapper_addr;
	uint64_t bytes;
	uint32_t depth; /* 1 + the most of the records through which the granter has the memory */
};

/* Ending a record ends those that were made from it: that goes no deeper than this. Mapping deeper
 * is -ELOOP. The mapper's own grants of the range end when it is mapped over, so that a depth never
 * grows afterwards. */
#define SAFEMAP_DEPTH_MAX GRANT_MAX_INDIRECT

/* Answer a request of kind MAP, UNMAP, REVOKE or COW. */
void safemap_request(struct vm *vm, const struct memreq *request);

/* Pages of a range are about to go: end what shares them. Cannot fail. */
void safemap_release(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end);

/* End all that shares a range in either direction: each side has copies of its own then. -ENOMEM:
 * part of it is still shared. */
int safemap_part(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end);

/* Whether the page at `offset` of a record is still shared; if the mapper has one there, *pfn. */
bool safemap_shares(struct vm *vm, const struct safemap *map, uint64_t offset, pfn_t *pfn);

/* A region has been moved to the same addresses in another space. */
void safemap_moved(struct vm *vm, struct space *from, struct space *to, vaddr_t start, vaddr_t end);
