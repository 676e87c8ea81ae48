/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of services: the state machine of rs.h.
 *
 * Everything here is driven by events and returns at once; operations that take time end by a word
 * to the `waiter`.
 */
#pragma once

#include "servers/rs/rs.h"

/* What a new service is made of. The service takes references and copies; the caller keeps its own.
 */
struct service_plan {
	const char *label;
	const struct conf_service *conf;
	struct binary *binary;
	const char *args;
	bool is_mount;
	bool no_backoff;
	struct waiter waiter;
};

struct service *service_by_label(struct rs *rs, const char *label);
struct service *service_by_endpoint(struct rs *rs, endpoint_t ep);

/* Whether RS is told of its death. Else its declaration names another signal manager, PM say, by
 * which it can be traced: there is no recovery, and no heartbeat. */
bool service_is_managed(const struct service *service);

/* Take a slot for a service without starting it (boot services); NULL: no slot or no memory. */
struct service *service_new(struct rs *rs, const struct service_plan *plan);

/*
 * Start a service. 0: the waiter will be told when its init has ended; -EBUSY: the label is taken;
 * -ENOSPC: no slot; -ENOMEM, -ENOEXEC (the binary), or what else hinders its process: nobody is
 * told, nothing is left.
 */
int service_up(struct rs *rs, const struct service_plan *plan);

/*
 * Stop a service. 0: the waiter will be told; -EPERM: part of the core; -EBUSY: it is starting,
 * stopping or being updated. One that is dead goes at once: 1, and nobody is told.
 */
int service_down(struct rs *rs, struct service *service, struct waiter waiter);

/*
 * Stop and start again, under the same endpoint: with what it keeps (SEF_INIT_RESTART) or as new
 * (SEF_INIT_FRESH). One that is dead starts at once. As service_down(); -EPERM for RS and those
 * that cannot be started again, and for the core and mounts as new.
 */
int service_restart(
	struct rs *rs, struct service *service, enum sef_init_type type, struct waiter waiter);

/* A file system that is unmounted: it ends at once. */
void service_release(struct rs *rs, struct service *service);

/* It has reported the result of its init; it waits for RS's answer when is_waiting. */
void service_started(struct rs *rs, struct service *service, int result, bool is_waiting);

/* Its process came to an end by this signal. */
void service_died(struct rs *rs, struct service *service, int signo);

/* PM, whose signals they were, has ended it: no recovery, as was declared. */
void service_ended(struct rs *rs, struct service *service, int signo);

/* Act on the deadlines that have passed, and set the alarm for the next. */
void service_tick(struct rs *rs);

/* ---- for recovery ---- */

/* The state from now on, and when service_tick() acts on it; limit_ns 0: never. */
void service_enter(
	struct rs *rs, struct service *service, enum service_state state, time_ns_t limit_ns);

/* It does not come back by itself any more; its waiter learns the result. A core service's end is
 * the system's. */
void service_give_up(struct rs *rs, struct service *service, int result);
