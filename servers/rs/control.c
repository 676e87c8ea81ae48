/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/rs.h"
#include "servers/rs/caller.h"
#include "servers/rs/fault.h"
#include "servers/rs/heartbeat.h"
#include "servers/rs/mounts.h"
#include "servers/rs/parcel.h"
#include "servers/rs/peers.h"
#include "servers/rs/process.h"
#include "servers/rs/replica.h"
#include "servers/rs/rights.h"
#include "servers/rs/script.h"
#include "servers/rs/service.h"
#include "servers/rs/standby.h"
#include "servers/rs/status.h"
#include "servers/rs/update.h"

#define SCRIPT_TEXT_MAX 256

/* The call as its handlers see it. */
struct call {
	struct rs *rs;
	endpoint_t program;
	const struct axo_service_req *req;
	struct service *service; /* that `name` names, or NULL */
};

static struct waiter waiter_of(const struct call *call)
{
	return (struct waiter){.kind = WAITER_PROGRAM, .program = call->program};
}

/* Store text for the caller: its length, or a negative error. */
static int64_t store(const struct call *call, const void *from, int len)
{
	int r;

	if (len > 0 && (uint64_t)len > call->req->out_len) {
		return -ENOSPC;
	}
	r = len > 0 ? caller_copy_out(call->program, call->req->out, from, (size_t)len) : 0;
	return r < 0 ? r : len;
}

/* VFS sends a device number to one service only. */
static int check_devices(const struct call *call, const struct conf_service *conf)
{
	bool is_block = false;
	uint32_t major = 0;
	const struct service *owner = rights_device_owner(call->rs, conf, &is_block, &major);
	char line[96];

	if (!owner) {
		return 0;
	}
	snprintf(line, sizeof(line), "%u: '%s %u' is a device of %s already", conf->line,
		is_block ? "blk" : "chr", major, owner->label);
	parcel_complain(call->program, call->req, line);
	return -EADDRINUSE;
}

/* Signals go to somebody who is there, and is somebody else: such a one is called `self`. */
static int check_manager(const struct call *call, const struct conf_service *conf)
{
	const char *manager = conf->signal_manager;
	char line[96];

	if (strcmp(manager, "rs") == 0 || strcmp(manager, "self") == 0 ||
		(service_by_label(call->rs, manager) && strcmp(manager, call->req->name) != 0)) {
		return 0;
	}
	snprintf(line, sizeof(line), "%u: 'signal_manager': no service %s beside it", conf->line,
		manager);
	parcel_complain(call->program, call->req, line);
	return -ESRCH;
}

static int64_t on_up(const struct call *call)
{
	bool waits = !(call->req->flags & AXO_SERVICE_NO_WAIT);
	struct parcel parcel;
	struct service_plan plan;
	int r = parcel_fetch(call->rs, call->program, call->req, &parcel);

	if (r < 0) {
		return r;
	}
	/* The name first, so that a service that is there already is not told by its numbers. */
	r = call->service ? -EBUSY : check_devices(call, &parcel.conf);
	if (r == 0) {
		r = check_manager(call, &parcel.conf);
	}
	if (r < 0) {
		parcel_free(&parcel);
		return r;
	}
	parcel.conf.replica |= (call->req->flags & AXO_SERVICE_REPLICA) != 0;
	if (call->req->period_ns != 0) {
		parcel.conf.period_ns = call->req->period_ns;
	}
	plan = (struct service_plan){
		.label = call->req->name,
		.conf = &parcel.conf,
		.binary = parcel.binary,
		.args = parcel.args,
		.no_backoff = (call->req->flags & AXO_SERVICE_NO_BACKOFF) != 0,
	};
	if (waits) {
		plan.waiter = waiter_of(call);
	}
	r = service_up(call->rs, &plan);
	parcel_free(&parcel);
	return r == 0 && waits ? CONTROL_LATER : r;
}

static int64_t on_template(const struct call *call)
{
	struct parcel parcel;
	int r = parcel_fetch(call->rs, call->program, call->req, &parcel);

	if (r < 0) {
		return r;
	}
	r = mounts_register(call->rs, call->req->name, &parcel.conf, parcel.binary, parcel.args);
	parcel_free(&parcel);
	return r;
}

static int64_t on_down(const struct call *call)
{
	int r = service_down(call->rs, call->service, waiter_of(call));

	return r == 0 ? CONTROL_LATER : r < 0 ? r : 0;
}

static int64_t on_restart(const struct call *call)
{
	enum sef_init_type type =
		call->req->cmd == AXO_SERVICE_REFRESH ? SEF_INIT_FRESH : SEF_INIT_RESTART;
	int r = service_restart(call->rs, call->service, type, waiter_of(call));

	return r == 0 ? CONTROL_LATER : r;
}

/* A declaration for a service that is there: class and device numbers stay. */
static int fit_conf(const struct service *s, struct conf_service *conf)
{
	if (conf->class != s->conf.class || conf->is_core != s->conf.is_core) {
		return -EPERM;
	}
	conf->chr_count = s->conf.chr_count;
	conf->blk_count = s->conf.blk_count;
	memcpy(conf->chr, s->conf.chr, sizeof(conf->chr));
	memcpy(conf->blk, s->conf.blk, sizeof(conf->blk));
	return 0;
}

/* UPDATE and ROLLBACK; without a state any will do in which no request is half done. */
static int64_t on_update(const struct call *call)
{
	const struct axo_service_req *req = call->req;
	bool is_batch = (req->flags & AXO_SERVICE_BATCH) != 0;
	struct parcel parcel = {0};
	struct update_plan plan = {
		.state = req->arg,
		.limit_ns = req->limit_ns,
		.is_batch = is_batch,
		.program = call->program,
		.waiter = waiter_of(call),
	};
	int r = 0;

	if (req->cmd == AXO_SERVICE_UPDATE) {
		r = parcel_fetch_some(call->rs, call->program, req, &parcel);
		plan.binary = parcel.binary ? parcel.binary : call->service->binary;
		plan.conf = parcel.has_conf ? &parcel.conf : NULL;
		plan.args = parcel.args;
		if (r == 0 && parcel.has_conf) {
			r = fit_conf(call->service, &parcel.conf);
		}
		if (r == 0 && parcel.has_conf) {
			r = check_manager(call, &parcel.conf);
		}
	} else {
		plan.binary = call->service->previous_binary;
		r = plan.binary ? 0 : -ENOENT;
	}
	if (r == 0) {
		r = update_add(call->rs, call->service, &plan);
	}
	parcel_free(&parcel);
	return r == 0 && !is_batch ? CONTROL_LATER : r;
}

static int64_t on_clone(const struct call *call)
{
	int r = call->req->cmd == AXO_SERVICE_CLONE ? replica_want(call->rs, call->service)
						    : replica_unwant(call->rs, call->service);

	service_tick(call->rs);
	return r;
}

/* It has the declaration from now on; when it cannot have it, it keeps its own. */
static int redeclare(struct rs *rs, struct service *s, const struct conf_service *conf)
{
	struct conf_service old = s->conf;
	int r;

	s->conf = *conf;
	r = process_give_privileges(rs, s, s->ep, PRIV_UPDATE);
	if (r < 0) {
		s->conf = old;
		(void)process_give_privileges(rs, s, s->ep, PRIV_UPDATE);
	}
	return r < 0 ? r : 0;
}

/* What the new declaration says otherwise than the old one. */
static void follow_replica(struct rs *rs, struct service *s, bool was_declared)
{
	replica_drop(s); /* it has the old privileges */
	if (s->conf.replica != was_declared) {
		s->has_replica = s->conf.replica;
	}
	s->replica_ns = rs->now_ns;
}

static int64_t on_edit(const struct call *call)
{
	struct service *s = call->service;
	bool has_replica = s->conf.replica;
	struct parcel parcel;
	int r = parcel_fetch_some(call->rs, call->program, call->req, &parcel);

	if (r == 0 && !parcel.has_conf) {
		r = -EINVAL;
	}
	if (r == 0) {
		r = fit_conf(s, &parcel.conf);
	}
	if (r == 0) {
		r = check_manager(call, &parcel.conf);
	}
	if (r == 0 && (s->state != SERVICE_RUNNING || s->update != UPDATE_NONE)) {
		r = -EBUSY;
	}
	if (r == 0) {
		r = redeclare(call->rs, s, &parcel.conf);
	}
	if (r == 0) {
		peers_edited(call->rs, s);
		follow_replica(call->rs, s, has_replica);
		heartbeat_set(call->rs, s,
			call->req->period_ns ? call->req->period_ns : s->conf.period_ns);
		service_tick(call->rs);
	}
	parcel_free(&parcel);
	return r;
}

static int64_t on_ping(const struct call *call)
{
	int r = heartbeat_ask(call->rs, call->service, call->program);

	service_tick(call->rs);
	return r == 0 ? CONTROL_LATER : r;
}

static int64_t on_fault(const struct call *call)
{
	return fault_inject(call->service, call->req, call->program);
}

static int64_t on_lookup(const struct call *call)
{
	return call->service->ep != EP_NONE ? call->service->ep : -ESRCH;
}

static int64_t on_stats(const struct call *call)
{
	struct axo_service_stats stats;

	status_stats(call->service, &stats);
	return store(call, &stats, sizeof(stats));
}

/* STATUS, RIGHTS, DEVICES: bytes of text, or a negative error. */
static int64_t on_text(const struct call *call)
{
	char *text = malloc(RS_STATUS_MAX);
	int64_t result;
	int len;

	if (!text) {
		return -ENOMEM;
	}
	switch (call->req->cmd) {
	case AXO_SERVICE_RIGHTS:
		len = rights_text(call->service, text, RS_STATUS_MAX);
		break;
	case AXO_SERVICE_DEVICES:
		len = rights_devices(call->rs, text, RS_STATUS_MAX);
		break;
	default:
		len = status_text(call->rs, call->req->name, text, RS_STATUS_MAX);
		break;
	}
	result = len < 0 ? len : store(call, text, len);
	free(text);
	return result;
}

static int64_t on_booted(const struct call *call)
{
	call->rs->is_booted = true;
	standby_make(call->rs);
	service_tick(call->rs);
	return 0;
}

static int64_t on_shutdown(const struct call *call)
{
	call->rs->is_shutting_down = true;
	return 0;
}

/* Init fetches the next script to run: bytes of text, 0: none. */
static int64_t on_script(const struct call *call)
{
	char text[SCRIPT_TEXT_MAX];
	int len;

	if (call->program != EP_INIT) {
		return -EPERM;
	}
	len = script_fetch(call->rs, text, sizeof(text));
	return len < 0 ? len : store(call, text, len);
}

static const struct command {
	int64_t (*serve)(const struct call *call);
	bool needs_service; /* `name` names one that is there */
	bool is_nameless;   /* `name` may be empty */
} commands[] = {
	[AXO_SERVICE_UP] = {on_up, false, false},
	[AXO_SERVICE_DOWN] = {on_down, true, false},
	[AXO_SERVICE_RESTART] = {on_restart, true, false},
	[AXO_SERVICE_STATUS] = {on_text, false, true},
	[AXO_SERVICE_TEMPLATE] = {on_template, false, false},
	[AXO_SERVICE_BOOTED] = {on_booted, false, true},
	[AXO_SERVICE_REFRESH] = {on_restart, true, false},
	[AXO_SERVICE_UPDATE] = {on_update, true, false},
	[AXO_SERVICE_ROLLBACK] = {on_update, true, false},
	[AXO_SERVICE_CLONE] = {on_clone, true, false},
	[AXO_SERVICE_UNCLONE] = {on_clone, true, false},
	[AXO_SERVICE_EDIT] = {on_edit, true, false},
	[AXO_SERVICE_PING] = {on_ping, true, false},
	[AXO_SERVICE_FAULT] = {on_fault, true, false},
	[AXO_SERVICE_LOOKUP] = {on_lookup, true, false},
	[AXO_SERVICE_STATS] = {on_stats, true, false},
	[AXO_SERVICE_SHUTDOWN] = {on_shutdown, false, true},
	[AXO_SERVICE_SCRIPT] = {on_script, false, true},
	[AXO_SERVICE_RIGHTS] = {on_text, true, false},
	[AXO_SERVICE_DEVICES] = {on_text, false, true},
};

/* Root may do all; whom a service's declaration names may do what concerns this service only. */
static bool is_allowed(const struct call *call, const struct command *command, uint32_t uid)
{
	const struct conf_service *conf = call->service ? &call->service->conf : NULL;

	if (uid == 0) {
		return true;
	}
	for (uint32_t i = 0; command->needs_service && conf && i < conf->control_count; i++) {
		if (conf->control[i] == uid) {
			return call->req->cmd != AXO_SERVICE_EDIT && call->req->binary_len == 0 &&
				call->req->conf_len == 0;
		}
	}
	return false;
}

/* The result, or CONTROL_LATER. */
static int64_t serve(struct call *call, uint32_t uid)
{
	const struct axo_service_req *req = call->req;
	const struct command *command;

	if (req->cmd >= AXO_ARRAY_LEN(commands) || !commands[req->cmd].serve) {
		return -EINVAL;
	}
	command = &commands[req->cmd];
	if (!conf_is_name(req->name) && !(req->name[0] == '\0' && command->is_nameless)) {
		return -EINVAL;
	}
	call->service = service_by_label(call->rs, req->name);
	if (!is_allowed(call, command, uid)) {
		return -EPERM;
	}
	if (command->needs_service && !call->service) {
		return -ESRCH;
	}
	return command->serve(call);
}

bool control_call(struct rs *rs, endpoint_t program, vaddr_t request, int64_t *result)
{
	struct axo_service_req req;
	struct call call = {.rs = rs, .program = program, .req = &req};
	uint32_t uid;

	*result = -EPERM;
	if (caller_uid(program, &uid) < 0) {
		return true;
	}
	*result = caller_copy_in(program, request, &req, sizeof(req));
	if (*result < 0) {
		return true;
	}
	req.name[sizeof(req.name) - 1] = '\0';
	*result = serve(&call, uid);
	if (*result < 0) {
		update_forget(rs, program);
	}
	return *result != CONTROL_LATER;
}

static bool waits_with(const struct waiter *waiter, endpoint_t ep)
{
	return waiter->kind == WAITER_PROGRAM && waiter->program == ep;
}

bool control_is_waiter(const struct rs *rs, endpoint_t ep)
{
	if (waits_with(&rs->update.waiter, ep)) {
		return true;
	}
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		const struct service *s = &rs->services[i];

		if (s->state != SERVICE_FREE &&
			(waits_with(&s->waiter, ep) || s->heartbeat.program == ep ||
				s->next_ep == ep || (s->ep == ep && s->update != UPDATE_NONE))) {
			return true;
		}
	}
	return false;
}
