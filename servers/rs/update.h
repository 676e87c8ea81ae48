/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live update of one service or several as one: the new versions are made beside the old ones;
 * these are asked to come to rest; when all rest, all endpoints change hands and the new versions
 * take over in their init. If anything fails on the way, all of it is undone and the old versions
 * go on, as if nothing had been. docs/recovery.md.
 */
#pragma once

#include "servers/rs/rs.h"

/* What is wanted of an update. */
struct update_plan {
	struct binary *binary;           /* the new version; the caller keeps its reference */
	const struct conf_service *conf; /* NULL: stays as it is */
	const char *args;                /* NULL: as they are */
	int state;                       /* enum sef_lu_state to rest in */
	uint64_t limit_ns;               /* for coming to rest, and for the init; 0: the usual */
	bool is_batch;                   /* there are more to come, of this program */
	endpoint_t program;
	struct waiter waiter;
};

/*
 * Add a service to the update, and begin unless there are more to come: 0, the waiter will be told
 * (not so in a batch). -EPERM: it cannot be updated; -EINVAL: no such state; -EBUSY: another update
 * goes on, or it does not run; -ENOEXEC, -ENOMEM and others: the new version cannot be made. After
 * an error the batch, if there is one, is forgotten.
 */
int update_add(struct rs *rs, struct service *service, const struct update_plan *plan);

/* A step of the program's batch has failed: the batch, if it has one, is forgotten. */
void update_forget(struct rs *rs, endpoint_t program);

/* The service has answered to SEF_LU_PREPARE; it waits for RS's answer when is_waiting. */
void update_ready(struct rs *rs, struct service *service, int result, bool is_waiting);

/* Its init is over. False: not within an update. */
bool update_started(struct rs *rs, struct service *service, int result);

/* Something that a new version should not have said. */
void update_nonsense(struct rs *rs, struct service *service);

/* Its process has died. True: it was the new version, and the old one goes on. */
bool update_died(struct rs *rs, struct service *service);

/* The service goes: so does the update that it takes part in. */
void update_leave(struct rs *rs, struct service *service);

/* ---- for RS's own update (renew.h) ---- */

/* RS rests: the new version is to have its place. */
void update_renew_begins(struct rs *rs);

/* This is the new version, and goes on. */
void update_renewed(struct rs *rs);

/* The old version goes on. */
void update_renew_failed(struct rs *rs, int result);

/* See to the time limit; when to come again, 0: never. */
time_ns_t update_tick(struct rs *rs);
