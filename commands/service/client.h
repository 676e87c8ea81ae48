/* SPDX-License-Identifier: BSD-2-Clause */
/* The axo_service call (proto/rs.h) for programs: `service` and `init`. Results: 0 or more, or a
 * negative errno. What is handed to RS must be in memory that has been written. */
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

/* Begin a request: -ENAMETOOLONG. */
int client_begin(struct axo_service_req *req, enum axo_service_cmd cmd, const char *name);

/* What RS gets with it; NULL: nothing. */
void client_hand(struct axo_service_req *req, const struct client_file *binary,
	const struct client_file *conf, const char *args);

/* Where what RS gives goes. */
void client_take(struct axo_service_req *req, void *out, size_t size);

/* Make the call. */
int client_call(struct axo_service_req *req);

/*
 * Hand a binary and its declaration to RS: AXO_SERVICE_UP waits until the service runs. When the
 * declaration is wrong, `detail` gets "LINE: TEXT"; else it is "".
 */
int client_hand_over(enum axo_service_cmd cmd, const char *name, const struct client_file *binary,
	const struct client_file *conf, char *detail, size_t detail_size);

/* A command that has only a name. */
int client_simple(enum axo_service_cmd cmd, const char *name);

/* A command that gives text, which gets a NUL: its length. */
int client_text(enum axo_service_cmd cmd, const char *name, char *text, size_t size);
