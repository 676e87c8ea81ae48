/* SPDX-License-Identifier: BSD-2-Clause */
/* File systems and VFS -> block drivers. Synchronous from file systems (sendrec), asynchronous from
 * VFS (answer: op | PROTO_REPLY). */
#pragma once

#include "abi/message.h"

enum blk_op {
	BLK_OPEN = BLK_BASE, /* blk_req -> blk_rep: size in bytes; -ENXIO: no such minor */
	BLK_CLOSE,           /* blk_req */
	BLK_READ,            /* blk_io_req -> blk_rep */
	BLK_WRITE,           /* blk_io_req -> blk_rep */
	BLK_FLUSH,           /* blk_req: what was written is on stable storage */
	BLK_IOCTL            /* blk_ioctl_req -> blk_rep */
};

struct blk_req {
	uint32_t seq; /* given back */
	uint32_t minor;
	uint32_t flags; /* OPEN: 1 for writing */
};

/* One transfer of consecutive sectors, gathered from up to BLK_PIECES_MAX grants. The granter is
 * the sender. */
#define BLK_PIECES_MAX 64
struct blk_piece {
	grant_t grant;
	uint32_t bytes;  /* multiple of 512 */
	uint64_t offset; /* into the grant */
};
struct blk_io_req {
	uint32_t seq;
	uint32_t minor;
	uint64_t position; /* bytes, multiple of 512 */
	grant_t grant;     /* count 1: the buffer; more: an array of struct blk_piece */
	uint32_t count;    /* pieces */
	uint64_t bytes;    /* in all */
};
PROTO_FITS(blk_io_req);

struct blk_rep {
	uint32_t seq;
	int32_t result; /* 0 or negative errno, as in the message type */
	uint64_t value; /* OPEN: size in bytes; READ, WRITE: bytes done (short at the end of the
			   device) */
	uint32_t flags; /* OPEN: BLK_FLAG_* */
};
#define BLK_FLAG_RDONLY 1

struct blk_ioctl_req {
	uint32_t seq;
	uint32_t minor;
	uint64_t request; /* BLKGETSIZE64, BLKFLSBUF, MIOCRAMSIZE ... */
	grant_t grant;    /* in or out argument, as the request's number says */
	uint32_t bytes;
	uint64_t value;
};
PROTO_FITS(blk_ioctl_req);

/* Size of a ram disk in bytes (argument uint64_t); 0 frees its memory. */
#define MIOCRAMSIZE 0x40086d01ul
