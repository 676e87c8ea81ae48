/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/memory/random.h"

#include <string.h>

static const uint32_t zero_nonce[3];

void random_init(struct random *rng)
{
	memset(rng, 0, sizeof(*rng));
	blake2s_init(&rng->pool, NULL, 0);
}

void random_mix(struct random *rng, const void *data, size_t len)
{
	blake2s_update(&rng->pool, data, len);
}

void random_reseed(struct random *rng)
{
	uint8_t digest[BLAKE2S_BYTES];
	struct blake2s hash;

	/* The pool's digest, keyed with the old key, is the new key; another hash of it starts the
	 * pool again. */
	blake2s_final(&rng->pool, digest);
	blake2s_init(&hash, rng->key, sizeof(rng->key));
	blake2s_update(&hash, "key", 3);
	blake2s_update(&hash, digest, sizeof(digest));
	blake2s_final(&hash, (uint8_t *)rng->key);
	blake2s_init(&rng->pool, digest, sizeof(digest));
	blake2s_update(&rng->pool, "pool", 4);
	memset(digest, 0, sizeof(digest));
	__asm__ volatile("" : : "r"(digest) : "memory");
	rng->since_reseed = 0;
}

void random_bytes(struct random *rng, void *buf, size_t len)
{
	uint8_t block[CHACHA_BLOCK_BYTES];
	uint32_t next_key[CHACHA_KEY_WORDS];
	uint32_t counter = 0;
	uint8_t *to = buf;

	chacha_block(rng->key, counter++, zero_nonce, block);
	memcpy(next_key, block, sizeof(next_key));
	rng->since_reseed += len;
	while (len > 0) {
		size_t piece = len < CHACHA_BLOCK_BYTES ? len : CHACHA_BLOCK_BYTES;

		chacha_block(rng->key, counter++, zero_nonce, block);
		memcpy(to, block, piece);
		to += piece;
		len -= piece;
	}
	memcpy(rng->key, next_key, sizeof(rng->key));
	memset(block, 0, sizeof(block));
	memset(next_key, 0, sizeof(next_key));
	__asm__ volatile("" : : "r"(block), "r"(next_key) : "memory");
}
