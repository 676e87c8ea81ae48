/* SPDX-License-Identifier: BSD-2-Clause */
/* All periods begin at multiples of theirs, so that RS wakes once for many services. */
#include "servers/rs/heartbeat.h"

#include <errno.h>

#include "lib/sys/diag.h"
#include "servers/rs/peers.h"
#include "servers/rs/process.h"
#include "servers/rs/service.h"

#define MISSED_MAX   2
#define STUCK_MAX    10
#define ASK_LIMIT_NS 10000000000ull /* so long a program waits for an answer */

static time_ns_t next_due(const struct rs *rs, const struct heartbeat *h)
{
	return h->period_ns ? (rs->now_ns / h->period_ns + 1) * h->period_ns : 0;
}

/* VM cannot be restarted, RS does not ask itself, and who is traced stands still. */
static bool can_beat(const struct service *s)
{
	return service_is_managed(s) && s->ep != EP_RS && s->ep != EP_VM &&
		s->conf.restart == CONF_RESTART_YES && s->binary;
}

void heartbeat_set(struct rs *rs, struct service *s, uint64_t period_ns)
{
	s->heartbeat.period_ns = period_ns           ? period_ns
		: s->conf.class == CONF_CLASS_DRIVER ? RS_DRIVER_PERIOD_NS
						     : RS_PERIOD_NS;
	heartbeat_begin(rs, s);
}

void heartbeat_begin(struct rs *rs, struct service *s)
{
	s->heartbeat.is_waiting = false;
	s->heartbeat.missed = 0;
	s->heartbeat.stuck = 0;
	s->heartbeat.due_ns = next_due(rs, &s->heartbeat);
}

void heartbeat_beat(struct rs *rs, struct service *s)
{
	s->heartbeat.is_waiting = false;
	s->heartbeat.missed = 0;
	s->heartbeat.stuck = 0;
	if (s->heartbeat.program != EP_NONE) {
		peers_answer_program(
			s->heartbeat.program, (int64_t)(rs->now_ns - s->heartbeat.sent_ns));
		s->heartbeat.program = EP_NONE;
	}
}

int heartbeat_ask(struct rs *rs, struct service *s, endpoint_t program)
{
	if (s->heartbeat.program != EP_NONE) {
		return -EBUSY;
	}
	if (s->state != SERVICE_RUNNING) {
		return -EBUSY;
	}
	if (s->ep == EP_RS) {
		peers_answer_program(program, 0); /* it answers by being here */
		return 0;
	}
	s->heartbeat.program = program;
	s->heartbeat.sent_ns = rs->now_ns;
	peers_ping(s);
	return 0;
}

void heartbeat_answer(struct service *s, int result)
{
	if (s->heartbeat.program != EP_NONE) {
		peers_answer_program(s->heartbeat.program, result);
		s->heartbeat.program = EP_NONE;
	}
}

/* Whoever waits for a service that is being restarted, or for a program, is excused. */
static bool is_excused(struct rs *rs, endpoint_t waits_for)
{
	const struct service *peer = service_by_endpoint(rs, waits_for);

	return !peer || peer->state != SERVICE_RUNNING;
}

/* A period without an answer. */
static void count_missed(struct rs *rs, struct service *s)
{
	struct heartbeat *h = &s->heartbeat;
	struct process_look look;

	process_look(s->ep, &look);
	h->missed = look.is_at_fault ? h->missed + 1 : 0;
	if (look.waits_for == EP_NONE || look.messages != h->messages ||
		is_excused(rs, look.waits_for)) {
		h->stuck = 0;
	} else {
		h->stuck++;
	}
	h->messages = look.messages;
}

static void beat(struct rs *rs, struct service *s)
{
	struct heartbeat *h = &s->heartbeat;

	h->due_ns = next_due(rs, h);
	if (h->is_waiting) {
		count_missed(rs, s);
	}
	if (h->missed >= MISSED_MAX || h->stuck >= STUCK_MAX) {
		diag_printf("%s: no answer to heartbeats", s->label);
		s->death = DEATH_NO_HEARTBEAT;
		heartbeat_begin(rs, s);
		process_kill(s->ep);
		return;
	}
	h->is_waiting = true;
	peers_ping(s);
}

static void choose_sooner(time_ns_t *next, time_ns_t at_ns)
{
	if (*next == 0 || at_ns < *next) {
		*next = at_ns;
	}
}

/* Nobody may end what does not answer (who waits for a program, or is not restarted): the one that
 * asked goes on all the same. When the next of them does, 0: never. */
static time_ns_t answer_late(struct rs *rs)
{
	time_ns_t next = 0;

	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];

		if (s->state == SERVICE_FREE || s->heartbeat.program == EP_NONE) {
			continue;
		}
		if (rs->now_ns - s->heartbeat.sent_ns >= ASK_LIMIT_NS) {
			heartbeat_answer(s, -ETIMEDOUT);
		} else {
			choose_sooner(&next, s->heartbeat.sent_ns + ASK_LIMIT_NS);
		}
	}
	return next;
}

time_ns_t heartbeat_tick(struct rs *rs)
{
	time_ns_t next = answer_late(rs);

	if (!rs->is_booted || rs->is_shutting_down) {
		return next;
	}
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];

		if (s->state != SERVICE_RUNNING || s->update > UPDATE_PREPARING ||
			s->heartbeat.due_ns == 0 || !can_beat(s)) {
			continue;
		}
		if (s->heartbeat.due_ns <= rs->now_ns) {
			beat(rs, s);
		}
		choose_sooner(&next, s->heartbeat.due_ns);
	}
	return next;
}
