/* SPDX-License-Identifier: BSD-2-Clause */
/* RS-16, RS-17, RS-22: live update against fakes: each step failing in turn, alone and in a batch;
 * afterwards the version that is to run stands at the endpoint, and no process is left over. */
#include "servers/rs/update.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/linux/signal.h"
#include "servers/rs/binary.h"
#include "servers/rs/service.h"
#include "servers/rs/test/fake.h"

static int begin(struct rs *rs, struct service *s, bool is_batch)
{
	struct update_plan plan = {.binary = s->binary,
		.state = SEF_LU_WORK_FREE,
		.is_batch = is_batch,
		.waiter = someone};

	return update_add(rs, s, &plan);
}

/* Up to the init of the new version. */
static void switch_over(struct rs *rs, struct service *s)
{
	CHECK(begin(rs, s, false) == 0 && s->update == UPDATE_PREPARING && fake.alive == 2);
	update_ready(rs, s, 0, true);
	CHECK(s->update == UPDATE_STARTING && *contents(s->ep) != s->ep);
}

static void check_is_old(struct rs *rs, struct service *s, int result)
{
	CHECK(s->update == UPDATE_NONE && s->state == SERVICE_RUNNING && fake.alive == 1);
	CHECK(*contents(s->ep) == s->ep && fake.last_answer == result);
	CHECK(rs->update.phase == PHASE_NONE && rs->update.deadline_ns == 0);
}

static void test_success(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");
	struct binary *next = fake_binary("next");
	struct update_plan plan = {.binary = next, .state = SEF_LU_CUSTOM, .waiter = someone};
	int went_on = fake.went_on;

	CHECK(update_add(rs, s, &plan) == 0);
	binary_release(next);
	CHECK(service_down(rs, s, someone) == -EBUSY && begin(rs, s, false) == -EBUSY);
	update_ready(rs, s, 0, true);
	CHECK(fake.inits[SEF_INIT_LU] == 1 && fake.last_former == 1001);
	CHECK(update_started(rs, s, 0));
	CHECK(*contents(1000) == 1001 && fake.alive == 1 && fake.last_answer == 0);
	CHECK(s->binary == next && s->previous_binary && s->counts.updates == 1);
	CHECK(fake.went_on == went_on + 1 && !update_started(rs, s, 0));
	for (int i = 0; i < 1000; i++) { /* nothing is left behind */
		CHECK(begin(rs, s, false) == 0);
		update_ready(rs, s, 0, true);
		CHECK(update_started(rs, s, 0));
	}
	CHECK(fake.alive == 1 && s->counts.updates == 1001 && s->binary->references == 2);
	finish(rs);
}

static void test_refusals(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");
	struct binary *bad = fake_binary("x");
	struct update_plan plan = {.binary = bad, .state = SEF_LU_WORK_FREE};

	CHECK(update_add(rs, s, &plan) == -ENOEXEC);
	binary_release(bad);
	plan.binary = s->binary;
	plan.state = SEF_LU_NULL;
	CHECK(update_add(rs, s, &plan) == -EINVAL);
	plan.state = SEF_LU_CUSTOM - 1;
	CHECK(update_add(rs, s, &plan) == -EINVAL);
	fake.create_error = -ENOMEM;
	CHECK(begin(rs, s, false) == -ENOMEM);
	fake.create_error = 0;
	CHECK(s->update == UPDATE_NONE && fake.alive == 1 && fake.answers == 1);
	finish(rs);
}

/* The old version does not get ready, or dies. */
static void test_not_ready(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");
	int went_on;

	CHECK(begin(rs, s, false) == 0 && fake.alarm == rs->now_ns + RS_PREPARE_LIMIT_NS);
	rs->now_ns += RS_PREPARE_LIMIT_NS;
	service_tick(rs);
	CHECK(fake.cancelled == 1);
	check_is_old(rs, s, -EINTR);
	went_on = fake.went_on;
	update_ready(rs, s, 0, true); /* crosses the cancellation */
	CHECK(fake.went_on == went_on + 1);
	CHECK(begin(rs, s, false) == 0);
	update_ready(rs, s, -ENOSYS, true);
	CHECK(fake.went_on == went_on + 2 && fake.cancelled == 1);
	check_is_old(rs, s, -ENOSYS);
	CHECK(begin(rs, s, false) == 0);
	service_died(rs, s, LSIGSEGV);
	CHECK(fake.last_answer == -EIO && s->state == SERVICE_STARTING && fake.alive == 2);
	finish(rs);
}

/* The new version fails in each way. */
static void test_roll_back(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");
	int went_on = fake.went_on;

	switch_over(rs, s);
	CHECK(update_started(rs, s, -ENODEV));
	check_is_old(rs, s, -ENODEV);
	switch_over(rs, s);
	CHECK(update_started(rs, s, 42)); /* no result that there is */
	check_is_old(rs, s, -EPROTO);
	switch_over(rs, s);
	update_nonsense(rs, s);
	check_is_old(rs, s, -EPROTO);
	switch_over(rs, s);
	service_died(rs, s, LSIGSEGV);
	check_is_old(rs, s, -EIO);
	switch_over(rs, s);
	rs->now_ns += RS_INIT_LIMIT_NS;
	service_tick(rs);
	check_is_old(rs, s, -ETIMEDOUT);
	CHECK(s->counts.rollbacks == 5 && fake.went_on == went_on + 5);
	CHECK(s->counts.restarts == 0 && fake.recovered == 0);
	finish(rs);
}

static void test_steps_fail(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");
	struct conf_service conf = s->conf;
	struct update_plan plan = {
		.binary = s->binary, .conf = &conf, .state = SEF_LU_WORK_FREE, .waiter = someone};

	CHECK(begin(rs, s, false) == 0);
	fake.swap_error = -EBUSY;
	update_ready(rs, s, 0, true);
	check_is_old(rs, s, -EBUSY);
	fake.swap_error = 0;
	CHECK(begin(rs, s, false) == 0);
	fake.start_error = -EPERM;
	update_ready(rs, s, 0, true);
	check_is_old(rs, s, -EPERM);
	fake.start_error = 0;
	conf.uid = 77;
	CHECK(update_add(rs, s, &plan) == 0);
	fake.privilege_error = -EBUSY;
	update_ready(rs, s, 0, true);
	check_is_old(rs, s, -EBUSY);
	CHECK(s->conf.uid == 999);
	fake.privilege_error = 0;
	CHECK(update_add(rs, s, &plan) == 0);
	update_ready(rs, s, 0, true);
	CHECK(s->conf.uid == 77);
	CHECK(update_started(rs, s, -EIO) && s->conf.uid == 999);
	CHECK(update_add(rs, s, &plan) == 0);
	update_ready(rs, s, 0, true);
	CHECK(update_started(rs, s, 0) && s->conf.uid == 77);
	finish(rs);
}

/* All or none. */
static void test_batch(void)
{
	struct rs *rs = fresh();
	struct service *a = running(rs, "a"), *b = running(rs, "b"), *c = running(rs, "c");
	int answers = fake.answers;

	for (int failing = 0; failing < 4; failing++) {
		int before = *contents(b->ep);

		CHECK(begin(rs, a, true) == 0 && begin(rs, b, true) == 0 && fake.prepared == 0);
		CHECK(begin(rs, c, false) == 0 && fake.prepared == 3 && fake.alive == 6);
		fake.prepared = 0;
		update_ready(rs, b, 0, true);
		update_ready(rs, a, 0, true);
		CHECK(*contents(b->ep) == before);
		update_ready(rs, c, 0, true);
		CHECK(update_started(rs, a, failing == 1 ? -EIO : 0));
		if (failing != 1) {
			CHECK(update_started(rs, c, 0));
		}
		if (failing == 2) {
			service_died(rs, b, LSIGSEGV);
		} else if (failing == 3) {
			service_died(rs, c, LSIGSEGV); /* waits for the others */
		} else if (failing == 0) {
			CHECK(fake.answers == answers && update_started(rs, b, 0));
		}
		CHECK(fake.alive == 3 && fake.answers == ++answers);
		CHECK((*contents(b->ep) == before) == (failing != 0));
		CHECK(fake.last_answer == (failing ? -EIO : 0) && a->update == UPDATE_NONE);
	}
	CHECK(a->counts.updates == 1 && c->counts.rollbacks == 3);
	CHECK(begin(rs, a, true) == 0); /* the rest never comes */
	rs->now_ns += RS_QUEUE_LIMIT_NS;
	service_tick(rs);
	CHECK(fake.alive == 3 && a->update == UPDATE_NONE && fake.answers == answers);
	CHECK(begin(rs, a, true) == 0);
	fake.create_error = -ENOMEM;
	CHECK(begin(rs, b, true) == -ENOMEM && a->update == UPDATE_NONE && fake.alive == 3);
	finish(rs);
}

/* RS itself: alone, and without being asked to rest or told to go on. */
static void test_self(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a"), *other = running(rs, "b");
	struct update_plan plan = {
		.binary = s->binary, .args = "y", .state = SEF_LU_WORK_FREE, .waiter = someone};
	int went_on = fake.went_on;

	s->ep = EP_RS;
	CHECK(begin(rs, s, true) == -EPERM && begin(rs, other, true) == 0);
	CHECK(begin(rs, s, false) == -EPERM && other->update == UPDATE_NONE);
	CHECK(update_add(rs, s, &plan) == 0 && fake.prepared == 0);
	rs->now_ns += RS_PREPARE_LIMIT_NS;
	service_tick(rs);
	CHECK(fake.last_answer == -EINTR && fake.cancelled == 0 && fake.alive == 2);
	CHECK(update_add(rs, s, &plan) == 0 && fake.alive == 3);
	update_renew_begins(rs);
	CHECK(s->update == UPDATE_STARTING && strcmp(s->args, "y") == 0);
	update_renew_failed(rs, -EPROTO);
	CHECK(fake.last_answer == -EPROTO && fake.alive == 2);
	CHECK(strcmp(s->args, "x") == 0);
	CHECK(s->counts.rollbacks == 1 && s->update == UPDATE_NONE);
	CHECK(update_add(rs, s, &plan) == 0);
	update_renew_begins(rs);
	s->update = UPDATE_STARTED;
	update_renewed(rs);
	CHECK(fake.last_answer == 0 && fake.alive == 2 && strcmp(s->args, "y") == 0);
	CHECK(s->counts.updates == 1 && s->update == UPDATE_NONE && fake.went_on == went_on);
	CHECK(rs->update.phase == PHASE_NONE && s->previous_binary != NULL);
	s->ep = 1000;
	finish(rs);
}

int main(void)
{
	test_success();
	test_refusals();
	test_not_ready();
	test_roll_back();
	test_steps_fail();
	test_batch();
	test_self();
	printf("%u failures\n", failures);
	return failures != 0;
}
