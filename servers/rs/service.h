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
	struct waiter waiter;
};

struct service *service_by_label(struct rs *rs, const char *label);
struct service *service_by_endpoint(struct rs *rs, endpoint_t ep);

/* Take a slot for a service without starting it (boot services); NULL: no slot or no memory. */
struct service *service_new(struct rs *rs, const struct service_plan *plan);

/*
 * Start a service. 0: the waiter will be told when its init has ended; -EBUSY: the label is taken;
 * -ENOSPC: no slot; -ENOMEM, -ENOEXEC (the binary), or what else hinders its process: nobody is
 * told, nothing is left.
 */
int service_up(struct rs *rs, const struct service_plan *plan);

/*
 * Stop a service. 0: the waiter will be told; -EPERM: part of the core; -EBUSY: it is starting or
 * stopping. One without a process (failed) goes at once: 1, and nobody is told.
 */
int service_down(struct rs *rs, struct service *service, struct waiter waiter);

/* Stop and start again. As service_down(); -EPERM also for those that have no binary. */
int service_restart(struct rs *rs, struct service *service, struct waiter waiter);

/* A file system that is unmounted: it ends at once. */
void service_release(struct rs *rs, struct service *service);

/* It has reported the result of its init. */
void service_started(struct rs *rs, struct service *service, int result);

/* Its process came to an end by this signal; the process is cleaned up here. */
void service_died(struct rs *rs, struct service *service, int signo);

/* Act on the deadlines that have passed, and set the alarm for the next. */
void service_tick(struct rs *rs);

/* Lines of text about the service of this label ("": all): bytes written (without a NUL), -ESRCH,
 * -ENOSPC. */
int service_status(struct rs *rs, const char *label, char *text, size_t size);

/* One reference less; frees it with the last one. NULL is fine. */
void binary_release(struct binary *binary);
