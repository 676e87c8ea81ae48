/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/memory/chacha.h"

#include <string.h>

#define DOUBLE_ROUNDS 10

static uint32_t rotate(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

static void quarter_round(uint32_t s[16], int a, int b, int c, int d)
{
	s[a] += s[b];
	s[d] = rotate(s[d] ^ s[a], 16);
	s[c] += s[d];
	s[b] = rotate(s[b] ^ s[c], 12);
	s[a] += s[b];
	s[d] = rotate(s[d] ^ s[a], 8);
	s[c] += s[d];
	s[b] = rotate(s[b] ^ s[c], 7);
}

void chacha_block(const uint32_t key[CHACHA_KEY_WORDS], uint32_t counter, const uint32_t nonce[3],
	uint8_t out[CHACHA_BLOCK_BYTES])
{
	uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	uint32_t s[16];

	memcpy(&start[4], key, CHACHA_KEY_WORDS * sizeof(uint32_t));
	start[12] = counter;
	memcpy(&start[13], nonce, 3 * sizeof(uint32_t));
	memcpy(s, start, sizeof(s));
	for (int i = 0; i < DOUBLE_ROUNDS; i++) {
		quarter_round(s, 0, 4, 8, 12);
		quarter_round(s, 1, 5, 9, 13);
		quarter_round(s, 2, 6, 10, 14);
		quarter_round(s, 3, 7, 11, 15);
		quarter_round(s, 0, 5, 10, 15);
		quarter_round(s, 1, 6, 11, 12);
		quarter_round(s, 2, 7, 8, 13);
		quarter_round(s, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++) {
		uint32_t word = s[i] + start[i];

		out[4 * i] = (uint8_t)word;
		out[4 * i + 1] = (uint8_t)(word >> 8);
		out[4 * i + 2] = (uint8_t)(word >> 16);
		out[4 * i + 3] = (uint8_t)(word >> 24);
	}
}
