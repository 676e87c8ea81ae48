/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/recover.h"

#include <assert.h>
#include <errno.h>

#include "lib/sys/diag.h"
#include "servers/rs/heartbeat.h"
#include "servers/rs/peers.h"
#include "servers/rs/process.h"
#include "servers/rs/replica.h"
#include "servers/rs/script.h"
#include "servers/rs/service.h"

#define NS_PER_S      1000000000ull
#define BACKOFF_MAX_S 30

/* How long the next restart waits: the first of a row comes at once, then 1, 2, 4 ... seconds. */
static time_ns_t backoff_ns(const struct service *s)
{
	uint32_t doublings = s->crashes < 2 ? 0 : s->crashes - 2 < 8 ? s->crashes - 2 : 8;
	uint64_t seconds = s->crashes < 2 || s->no_backoff ? 0 : 1ull << doublings;

	return (seconds < BACKOFF_MAX_S ? seconds : BACKOFF_MAX_S) * NS_PER_S;
}

/* The dead instance and the next one swap places, and that one starts. */
static int swap_in(struct rs *rs, struct service *s, endpoint_t next, enum sef_init_type type)
{
	int r = process_swap(s->ep, next, false);

	if (r < 0) {
		return r;
	}
	peers_send_init(s, type, next);
	r = process_start(s->ep);
	if (r < 0) {
		process_stop(next);
		(void)process_swap(s->ep, next, true);
		return r;
	}
	s->past_ep = next;
	s->init_type = type;
	s->death = DEATH_CRASH;
	service_enter(rs, s, SERVICE_STARTING, RS_INIT_LIMIT_NS);
	return 0;
}

static int bring_up(struct rs *rs, struct service *s, enum sef_init_type type)
{
	endpoint_t next = replica_take(s);
	bool is_replica = next != EP_NONE;
	int r = 0;

	assert(s->past_ep == EP_NONE && s->ep != EP_NONE);
	if (!is_replica) {
		r = process_create(rs, s, s->binary, &next);
	}
	if (r < 0) {
		return r;
	}
	r = swap_in(rs, s, next, type);
	if (r < 0) {
		process_destroy(next);
		return r;
	}
	s->counts.replicas_used += is_replica;
	return 0;
}

/* One more crash in the row. False: too many. */
static bool count_crash(struct service *s)
{
	s->crashes++;
	return s->crashes <= RS_CRASHES_MAX || s->no_backoff;
}

void recover_again(struct rs *rs, struct service *s, enum sef_init_type type)
{
	int r;

	s->counts.restarts++;
	s->script_pending = false;
	s->is_on_purpose = false;
	r = bring_up(rs, s, type);
	if (r == 0) {
		return;
	}
	diag_printf("%s: cannot start again: error %d", s->label, -r);
	if (s->is_commanded || !count_crash(s)) {
		service_give_up(rs, s, r);
	} else {
		/* What is short now may be there in a while. */
		time_ns_t wait_ns = backoff_ns(s);

		service_enter(rs, s, SERVICE_BACKOFF, wait_ns ? wait_ns : NS_PER_S);
	}
}

/* Now, later, or by the script. */
static void plan_restart(struct rs *rs, struct service *s)
{
	if (s->conf.script[0] != '\0' && rs->is_booted) {
		service_enter(rs, s, SERVICE_SCRIPT, 0);
		script_request(s);
	} else if (backoff_ns(s) == 0) {
		recover_again(rs, s, SEF_INIT_RESTART);
	} else {
		service_enter(rs, s, SERVICE_BACKOFF, backoff_ns(s));
	}
}

void recover_died(struct rs *rs, struct service *s)
{
	bool is_possible =
		s->conf.restart == CONF_RESTART_YES && s->binary && !rs->is_shutting_down;

	heartbeat_answer(s, -EIO);
	if (rs->now_ns - s->since_ns >= RS_STABLE_NS) {
		s->crashes = 0;
	}
	s->died_ns = rs->now_ns;
	if (!is_possible) {
		service_give_up(rs, s, -EIO);
	} else if (s->is_on_purpose) {
		recover_again(rs, s, SEF_INIT_RESTART);
	} else if (!count_crash(s)) {
		service_give_up(rs, s, -EIO);
	} else {
		plan_restart(rs, s);
	}
}

/* The contents at the endpoint are given up for those that it named before. */
static void swap_back(struct service *s)
{
	process_stop(s->past_ep);
	/* When that cannot be undone, because the memory has gone over, what failed last is what
	 * the next one takes over from. */
	(void)process_swap(s->ep, s->past_ep, true);
	process_destroy(s->past_ep);
	s->past_ep = EP_NONE;
}

void recover_retreat(struct rs *rs, struct service *s, int result)
{
	bool is_started_anew = result == -ERESTART && s->init_type != SEF_INIT_FRESH;

	swap_back(s);
	if (is_started_anew) {
		diag_printf("%s: starts as new", s->label);
		recover_again(rs, s, SEF_INIT_FRESH);
	} else if (s->is_commanded || !count_crash(s)) {
		service_give_up(rs, s, result);
	} else {
		plan_restart(rs, s);
	}
}
