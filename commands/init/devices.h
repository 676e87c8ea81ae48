/* SPDX-License-Identifier: BSD-2-Clause */
/* The device files: /dev is a file system in memory that init fills. */
#pragma once

/* Make the device files and links in the directory `dev`, which must be writable. 0 or the first
 * negative errno. */
int devices_make(const char *dev);

/* Make /dev/console the standard input, output and error; /dev/null where there is no console. */
void devices_open_console(void);
