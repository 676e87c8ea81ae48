/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of the random generator: the vectors of RFC 8439 and RFC 7693, and that its output
 * differs as it must. */
#include "drivers/memory/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

static void test_chacha(void)
{
	/* RFC 8439, 2.3.2 */
	static const uint8_t expected[64] = {0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50,
		0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68,
		0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07,
		0x9f, 0xaa, 0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c,
		0xd1, 0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e};
	static const uint32_t nonce[3] = {0x09000000, 0x4a000000, 0};
	uint8_t key_bytes[32];
	uint32_t key[8];
	uint8_t out[64];

	for (int i = 0; i < 32; i++) {
		key_bytes[i] = (uint8_t)i;
	}
	memcpy(key, key_bytes, sizeof(key));
	chacha_block(key, 1, nonce, out);
	CHECK(memcmp(out, expected, sizeof(out)) == 0);
}

static void test_blake2s(void)
{
	/* RFC 7693, appendix B */
	static const uint8_t expected[32] = {0x50, 0x8c, 0x5e, 0x8c, 0x32, 0x7c, 0x14, 0xe2, 0xe1,
		0xa7, 0x2b, 0xa3, 0x4e, 0xeb, 0x45, 0x2f, 0x37, 0x45, 0x8b, 0x20, 0x9e, 0xd6, 0x3a,
		0x29, 0x4d, 0x99, 0x9b, 0x4c, 0x86, 0x67, 0x59, 0x82};
	struct blake2s ctx;
	uint8_t digest[32];
	uint8_t pieces[32];
	uint8_t data[300];

	blake2s_init(&ctx, NULL, 0);
	blake2s_update(&ctx, "abc", 3);
	blake2s_final(&ctx, digest);
	CHECK(memcmp(digest, expected, sizeof(digest)) == 0);
	memset(data, 7, sizeof(data));
	blake2s_init(&ctx, "key", 3);
	blake2s_update(&ctx, data, sizeof(data));
	blake2s_final(&ctx, digest);
	blake2s_init(&ctx, "key", 3);
	for (size_t i = 0; i < sizeof(data); i += 20) {
		blake2s_update(&ctx, data + i, 20);
	}
	blake2s_final(&ctx, pieces);
	CHECK(memcmp(digest, pieces, sizeof(digest)) == 0);
}

static void test_generator(void)
{
	struct random a;
	struct random b;
	uint8_t x[100];
	uint8_t y[100];

	random_init(&a);
	random_init(&b);
	random_mix(&a, "1", 1);
	random_mix(&b, "2", 1);
	random_reseed(&a);
	random_reseed(&b);
	random_bytes(&a, x, sizeof(x));
	random_bytes(&b, y, sizeof(y));
	CHECK(memcmp(x, y, sizeof(x)) != 0);
	random_bytes(&a, y, sizeof(y));
	CHECK(memcmp(x, y, sizeof(x)) != 0);
	b = a;
	random_reseed(&b);
	random_bytes(&a, x, sizeof(x));
	random_bytes(&b, y, sizeof(y));
	CHECK(memcmp(x, y, sizeof(x)) != 0);
	CHECK(a.since_reseed == 300 && b.since_reseed == 100);
}

static void test_balance(void)
{
	static uint8_t buf[65536];
	struct random rng;
	uint64_t ones = 0;

	random_init(&rng);
	random_reseed(&rng);
	random_bytes(&rng, buf, sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i++) {
		ones += (uint64_t)__builtin_popcount(buf[i]);
	}
	CHECK(ones > sizeof(buf) * 4 - 3000 && ones < sizeof(buf) * 4 + 3000);
}

int main(void)
{
	test_chacha();
	test_blake2s();
	test_generator();
	test_balance();
	printf("random: ok\n");
	return 0;
}
