/* SPDX-License-Identifier: BSD-2-Clause */
/* Control sequences (ESC [ parameters letter) of the terminal emulator. Called by vt.c. */
#pragma once

#include "vt.h"

/* ESC [ was read. */
void vt_csi_start(struct vt *vt);

/* Takes the next byte (at least 0x20) of a control sequence; at its end, does what it says. */
void vt_csi_byte(struct vt *vt, uint8_t c);

/* Moves the cursor to the next tab stop, `count` times. */
void vt_tab_forward(struct vt *vt, uint32_t count);

/* Answers as if `text` had been typed. */
void vt_reply(struct vt *vt, const char *text);
