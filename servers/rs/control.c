/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/diag.h"
#include "proto/rs.h"
#include "servers/rs/caller.h"
#include "servers/rs/mounts.h"
#include "servers/rs/service.h"

/* What UP and TEMPLATE hand in, copied. */
struct parcel {
	struct conf_service conf;
	struct binary *binary;
	char *args;
};

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

/* On a wrong declaration the error goes to the caller's `out`, as "LINE: TEXT". */
static int fetch_conf(
	endpoint_t program, const struct axo_service_req *req, struct conf_service *conf)
{
	struct conf_error error;
	char line[160];
	int r, len;
	char *text = fetch_text(program, req->conf, req->conf_len, CONF_TEXT_MAX, &r);

	if (!text) {
		return r;
	}
	r = conf_find(text, req->conf_len, req->name, conf, &error);
	free(text);
	if (r < 0) {
		len = snprintf(line, sizeof(line), "%u: %s", error.line, error.text) + 1;
		diag_printf("declaration of %s: line %s", req->name, line);
		if (req->out_len >= (uint64_t)len) {
			(void)caller_copy_out(program, req->out, line, (size_t)len);
		}
	}
	return r;
}

static int fetch_binary(
	endpoint_t program, const struct axo_service_req *req, struct binary **binary)
{
	struct binary *b;
	int r;

	if (req->binary_len > RS_BINARY_MAX) {
		return -E2BIG;
	}
	b = malloc(sizeof(*b) + req->binary_len);
	if (!b) {
		return -ENOMEM;
	}
	b->references = 1;
	b->len = req->binary_len;
	r = caller_copy_in(program, req->binary, b->data, b->len);
	if (r < 0) {
		free(b);
		return r;
	}
	*binary = b;
	return 0;
}

static void parcel_free(struct parcel *parcel)
{
	binary_release(parcel->binary);
	free(parcel->args);
}

static int fetch_parcel(
	endpoint_t program, const struct axo_service_req *req, struct parcel *parcel)
{
	int r;

	*parcel = (struct parcel){0};
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
	}
	return r;
}

static int control_up(struct rs *rs, endpoint_t program, const struct axo_service_req *req)
{
	struct parcel parcel;
	struct service_plan plan;
	int r = fetch_parcel(program, req, &parcel);

	if (r < 0) {
		return r;
	}
	plan = (struct service_plan){
		.label = req->name,
		.conf = &parcel.conf,
		.binary = parcel.binary,
		.args = parcel.args,
		.waiter = {.kind = WAITER_PROGRAM, .program = program},
	};
	r = service_up(rs, &plan);
	parcel_free(&parcel);
	return r < 0 ? r : CONTROL_LATER;
}

static int control_template(struct rs *rs, endpoint_t program, const struct axo_service_req *req)
{
	struct parcel parcel;
	int r = fetch_parcel(program, req, &parcel);

	if (r < 0) {
		return r;
	}
	r = mounts_register(rs, req->name, &parcel.conf, parcel.binary, parcel.args);
	parcel_free(&parcel);
	return r;
}

typedef int change_fn(struct rs *rs, struct service *service, struct waiter waiter);

static int control_change(
	struct rs *rs, endpoint_t program, const struct axo_service_req *req, change_fn *change)
{
	struct service *service = service_by_label(rs, req->name);
	int r;

	if (!service) {
		return -ESRCH;
	}
	r = change(rs, service, (struct waiter){.kind = WAITER_PROGRAM, .program = program});
	if (r == 0) {
		return CONTROL_LATER;
	}
	return r < 0 ? r : 0;
}

/* Bytes of text, or a negative error. */
static int control_status(struct rs *rs, endpoint_t program, const struct axo_service_req *req)
{
	char *text = malloc(RS_STATUS_MAX);
	int len, r;

	if (!text) {
		return -ENOMEM;
	}
	len = service_status(rs, req->name, text, RS_STATUS_MAX);
	if (len > 0 && (uint64_t)len > req->out_len) {
		len = -ENOSPC;
	}
	if (len > 0) {
		r = caller_copy_out(program, req->out, text, (size_t)len);
		len = r < 0 ? r : len;
	}
	free(text);
	return len;
}

static int dispatch(
	struct rs *rs, endpoint_t program, const struct axo_service_req *req, int64_t *result)
{
	int r;

	switch (req->cmd) {
	case AXO_SERVICE_UP:
		r = control_up(rs, program, req);
		break;
	case AXO_SERVICE_DOWN:
		r = control_change(rs, program, req, service_down);
		break;
	case AXO_SERVICE_RESTART:
		r = control_change(rs, program, req, service_restart);
		break;
	case AXO_SERVICE_STATUS:
		*result = control_status(rs, program, req);
		return 0;
	case AXO_SERVICE_TEMPLATE:
		r = control_template(rs, program, req);
		break;
	case AXO_SERVICE_BOOTED:
		rs->is_booted = true;
		r = 0;
		break;
	default:
		r = -EINVAL;
		break;
	}
	if (r == CONTROL_LATER) {
		return CONTROL_LATER;
	}
	*result = r;
	return 0;
}

/* Commands that name no one in particular. */
static bool may_be_nameless(uint32_t cmd)
{
	return cmd == AXO_SERVICE_STATUS || cmd == AXO_SERVICE_BOOTED;
}

int control_call(struct rs *rs, endpoint_t program, vaddr_t request, int64_t *result)
{
	struct axo_service_req req;
	int r;

	if (!caller_is_root(program)) {
		*result = -EPERM;
		return 0;
	}
	r = caller_copy_in(program, request, &req, sizeof(req));
	if (r < 0) {
		*result = r;
		return 0;
	}
	req.name[sizeof(req.name) - 1] = '\0';
	if (!conf_is_name(req.name) && !(req.name[0] == '\0' && may_be_nameless(req.cmd))) {
		*result = -EINVAL;
		return 0;
	}
	return dispatch(rs, program, &req, result);
}
