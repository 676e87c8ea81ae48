/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/memory/blake2s.h"

#include <stdbool.h>
#include <string.h>

#define ROUNDS 10

static const uint32_t iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
	0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint8_t sigma[ROUNDS][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
	{7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
	{2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
	{13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
	{10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static uint32_t rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static void mix(uint32_t v[16], int a, int b, int c, int d, uint32_t x, uint32_t y)
{
	v[a] = v[a] + v[b] + x;
	v[d] = rotate(v[d] ^ v[a], 16);
	v[c] = v[c] + v[d];
	v[b] = rotate(v[b] ^ v[c], 12);
	v[a] = v[a] + v[b] + y;
	v[d] = rotate(v[d] ^ v[a], 8);
	v[c] = v[c] + v[d];
	v[b] = rotate(v[b] ^ v[c], 7);
}

static void compress(struct blake2s *ctx, bool is_last)
{
	uint32_t m[16];
	uint32_t v[16];

	memcpy(m, ctx->block, sizeof(m)); /* little-endian machine */
	memcpy(v, ctx->h, sizeof(ctx->h));
	memcpy(&v[8], iv, sizeof(iv));
	v[12] ^= (uint32_t)ctx->count;
	v[13] ^= (uint32_t)(ctx->count >> 32);
	if (is_last) {
		v[14] = ~v[14];
	}
	for (int i = 0; i < ROUNDS; i++) {
		const uint8_t *s = sigma[i];

		mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
		mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
		mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
		mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
		mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
		mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
		mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
		mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
	}
	for (int i = 0; i < 8; i++) {
		ctx->h[i] ^= v[i] ^ v[i + 8];
	}
}

void blake2s_init(struct blake2s *ctx, const void *key, size_t key_len)
{
	memset(ctx, 0, sizeof(*ctx));
	memcpy(ctx->h, iv, sizeof(iv));
	ctx->h[0] ^= 0x01010000 ^ (uint32_t)key_len << 8 ^ BLAKE2S_BYTES;
	if (key_len > 0) {
		memcpy(ctx->block, key, key_len);
		ctx->used = BLAKE2S_BLOCK;
	}
}

void blake2s_update(struct blake2s *ctx, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len > 0) {
		size_t piece;

		if (ctx->used == BLAKE2S_BLOCK) {
			ctx->count += BLAKE2S_BLOCK;
			compress(ctx, false);
			ctx->used = 0;
		}
		piece = BLAKE2S_BLOCK - ctx->used;
		piece = piece < len ? piece : len;
		memcpy(ctx->block + ctx->used, from, piece);
		ctx->used += (uint32_t)piece;
		from += piece;
		len -= piece;
	}
}

void blake2s_final(struct blake2s *ctx, uint8_t digest[BLAKE2S_BYTES])
{
	ctx->count += ctx->used;
	memset(ctx->block + ctx->used, 0, BLAKE2S_BLOCK - ctx->used);
	compress(ctx, true);
	memcpy(digest, ctx->h, BLAKE2S_BYTES);
}
