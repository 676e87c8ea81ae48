/* SPDX-License-Identifier: BSD-2-Clause */
/* The VGA text screen and the PS/2 keyboard as a terminal's device. */
#pragma once

#include "drivers/tty/keyboard.h"
#include "drivers/tty/line.h"
#include "drivers/tty/vt.h"

struct console {
	bool is_present;
	int hook;                 /* irq hook id of the keyboard */
	volatile uint16_t *video; /* text memory of the VGA */
	uint32_t shown_cursor;    /* cell, or UINT32_MAX: hidden */
	struct keyboard keyboard;
	struct vt vt;
	struct tty_line line;
};

/* Maps the screen, sets up the keyboard; negative errno if that fails. */
int console_init(struct console *console, int hook);

/* *console is that of a predecessor: screen, settings and keyboard go on. */
int console_adopt(struct console *console);

/* The keyboard's interrupt came. */
void console_interrupt(struct console *console);
