/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of the memory driver, which another version goes on with. */
#pragma once

#include "drivers/memory/ramdisk.h"
#include "drivers/memory/random.h"

#define MEMORY_STATE_VERSION 1 /* raised with each change of struct memory and what is in it */

#define PIECE_BYTES 16384u

struct memory {
	struct ramdisks ramdisks; /* first: it is the ctx of the block driver */
	struct random random;
	uint8_t piece[PIECE_BYTES];
};
