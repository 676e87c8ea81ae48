/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/service.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/linux/signal.h"
#include "lib/sys/diag.h"
#include "servers/rs/binary.h"
#include "servers/rs/heartbeat.h"
#include "servers/rs/peers.h"
#include "servers/rs/process.h"
#include "servers/rs/recover.h"
#include "servers/rs/replica.h"
#include "servers/rs/status.h"
#include "servers/rs/update.h"

struct service *service_by_label(struct rs *rs, const char *label)
{
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];

		if (s->state != SERVICE_FREE && strcmp(s->label, label) == 0) {
			return s;
		}
	}
	return NULL;
}

struct service *service_by_endpoint(struct rs *rs, endpoint_t ep)
{
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];

		if (s->state != SERVICE_FREE && s->ep == ep) {
			return s;
		}
	}
	return NULL;
}

bool service_is_managed(const struct service *s)
{
	const char *manager = s->conf.signal_manager;

	return strcmp(manager, "rs") == 0 || strcmp(manager, "self") == 0;
}

/* To see its death RS must be its signal manager, and is so from now on. */
static void end_by_force(struct rs *rs, struct service *s)
{
	if (!service_is_managed(s)) {
		diag_printf("%s: its signals are RS's again", s->label);
		memcpy(s->conf.signal_manager, "rs", 3);
		(void)process_give_privileges(rs, s, s->ep, PRIV_UPDATE);
	}
	process_kill(s->ep);
}

void service_enter(struct rs *rs, struct service *s, enum service_state state, time_ns_t limit_ns)
{
	s->state = state;
	s->since_ns = rs->now_ns;
	s->deadline_ns = limit_ns ? rs->now_ns + limit_ns : 0;
}

static struct service *free_slot(struct rs *rs)
{
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		if (rs->services[i].state == SERVICE_FREE) {
			return &rs->services[i];
		}
	}
	return NULL;
}

struct service *service_new(struct rs *rs, const struct service_plan *plan)
{
	struct service *s = free_slot(rs);
	char *args = strdup(plan->args);
	grant_t label_grant;

	if (!s || !args) {
		free(args);
		return NULL;
	}
	label_grant = s->label_grant;
	*s = (struct service){
		.conf = *plan->conf,
		.binary = binary_hold(plan->binary),
		.args = args,
		.is_mount = plan->is_mount,
		.has_replica = plan->conf->replica,
		.no_backoff = plan->no_backoff,
		.ep = EP_NONE,
		.last_ep = EP_NONE,
		.past_ep = EP_NONE,
		.replica_ep = EP_NONE,
		.next_ep = EP_NONE,
		.label_grant = label_grant,
		.args_grant = GRANT_INVALID,
		.heartbeat.program = EP_NONE,
		.waiter = plan->waiter,
	};
	snprintf(s->label, sizeof(s->label), "%s", plan->label);
	heartbeat_set(rs, s, plan->conf->period_ns);
	service_enter(rs, s, SERVICE_STARTING, 0);
	return s;
}

/* The slot becomes free. */
static void discard(struct service *s)
{
	assert(s->ep == EP_NONE && s->replica_ep == EP_NONE && s->next_ep == EP_NONE);
	assert(s->waiter.kind == WAITER_NONE);
	binary_release(s->binary);
	binary_release(s->previous_binary);
	free(s->args);
	s->binary = NULL;
	s->previous_binary = NULL;
	s->args = NULL;
	s->state = SERVICE_FREE;
	s->deadline_ns = 0;
}

/* All processes it has go, the youngest first. */
static void end_processes(struct service *s)
{
	replica_drop(s);
	heartbeat_answer(s, -ESRCH);
	if (s->past_ep != EP_NONE) {
		process_destroy(s->past_ep);
		s->past_ep = EP_NONE;
	}
	if (s->ep != EP_NONE) {
		s->last_ep = s->ep;
		peers_renounce(s);
		process_destroy(s->ep);
		s->ep = EP_NONE;
	}
}

/* Make its first process and send it on its way; the state is STARTING then. */
static int begin(struct rs *rs, struct service *s)
{
	endpoint_t ep;
	int r = process_create(rs, s, s->binary, &ep);

	if (r < 0) {
		return r;
	}
	s->ep = ep;
	s->priv_id = r;
	peers_announce(rs, s);
	peers_send_init(s, SEF_INIT_FRESH, EP_NONE);
	r = process_start(ep);
	if (r < 0) {
		end_processes(s);
		peers_forget(s);
		return r;
	}
	s->death = DEATH_CRASH;
	s->init_type = SEF_INIT_FRESH;
	service_enter(rs, s, SERVICE_STARTING, RS_INIT_LIMIT_NS);
	return 0;
}

int service_up(struct rs *rs, const struct service_plan *plan)
{
	struct service *s;
	int r;

	if (service_by_label(rs, plan->label)) {
		return -EBUSY;
	}
	r = process_check(plan->binary);
	if (r < 0) {
		return r;
	}
	s = service_new(rs, plan);
	if (!s) {
		return -ENOSPC;
	}
	s->is_commanded = true;
	r = begin(rs, s);
	if (r < 0) {
		s->waiter.kind = WAITER_NONE;
		discard(s);
		return r;
	}
	service_tick(rs);
	return 0;
}

/* It will not come back by itself. The waiter learns `result`. */
static void remove_service(struct service *s, int result)
{
	end_processes(s);
	peers_forget(s);
	peers_answer(&s->waiter, result, EP_NONE);
	discard(s);
}

void service_give_up(struct rs *rs, struct service *s, int result)
{
	if (s->conf.is_core && !rs->is_shutting_down) {
		peers_system_failed(s);
	}
	diag_printf("%s: given up after %u restarts", s->label, s->counts.restarts);
	end_processes(s);
	peers_forget(s);
	peers_answer(&s->waiter, result, EP_NONE);
	if (s->is_mount) {
		discard(s);
	} else {
		service_enter(rs, s, SERVICE_FAILED, 0);
	}
}

static bool is_booting(const struct rs *rs, const struct service *s)
{
	return s->is_boot && !rs->is_init_running;
}

/* It did not get through its init. */
static void start_failed(struct rs *rs, struct service *s, int result)
{
	if (is_booting(rs, s)) {
		peers_system_failed(s);
	}
	if (s->past_ep != EP_NONE) {
		recover_retreat(rs, s, result);
	} else if (s->counts.restarts == 0) {
		remove_service(s, result);
	} else {
		service_give_up(rs, s, result);
	}
}

void service_died(struct rs *rs, struct service *s, int signo)
{
	s->last_signal = signo;
	if (update_died(rs, s)) {
		service_tick(rs);
		return;
	}
	switch (s->state) {
	case SERVICE_STOPPING:
		if (s->restart_wanted) {
			s->death = DEATH_WANTED;
			recover_again(rs, s, s->wanted_type);
		} else {
			remove_service(s, 0);
		}
		break;
	case SERVICE_STARTING:
		start_failed(rs, s, s->death == DEATH_TIMEOUT ? -ETIMEDOUT : -EIO);
		break;
	case SERVICE_RUNNING:
		recover_died(rs, s);
		break;
	default:
		break;
	}
	service_tick(rs);
}

void service_ended(struct rs *rs, struct service *s, int signo)
{
	s->last_signal = signo;
	update_leave(rs, s);
	if (s->state == SERVICE_STOPPING && s->restart_wanted) {
		/* PM has stopped it; its successor takes the place of one that is dead to the
		 * kernel. */
		end_by_force(rs, s);
		return;
	}
	if (s->state == SERVICE_STOPPING) {
		service_died(rs, s, signo);
		return;
	}
	diag_printf("%s: ended by signal %d, by %s", s->label, signo, s->conf.signal_manager);
	service_give_up(rs, s, -EIO);
	service_tick(rs);
}

/* The former instance has nothing more to give. */
static void finish_recovery(struct rs *rs, struct service *s)
{
	process_destroy(s->past_ep);
	s->past_ep = EP_NONE;
	peers_recovered(rs, s);
	status_count_recovery(s, rs->now_ns - s->died_ns);
}

void service_started(struct rs *rs, struct service *s, int result, bool is_waiting)
{
	if (update_started(rs, s, result) || s->state != SERVICE_STARTING) {
		return;
	}
	if (result < 0) {
		diag_printf("%s: its init failed: error %d", s->label, -result);
		start_failed(rs, s, result);
		return;
	}
	if (is_waiting) {
		peers_go_on(s->ep);
	}
	if (s->past_ep != EP_NONE) {
		finish_recovery(rs, s);
	} else {
		peers_map_drivers(s, s->counts.restarts > 0);
	}
	peers_answer(&s->waiter, 0, s->ep);
	service_enter(rs, s, SERVICE_RUNNING, 0);
	s->is_commanded = false;
	heartbeat_begin(rs, s);
	s->replica_ns = rs->now_ns + RS_REPLICA_DELAY_NS;
}

static bool is_dead(const struct service *s)
{
	return s->state == SERVICE_BACKOFF || s->state == SERVICE_SCRIPT ||
		s->state == SERVICE_FAILED;
}

static bool is_stoppable(const struct service *s)
{
	return (s->state == SERVICE_RUNNING && s->update == UPDATE_NONE) || is_dead(s);
}

static void stop(struct rs *rs, struct service *s)
{
	replica_drop(s);
	peers_send_signal(s, LSIGTERM);
	service_enter(rs, s, SERVICE_STOPPING, RS_STOP_LIMIT_NS);
	service_tick(rs);
}

int service_down(struct rs *rs, struct service *s, struct waiter waiter)
{
	if (s->conf.is_core || s->is_mount) {
		return -EPERM;
	}
	if (!is_stoppable(s)) {
		return -EBUSY;
	}
	if (is_dead(s)) {
		remove_service(s, 0);
		return 1;
	}
	s->waiter = waiter;
	s->restart_wanted = false;
	stop(rs, s);
	return 0;
}

int service_restart(struct rs *rs, struct service *s, enum sef_init_type type, struct waiter waiter)
{
	bool keeps = type == SEF_INIT_RESTART;
	int r;

	if (!s->binary || s->ep == EP_RS || (!keeps && (s->is_mount || s->conf.is_core)) ||
		((s->is_mount || s->conf.is_core) && s->conf.restart == CONF_RESTART_NO)) {
		return -EPERM;
	}
	if (!is_stoppable(s)) {
		return -EBUSY;
	}
	s->crashes = 0;
	if (s->state == SERVICE_FAILED) {
		s->counts.restarts++;
		r = begin(rs, s);
		if (r < 0) {
			return r;
		}
	}
	s->waiter = waiter;
	s->is_commanded = true;
	if (s->state == SERVICE_RUNNING) {
		s->restart_wanted = true;
		s->wanted_type = type;
		s->died_ns = rs->now_ns;
		stop(rs, s);
	} else if (s->state != SERVICE_STARTING) {
		recover_again(rs, s, type);
	}
	service_tick(rs);
	return 0;
}

void service_release(struct rs *rs, struct service *s)
{
	update_leave(rs, s);
	remove_service(s, -EIO);
	service_tick(rs);
}

static void expire(struct rs *rs, struct service *s)
{
	s->deadline_ns = 0;
	switch (s->state) {
	case SERVICE_STARTING:
		diag_printf("%s: its init takes too long", s->label);
		if (!is_booting(rs, s)) {
			s->death = DEATH_TIMEOUT;
			end_by_force(rs, s);
		}
		break;
	case SERVICE_STOPPING:
		end_by_force(rs, s);
		break;
	case SERVICE_BACKOFF:
		recover_again(rs, s, SEF_INIT_RESTART);
		break;
	default:
		break;
	}
}

static void choose_sooner(time_ns_t *next, time_ns_t at_ns)
{
	if (at_ns && (*next == 0 || at_ns < *next)) {
		*next = at_ns;
	}
}

void service_tick(struct rs *rs)
{
	time_ns_t next = 0;

	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];

		if (s->state != SERVICE_FREE && s->deadline_ns && s->deadline_ns <= rs->now_ns) {
			expire(rs, s);
		}
	}
	choose_sooner(&next, update_tick(rs));
	choose_sooner(&next, heartbeat_tick(rs));
	choose_sooner(&next, replica_tick(rs));
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		if (rs->services[i].state != SERVICE_FREE) {
			choose_sooner(&next, rs->services[i].deadline_ns);
		}
	}
	if (next != rs->alarm_ns) {
		rs->alarm_ns = next;
		peers_set_alarm(next);
	}
}
