/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants: how a service lets another one read or write a piece of memory.
 *
 * The table lies in the grantor's memory (kernel call SETGRANT tells where). A grant id is
 * (sequence << 20) | index; the sequence changes each time an index is used again, so that a stale
 * or guessed id fails with -EPERM.
 */
#pragma once

#include "abi/types.h"

#define GRANT_INVALID        (-1)
#define GRANT_INDEX_BITS     20
#define GRANT_SEQ_MAX        0x7ff
#define GRANT_ID(seq, index) ((grant_t)(((seq) << GRANT_INDEX_BITS) | (index)))
#define GRANT_INDEX(id)      ((id) & ((1 << GRANT_INDEX_BITS) - 1))
#define GRANT_SEQ(id)        (((id) >> GRANT_INDEX_BITS) & GRANT_SEQ_MAX)
#define GRANT_MAX_INDIRECT   5

#define GRANT_READ  0x1
#define GRANT_WRITE 0x2
#define GRANT_MAP   0x4 /* may be mapped by safemap; start and length are page-aligned */
#define GRANT_TRY                                                                      \
	0x10 /* a copy that meets an absent page fails with -EFAULT instead of waiting \
	      */
#define GRANT_FAULTED                                                                          \
	0x20 /* set by the kernel: a copy by a TRY grant met an absent page; grant_revoke then \
	      * reports it */
#define GRANT_USED     0x100
#define GRANT_DIRECT   0x200 /* memory of the grantor */
#define GRANT_INDIRECT 0x400 /* passes on another grant */
#define GRANT_MAGIC    0x800 /* memory of a third process; only for grantors with that right (VFS) */
#define GRANT_VALID    0x1000

struct grant {
	uint32_t flags;
	uint32_t seq;
	endpoint_t who_to;   /* grantee; EP_ANY for all */
	endpoint_t who_from; /* indirect: grantor of the grant passed on; magic: whose memory */
	uint64_t start;      /* direct, magic: virtual address; indirect: grant id */
	uint64_t len;        /* bytes; indirect: unused */
};

_Static_assert(sizeof(struct grant) == 32, "grant entry");
