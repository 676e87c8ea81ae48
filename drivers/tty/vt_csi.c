/* SPDX-License-Identifier: BSD-2-Clause */
#include "vt_csi.h"

#include <stdio.h>
#include <string.h>

#include "vt_screen.h"

#define PARAM_MAX 9999u

void vt_reply(struct vt *vt, const char *text)
{
	vt->ops->reply(vt->ctx, text, strlen(text));
}

void vt_tab_forward(struct vt *vt, uint32_t count)
{
	uint32_t x = vt->cursor.x;

	while (count > 0 && x + 1 < vt->columns) {
		x++;
		if (vt->tab_stop[x]) {
			count--;
		}
	}
	vt_screen_move(vt, x, vt->cursor.y, false);
}

static void tab_backward(struct vt *vt, uint32_t count)
{
	uint32_t x = vt->cursor.x;

	while (count > 0 && x > 0) {
		x--;
		if (vt->tab_stop[x]) {
			count--;
		}
	}
	vt_screen_move(vt, x, vt->cursor.y, false);
}

/* Parameter i, or `otherwise` where it is missing or 0. */
static uint32_t param(const struct vt *vt, uint32_t i, uint32_t otherwise)
{
	return i < vt->param_count && vt->params[i] != 0 ? vt->params[i] : otherwise;
}

static void select_extended_colour(struct vt *vt, uint32_t *i)
{
	bool is_foreground = vt->params[*i] == 38;
	uint32_t colour;

	if (param(vt, *i + 1, 0) == 5 && *i + 2 < vt->param_count) {
		uint32_t index = vt->params[*i + 2];

		if (index < 16) {
			colour = index;
		} else if (index < 232) {
			uint32_t cube = index - 16;

			colour = ((cube / 36 > 2) ? 1u : 0u) | ((cube / 6 % 6 > 2) ? 2u : 0u) |
				((cube % 6 > 2) ? 4u : 0u);
		} else {
			colour = index >= 244 ? 7 : 0;
		}
		*i += 2;
	} else if (param(vt, *i + 1, 0) == 2 && *i + 4 < vt->param_count) {
		colour = (vt->params[*i + 2] > 127 ? 1u : 0u) |
			(vt->params[*i + 3] > 127 ? 2u : 0u) | (vt->params[*i + 4] > 127 ? 4u : 0u);
		*i += 4;
	} else {
		*i = vt->param_count;
		return;
	}
	if (is_foreground) {
		vt->cursor.pen.foreground = (uint8_t)(colour & 15);
	} else {
		vt->cursor.pen.background = (uint8_t)(colour & 7);
	}
}

static void select_attribute(struct vt *vt, uint32_t value)
{
	struct vt_pen *pen = &vt->cursor.pen;

	switch (value) {
	case 0:
		vt_pen_reset(pen);
		break;
	case 1:
		pen->is_bold = true;
		break;
	case 2:
		pen->is_faint = true;
		break;
	case 4:
	case 21:
		pen->is_underlined = true;
		break;
	case 5:
		pen->is_blinking = true;
		break;
	case 7:
		pen->is_reverse = true;
		break;
	case 22:
		pen->is_bold = false;
		pen->is_faint = false;
		break;
	case 24:
		pen->is_underlined = false;
		break;
	case 25:
		pen->is_blinking = false;
		break;
	case 27:
		pen->is_reverse = false;
		break;
	case 39:
		pen->foreground = 7;
		break;
	case 49:
		pen->background = 0;
		break;
	default:
		if (value >= 30 && value <= 37) {
			pen->foreground = (uint8_t)(value - 30);
		} else if (value >= 40 && value <= 47) {
			pen->background = (uint8_t)(value - 40);
		} else if (value >= 90 && value <= 97) {
			pen->foreground = (uint8_t)(value - 90 + 8);
		} else if (value >= 100 && value <= 107) {
			pen->background = (uint8_t)(value - 100);
		}
		break;
	}
}

static void select_graphic_rendition(struct vt *vt)
{
	if (vt->param_count == 0) {
		vt_pen_reset(&vt->cursor.pen);
	}
	for (uint32_t i = 0; i < vt->param_count; i++) {
		if (vt->params[i] == 38 || vt->params[i] == 48) {
			select_extended_colour(vt, &i);
		} else {
			select_attribute(vt, vt->params[i]);
		}
	}
}

static void erase_display(struct vt *vt)
{
	uint32_t here = vt->cursor.y * vt->columns + vt->cursor.x;
	uint32_t end = vt->columns * vt->rows;

	switch (param(vt, 0, 0)) {
	case 0:
		vt_screen_erase(vt, here, end);
		break;
	case 1:
		vt_screen_erase(vt, 0, here + 1);
		break;
	case 2:
	case 3:
		vt_screen_erase(vt, 0, end);
		break;
	default:
		break;
	}
}

static void erase_line(struct vt *vt)
{
	uint32_t start = vt->cursor.y * vt->columns;

	switch (param(vt, 0, 0)) {
	case 0:
		vt_screen_erase(vt, start + vt->cursor.x, start + vt->columns);
		break;
	case 1:
		vt_screen_erase(vt, start, start + vt->cursor.x + 1);
		break;
	case 2:
		vt_screen_erase(vt, start, start + vt->columns);
		break;
	default:
		break;
	}
}

static void erase_cells(struct vt *vt, uint32_t count)
{
	uint32_t here = vt->cursor.y * vt->columns + vt->cursor.x;
	uint32_t left = vt->columns - vt->cursor.x;

	vt_screen_erase(vt, here, here + (count < left ? count : left));
}

static bool is_in_region(const struct vt *vt)
{
	return vt->cursor.y >= vt->top && vt->cursor.y < vt->bottom;
}

static void move_up(struct vt *vt, uint32_t count)
{
	uint32_t edge = vt->cursor.y >= vt->top ? vt->top : 0;
	uint32_t room = vt->cursor.y - edge;

	vt_screen_move(vt, vt->cursor.x, vt->cursor.y - (count < room ? count : room), false);
}

static void move_down(struct vt *vt, uint32_t count)
{
	uint32_t edge = vt->cursor.y < vt->bottom ? vt->bottom - 1 : vt->rows - 1;
	uint32_t room = edge - vt->cursor.y;

	vt_screen_move(vt, vt->cursor.x, vt->cursor.y + (count < room ? count : room), false);
}

static void set_private_mode(struct vt *vt, uint32_t mode, bool is_on)
{
	switch (mode) {
	case 1:
		vt->has_application_keys = is_on;
		break;
	case 5:
		if (vt->is_screen_reverse != is_on) {
			vt->is_screen_reverse = is_on;
			for (uint32_t i = 0; i < vt->columns * vt->rows; i++) {
				vt_cell_t cell = vt->cells[i];

				vt->cells[i] = (vt_cell_t)((cell & 0x88ff) | (cell & 0x7000) >> 4 |
					(cell & 0x0700) << 4);
			}
			vt_screen_touch(vt);
		}
		break;
	case 6:
		vt->cursor.is_origin_relative = is_on;
		vt_screen_move(vt, 0, 0, is_on);
		break;
	case 7:
		vt->is_autowrap = is_on;
		break;
	case 25:
		vt->is_cursor_visible = is_on;
		break;
	default:
		break;
	}
}

static void set_modes(struct vt *vt, bool is_on)
{
	for (uint32_t i = 0; i < vt->param_count; i++) {
		if (vt->private_mark == '?') {
			set_private_mode(vt, vt->params[i], is_on);
		} else if (vt->params[i] == 4) {
			vt->is_insert = is_on;
		} else if (vt->params[i] == 20) {
			vt->is_newline_mode = is_on;
		}
	}
}

static void report(struct vt *vt)
{
	char text[32];

	if (param(vt, 0, 0) == 5) {
		vt_reply(vt, "\033[0n");
	} else if (param(vt, 0, 0) == 6) {
		uint32_t y = vt->cursor.is_origin_relative && vt->cursor.y >= vt->top
			? vt->cursor.y - vt->top
			: vt->cursor.y;

		(void)snprintf(text, sizeof(text), "\033[%u;%uR", y + 1, vt->cursor.x + 1);
		vt_reply(vt, text);
	}
}

static void set_region(struct vt *vt)
{
	uint32_t top = param(vt, 0, 1);
	uint32_t bottom = param(vt, 1, vt->rows);

	bottom = bottom < vt->rows ? bottom : vt->rows;
	if (top < bottom) {
		vt->top = top - 1;
		vt->bottom = bottom;
		vt_screen_move(vt, 0, 0, vt->cursor.is_origin_relative);
	}
}

static void repeat(struct vt *vt, uint32_t count)
{
	uint32_t most = vt->columns * vt->rows;

	for (uint32_t i = 0; i < count && i < most; i++) {
		vt_screen_print(vt, vt->last_code);
	}
}

static void clear_tabs(struct vt *vt)
{
	if (param(vt, 0, 0) == 0) {
		vt->tab_stop[vt->cursor.x] = false;
	} else if (param(vt, 0, 0) == 3) {
		memset(vt->tab_stop, 0, sizeof(vt->tab_stop));
	}
}

/* Sequences that move the cursor; false if `c` ends none of them. */
static bool csi_move(struct vt *vt, uint8_t c)
{
	uint32_t n = param(vt, 0, 1);

	switch (c) {
	case 'A':
		move_up(vt, n);
		return true;
	case 'B':
	case 'e':
		move_down(vt, n);
		return true;
	case 'C':
	case 'a':
		vt_screen_move(vt, vt->cursor.x + n, vt->cursor.y, false);
		return true;
	case 'D':
		vt_screen_move(vt, vt->cursor.x > n ? vt->cursor.x - n : 0, vt->cursor.y, false);
		return true;
	case 'E':
		move_down(vt, n);
		vt->cursor.x = 0;
		return true;
	case 'F':
		move_up(vt, n);
		vt->cursor.x = 0;
		return true;
	case 'G':
	case '`':
		vt_screen_move(vt, n - 1, vt->cursor.y, false);
		return true;
	case 'd':
		vt_screen_move(vt, vt->cursor.x, n - 1, vt->cursor.is_origin_relative);
		return true;
	case 'H':
	case 'f':
		vt_screen_move(vt, param(vt, 1, 1) - 1, n - 1, vt->cursor.is_origin_relative);
		return true;
	case 'I':
		vt_tab_forward(vt, n);
		return true;
	case 'Z':
		tab_backward(vt, n);
		return true;
	default:
		return false;
	}
}

/* Sequences that change cells; false if `c` ends none of them. */
static bool csi_edit(struct vt *vt, uint8_t c)
{
	uint32_t n = param(vt, 0, 1);

	switch (c) {
	case '@':
		vt_screen_insert_cells(vt, n);
		return true;
	case 'P':
		vt_screen_delete_cells(vt, n);
		return true;
	case 'X':
		erase_cells(vt, n);
		return true;
	case 'J':
		erase_display(vt);
		return true;
	case 'K':
		erase_line(vt);
		return true;
	case 'L':
	case 'M':
		if (is_in_region(vt) && c == 'L') {
			vt_screen_scroll_down(vt, vt->cursor.y, vt->bottom, n);
		} else if (is_in_region(vt)) {
			vt_screen_scroll_up(vt, vt->cursor.y, vt->bottom, n);
		}
		return true;
	case 'S':
		vt_screen_scroll_up(vt, vt->top, vt->bottom, n);
		return true;
	case 'T':
		vt_screen_scroll_down(vt, vt->top, vt->bottom, n);
		return true;
	case 'b':
		repeat(vt, n);
		return true;
	default:
		return false;
	}
}

static void csi_control(struct vt *vt, uint8_t c)
{
	switch (c) {
	case 'c':
		if (param(vt, 0, 0) == 0) {
			vt_reply(vt, "\033[?6c");
		}
		break;
	case 'g':
		clear_tabs(vt);
		break;
	case 'm':
		select_graphic_rendition(vt);
		break;
	case 'n':
		report(vt);
		break;
	case 'r':
		set_region(vt);
		break;
	case 's':
		vt->saved = vt->cursor;
		break;
	case 'u':
		vt->cursor = vt->saved;
		vt->is_wrap_pending = false;
		break;
	default:
		break;
	}
}

static void csi_dispatch(struct vt *vt, uint8_t c)
{
	vt->state = VT_GROUND;
	if (c == 'h' || c == 'l') {
		set_modes(vt, c == 'h');
		return;
	}
	if (vt->private_mark == 0 && !csi_move(vt, c) && !csi_edit(vt, c)) {
		csi_control(vt, c);
	}
}

void vt_csi_start(struct vt *vt)
{
	vt->state = VT_CSI;
	vt->private_mark = 0;
	vt->param_count = 0;
	memset(vt->params, 0, sizeof(vt->params));
}

void vt_csi_byte(struct vt *vt, uint8_t c)
{
	if (c >= '0' && c <= '9') {
		uint32_t *last;

		if (vt->param_count == 0) {
			vt->param_count = 1;
		}
		last = &vt->params[vt->param_count - 1];
		*last = *last * 10 + (c - '0');
		*last = *last < PARAM_MAX ? *last : PARAM_MAX;
	} else if (c == ';' || c == ':') {
		if (vt->param_count == 0) {
			vt->param_count = 1;
		}
		if (vt->param_count < VT_PARAMS_MAX) {
			vt->param_count++;
		} else {
			vt->state = VT_CSI_IGNORE;
		}
	} else if (c == '[' && vt->param_count == 0 && vt->private_mark == 0) {
		vt->state = VT_CSI_FUNCTION;
	} else if (c >= '<' && c <= '?' && vt->param_count == 0) {
		vt->private_mark = c;
	} else if (c >= 0x40 && c <= 0x7e) {
		csi_dispatch(vt, c);
	} else {
		vt->state = VT_CSI_IGNORE;
	}
}
