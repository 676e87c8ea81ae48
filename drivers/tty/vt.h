/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Terminal emulator of the VGA text console: turns the bytes that programs write (UTF-8, the
 * control sequences of the Linux console, TERM=linux) into a buffer of character cells. Pure logic:
 * the driver copies the rows marked dirty to the screen.
 *
 * Invariants: 1. x < columns, y < rows. 2. top < bottom <= rows (rows [top, bottom) scroll).
 * 3. param_count <= VT_PARAMS_MAX. vt_check looks at them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VT_COLUMNS_MAX 160u
#define VT_ROWS_MAX    64u
#define VT_PARAMS_MAX  16u

/* A cell as VGA has it: low byte code page 437, high byte attribute. */
typedef uint16_t vt_cell_t;

enum vt_state {
	VT_GROUND,
	VT_ESCAPE,
	VT_ESCAPE_SKIP, /* one more byte belongs to the sequence (ESC %, ESC SP, ...) */
	VT_CHARSET_G0,
	VT_CHARSET_G1,
	VT_HASH,
	VT_CSI,
	VT_CSI_IGNORE,
	VT_CSI_FUNCTION, /* CSI [ X: a function key typed back */
	VT_STRING,       /* OSC, DCS, ...: until ST or BEL */
	VT_STRING_ESCAPE,
	VT_OSC_START,
	VT_PALETTE,
};

struct vt_pen {
	uint8_t foreground; /* 0..15, ANSI order */
	uint8_t background; /* 0..7 */
	bool is_bold;
	bool is_faint;
	bool is_underlined;
	bool is_reverse;
	bool is_blinking;
};

struct vt_cursor {
	uint32_t x;
	uint32_t y;
	struct vt_pen pen;
	bool is_origin_relative;
	uint8_t charset;     /* which of G0, G1 is in use */
	bool is_graphics[2]; /* G0, G1: the VT100 line-drawing set */
};

struct vt_ops {
	/* Bytes that the terminal answers (status reports); they go in as if typed. */
	void (*reply)(void *ctx, const char *bytes, size_t len);
	void (*bell)(void *ctx);
};

struct vt {
	const struct vt_ops *ops;
	void *ctx;
	uint32_t columns;
	uint32_t rows;
	uint32_t top;    /* first row that scrolls */
	uint32_t bottom; /* row after the last that scrolls */
	struct vt_cursor cursor;
	struct vt_cursor saved;
	bool is_wrap_pending; /* the last column was written: the next character starts a new line
			       */
	bool is_insert;
	bool is_newline_mode;
	bool is_autowrap;
	bool is_cursor_visible;
	bool is_screen_reverse;
	bool has_application_keys; /* cursor keys send ESC O x */
	enum vt_state state;
	uint8_t private_mark; /* '?', '>', ... after CSI, or 0 */
	uint32_t param_count;
	uint32_t skip; /* bytes of a palette sequence to come */
	uint32_t params[VT_PARAMS_MAX];
	uint32_t utf8_code;
	uint32_t utf8_left;
	uint32_t last_code; /* last character shown, for REP */
	uint64_t dirty;     /* bit a row */
	bool tab_stop[VT_COLUMNS_MAX];
	vt_cell_t cells[VT_ROWS_MAX * VT_COLUMNS_MAX];
};

/* Makes an empty screen; columns and rows must be within the maxima and not 0. */
void vt_init(struct vt *vt, uint32_t columns, uint32_t rows, const struct vt_ops *ops, void *ctx);

/* Takes bytes that programs write. */
void vt_write(struct vt *vt, const uint8_t *bytes, size_t len);

/* The cells of a row. */
const vt_cell_t *vt_row(const struct vt *vt, uint32_t row);

/* Checks the invariants; used by tests. */
bool vt_check(const struct vt *vt);
