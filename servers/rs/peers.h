/* SPDX-License-Identifier: BSD-2-Clause */
/* What RS tells other servers about services. All of it asynchronous: RS waits for nobody whom it
 * may have to restart. */
#pragma once

#include "servers/rs/rs.h"

/* The init message: the service is born, or born again. */
void peers_send_init(struct service *service, enum sef_init_type type);

/* A signal that is the service's own to handle. */
void peers_send_signal(const struct service *service, int signo);

/* A process is there: PM, SCHED, DS and (its devices) PCI learn of it. */
void peers_announce(struct rs *rs, struct service *service);

/* The process is gone: PM and SCHED forget it. */
void peers_renounce(const struct service *service);

/* The service runs: VFS sends requests for its device numbers to it. */
void peers_map_drivers(const struct service *service, bool is_restarted);

/* The service will not come back: its label goes from DS, its device numbers and its mount from
 * VFS. */
void peers_forget(const struct service *service);

/* Tell the waiter of an operation how it ended, and forget it. */
void peers_answer(struct waiter *waiter, int result, endpoint_t ep);

/* Set the alarm: monotonic time, 0: none. */
void peers_set_alarm(time_ns_t at_ns);

/* A core service has died: the system cannot go on. */
void peers_system_failed(const struct service *service);
