/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs on the console: each the leader of a session of its own, with the console as its
 * terminal. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum session_kind {
	SESSION_SHELL,   /* interactive */
	SESSION_COMMAND, /* of exec=: no echo, no carriage returns added */
	SESSION_RC       /* no terminal of its own: output to the console */
};

/* Start a program: its process id, or a negative errno. `is_vga`: which kind of terminal the
 * console is. */
pid_t session_start(enum session_kind kind, char *const argv[], bool is_vga);

/* Wait until all that was written to the console is out. */
void session_drain(void);
