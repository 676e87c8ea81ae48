/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of files. 0 or a negative errno. */
#pragma once

/* A regular file, with its permissions. */
int copy_file(const char *from, const char *to);

/* The regular files of a directory (not those below), into a directory that is made. */
int copy_directory(const char *from, const char *to);
