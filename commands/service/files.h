/* SPDX-License-Identifier: BSD-2-Clause */
/* Where programs and declarations of services are found. */
#pragma once

#include "commands/service/client.h"

#define FILES_PATH_MAX 512

/* The path of a service's program: `name` itself if it has a slash. -ENOENT, and it has been said.
 */
int files_find_binary(char path[FILES_PATH_MAX], const char *name);

/* The path of a declaration. -ENOENT, and it has been said. */
int files_find_conf(char path[FILES_PATH_MAX], const char *name);

/* Read a file, or say why not. */
int files_read(const char *path, struct client_file *file);
