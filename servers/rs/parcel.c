/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/parcel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/diag.h"
#include "servers/rs/binary.h"
#include "servers/rs/caller.h"

/* Bytes of the caller with a NUL added, or NULL with *error set. */
static char *fetch_text(endpoint_t program, vaddr_t from, uint64_t len, uint64_t max, int *error)
{
	char *text;

	if (len > max) {
		*error = -E2BIG;
		return NULL;
	}
	text = malloc(len + 1);
	if (!text) {
		*error = -ENOMEM;
		return NULL;
	}
	*error = caller_copy_in(program, from, text, len);
	if (*error < 0) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

void parcel_complain(endpoint_t program, const struct axo_service_req *req, const char *line)
{
	size_t len = strlen(line) + 1;

	diag_printf("declaration of %s: line %s", req->name, line);
	if (req->out_len >= len) {
		(void)caller_copy_out(program, req->out, line, len);
	}
}

/* On a wrong declaration the error goes to the caller's `out`, as "LINE: TEXT". */
static int fetch_conf(
	endpoint_t program, const struct axo_service_req *req, struct conf_service *conf)
{
	struct conf_error error;
	char line[160];
	int r;
	char *text = fetch_text(program, req->conf, req->conf_len, CONF_TEXT_MAX, &r);

	if (!text) {
		return r;
	}
	r = conf_find(text, req->conf_len, req->name, conf, &error);
	free(text);
	if (r < 0) {
		snprintf(line, sizeof(line), "%u: %s", error.line, error.text);
		parcel_complain(program, req, line);
	}
	return r;
}

static int fetch_binary(
	endpoint_t program, const struct axo_service_req *req, struct binary **binary)
{
	uint8_t *data;
	int r;

	if (req->binary_len > RS_BINARY_MAX) {
		return -E2BIG;
	}
	data = malloc(req->binary_len + 1);
	if (!data) {
		return -ENOMEM;
	}
	r = caller_copy_in(program, req->binary, data, req->binary_len);
	if (r == 0) {
		*binary = binary_new(data, req->binary_len);
		r = *binary ? 0 : -ENOMEM;
	}
	if (r < 0) {
		free(data);
	}
	return r;
}

void parcel_free(struct parcel *parcel)
{
	binary_release(parcel->binary);
	free(parcel->args);
	parcel->binary = NULL;
	parcel->args = NULL;
}

int parcel_fetch_some(
	struct rs *rs, endpoint_t program, const struct axo_service_req *req, struct parcel *parcel)
{
	int r = 0;

	*parcel = (struct parcel){.has_conf = req->conf_len != 0};
	if (parcel->has_conf) {
		r = fetch_conf(program, req, &parcel->conf);
	}
	if (r == 0 && req->binary_len != 0) {
		r = fetch_binary(program, req, &parcel->binary);
	}
	if (r == 0 && req->args_len != 0) {
		parcel->args = fetch_text(program, req->args, req->args_len, RS_ARGS_MAX, &r);
	}
	if (r < 0) {
		parcel_free(parcel);
		return r;
	}
	if (parcel->binary) {
		parcel->binary = binary_share(rs, parcel->binary);
	}
	return 0;
}

int parcel_fetch(
	struct rs *rs, endpoint_t program, const struct axo_service_req *req, struct parcel *parcel)
{
	int r;

	*parcel = (struct parcel){.has_conf = true};
	r = fetch_conf(program, req, &parcel->conf);
	if (r < 0) {
		return r;
	}
	parcel->args = fetch_text(program, req->args, req->args_len, RS_ARGS_MAX, &r);
	if (!parcel->args) {
		return r;
	}
	r = fetch_binary(program, req, &parcel->binary);
	if (r < 0) {
		parcel_free(parcel);
		return r;
	}
	parcel->binary = binary_share(rs, parcel->binary);
	return 0;
}
