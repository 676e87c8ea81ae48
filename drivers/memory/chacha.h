/* SPDX-License-Identifier: BSD-2-Clause */
/* The ChaCha20 block function (RFC 8439, section 2.3). */
#pragma once

#include <stdint.h>

#define CHACHA_KEY_WORDS   8
#define CHACHA_BLOCK_BYTES 64

/* One block of key stream. `nonce`: three words; all words little-endian in the RFC's
 * serialisation. */
void chacha_block(const uint32_t key[CHACHA_KEY_WORDS], uint32_t counter, const uint32_t nonce[3],
	uint8_t out[CHACHA_BLOCK_BYTES]);
