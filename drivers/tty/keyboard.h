/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PS/2 keyboard: scan-code set 1 to the bytes that a Linux console sends for the keys (US layout).
 * Pure logic. State: modifier keys held and locks; new at restart.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYBOARD_BYTES_MAX 8u

struct keyboard {
	bool is_shift_left, is_shift_right;
	bool is_control_left, is_control_right;
	bool is_alt;
	bool is_caps_lock;
	bool is_num_lock;
	bool has_prefix; /* 0xe0 was read */
	uint8_t skip;    /* bytes left of the pause key's sequence */
};

/* Nothing held; num lock on. */
void keyboard_init(struct keyboard *kbd);

/*
 * Takes one byte from the keyboard. Stores what the key sends in `bytes` (at least
 * KEYBOARD_BYTES_MAX) and returns how many (0: none). `has_application_keys`: cursor keys send ESC
 * O x.
 */
size_t keyboard_input(
	struct keyboard *kbd, uint8_t scan, bool has_application_keys, uint8_t *bytes);
