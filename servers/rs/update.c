/* SPDX-License-Identifier: BSD-2-Clause */
/* Invariant: while rs->update.phase is not PHASE_NONE the services whose `update` is not
 * UPDATE_NONE are its members, and each has next_ep and next_binary. */
#include "servers/rs/update.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/diag.h"
#include "servers/rs/binary.h"
#include "servers/rs/heartbeat.h"
#include "servers/rs/peers.h"
#include "servers/rs/process.h"
#include "servers/rs/replica.h"
#include "servers/rs/service.h"

/* The n-th service if it is a member of the update, else NULL. */
static struct service *member(struct rs *rs, int n)
{
	struct service *s = &rs->services[n];

	return s->state != SERVICE_FREE && s->update != UPDATE_NONE ? s : NULL;
}

static bool are_all(struct rs *rs, enum update_step step)
{
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		if (member(rs, i) && rs->services[i].update != step) {
			return false;
		}
	}
	return true;
}

/* The other declaration and arguments become the service's, and the other way round. */
static int exchange(struct rs *rs, struct service *s)
{
	struct conf_service conf = s->conf;
	char *args = s->args;
	int r;

	if (s->other_args) {
		s->args = s->other_args;
		s->other_args = args;
		peers_forget_args(s);
	}
	if (!s->other_conf) {
		return 0;
	}
	s->conf = *s->other_conf;
	*s->other_conf = conf;
	r = process_give_privileges(rs, s, s->ep, PRIV_UPDATE);
	peers_edited(rs, s);
	return r < 0 ? r : 0;
}

/* What is left of the one version that is not used. */
static void leave(struct service *s)
{
	if (s->next_ep != EP_NONE) {
		process_destroy(s->next_ep);
		s->next_ep = EP_NONE;
	}
	binary_release(s->next_binary);
	s->next_binary = NULL;
	free(s->other_conf);
	free(s->other_args);
	s->other_conf = NULL;
	s->other_args = NULL;
	s->update = UPDATE_NONE;
}

/* The old version gets its endpoint back and goes on. */
static void roll_back(struct rs *rs, struct service *s)
{
	int r = process_swap(s->ep, s->next_ep, true);

	s->counts.rollbacks++;
	(void)exchange(rs, s);
	if (r < 0) {
		diag_printf("%s: the old version cannot come back: error %d", s->label, -r);
		leave(s);
		process_kill(s->ep);
		return;
	}
	peers_go_on(s->ep);
	peers_log_rollback(s, rs->update.switched_ns);
	leave(s);
	heartbeat_begin(rs, s);
}

/* RS sees for itself when it rests. */
static void ask_to_rest(const struct service *s, int state)
{
	if (s->ep != EP_RS) {
		peers_prepare(s, state);
	}
}

static void undo(struct rs *rs, struct service *s)
{
	switch (s->update) {
	case UPDATE_PREPARING:
		ask_to_rest(s, SEF_LU_NULL);
		leave(s);
		break;
	case UPDATE_READY:
		leave(s);
		peers_go_on(s->ep);
		break;
	case UPDATE_STARTING:
	case UPDATE_STARTED:
		roll_back(rs, s);
		break;
	default:
		leave(s);
		break;
	}
}

/* Nobody has a part in it any more. */
static void end(struct rs *rs, int result)
{
	if (rs->update.has_sched) {
		peers_schedule_all(rs, true);
	}
	rs->update.has_sched = false;
	rs->update.phase = PHASE_NONE;
	rs->update.deadline_ns = 0;
	peers_answer(&rs->update.waiter, result, EP_NONE);
}

static void abandon(struct rs *rs, int result)
{
	for (int i = RS_SERVICES_MAX - 1; i >= 0; i--) {
		if (member(rs, i)) {
			undo(rs, &rs->services[i]);
		}
	}
	end(rs, result);
}

static void commit(struct rs *rs)
{
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = member(rs, i);

		if (!s) {
			continue;
		}
		binary_release(s->previous_binary);
		s->previous_binary = s->binary;
		s->binary = s->next_binary;
		s->next_binary = NULL;
		leave(s);
		replica_drop(s);
		s->replica_ns = rs->now_ns + RS_REPLICA_DELAY_NS;
		s->counts.updates++;
		if (s->ep != EP_RS) {
			peers_go_on(s->ep);
		}
		peers_recovered(rs, s);
		heartbeat_begin(rs, s);
	}
	end(rs, 0);
}

static uint64_t init_limit(const struct rs *rs)
{
	return rs->update.limit_ns ? rs->update.limit_ns : RS_INIT_LIMIT_NS;
}

static int switch_over(struct rs *rs, struct service *s)
{
	int r = process_swap(s->ep, s->next_ep, false);

	if (r < 0) {
		return r;
	}
	s->update = UPDATE_STARTING;
	r = exchange(rs, s);
	if (r < 0) {
		return r;
	}
	peers_send_init(s, SEF_INIT_LU, s->next_ep);
	return process_start(s->ep);
}

/* All rest: the endpoints change hands. */
static void switch_all(struct rs *rs)
{
	rs->update.phase = PHASE_STARTING;
	rs->update.switched_ns = rs->now_ns;
	rs->update.deadline_ns = rs->now_ns + init_limit(rs);
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		int r = member(rs, i) ? switch_over(rs, &rs->services[i]) : 0;

		if (r < 0) {
			diag_printf("%s: cannot switch to the new version: error %d",
				rs->services[i].label, -r);
			abandon(rs, r);
			return;
		}
	}
}

static void prepare_all(struct rs *rs)
{
	rs->update.phase = PHASE_PREPARING;
	rs->update.deadline_ns =
		rs->now_ns + (rs->update.limit_ns ? rs->update.limit_ns : RS_PREPARE_LIMIT_NS);
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = member(rs, i);

		if (s) {
			s->update = UPDATE_PREPARING;
			ask_to_rest(s, rs->update.state);
			rs->update.has_sched |= s->ep == EP_SCHED;
		}
	}
	/* Else an init whose quantum is over would wait for SCHED, which waits for its end. */
	if (rs->update.has_sched) {
		peers_schedule_all(rs, false);
	}
}

/* RS is updated with no other, under the declaration that it has. */
static bool is_alone_if_self(
	const struct rs *rs, const struct service *s, const struct update_plan *plan)
{
	return s->ep != EP_RS || (rs->update.phase == PHASE_NONE && !plan->is_batch && !plan->conf);
}

static int check(struct rs *rs, const struct service *s, const struct update_plan *plan)
{
	if (!s->binary || !plan->binary || s->ep == EP_VM || !is_alone_if_self(rs, s, plan)) {
		return -EPERM;
	}
	if (plan->state <= SEF_LU_NULL ||
		(plan->state > SEF_LU_PROTOCOL_FREE && plan->state < SEF_LU_CUSTOM)) {
		return -EINVAL;
	}
	if (s->state != SERVICE_RUNNING || s->update != UPDATE_NONE) {
		return -EBUSY;
	}
	return process_check(plan->binary);
}

/* Make the new version; the service is a member then. */
static int add_member(struct rs *rs, struct service *s, const struct update_plan *plan)
{
	int r = 0;

	if (plan->conf) {
		s->other_conf = malloc(sizeof(*s->other_conf));
		r = s->other_conf ? r : -ENOMEM;
	}
	if (plan->args) {
		s->other_args = strdup(plan->args);
		r = s->other_args ? r : -ENOMEM;
	}
	if (r == 0) {
		r = process_create(rs, s, plan->binary, &s->next_ep);
	}
	if (r < 0) {
		leave(s);
		return r;
	}
	if (plan->conf) {
		*s->other_conf = *plan->conf;
	}
	s->next_binary = binary_hold(plan->binary);
	s->update = UPDATE_QUEUED;
	return 0;
}

int update_add(struct rs *rs, struct service *s, const struct update_plan *plan)
{
	struct update *update = &rs->update;
	int r;

	if (update->phase > PHASE_QUEUED ||
		(update->phase == PHASE_QUEUED && update->program != plan->program)) {
		return -EBUSY;
	}
	r = check(rs, s, plan);
	if (r == 0) {
		r = add_member(rs, s, plan);
	}
	if (r < 0) {
		abandon(rs, r);
		return r;
	}
	update->program = plan->program;
	update->state = plan->state;
	update->limit_ns = plan->limit_ns;
	if (plan->is_batch) {
		update->phase = PHASE_QUEUED;
		update->deadline_ns = rs->now_ns + RS_QUEUE_LIMIT_NS;
	} else {
		update->waiter = plan->waiter;
		prepare_all(rs);
	}
	service_tick(rs);
	return 0;
}

void update_forget(struct rs *rs, endpoint_t program)
{
	if (rs->update.phase == PHASE_QUEUED && rs->update.program == program) {
		abandon(rs, -ECANCELED);
		service_tick(rs);
	}
}

void update_ready(struct rs *rs, struct service *s, int result, bool is_waiting)
{
	if (s->update != UPDATE_PREPARING || result != 0 || !is_waiting) {
		/* Too late, or it does not want to: it goes on. */
		if (is_waiting) {
			peers_go_on(s->ep);
		}
		if (s->update == UPDATE_PREPARING) {
			s->update = UPDATE_QUEUED;
			abandon(rs, result < 0 ? result : -EPROTO);
		}
		return;
	}
	s->update = UPDATE_READY;
	if (are_all(rs, UPDATE_READY)) {
		switch_all(rs);
	}
}

bool update_started(struct rs *rs, struct service *s, int result)
{
	if (s->update == UPDATE_STARTED) {
		update_nonsense(rs, s);
		return true;
	}
	if (s->update != UPDATE_STARTING) {
		return false;
	}
	if (result != 0) {
		diag_printf("%s: the new version's init failed: error %d", s->label, -result);
		abandon(rs, result < 0 ? result : -EPROTO);
		return true;
	}
	s->update = UPDATE_STARTED;
	if (are_all(rs, UPDATE_STARTED)) {
		commit(rs);
	}
	return true;
}

void update_nonsense(struct rs *rs, struct service *s)
{
	if (s->update == UPDATE_STARTING || s->update == UPDATE_STARTED) {
		diag_printf("%s: the new version talks nonsense", s->label);
		abandon(rs, -EPROTO);
	}
}

bool update_died(struct rs *rs, struct service *s)
{
	bool is_new = s->update == UPDATE_STARTING || s->update == UPDATE_STARTED;

	if (s->update == UPDATE_NONE) {
		return false;
	}
	if (!is_new) {
		s->update = UPDATE_QUEUED; /* there is nobody to tell */
	}
	abandon(rs, -EIO);
	return is_new;
}

void update_leave(struct rs *rs, struct service *s)
{
	if (s->update != UPDATE_NONE) {
		abandon(rs, -EIO);
	}
}

void update_renew_begins(struct rs *rs)
{
	struct service *self = service_by_endpoint(rs, EP_RS);

	self->update = UPDATE_STARTING;
	rs->update.phase = PHASE_STARTING;
	rs->update.switched_ns = rs->now_ns;
	rs->update.deadline_ns = rs->now_ns + init_limit(rs);
	(void)exchange(rs, self);
}

void update_renewed(struct rs *rs)
{
	peers_edited(rs, service_by_endpoint(rs, EP_RS));
	commit(rs);
}

void update_renew_failed(struct rs *rs, int result)
{
	struct service *self = service_by_endpoint(rs, EP_RS);

	self->counts.rollbacks++;
	(void)exchange(rs, self);
	peers_edited(rs, self);
	peers_log_rollback(self, rs->update.switched_ns);
	self->update = UPDATE_QUEUED; /* there is nobody to tell */
	abandon(rs, result);
}

time_ns_t update_tick(struct rs *rs)
{
	struct update *update = &rs->update;

	if (update->phase != PHASE_NONE && update->deadline_ns <= rs->now_ns) {
		diag_printf("live update: no end in time");
		abandon(rs, update->phase == PHASE_PREPARING ? -EINTR : -ETIMEDOUT);
	}
	return update->phase == PHASE_NONE ? 0 : update->deadline_ns;
}
