/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generator of random bytes: a pool that hashes all entropy (BLAKE2s), and a ChaCha20 key drawn
 * from it. Each request makes its bytes from the key and then replaces the key with key stream that
 * nobody has seen, so that a later look into the generator does not tell earlier output. Pure
 * logic; the driver brings entropy.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "drivers/memory/blake2s.h"
#include "drivers/memory/chacha.h"

struct random {
	struct blake2s pool;
	uint32_t key[CHACHA_KEY_WORDS];
	uint64_t since_reseed; /* bytes given since random_reseed */
};

void random_init(struct random *rng);

/* Stirs bytes into the pool. Never makes it worse, whoever chose them. */
void random_mix(struct random *rng, const void *data, size_t len);

/* Makes a new key of the old one and all that was mixed in. */
void random_reseed(struct random *rng);

/* Fills a buffer. */
void random_bytes(struct random *rng, void *buf, size_t len);
