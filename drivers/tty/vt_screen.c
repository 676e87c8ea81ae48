/* SPDX-License-Identifier: BSD-2-Clause */
#include "vt_screen.h"

#include <string.h>

#include "glyph.h"

/* VGA's colour bits are blue, green, red; ANSI's red, green, blue. */
static const uint8_t vga_colour[8] = {0, 4, 2, 6, 1, 5, 3, 7};

void vt_pen_reset(struct vt_pen *pen)
{
	memset(pen, 0, sizeof(*pen));
	pen->foreground = 7;
}

static uint8_t pen_attribute(const struct vt *vt)
{
	const struct vt_pen *pen = &vt->cursor.pen;
	uint8_t foreground = vga_colour[pen->foreground & 7] | (pen->foreground & 8);
	uint8_t background = vga_colour[pen->background & 7];

	if (pen->is_underlined) {
		foreground = 3 | (foreground & 8);
	} else if (pen->is_faint) {
		foreground = 8;
	}
	if (pen->is_reverse != vt->is_screen_reverse) {
		uint8_t other = foreground & 7;

		foreground = (uint8_t)(background | (foreground & 8));
		background = other;
	}
	if (pen->is_bold) {
		foreground |= 8;
	}
	return (uint8_t)((pen->is_blinking ? 0x80 : 0) | background << 4 | foreground);
}

/* Blank cells keep the background only. */
static vt_cell_t blank_cell(const struct vt *vt)
{
	uint8_t background = vga_colour[vt->cursor.pen.background & 7];

	if (vt->is_screen_reverse) {
		return (vt_cell_t)((0x70 | background) << 8 | ' ');
	}
	return (vt_cell_t)((background << 4 | 7) << 8 | ' ');
}

static vt_cell_t *row_cells(struct vt *vt, uint32_t row)
{
	return &vt->cells[row * vt->columns];
}

static void touch_row(struct vt *vt, uint32_t row)
{
	vt->dirty |= 1ull << row;
}

static void touch_rows(struct vt *vt, uint32_t from, uint32_t to)
{
	for (uint32_t row = from; row < to; row++) {
		touch_row(vt, row);
	}
}

void vt_screen_touch(struct vt *vt)
{
	touch_rows(vt, 0, vt->rows);
}

static void blank_row(struct vt *vt, uint32_t row)
{
	vt_cell_t *cells = row_cells(vt, row);
	vt_cell_t blank = blank_cell(vt);

	for (uint32_t x = 0; x < vt->columns; x++) {
		cells[x] = blank;
	}
	touch_row(vt, row);
}

void vt_screen_scroll_up(struct vt *vt, uint32_t top, uint32_t bottom, uint32_t count)
{
	uint32_t height = bottom - top;

	count = count < height ? count : height;
	memmove(row_cells(vt, top), row_cells(vt, top + count),
		(size_t)(height - count) * vt->columns * sizeof(vt_cell_t));
	for (uint32_t row = bottom - count; row < bottom; row++) {
		blank_row(vt, row);
	}
	touch_rows(vt, top, bottom);
}

void vt_screen_scroll_down(struct vt *vt, uint32_t top, uint32_t bottom, uint32_t count)
{
	uint32_t height = bottom - top;

	count = count < height ? count : height;
	memmove(row_cells(vt, top + count), row_cells(vt, top),
		(size_t)(height - count) * vt->columns * sizeof(vt_cell_t));
	for (uint32_t row = top; row < top + count; row++) {
		blank_row(vt, row);
	}
	touch_rows(vt, top, bottom);
}

void vt_screen_line_feed(struct vt *vt)
{
	vt->is_wrap_pending = false;
	if (vt->cursor.y + 1 == vt->bottom) {
		vt_screen_scroll_up(vt, vt->top, vt->bottom, 1);
	} else if (vt->cursor.y + 1 < vt->rows) {
		vt->cursor.y++;
	}
}

void vt_screen_reverse_feed(struct vt *vt)
{
	vt->is_wrap_pending = false;
	if (vt->cursor.y == vt->top) {
		vt_screen_scroll_down(vt, vt->top, vt->bottom, 1);
	} else if (vt->cursor.y > 0) {
		vt->cursor.y--;
	}
}

void vt_screen_move(struct vt *vt, uint32_t x, uint32_t y, bool is_relative)
{
	uint32_t last = vt->rows - 1;

	if (is_relative) {
		last = vt->bottom - 1;
		y = y < last - vt->top ? y + vt->top : last;
	}
	vt->cursor.x = x < vt->columns ? x : vt->columns - 1;
	vt->cursor.y = y < last ? y : last;
	vt->is_wrap_pending = false;
}

void vt_screen_erase(struct vt *vt, uint32_t from, uint32_t to)
{
	vt_cell_t blank = blank_cell(vt);

	for (uint32_t i = from; i < to; i++) {
		vt->cells[i] = blank;
	}
	if (from < to) {
		touch_rows(vt, from / vt->columns, (to - 1) / vt->columns + 1);
	}
	vt->is_wrap_pending = false;
}

void vt_screen_insert_cells(struct vt *vt, uint32_t count)
{
	uint32_t left = vt->columns - vt->cursor.x;
	vt_cell_t *cells = row_cells(vt, vt->cursor.y) + vt->cursor.x;
	uint32_t start = vt->cursor.y * vt->columns + vt->cursor.x;

	count = count < left ? count : left;
	memmove(cells + count, cells, (left - count) * sizeof(*cells));
	vt_screen_erase(vt, start, start + count);
	touch_row(vt, vt->cursor.y);
}

void vt_screen_delete_cells(struct vt *vt, uint32_t count)
{
	uint32_t left = vt->columns - vt->cursor.x;
	vt_cell_t *cells = row_cells(vt, vt->cursor.y) + vt->cursor.x;
	uint32_t end = (vt->cursor.y + 1) * vt->columns;

	count = count < left ? count : left;
	memmove(cells, cells + count, (left - count) * sizeof(*cells));
	vt_screen_erase(vt, end - count, end);
	touch_row(vt, vt->cursor.y);
}

void vt_screen_fill(struct vt *vt, uint8_t glyph)
{
	for (uint32_t i = 0; i < vt->columns * vt->rows; i++) {
		vt->cells[i] = (vt_cell_t)(0x0700 | glyph);
	}
	vt_screen_touch(vt);
}

void vt_screen_print(struct vt *vt, uint32_t code)
{
	if (vt->cursor.is_graphics[vt->cursor.charset]) {
		code = glyph_line_drawing(code);
	}
	if (vt->is_wrap_pending && vt->is_autowrap) {
		vt->cursor.x = 0;
		vt_screen_line_feed(vt);
	}
	if (vt->is_insert) {
		vt_screen_insert_cells(vt, 1);
	}
	row_cells(vt, vt->cursor.y)[vt->cursor.x] =
		(vt_cell_t)(pen_attribute(vt) << 8 | glyph_of(code));
	touch_row(vt, vt->cursor.y);
	if (vt->cursor.x + 1 < vt->columns) {
		vt->cursor.x++;
		vt->is_wrap_pending = false;
	} else {
		vt->is_wrap_pending = true;
	}
}
