/* SPDX-License-Identifier: BSD-2-Clause */
#include "vt.h"

#include <string.h>

#include "vt_csi.h"
#include "vt_screen.h"

#define TAB_WIDTH      8u
#define PALETTE_DIGITS 7u
#define REPLACEMENT    0xfffdu

static void cursor_reset(struct vt_cursor *cursor)
{
	memset(cursor, 0, sizeof(*cursor));
	vt_pen_reset(&cursor->pen);
	cursor->is_graphics[1] = true;
}

static void vt_reset(struct vt *vt)
{
	cursor_reset(&vt->cursor);
	vt->saved = vt->cursor;
	vt->top = 0;
	vt->bottom = vt->rows;
	vt->is_wrap_pending = false;
	vt->is_insert = false;
	vt->is_newline_mode = false;
	vt->is_autowrap = true;
	vt->is_cursor_visible = true;
	vt->is_screen_reverse = false;
	vt->has_application_keys = false;
	vt->state = VT_GROUND;
	vt->utf8_left = 0;
	vt->last_code = ' ';
	for (uint32_t x = 0; x < VT_COLUMNS_MAX; x++) {
		vt->tab_stop[x] = x % TAB_WIDTH == 0;
	}
	vt_screen_erase(vt, 0, vt->columns * vt->rows);
}

void vt_init(struct vt *vt, uint32_t columns, uint32_t rows, const struct vt_ops *ops, void *ctx)
{
	memset(vt, 0, sizeof(*vt));
	vt->columns = columns;
	vt->rows = rows;
	vt->ops = ops;
	vt->ctx = ctx;
	vt_reset(vt);
}

const vt_cell_t *vt_row(const struct vt *vt, uint32_t row)
{
	return &vt->cells[row * vt->columns];
}

/* ---- control characters ---- */

static void control(struct vt *vt, uint8_t c)
{
	switch (c) {
	case '\a':
		vt->ops->bell(vt->ctx);
		break;
	case '\b':
		if (vt->cursor.x > 0) {
			vt_screen_move(vt, vt->cursor.x - 1, vt->cursor.y, false);
		}
		break;
	case '\t':
		vt_tab_forward(vt, 1);
		break;
	case '\n':
	case '\v':
	case '\f':
		vt_screen_line_feed(vt);
		if (vt->is_newline_mode) {
			vt->cursor.x = 0;
		}
		break;
	case '\r':
		vt_screen_move(vt, 0, vt->cursor.y, false);
		break;
	case 0x0e:
		vt->cursor.charset = 1;
		break;
	case 0x0f:
		vt->cursor.charset = 0;
		break;
	case 0x18:
	case 0x1a:
		vt->state = VT_GROUND;
		break;
	case 0x1b:
		vt->state = VT_ESCAPE;
		break;
	default:
		break;
	}
}

/* ---- escape sequences ---- */

static void escape_byte(struct vt *vt, uint8_t c)
{
	vt->state = VT_GROUND;
	switch (c) {
	case '[':
		vt_csi_start(vt);
		break;
	case ']':
		vt->state = VT_OSC_START;
		break;
	case 'P':
	case 'X':
	case '^':
	case '_':
		vt->state = VT_STRING;
		break;
	case '(':
		vt->state = VT_CHARSET_G0;
		break;
	case ')':
		vt->state = VT_CHARSET_G1;
		break;
	case '%':
	case ' ':
	case '*':
	case '+':
		vt->state = VT_ESCAPE_SKIP;
		break;
	case '#':
		vt->state = VT_HASH;
		break;
	case '7':
		vt->saved = vt->cursor;
		break;
	case '8':
		vt->cursor = vt->saved;
		vt->is_wrap_pending = false;
		break;
	case 'D':
		vt_screen_line_feed(vt);
		break;
	case 'E':
		vt->cursor.x = 0;
		vt_screen_line_feed(vt);
		break;
	case 'H':
		vt->tab_stop[vt->cursor.x] = true;
		break;
	case 'M':
		vt_screen_reverse_feed(vt);
		break;
	case 'Z':
		vt_reply(vt, "\033[?6c");
		break;
	case 'c':
		vt_reset(vt);
		break;
	default:
		break;
	}
}

/* Feeds one byte of a sequence begun earlier (not a control character, not VT_GROUND). */
static void sequence_byte(struct vt *vt, uint8_t c)
{
	enum vt_state state = vt->state;

	switch (state) {
	case VT_ESCAPE:
		escape_byte(vt, c);
		break;
	case VT_CSI:
		vt_csi_byte(vt, c);
		break;
	case VT_CSI_IGNORE:
		if (c >= 0x40 && c <= 0x7e) {
			vt->state = VT_GROUND;
		}
		break;
	case VT_CHARSET_G0:
	case VT_CHARSET_G1:
		vt->cursor.is_graphics[state - VT_CHARSET_G0] = c == '0';
		vt->state = VT_GROUND;
		break;
	case VT_HASH:
		if (c == '8') {
			vt_screen_fill(vt, 'E');
		}
		vt->state = VT_GROUND;
		break;
	case VT_OSC_START:
		vt->state = c == 'P' ? VT_PALETTE : c == 'R' ? VT_GROUND : VT_STRING;
		vt->skip = PALETTE_DIGITS;
		break;
	case VT_PALETTE:
		vt->skip--;
		if (vt->skip == 0) {
			vt->state = VT_GROUND;
		}
		break;
	case VT_STRING:
		break;
	default:
		vt->state = VT_GROUND;
		break;
	}
}

/* ---- text ---- */

static void print(struct vt *vt, uint32_t code)
{
	vt->last_code = code;
	vt_screen_print(vt, code);
}

/* Feeds a byte of text: UTF-8, malformed sequences show as a question mark. */
static void text_byte(struct vt *vt, uint8_t c)
{
	if (vt->utf8_left > 0) {
		if ((c & 0xc0) == 0x80) {
			vt->utf8_code = vt->utf8_code << 6 | (c & 0x3f);
			vt->utf8_left--;
			if (vt->utf8_left == 0) {
				print(vt, vt->utf8_code);
			}
			return;
		}
		vt->utf8_left = 0;
		print(vt, REPLACEMENT);
	}
	if (c < 0x80) {
		if (c != 0x7f) {
			print(vt, c);
		}
	} else if (c >= 0xc2 && c < 0xe0) {
		vt->utf8_code = c & 0x1f;
		vt->utf8_left = 1;
	} else if (c >= 0xe0 && c < 0xf0) {
		vt->utf8_code = c & 0x0f;
		vt->utf8_left = 2;
	} else if (c >= 0xf0 && c < 0xf5) {
		vt->utf8_code = c & 0x07;
		vt->utf8_left = 3;
	} else {
		print(vt, REPLACEMENT);
	}
}

static void vt_byte(struct vt *vt, uint8_t c)
{
	bool is_string = vt->state == VT_STRING || vt->state == VT_STRING_ESCAPE;

	if (vt->state == VT_STRING_ESCAPE) {
		vt->state = c == '\\' ? VT_GROUND : VT_STRING;
		return;
	}
	if (is_string && (c == '\a' || c == 0x1b)) {
		vt->state = c == '\a' ? VT_GROUND : VT_STRING_ESCAPE;
		return;
	}
	if (c < 0x20) {
		vt->utf8_left = 0;
		control(vt, c);
	} else if (vt->state == VT_GROUND) {
		text_byte(vt, c);
	} else {
		sequence_byte(vt, c);
	}
}

void vt_write(struct vt *vt, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		vt_byte(vt, bytes[i]);
	}
}

bool vt_check(const struct vt *vt)
{
	return vt->cursor.x < vt->columns && vt->cursor.y < vt->rows && vt->saved.x < vt->columns &&
		vt->saved.y < vt->rows && vt->top < vt->bottom && vt->bottom <= vt->rows &&
		vt->param_count <= VT_PARAMS_MAX && vt->cursor.charset < 2;
}
