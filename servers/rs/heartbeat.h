/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Heartbeats: each period RS notifies a service, which answers by a notification. One that has not
 * answered in two periods and does not wait for somebody else is killed; one that waits for another
 * service which is well, in ten.
 */
#pragma once

#include "servers/rs/rs.h"

/* Its period; 0: the usual one. */
void heartbeat_set(struct rs *rs, struct service *service, uint64_t period_ns);

/* It runs from now on. */
void heartbeat_begin(struct rs *rs, struct service *service);

/* It has notified RS. */
void heartbeat_beat(struct rs *rs, struct service *service);

/* Ping it now for a program, which is answered with the time it took, or -EIO: it died, or
 * -ETIMEDOUT. -EBUSY: another asks, or it does not run. */
int heartbeat_ask(struct rs *rs, struct service *service, endpoint_t program);

/* The program that waits for an answer learns that there will be none. */
void heartbeat_answer(struct service *service, int result);

/* Ping those whose time has come, kill those that did not answer; when to come again, 0: never. */
time_ns_t heartbeat_tick(struct rs *rs);
