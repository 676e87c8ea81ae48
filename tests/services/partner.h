/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a requestor asks of a grantor. The grantor has one buffer of PARTNER_BYTES, page-aligned,
 * and does with it and with its grants whatever it is told; the answer's type is the result.
 */
#pragma once

#include "abi/message.h"

#define PARTNER_PAGE  4096ull
#define PARTNER_BYTES (4ull << 20)

enum partner_op {
	PARTNER_GRANT =
		PROTO_BASE(40), /* partner: may the sender use [offset, + bytes) with access */
	PARTNER_PASS,           /* partner_pass: an indirect grant */
	PARTNER_REVOKE,         /* partner: grant; the result is grant_revoke's */
	PARTNER_UNMAP_GRANT,    /* partner: grant: saferevmap by it */
	PARTNER_UNMAP_ADDRESS,  /* partner: offset: saferevmap by address */
	PARTNER_FILL,           /* partner: [offset, + bytes) by seed */
	PARTNER_CHECK, /* partner: 0, or -EILSEQ when the range is not what FILL by seed leaves */
	PARTNER_POKE,  /* partner: the byte at offset becomes seed */
	PARTNER_PEEK,  /* partner: the byte at offset */
	PARTNER_MANY,  /* partner: bytes grants are made, half revoked, and one is asked for: its id
			*/
	PARTNER_FREE   /* the pages of the buffer are given back: it is zero again */
};

struct partner {
	uint64_t offset, bytes;
	uint32_t access;
	int32_t grant;
	uint32_t seed;
};

struct partner_pass {
	endpoint_t granter, to;
	int32_t grant;
};

/* Byte `at` of a buffer that was filled by `seed`. */
static inline uint8_t partner_byte(uint64_t at, uint32_t seed)
{
	return (uint8_t)((at * 31 + (at >> 12) * 7 + seed) % 251);
}
