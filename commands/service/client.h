/* SPDX-License-Identifier: BSD-2-Clause */
/* The axo_service call (proto/rs.h) for programs: `service` and `init`. Results: 0 or more, or a
 * negative errno. */
#pragma once

#include <stddef.h>

#include "proto/rs.h"

/* What of a file is read whole. */
struct client_file {
	void *data;
	size_t len;
};

/* 0, or a negative errno. The memory is free()d by the caller. */
int client_read_file(const char *path, struct client_file *file);

/*
 * Hand a binary, its declaration and its arguments to RS: AXO_SERVICE_UP waits until the service
 * runs. When the declaration is wrong, `detail` gets "LINE: TEXT"; else it is "".
 */
int client_hand_over(enum axo_service_cmd cmd, const char *name, const struct client_file *binary,
	const struct client_file *conf, const char *args, char *detail, size_t detail_size);

/* DOWN, RESTART, BOOTED. */
int client_simple(enum axo_service_cmd cmd, const char *name);

/* The table of services as text with a NUL; `name` "" for all. */
int client_status(const char *name, char *text, size_t size);
