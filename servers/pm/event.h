/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Process events (PM-10): a service says of which processes it wants to hear signals or the end
 * (PM_WATCH, proto/pm.h); of others it hears nothing. PM goes on with the signal, or with the end,
 * when all that asked have answered:
 *
 *   signal: the thread is stopped where it is (a call of the service may have to be broken off);
 *     no signal is taken before the answers.
 *   end: nothing runs any more; files are closed after the answers.
 *
 * One event of a process is out to a service at a time: signals in between are one with it, and the
 * end follows its answer. Who does not answer within EVENT_LIMIT_NS is forgotten, with all that it
 * asked for, and so is who ends or is started again.
 *
 * Invariant: process->unanswered is the number of its watches that have `sent` set.
 */
#pragma once

#include "proto/pm.h"
#include "servers/pm/process.h"

#define EVENT_LIMIT_NS (2 * NS_PER_SECOND)

/* One service's interest in one process. */
struct watch {
	struct list link; /* process->watches */
	endpoint_t service;
	uint32_t kinds; /* PM_EVENT_* it wants to hear of */
	uint32_t sent;  /* the one it has not answered; 0: none */
	bool end_due;   /* the end comes after that */
	uint32_t seq;
	uint64_t sent_ns;
};

/* PM_WATCH. Answered. */
void event_watch(struct pm *pm, endpoint_t source, const struct pm_watch *request);
/* PM_EVENT_DONE. The process may go on in here. */
void event_done(struct pm *pm, endpoint_t source, const struct pm_event *event);
/* Tell the event; whether answers are awaited. */
bool event_publish(struct pm *pm, struct process *process, enum pm_event_kind kind);
/* The service is interested in nothing any more. */
void event_forget(struct pm *pm, endpoint_t service);
/* The end of the process has been told: nobody hears of it any more. */
void event_release(struct process *process);
/* The timer: services that are late. */
void event_late(struct pm *pm, struct pm_timer *timer);
