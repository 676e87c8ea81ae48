/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of services against fakes of processes and peers: each path of rs.h's diagram, and what
 * the others are told. */
#include "servers/rs/service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/linux/signal.h"
#include "lib/core/bitmap.h"
#include "proto/rs.h"
#include "servers/rs/binary.h"
#include "servers/rs/heartbeat.h"
#include "servers/rs/mounts.h"
#include "servers/rs/privilege.h"
#include "servers/rs/replica.h"
#include "servers/rs/script.h"
#include "servers/rs/test/fake.h"

/* ---- the tests ---- */

static void test_up(void)
{
	struct rs *rs = fresh();
	struct service *s;

	rs->now_ns = 5 * S;
	CHECK(up(rs, "a") == 0 && fake.announced == 1 && fake.inits[SEF_INIT_FRESH] == 1 &&
		fake.answers == 0);
	CHECK(fake.alarm == 5 * S + RS_INIT_LIMIT_NS && up(rs, "a") == -EBUSY);
	s = service_by_label(rs, "a");
	CHECK(s && s == service_by_endpoint(rs, 1000) && s->state == SERVICE_STARTING &&
		fake.mapped == 0);
	CHECK(service_down(rs, s, someone) == -EBUSY &&
		service_restart(rs, s, SEF_INIT_RESTART, someone) == -EBUSY);
	service_started(rs, s, 0, true);
	service_started(rs, s, -EIO, true); /* a second report means nothing */
	CHECK(s->state == SERVICE_RUNNING && fake.answers == 1 && fake.last_ep == 1000 &&
		fake.mapped == 1);
	service_tick(rs);
	CHECK(fake.alarm == 0);
	finish(rs);
}

static void test_up_fails(void)
{
	struct rs *rs = fresh();

	fake.create_error = -ENOMEM;
	CHECK(up(rs, "a") == -ENOMEM && !service_by_label(rs, "a") && fake.announced == 0 &&
		fake.answers == 0);
	fake.create_error = 0;
	CHECK(up(rs, "a") == 0);
	service_started(rs, service_by_label(rs, "a"), -ENODEV, true);
	CHECK(!service_by_label(rs, "a") && fake.last_answer == -ENODEV && fake.alive == 0 &&
		fake.forgotten == 1);
	CHECK(up(rs, "a") == 0);
	service_died(rs, service_by_label(rs, "a"), LSIGSEGV);
	CHECK(!service_by_label(rs, "a") && fake.last_answer == -EIO && fake.alive == 0 &&
		fake.answers == 2);
	CHECK(up(rs, "a") == 0);
	rs->now_ns += RS_INIT_LIMIT_NS;
	service_tick(rs);
	CHECK(fake.kills == 1);
	service_died(rs, service_by_label(rs, "a"), LSIGKILL);
	CHECK(!service_by_label(rs, "a") && fake.last_answer == -ETIMEDOUT && fake.alive == 0 &&
		fake.answers == 3);
	finish(rs);
}

static void test_down(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");

	CHECK(service_down(rs, s, someone) == 0 && fake.signals == 1 &&
		s->state == SERVICE_STOPPING);
	CHECK(service_down(rs, s, someone) == -EBUSY && fake.answers == 1);
	service_died(rs, s, LSIGABRT);
	CHECK(!service_by_label(rs, "a") && fake.answers == 2 && fake.last_answer == 0 &&
		fake.alive == 0);
	s = running(rs, "b"); /* does not end by itself */
	CHECK(service_down(rs, s, someone) == 0);
	rs->now_ns += RS_STOP_LIMIT_NS;
	service_tick(rs);
	CHECK(fake.kills == 1);
	service_died(rs, s, LSIGKILL);
	CHECK(!service_by_label(rs, "b") && fake.answers == 4 && fake.alive == 0 &&
		fake.forgotten == 2);
	finish(rs);
}

/* RS-03: under the same endpoint, with what it keeps or as new; a failed one stays visible. */
static void test_restart(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");

	CHECK(service_restart(rs, s, SEF_INIT_RESTART, someone) == 0 &&
		s->state == SERVICE_STOPPING);
	service_died(rs, s, LSIGABRT);
	CHECK(s->state == SERVICE_STARTING && s->ep == 1000 && *contents(1000) == 1001);
	CHECK(fake.inits[SEF_INIT_RESTART] == 1 && fake.last_former == 1001 && fake.alive == 2 &&
		fake.answers == 1);
	service_started(rs, s, 0, true);
	CHECK(s->state == SERVICE_RUNNING && fake.answers == 2 && s->counts.restarts == 1);
	CHECK(fake.forgotten == 0 && fake.alive == 1 && fake.recovered == 1 && fake.went_on == 2);
	CHECK(service_restart(rs, s, SEF_INIT_FRESH, someone) == 0);
	service_died(rs, s, LSIGABRT);
	CHECK(fake.inits[SEF_INIT_FRESH] == 2);
	service_started(rs, s, -EIO, true);
	CHECK(s->state == SERVICE_FAILED && fake.last_answer == -EIO && fake.alive == 0);
	CHECK(service_restart(rs, s, SEF_INIT_RESTART, someone) == 0 &&
		s->state == SERVICE_STARTING);
	service_started(rs, s, 0, true);
	CHECK(s->state == SERVICE_RUNNING && service_down(rs, s, someone) == 0);
	service_died(rs, s, LSIGABRT);
	CHECK(fake.alive == 0);
	finish(rs);
}

/* RS-08, RS-13, RS-20: one crash at once, then 1, 2, 4, 8 seconds, then the end; the endpoint
 * stays. */
static void test_crashes(void)
{
	static const uint64_t delay_s[RS_CRASHES_MAX] = {0, 1, 2, 4, 8};
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");

	for (int i = 0; i < RS_CRASHES_MAX; i++) {
		service_died(rs, s, LSIGSEGV);
		if (delay_s[i]) {
			CHECK(s->state == SERVICE_BACKOFF && s->ep == 1000 && fake.alive == 1);
			CHECK(fake.alarm == rs->now_ns + delay_s[i] * S);
			rs->now_ns += delay_s[i] * S - 1;
			service_tick(rs);
			CHECK(s->state == SERVICE_BACKOFF);
			rs->now_ns += 1;
			service_tick(rs);
		}
		CHECK(s->state == SERVICE_STARTING && s->ep == 1000 && s->past_ep == 1001 + i);
		rs->now_ns += 3000;
		service_started(rs, s, 0, true);
		CHECK(s->state == SERVICE_RUNNING && fake.forgotten == 0 && fake.alive == 1);
		CHECK(s->counts.last_recovery_ns == delay_s[i] * S + 3000);
	}
	CHECK(fake.inits[SEF_INIT_RESTART] == RS_CRASHES_MAX && fake.answers == 1);
	CHECK(fake.announced == 1 && fake.mapped == 1 && fake.recovered == RS_CRASHES_MAX);
	service_died(rs, s, LSIGSEGV);
	CHECK(s->state == SERVICE_FAILED && fake.forgotten == 1 && fake.alive == 0 &&
		fake.alarm == 0);
	CHECK(service_down(rs, s, someone) == 1 && !service_by_label(rs, "a") && fake.answers == 1);
	s = running(rs, "b"); /* crashes after a good run do not add up */
	for (int i = 0; i < 3 * RS_CRASHES_MAX; i++) {
		rs->now_ns += RS_STABLE_NS;
		service_died(rs, s, LSIGSEGV);
		CHECK(s->state == SERVICE_STARTING);
		service_started(rs, s, 0, true);
	}
	finish(rs);
}

/* RS-21: the dead one comes back to its place when a step fails, and nothing is left over. */
static void test_crash_in_recovery(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");

	service_died(rs, s, LSIGSEGV);
	service_died(rs, s, LSIGSEGV); /* again, in its init */
	CHECK(s->state == SERVICE_BACKOFF && s->crashes == 2 && *contents(1000) == 1000 &&
		fake.alive == 1);
	rs->now_ns += S;
	fake.create_error = -ENOMEM;
	service_tick(rs);
	CHECK(s->state == SERVICE_BACKOFF && fake.alive == 1 && *contents(1000) == 1000);
	fake.create_error = 0;
	fake.swap_error = -EBUSY;
	rs->now_ns += 2 * S;
	service_tick(rs);
	CHECK(s->state == SERVICE_BACKOFF && fake.alive == 1);
	fake.swap_error = 0;
	fake.start_error = -EPERM;
	rs->now_ns += 4 * S;
	service_tick(rs);
	CHECK(s->state == SERVICE_BACKOFF && fake.alive == 1 && *contents(1000) == 1000);
	fake.start_error = 0;
	rs->now_ns += 8 * S;
	service_tick(rs);
	CHECK(s->state == SERVICE_STARTING && fake.alive == 2);
	rs->now_ns += RS_INIT_LIMIT_NS; /* RS-19 */
	service_tick(rs);
	CHECK(fake.kills == 1 && s->death == DEATH_TIMEOUT);
	service_died(rs, s, LSIGKILL);
	CHECK(s->state == SERVICE_FAILED && fake.alive == 0);
	finish(rs);
}

/* Its memory has gone over: what failed last is what the next one takes over from. */
static void test_no_way_back(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");

	service_died(rs, s, LSIGSEGV);
	fake.rollback_error = -ESTALE;
	service_died(rs, s, LSIGSEGV);
	CHECK(s->state == SERVICE_BACKOFF && *contents(1000) == 1001 && fake.alive == 1);
	fake.rollback_error = 0;
	rs->now_ns += S;
	service_tick(rs);
	service_started(rs, s, -ERESTART, true); /* of no use: starts as new */
	CHECK(fake.inits[SEF_INIT_FRESH] == 2 && s->state == SERVICE_STARTING && fake.alive == 2);
	service_started(rs, s, 0, true);
	CHECK(s->state == SERVICE_RUNNING && fake.alive == 1);
	finish(rs);
}

/* RS-11: who may not be restarted, and the core. */
static void test_special(void)
{
	struct rs *rs = fresh();
	struct service *s;

	CHECK(up_declared(rs, "once", "service once { restart no; }") == 0);
	s = service_by_label(rs, "once");
	service_started(rs, s, 0, true);
	service_died(rs, s, LSIGSEGV);
	CHECK(s->state == SERVICE_FAILED);
	CHECK(up_declared(rs, "core", "service core { core yes; restart no; }") == 0);
	s = service_by_label(rs, "core");
	service_started(rs, s, 0, true);
	CHECK(service_down(rs, s, someone) == -EPERM && fake.system_failed == 0);
	CHECK(service_restart(rs, s, SEF_INIT_RESTART, someone) == -EPERM);
	service_died(rs, s, LSIGSEGV);
	CHECK(fake.system_failed == 1);
	CHECK(up_declared(rs, "kept", "service kept { core yes; }") == 0);
	s = service_by_label(rs, "kept");
	service_started(rs, s, 0, true);
	service_died(rs, s, LSIGSEGV);
	CHECK(s->state == SERVICE_STARTING && fake.system_failed == 1);
	rs->is_shutting_down = true;
	service_started(rs, s, 0, true);
	service_died(rs, s, LSIGSEGV);
	CHECK(s->state == SERVICE_FAILED && fake.system_failed == 1);
	finish(rs);
}

/* RS-09: hot swap, and a new one when that has settled. */
static void test_replica(void)
{
	struct rs *rs = fresh();
	struct service *s;

	rs->is_booted = true;
	s = running(rs, "a");
	CHECK(replica_want(rs, s) == 0 && replica_want(rs, s) == -EEXIST);
	service_tick(rs);
	CHECK(s->replica_ep == 1001 && fake.alive == 2);
	service_died(rs, s, LSIGSEGV);
	CHECK(*contents(1000) == 1001 && fake.alive == 2 && s->counts.replicas_used == 1);
	service_started(rs, s, 0, true);
	service_tick(rs);
	CHECK(fake.alive == 1 && fake.alarm == rs->now_ns + RS_REPLICA_DELAY_NS);
	rs->now_ns += RS_REPLICA_DELAY_NS;
	fake.create_error = -ENOMEM;
	service_tick(rs);
	CHECK(s->replica_ep == EP_NONE && fake.alarm != 0);
	fake.create_error = 0;
	rs->now_ns += RS_REPLICA_RETRY_NS;
	service_tick(rs);
	CHECK(fake.alive == 2 && replica_unwant(rs, s) == 0 && fake.alive == 1);
	CHECK(replica_unwant(rs, s) == -ENOENT);
	finish(rs);
}

/* RS-14: two periods without an answer, unless it waits for somebody. */
static void test_heartbeat(void)
{
	struct rs *rs = fresh();
	struct service *s;
	endpoint_t ep;

	rs->is_booted = true;
	rs->now_ns = 100 * S;
	CHECK(up_declared(rs, "a", "service s { period 1000; }") == 0);
	s = service_by_label(rs, "a");
	service_started(rs, s, 0, true);
	service_tick(rs);
	CHECK(fake.alarm == 101 * S);
	for (int i = 0; i < 3; i++) {
		rs->now_ns += S;
		service_tick(rs);
		heartbeat_beat(rs, s);
	}
	CHECK(fake.pings == 3 && fake.kills == 0);
	for (int i = 0; i < 5; i++) {
		rs->now_ns += S;
		service_tick(rs);
	}
	CHECK(fake.kills == 0);
	fake.is_hung = true;
	rs->now_ns += S;
	service_tick(rs);
	CHECK(fake.kills == 0);
	rs->now_ns += S;
	service_tick(rs);
	CHECK(fake.kills == 1 && s->death == DEATH_NO_HEARTBEAT);
	service_died(rs, s, LSIGKILL);
	service_started(rs, s, 0, true);
	fake.is_hung = false;
	fake.waits_for = s->ep; /* a service that is well */
	for (int i = 0; i < 12; i++) {
		CHECK(fake.kills == 1 + (i == 11));
		rs->now_ns += S;
		service_tick(rs);
	}
	CHECK(heartbeat_ask(rs, s, 7) == 0 && heartbeat_ask(rs, s, 8) == -EBUSY);
	rs->now_ns += 5;
	heartbeat_beat(rs, s);
	CHECK(fake.last_answer == 5);
	CHECK(heartbeat_ask(rs, s, 7) == 0);
	service_died(rs, s, LSIGSEGV);
	CHECK(fake.last_answer == -EIO && heartbeat_ask(rs, s, 7) == -EBUSY);
	service_started(rs, s, 0, true);
	rs->is_booted = false;
	CHECK(heartbeat_ask(rs, s, 7) == 0);
	rs->now_ns += 10 * S - 1;
	service_tick(rs);
	CHECK(fake.last_answer == -EIO && fake.alarm == rs->now_ns + 1);
	rs->now_ns++;
	service_tick(rs);
	CHECK(fake.last_answer == -ETIMEDOUT && heartbeat_ask(rs, s, 8) == 0);
	heartbeat_beat(rs, s);
	ep = s->ep;
	s->ep = EP_RS;
	CHECK(heartbeat_ask(rs, s, 7) == 0 && fake.last_answer == 0);
	CHECK(service_restart(rs, s, SEF_INIT_RESTART, someone) == -EPERM);
	CHECK(replica_want(rs, s) == -EPERM);
	s->ep = ep;
	finish(rs);
}

/* RS-15: the script decides, not RS. */
static void test_script(void)
{
	struct rs *rs = fresh();
	struct service *s;
	char text[256];

	rs->is_booted = true;
	CHECK(up_declared(rs, "a", "service s { script /etc/again; }") == 0);
	s = service_by_label(rs, "a");
	service_started(rs, s, 0, true);
	CHECK(script_fetch(rs, text, sizeof(text)) == 0);
	service_died(rs, s, LSIGSEGV);
	CHECK(s->state == SERVICE_SCRIPT && fake.scripts == 1 && fake.alive == 1);
	CHECK(script_fetch(rs, text, 10) == -ENOSPC);
	CHECK(script_fetch(rs, text, sizeof(text)) > 0 &&
		strcmp(text, "/etc/again\na\nterminated\n0\n") == 0);
	CHECK(script_fetch(rs, text, sizeof(text)) == 0);
	CHECK(service_restart(rs, s, SEF_INIT_RESTART, someone) == 0);
	service_started(rs, s, 0, true);
	CHECK(s->state == SERVICE_RUNNING && fake.last_answer == 0);
	service_died(rs, s, LSIGSEGV);
	CHECK(service_down(rs, s, someone) == 1 && fake.alive == 0);
	finish(rs);
}

static void test_limits(void)
{
	struct rs *rs = fresh();
	char label[16];
	int r = 0, n;

	for (n = 0; r == 0; n++) {
		snprintf(label, sizeof(label), "s%d", n);
		r = up(rs, label);
	}
	CHECK(r == -ENOSPC && n == RS_SERVICES_MAX + 1 && fake.alive == RS_SERVICES_MAX);
	finish(rs);
}

static void test_mounts(void)
{
	static const char text[] = "service fsx { class fs; }";
	struct rs *rs = fresh();
	struct conf_service conf;
	struct conf_error error;
	struct binary *binary = fake_binary("\177ELF");
	struct rs_fs_start req = {.seq = 5, .type = "fsx", .label = "fsx.vda"};
	struct service *s;

	CHECK(conf_find(text, strlen(text), "fsx", &conf, &error) == 0);
	CHECK(mounts_register(rs, "fsx", &conf, binary, "") == 0 &&
		mounts_register(rs, "fsx", &conf, binary, "y") == 0);
	conf.class = CONF_CLASS_DRIVER;
	CHECK(mounts_register(rs, "other", &conf, binary, "") == -EINVAL);
	binary_release(binary);
	mounts_start(rs, &(struct rs_fs_start){.seq = 1, .type = "none"});
	CHECK(fake.answers == 1 && fake.last_answer == -ENODEV);
	mounts_start(rs, &req);
	s = service_by_label(rs, "fsx.vda");
	CHECK(s && s->is_mount);
	service_started(rs, s, 0, true);
	CHECK(fake.answers == 2 && fake.last_answer == 0 && fake.last_ep == s->ep);
	mounts_start(rs, &req);
	CHECK(service_by_label(rs, "fsx.vda.2") != NULL);
	memset(req.label, 'x', sizeof(req.label)); /* no NUL, and too long with a number */
	mounts_start(rs, &req);
	mounts_start(rs, &req);
	CHECK(fake.alive == 4);
	CHECK(service_down(rs, s, someone) == -EPERM &&
		service_restart(rs, s, SEF_INIT_FRESH, someone) == -EPERM);
	mounts_stop(rs, &(struct rs_ep){.ep = s->ep});
	mounts_stop(rs, &(struct rs_ep){.ep = 4242});
	CHECK(!service_by_label(rs, "fsx.vda") && fake.alive == 3);
	s = service_by_label(rs, "fsx.vda.2");
	service_started(rs, s, 0, true);
	service_died(rs, s, LSIGSEGV); /* a mount is brought back */
	service_started(rs, s, 0, true);
	CHECK(s->state == SERVICE_RUNNING && fake.recovered == 1 && fake.alive == 3);
	s->conf.restart = CONF_RESTART_NO;
	service_died(rs, s, LSIGSEGV);
	CHECK(!service_by_label(rs, "fsx.vda.2") && fake.alive == 2);
	finish(rs);
}

static bool may_send(const struct rs *rs, const struct service *from, const struct service *to)
{
	struct priv_spec spec;

	privilege_spec(rs, from, &spec);
	return bitmap_test(spec.send_mask, (size_t)to->priv_id);
}

static void test_privileges(void)
{
	struct rs *rs = fresh();
	struct service *disk, *ext2, *other;
	struct priv_spec spec;

	CHECK(up_declared(rs, "disk",
		      "service disk { uid 5; kcall vumap; irq 3; io 0x60 1; signal_manager other; "
		      "}") == 0);
	CHECK(up_declared(rs, "ext2.vda", "service ext2 { class fs; ipc @driver; heap no; }") == 0);
	CHECK(up_declared(rs, "other",
		      "service other { class server; ipc ext2; magic_grants yes; }") == 0);
	disk = service_by_label(rs, "disk");
	ext2 = service_by_label(rs, "ext2.vda");
	other = service_by_label(rs, "other");
	disk->priv_id = 3;
	ext2->priv_id = 70;
	other->priv_id = 127;
	CHECK(may_send(rs, ext2, disk) && may_send(rs, disk, ext2)); /* answers */
	CHECK(may_send(rs, other, ext2) && !may_send(rs, other, disk) &&
		!may_send(rs, disk, other));
	privilege_spec(rs, disk, &spec);
	CHECK(spec.uid == 5 && spec.irq_count == 1 && spec.irq[0] == 3 && spec.io[0].end == 0x60 &&
		spec.linux_mem);
	CHECK(spec.kcall_mask == (1ull << KCALL_vumap | KCALL_BASIC) && spec.sig_mgr == other->ep);
	CHECK(spec.backup_mgr == EP_RS);
	CHECK(spec.flags == 0 && strcmp(spec.label, "disk") == 0);
	privilege_spec(rs, other, &spec);
	CHECK(spec.flags == PRIV_FLAG_MAGIC && spec.sig_mgr == EP_RS &&
		spec.kcall_mask == KCALL_BASIC);
	privilege_spec(rs, ext2, &spec);
	CHECK(!spec.linux_mem);
	finish(rs);
}

/* KRN-18: a service whose signals are PM's is not watched; by force it ends as any other. */
static void test_other_manager(void)
{
	struct rs *rs = fresh();
	struct service *s;

	rs->is_booted = true;
	CHECK(up_declared(rs, "a", "service a { signal_manager pm; }") == 0);
	s = service_by_label(rs, "a");
	service_started(rs, s, 0, true);
	CHECK(!service_is_managed(s));
	for (int i = 0; i < 20; i++) {
		rs->now_ns += 3 * S;
		fake.is_hung = true;
		service_tick(rs);
	}
	CHECK(fake.pings == 0 && fake.kills == 0 && s->state == SERVICE_RUNNING);
	CHECK(service_down(rs, s, someone) == 0 && fake.signals == 1);
	rs->now_ns += RS_STOP_LIMIT_NS;
	service_tick(rs);
	CHECK(fake.kills == 1 && fake.privileges == 1 && service_is_managed(s));
	service_died(rs, s, LSIGKILL);
	CHECK(!service_by_label(rs, "a") && fake.alive == 0 && fake.last_answer == 0);
	CHECK(up_declared(rs, "a", "service a { signal_manager pm; }") == 0);
	s = service_by_label(rs, "a");
	service_started(rs, s, 0, true);
	service_ended(rs, s, LSIGSEGV); /* PM says so: there is no recovery */
	CHECK(s->state == SERVICE_FAILED && s->ep == EP_NONE && fake.alive == 0);
	CHECK(s->last_signal == LSIGSEGV && service_restart(rs, s, SEF_INIT_RESTART, someone) == 0);
	service_started(rs, s, 0, true);
	CHECK(s->state == SERVICE_RUNNING && !service_is_managed(s));
	/* To be replaced by a successor it must be dead to the kernel, which RS sees to. */
	CHECK(service_restart(rs, s, SEF_INIT_RESTART, someone) == 0 && fake.signals == 2);
	service_ended(rs, s, LSIGABRT);
	CHECK(fake.kills == 2 && service_is_managed(s) && s->state == SERVICE_STOPPING);
	service_died(rs, s, LSIGKILL);
	service_started(rs, s, 0, true);
	CHECK(s->state == SERVICE_RUNNING && fake.last_answer == 0 && fake.alive == 1);
	finish(rs);
}

int main(void)
{
	test_other_manager();
	test_privileges();
	test_up();
	test_up_fails();
	test_down();
	test_restart();
	test_crashes();
	test_crash_in_recovery();
	test_no_way_back();
	test_replica();
	test_heartbeat();
	test_script();
	test_special();
	test_limits();
	test_mounts();
	printf("%u failures\n", failures);
	return failures != 0;
}
