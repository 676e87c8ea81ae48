/* SPDX-License-Identifier: BSD-2-Clause */
/* Which glyph of the VGA font (code page 437) shows a Unicode character. */
#pragma once

#include <stdint.h>

/* Returns the glyph, or a question mark's where the font has none. */
uint8_t glyph_of(uint32_t code);

/* The character that the VT100 line-drawing set has at an ASCII code (0x5f to 0x7e), else the code
 * itself. */
uint32_t glyph_line_drawing(uint32_t code);
