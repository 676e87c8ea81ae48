/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash function BLAKE2s with a digest of 32 bytes (RFC 7693). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BLAKE2S_BYTES 32
#define BLAKE2S_BLOCK 64

struct blake2s {
	uint32_t h[8];
	uint64_t count; /* bytes compressed */
	uint32_t used;  /* bytes in block */
	uint8_t block[BLAKE2S_BLOCK];
};

/* Begins a hash; `key` of `key_len` bytes, at most 32, 0 for none. */
void blake2s_init(struct blake2s *ctx, const void *key, size_t key_len);
void blake2s_update(struct blake2s *ctx, const void *data, size_t len);
/* Ends it. */
void blake2s_final(struct blake2s *ctx, uint8_t digest[BLAKE2S_BYTES]);
