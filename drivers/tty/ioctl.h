/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal ioctls of Linux on a line. */
#pragma once

#include "drivers/tty/line.h"

/* Handler of CHR_IOCTL for a line. */
int64_t ioctl_line(struct tty_line *line, const struct chr_request *req);

/* True if all output has left. */
bool ioctl_is_drained(struct tty_line *line);

/* Does what an ioctl had waited for the end of output with; its result. */
int64_t ioctl_finish_drain(
	struct tty_line *line, const struct chr_request *req, const struct tty_termios *termios);
