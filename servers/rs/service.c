/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/service.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/linux/signal.h"
#include "lib/sys/diag.h"
#include "servers/rs/peers.h"
#include "servers/rs/process.h"

#define NS_PER_S      1000000000ull
#define BACKOFF_MAX_S 30

void binary_release(struct binary *binary)
{
	if (binary && --binary->references == 0) {
		free(binary);
	}
}

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

static void enter(struct rs *rs, struct service *s, enum service_state state, time_ns_t limit_ns)
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
		.binary = plan->binary,
		.args = args,
		.is_mount = plan->is_mount,
		.ep = EP_NONE,
		.old_ep = EP_NONE,
		.label_grant = label_grant,
		.args_grant = GRANT_INVALID,
		.waiter = plan->waiter,
	};
	snprintf(s->label, sizeof(s->label), "%s", plan->label);
	if (s->binary) {
		s->binary->references++;
	}
	enter(rs, s, SERVICE_STARTING, 0);
	return s;
}

/* The slot becomes free. */
static void discard(struct service *s)
{
	assert(s->ep == EP_NONE && s->waiter.kind == WAITER_NONE);
	binary_release(s->binary);
	free(s->args);
	s->binary = NULL;
	s->args = NULL;
	s->state = SERVICE_FREE;
	s->deadline_ns = 0;
}

/* Make the process and send it on its way; the state is STARTING then. */
static int begin(struct rs *rs, struct service *s)
{
	int r = process_create(rs, s);

	if (r < 0) {
		return r;
	}
	peers_announce(rs, s);
	peers_send_init(s, s->is_restart ? SEF_INIT_RESTART : SEF_INIT_FRESH);
	r = process_start(s);
	if (r < 0) {
		peers_renounce(s);
		process_destroy(s);
		return r;
	}
	enter(rs, s, SERVICE_STARTING, RS_INIT_LIMIT_NS);
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
	r = begin(rs, s);
	if (r < 0) {
		s->waiter.kind = WAITER_NONE;
		discard(s);
		return r;
	}
	service_tick(rs);
	return 0;
}

/* The process goes, as all others see it. */
static void end_process(struct service *s)
{
	if (s->ep != EP_NONE) {
		s->old_ep = s->ep;
		peers_renounce(s);
		process_destroy(s);
	}
}

/* It will not come back by itself. The waiter learns `result`. */
static void remove_service(struct service *s, int result)
{
	end_process(s);
	peers_forget(s);
	peers_answer(&s->waiter, result, EP_NONE);
	discard(s);
}

/* Crashed too often, or cannot be started any more: stays visible. */
static void give_up(struct rs *rs, struct service *s, int result)
{
	end_process(s);
	diag_printf("%s: given up after %u restarts", s->label, s->restarts);
	peers_forget(s);
	peers_answer(&s->waiter, result, EP_NONE);
	if (s->is_mount) {
		discard(s);
	} else {
		enter(rs, s, SERVICE_FAILED, 0);
	}
}

static void begin_again(struct rs *rs, struct service *s, bool is_restart)
{
	int r;

	s->is_restart = is_restart;
	s->restarts++;
	r = begin(rs, s);
	if (r < 0) {
		diag_printf("%s: cannot start again: error %d", s->label, -r);
		give_up(rs, s, r);
	}
}

/* How long the next restart waits: the first of a window comes at once, then 1, 2, 4 ... seconds.
 */
static time_ns_t backoff_ns(uint32_t crashes)
{
	uint64_t seconds = crashes < 2 ? 0 : 1ull << (crashes - 2 < 8 ? crashes - 2 : 8);

	return (seconds < BACKOFF_MAX_S ? seconds : BACKOFF_MAX_S) * NS_PER_S;
}

static void recover(struct rs *rs, struct service *s)
{
	bool is_possible = s->conf.restart == CONF_RESTART_YES && s->binary && !s->is_mount;

	end_process(s);
	if (rs->now_ns - s->window_ns > RS_CRASH_WINDOW_NS) {
		s->window_ns = rs->now_ns;
		s->crashes = 0;
	}
	s->crashes++;
	if (!is_possible || s->crashes > RS_CRASHES_MAX) {
		give_up(rs, s, -EIO);
		return;
	}
	if (backoff_ns(s->crashes) == 0) {
		begin_again(rs, s, true);
	} else {
		enter(rs, s, SERVICE_BACKOFF, backoff_ns(s->crashes));
	}
}

/* It did not get through its init: an end for a new service, one more crash for an old one. */
static void start_failed(struct rs *rs, struct service *s, int result)
{
	if (s->restarts == 0) {
		remove_service(s, result);
	} else if (s->is_restart) {
		recover(rs, s);
	} else {
		give_up(rs, s, result);
	}
}

void service_died(struct rs *rs, struct service *s, int signo)
{
	s->last_signal = signo;
	if (s->conf.is_core && s->state != SERVICE_STOPPING) {
		peers_system_failed(s);
	}
	switch (s->state) {
	case SERVICE_STOPPING:
		if (s->restart_wanted) {
			end_process(s);
			begin_again(rs, s, false);
		} else {
			remove_service(s, 0);
		}
		break;
	case SERVICE_STARTING:
		start_failed(rs, s, -EIO);
		break;
	case SERVICE_RUNNING:
		recover(rs, s);
		break;
	default:
		break;
	}
	service_tick(rs);
}

void service_started(struct rs *rs, struct service *s, int result)
{
	if (s->state != SERVICE_STARTING) {
		return;
	}
	if (result < 0) {
		diag_printf("%s: its init failed: error %d", s->label, -result);
		start_failed(rs, s, result);
		return;
	}
	peers_map_drivers(s, s->restarts > 0);
	peers_answer(&s->waiter, 0, s->ep);
	enter(rs, s, SERVICE_RUNNING, 0);
}

static bool is_stoppable(const struct service *s)
{
	return s->state == SERVICE_RUNNING || s->state == SERVICE_BACKOFF ||
		s->state == SERVICE_FAILED;
}

int service_down(struct rs *rs, struct service *s, struct waiter waiter)
{
	if (s->conf.is_core || s->is_mount) {
		return -EPERM;
	}
	if (!is_stoppable(s)) {
		return -EBUSY;
	}
	if (s->ep == EP_NONE) {
		remove_service(s, 0);
		return 1;
	}
	s->waiter = waiter;
	s->restart_wanted = false;
	peers_send_signal(s, LSIGTERM);
	enter(rs, s, SERVICE_STOPPING, RS_STOP_LIMIT_NS);
	service_tick(rs);
	return 0;
}

int service_restart(struct rs *rs, struct service *s, struct waiter waiter)
{
	if (!s->binary || s->is_mount) {
		return -EPERM;
	}
	if (!is_stoppable(s)) {
		return -EBUSY;
	}
	s->waiter = waiter;
	s->crashes = 0;
	if (s->ep == EP_NONE) {
		begin_again(rs, s, false);
	} else {
		s->restart_wanted = true;
		peers_send_signal(s, LSIGTERM);
		enter(rs, s, SERVICE_STOPPING, RS_STOP_LIMIT_NS);
	}
	service_tick(rs);
	return 0;
}

void service_release(struct rs *rs, struct service *s)
{
	remove_service(s, -EIO);
	service_tick(rs);
}

static void expire(struct rs *rs, struct service *s)
{
	s->deadline_ns = 0;
	switch (s->state) {
	case SERVICE_STARTING:
		diag_printf("%s: its init takes too long", s->label);
		if (!s->is_boot) {
			start_failed(rs, s, -ETIMEDOUT);
		}
		break;
	case SERVICE_STOPPING:
		service_died(rs, s, LSIGKILL);
		break;
	case SERVICE_BACKOFF:
		begin_again(rs, s, true);
		break;
	default:
		break;
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
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];

		if (s->state != SERVICE_FREE && s->deadline_ns &&
			(next == 0 || s->deadline_ns < next)) {
			next = s->deadline_ns;
		}
	}
	if (next != rs->alarm_ns) {
		rs->alarm_ns = next;
		peers_set_alarm(next);
	}
}

static const char *state_name(const struct service *s)
{
	static const char *const names[] = {
		[SERVICE_FREE] = "free",
		[SERVICE_STARTING] = "starting",
		[SERVICE_RUNNING] = "running",
		[SERVICE_STOPPING] = "stopping",
		[SERVICE_BACKOFF] = "waiting",
		[SERVICE_FAILED] = "failed",
	};

	return names[s->state];
}

static void number_or_dash(char text[16], bool is_number, int number)
{
	if (is_number) {
		snprintf(text, 16, "%d", number);
	} else {
		memcpy(text, "-", 2);
	}
}

static int status_line(const struct rs *rs, const struct service *s, char *text, size_t size)
{
	char endpoint[16], pid[16];
	int number = process_pid(s);

	number_or_dash(endpoint, s->ep != EP_NONE, s->ep);
	number_or_dash(pid, number > 0, number);
	return snprintf(text, size, "%-16s %8s %5s %-8s %8u %9llu %5u %4d %s\n", s->label, endpoint,
		pid, state_name(s), s->restarts,
		(unsigned long long)((rs->now_ns - s->since_ns) / NS_PER_S), s->conf.uid,
		s->conf.priority, conf_class_name(s->conf.class));
}

int service_status(struct rs *rs, const char *label, char *text, size_t size)
{
	int len = snprintf(text, size, "%-16s %8s %5s %-8s %8s %9s %5s %4s %s\n", "LABEL",
		"ENDPOINT", "PID", "STATE", "RESTARTS", "SINCE(s)", "UID", "PRIO", "CLASS");
	bool is_found = label[0] == '\0';

	for (int i = 0; i < RS_SERVICES_MAX && len >= 0 && (size_t)len < size; i++) {
		struct service *s = &rs->services[i];

		if (s->state != SERVICE_FREE &&
			(label[0] == '\0' || strcmp(s->label, label) == 0)) {
			is_found = true;
			len += status_line(rs, s, text + len, size - (size_t)len);
		}
	}
	if (!is_found) {
		return -ESRCH;
	}
	return len < 0 || (size_t)len >= size ? -ENOSPC : len;
}
