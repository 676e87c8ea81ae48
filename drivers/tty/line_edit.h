/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Editing and echo of the line that a user types in canonical mode: the part of the line discipline
 * that knows how a typed byte looks on the screen. Called by ldisc.c alone.
 */
#pragma once

#include <stdint.h>

struct ldisc;

/* Shows a typed byte, a control character as ^X where ECHOCTL says so. */
void line_edit_echo(struct ldisc *ld, uint8_t c);

/* Removes the last character of the line being edited (ERASE). */
void line_edit_erase(struct ldisc *ld);

/* Removes the last word (WERASE): letters, digits and _ make a word. */
void line_edit_erase_word(struct ldisc *ld);

/* Removes the whole line being edited (KILL). */
void line_edit_kill(struct ldisc *ld);

/* Shows the line being edited again on a new line (REPRINT). */
void line_edit_reprint(struct ldisc *ld);
