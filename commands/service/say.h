/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command says when something fails. */
#pragma once

/* Print what went wrong with `name` (negative errno) to the standard error; the exit status. */
int say_failure(const char *name, int error);

/* As say_failure(), with another text. */
int say_text(const char *name, int error, const char *text);
