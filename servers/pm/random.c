/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/random.h"

#include <stdbool.h>
#include <string.h>

#include "lib/sys/kcall.h"

#define ROUNDS       10 /* of two rounds each */
#define RESEED_BYTES (1u << 20)
#define SEED_WORDS   8
#define RDRAND_TRIES 16

static uint32_t rotate(uint32_t x, unsigned bits)
{
	return x << bits | x >> (32 - bits);
}

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

void random_chacha20_block(
	const uint32_t key[8], uint32_t counter, const uint32_t nonce[3], uint8_t out[64])
{
	uint32_t in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	uint32_t x[16];

	memcpy(&in[4], key, 32);
	in[12] = counter;
	memcpy(&in[13], nonce, 12);
	memcpy(x, in, sizeof(x));
	for (int i = 0; i < ROUNDS; i++) {
		quarter(&x[0], &x[4], &x[8], &x[12]);
		quarter(&x[1], &x[5], &x[9], &x[13]);
		quarter(&x[2], &x[6], &x[10], &x[14]);
		quarter(&x[3], &x[7], &x[11], &x[15]);
		quarter(&x[0], &x[5], &x[10], &x[15]);
		quarter(&x[1], &x[6], &x[11], &x[12]);
		quarter(&x[2], &x[7], &x[8], &x[13]);
		quarter(&x[3], &x[4], &x[9], &x[14]);
	}
	for (int i = 0; i < 16; i++) {
		x[i] += in[i];
	}
	memcpy(out, x, 64);
}

static void next_block(struct random_pool *pool, uint8_t out[64])
{
	uint32_t nonce[3] = {(uint32_t)(pool->counter >> 32), 0, 0};

	random_chacha20_block(pool->key, (uint32_t)pool->counter, nonce, out);
	pool->counter++;
}

/* The key becomes a block of its own output: the old one is gone. */
static void key_replace(struct random_pool *pool)
{
	uint8_t block[64];

	next_block(pool, block);
	memcpy(pool->key, block, sizeof(pool->key));
}

void random_mix(struct random_pool *pool, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	uint8_t *key = (uint8_t *)pool->key;

	while (len > 0) {
		size_t part = len < sizeof(pool->key) ? len : sizeof(pool->key);

		for (size_t i = 0; i < part; i++) {
			key[i] ^= from[i];
		}
		key_replace(pool);
		from += part;
		len -= part;
	}
}

/* CPUID: 1.ECX bit 30 RDRAND, 7.EBX bit 18 RDSEED. */
static void cpu_has(bool *rdrand, bool *rdseed)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	*rdrand = (c >> 30) & 1;
	a = 0;
	c = 0;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	*rdseed = false;
	if (a >= 7) {
		a = 7;
		c = 0;
		__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		*rdseed = (b >> 18) & 1;
	}
}

static uint64_t cpu_random(bool rdrand, bool rdseed)
{
	uint64_t value = 0;
	uint8_t ok = 0;

	for (int i = 0; i < RDRAND_TRIES && rdseed && !ok; i++) {
		__asm__ volatile("rdseed %0; setc %1" : "=r"(value), "=qm"(ok) : : "cc");
	}
	for (int i = 0; i < RDRAND_TRIES && rdrand && !ok; i++) {
		__asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(ok) : : "cc");
	}
	return ok ? value : 0;
}

static uint64_t cpu_cycles(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

void random_seed(struct random_pool *pool)
{
	struct proc_times times = {0};
	bool rdrand, rdseed;

	cpu_has(&rdrand, &rdseed);
	(void)sys_times(EP_SELF, &times);
	random_mix(pool, &times, sizeof(times));
	for (int i = 0; i < SEED_WORDS; i++) {
		uint64_t words[2] = {cpu_random(rdrand, rdseed), cpu_cycles()};

		random_mix(pool, words, sizeof(words));
	}
	pool->since_seed = 0;
}

void random_bytes(struct random_pool *pool, void *to, size_t len)
{
	uint64_t cycles = cpu_cycles();
	uint8_t *out = to;
	uint8_t block[64];

	random_mix(pool, &cycles, sizeof(cycles));
	if (pool->since_seed >= RESEED_BYTES) {
		random_seed(pool);
	}
	pool->since_seed += len;
	while (len > 0) {
		size_t part = len < sizeof(block) ? len : sizeof(block);

		next_block(pool, block);
		memcpy(out, block, part);
		out += part;
		len -= part;
	}
	key_replace(pool);
	memset(block, 0, sizeof(block));
}
