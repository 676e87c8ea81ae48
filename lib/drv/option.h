/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the kernel command line: words, or name=value, apart by spaces. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Looks for `name` in the kernel's command line; its last value goes to `value` (empty for a bare
 * word, cut to `size` with NUL). False if it is not there.
 */
bool option_get(const char *name, char *value, size_t size);

/* The same in a given line. */
bool option_find(const char *line, const char *name, char *value, size_t size);
