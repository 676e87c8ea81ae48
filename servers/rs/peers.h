/* SPDX-License-Identifier: BSD-2-Clause */
/* What RS tells other servers about services. All of it asynchronous: RS waits for nobody whom it
 * may have to restart. */
#pragma once

#include "servers/rs/rs.h"

/* The init message: the service is born, or born again. `former` names the instance before, or is
 * EP_NONE. */
void peers_send_init(struct service *service, enum sef_init_type type, endpoint_t former);

/* Its arguments are other ones: those that the last init message granted are not granted any more.
 */
void peers_forget_args(struct service *service);

/* It shall come to rest in this state; SEF_LU_NULL: not any more. */
void peers_prepare(const struct service *service, int state);

/* The answer to what the process waits for with RS: it goes on. */
void peers_go_on(endpoint_t ep);

/* Say in the log that the old version is back, how long after the new one had its place. */
void peers_log_rollback(const struct service *service, time_ns_t switched_ns);

/* It shall fail on purpose. */
void peers_fault(const struct service *service, const struct sef_fault *fault);

/* Ask whether it is alive: it answers by a notification. */
void peers_ping(const struct service *service);

/* A signal that is the service's own to handle. */
void peers_send_signal(const struct service *service, int signo);

/* A process is there: PM, SCHED, DS and (its devices) PCI learn of it. */
void peers_announce(struct rs *rs, struct service *service);

/* Its declaration is another one: SCHED and PCI learn what concerns them. */
void peers_edited(struct rs *rs, const struct service *service);

/* All services get their quanta of SCHED again, or of the kernel for a while. */
void peers_schedule_all(struct rs *rs, bool by_sched);

/* RS itself, for a while: VM runs whatever RS does. peers_edited() ends it. */
void peers_schedule_below_vm(struct rs *rs, const struct service *self);

/* A new instance has taken the place of a dead one: VFS sends again what was lost with that; who
 * keeps something about all services is told all of it again. */
void peers_recovered(struct rs *rs, struct service *service);

/* The process is gone: PM and SCHED forget it. */
void peers_renounce(struct service *service);

/* The service runs: VFS sends requests for its device numbers to it. */
void peers_map_drivers(const struct service *service, bool is_restarted);

/* The service will not come back: its label goes from DS, its device numbers and its mount from
 * VFS. */
void peers_forget(const struct service *service);

/* Tell the waiter of an operation how it ended, and forget it. */
void peers_answer(struct waiter *waiter, int result, endpoint_t ep);

/* The answer to a program's call. */
void peers_answer_program(endpoint_t program, int64_t result);

/* Init has something to fetch from RS. */
void peers_signal_init(void);

/* Set the alarm: monotonic time, 0: none. */
void peers_set_alarm(time_ns_t at_ns);

/* A core service has died: the system cannot go on. */
void peers_system_failed(const struct service *service);
