/* SPDX-License-Identifier: BSD-2-Clause */
/* mmap, munmap and mprotect on an address space, whoever asks for them. PROT_ and MAP_ values are
 * Linux's. */
#pragma once

#include "servers/vm/space.h"

struct mapping {
	vaddr_t addr;        /* wanted, or where exactly (MAP_FIXED) */
	uint64_t len;        /* bytes; rounded up to pages */
	int prot;            /* PROT_* */
	int flags;           /* MAP_* */
	struct file *file;   /* NULL: anonymous; the caller's reference stays the caller's */
	uint64_t offset;     /* in the file; whole pages */
	uint64_t file_limit; /* file: bytes from this offset on read as zero; UINT64_MAX: none */
	int max_prot;        /* what mprotect may give later */
};

/*
 * Make a mapping; its address in *addr. The errors of mmap(2): -EINVAL, -ENOMEM, -EEXIST, -EPERM,
 * -EOVERFLOW. A failure changes nothing.
 */
int mapping_create(
	struct vm *vm, struct space *space, const struct mapping *mapping, vaddr_t *addr);

/* munmap(2): -EINVAL, -ENOMEM. */
int mapping_remove(struct vm *vm, struct space *space, vaddr_t addr, uint64_t len);

/* mprotect(2): -EINVAL, -ENOMEM, -EACCES. */
int mapping_protect(struct vm *vm, struct space *space, vaddr_t addr, uint64_t len, int prot);

/*
 * Cut regions so that start and end are borders, and call `change` for each region between;
 * adjacent alike regions are joined afterwards. -ENOMEM at a hole (what comes before is changed) or
 * for want of memory; or what `change` says.
 */
int mapping_for_each(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end,
	int (*change)(struct vm *vm, struct region *region, uint64_t argument), uint64_t argument);

/* brk(2): the break afterwards, which is the old one when it cannot be moved. */
vaddr_t mapping_brk(struct vm *vm, struct space *space, vaddr_t brk);
