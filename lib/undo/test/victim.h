/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#define VICTIM_BLOCKS 16

struct victim_block {
	uint64_t wide;
	uint32_t word;
	uint16_t half;
	uint8_t byte;
	unsigned flags : 3;
	struct __attribute__((packed)) {
		uint8_t before;
		uint32_t odd;
	};
	char text[40];
};

struct victim {
	struct victim_block *blocks[VICTIM_BLOCKS];
	struct victim_block spare;
	uint64_t sums[VICTIM_BLOCKS];
	unsigned steps;
};

extern struct victim victim;

/* Stores, allocations and frees at random. */
void victim_run(uint64_t seed, unsigned steps);
