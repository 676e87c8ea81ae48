/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of the cell buffer that vt.c's escape sequences are made of: print, scroll, erase,
 * insert, delete. */
#pragma once

#include "vt.h"

/* Sets the pen back to plain. */
void vt_pen_reset(struct vt_pen *pen);

/* Shows a character (Unicode) at the cursor and moves on, wrapping and scrolling. */
void vt_screen_print(struct vt *vt, uint32_t code);

/* Moves the cursor; the place is cut to the screen (and to the scroll region if `is_relative`). */
void vt_screen_move(struct vt *vt, uint32_t x, uint32_t y, bool is_relative);

/* One line down or up, scrolling at the edge of the region. */
void vt_screen_line_feed(struct vt *vt);
void vt_screen_reverse_feed(struct vt *vt);

/* Scrolls rows [top, bottom) by `count` lines up or down, blank lines come in. */
void vt_screen_scroll_up(struct vt *vt, uint32_t top, uint32_t bottom, uint32_t count);
void vt_screen_scroll_down(struct vt *vt, uint32_t top, uint32_t bottom, uint32_t count);

/* Blanks cells of the whole screen counted row by row: [from, to). */
void vt_screen_erase(struct vt *vt, uint32_t from, uint32_t to);

/* Inserts blanks at the cursor, or deletes characters there; the rest of the row moves. */
void vt_screen_insert_cells(struct vt *vt, uint32_t count);
void vt_screen_delete_cells(struct vt *vt, uint32_t count);

/* Fills the screen with a character (alignment test). */
void vt_screen_fill(struct vt *vt, uint8_t glyph);

/* Marks all rows dirty. */
void vt_screen_touch(struct vt *vt);
