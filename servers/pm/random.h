/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers for getrandom: a ChaCha20 generator whose key is replaced after each request, so
 * that what was handed out cannot be computed from what is in memory later. Seeded from the
 * processor's generator where it has one, and from clocks; fresh seed is mixed in as time goes by.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct random_pool {
	uint32_t key[8];
	uint64_t counter;
	uint64_t since_seed; /* bytes handed out */
};

/* Mix bytes in; nothing is ever forgotten by it. */
void random_mix(struct random_pool *pool, const void *bytes, size_t len);
/* Seed from the machine. */
void random_seed(struct random_pool *pool);
void random_bytes(struct random_pool *pool, void *to, size_t len);

/* One block of ChaCha20 (RFC 8439, 2.3): 64 bytes from key, 32-bit block counter and 96-bit nonce.
 * For tests. */
void random_chacha20_block(
	const uint32_t key[8], uint32_t counter, const uint32_t nonce[3], uint8_t out[64]);
